//! What the XML schemas of CycloneDX 1.2 to 1.7 know, and how their JSON schemas tell it.
//!
//! A field without a version is known to all of them.

mod component;
mod crypto;
mod data;
mod declarations;
mod definitions;
mod evidence;
mod formulation;
mod licence;
mod model;
mod party;
mod service;
mod vulnerability;

use super::scalar::Scalar;
use super::shape::{Field, Shape, attribute, attribute_of, many, one};
use crate::schema::CycloneDxVersion::{V1_3, V1_4, V1_5, V1_6, V1_7};
use component::{COMPONENT, COMPONENTS};
use declarations::DECLARATIONS;
use definitions::{CITATIONS, DEFINITIONS};
use formulation::FORMULATION;
use licence::LICENCES;
use party::{CONTACT, CONTACTS, ENTITY};
use service::{SERVICE, SERVICES};
use vulnerability::VULNERABILITIES;

/// `string`.
static TEXT: Shape = Shape::Text(Scalar::String, None);
/// `normalizedString`.
static LINE: Shape = Shape::Text(Scalar::Line, None);
/// `anyURI`, `dateTime`, `token` and enumerations.
static TOKEN: Shape = Shape::Text(Scalar::Token, None);
static BOOLEAN: Shape = Shape::Text(Scalar::Boolean, None);
static INTEGER: Shape = Shape::Text(Scalar::Integer, None);
static DECIMAL: Shape = Shape::Text(Scalar::Decimal, None);
/// An element with nothing but the attribute `ref`.
static REFERENCE: Shape = Shape::Reference;

/// `attachedTextType`.
static ATTACHMENT: Shape = Shape::Content(
    "content",
    Scalar::String,
    &[attribute_of("content-type", Scalar::Line).key("contentType"), attribute("encoding")],
);
static HASH: Shape = Shape::Content("content", Scalar::Token, &[attribute("alg")]);
static HASHES: Shape = Shape::List(&[one("hash", &HASH)]);
static PROPERTY: Shape = Shape::Content("value", Scalar::Line, &[attribute("name")]);
static PROPERTIES: Shape = Shape::List(&[one("property", &PROPERTY)]);
static TAGS: Shape = Shape::List(&[one("tag", &LINE)]);

/// `externalReference`.
static EXTERNAL: Shape = Shape::Object(&[
    attribute("type"),
    one("url", &TOKEN),
    one("comment", &TEXT),
    one("hashes", &HASHES).since(V1_3),
    one("properties", &PROPERTIES).since(V1_7),
]);
static EXTERNALS: Shape = Shape::List(&[one("reference", &EXTERNAL)]);

static TOOL: Shape = Shape::Object(&[
    one("vendor", &LINE),
    one("name", &LINE),
    one("version", &LINE),
    one("hashes", &HASHES),
    one("externalReferences", &EXTERNALS).since(V1_4),
]);
static TOOLS: Shape = Shape::Tools(&[
    many("tool", &TOOL),
    one("components", &COMPONENTS).since(V1_5),
    one("services", &SERVICES).since(V1_5),
]);

static LIFECYCLE: Shape =
    Shape::Object(&[one("phase", &TOKEN), one("name", &LINE), one("description", &TEXT)]);
static LIFECYCLES: Shape = Shape::List(&[one("lifecycle", &LIFECYCLE)]);
static TLP: Shape = Shape::Text(Scalar::Token, Some("CLEAR"));
static DISTRIBUTION: Shape = Shape::Object(&[one("tlp", &TLP)]);

static METADATA: Shape = Shape::Object(&[
    one("timestamp", &TOKEN),
    one("lifecycles", &LIFECYCLES).since(V1_5),
    one("tools", &TOOLS),
    one("authors", &CONTACTS),
    one("component", &COMPONENT),
    one("manufacturer", &ENTITY).since(V1_6),
    one("manufacture", &ENTITY),
    one("supplier", &ENTITY),
    one("licenses", &LICENCES).since(V1_3),
    one("properties", &PROPERTIES).since(V1_3),
    one("distributionConstraints", &DISTRIBUTION).since(V1_7),
]);

/// `dependencyType`, of which JSON knows two levels, not more.
static DEPENDENCY: Shape = Shape::Object(&[
    attribute("ref"),
    many("dependency", &REFERENCE).key("dependsOn"),
    many("provides", &REFERENCE).since(V1_6),
]);
static DEPENDENCIES: Shape = Shape::List(&[one("dependency", &DEPENDENCY)]);

static AGGREGATE: Shape = Shape::Text(Scalar::Token, Some("not_specified"));
static ASSEMBLIES: Shape = Shape::List(&[one("assembly", &REFERENCE)]);
static DEPENDENCY_NAMES: Shape = Shape::List(&[one("dependency", &REFERENCE)]);
static VULNERABILITY_NAMES: Shape = Shape::List(&[one("vulnerability", &REFERENCE)]);
static COMPOSITION: Shape = Shape::Object(&[
    attribute("bom-ref").since(V1_5),
    one("aggregate", &AGGREGATE),
    one("assemblies", &ASSEMBLIES),
    one("dependencies", &DEPENDENCY_NAMES),
    one("vulnerabilities", &VULNERABILITY_NAMES).since(V1_5),
]);
static COMPOSITIONS: Shape = Shape::List(&[one("composition", &COMPOSITION)]);

static ANNOTATOR: Shape = Shape::Object(&[
    one("organization", &ENTITY),
    one("individual", &CONTACT),
    one("component", &COMPONENT),
    one("service", &SERVICE),
]);
static SUBJECTS: Shape = Shape::List(&[one("subject", &REFERENCE)]);
static ANNOTATION: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("subjects", &SUBJECTS),
    one("annotator", &ANNOTATOR),
    one("timestamp", &TOKEN),
    one("text", &TEXT),
]);
static ANNOTATIONS: Shape = Shape::List(&[one("annotation", &ANNOTATION)]);

/// The outermost element.
pub(super) static BOM: &[Field] = &[
    attribute_of("version", Scalar::Integer),
    attribute("serialNumber"),
    one("metadata", &METADATA),
    one("components", &COMPONENTS),
    one("services", &SERVICES),
    one("externalReferences", &EXTERNALS),
    one("dependencies", &DEPENDENCIES),
    one("compositions", &COMPOSITIONS).since(V1_3),
    one("properties", &PROPERTIES).since(V1_3),
    one("vulnerabilities", &VULNERABILITIES).since(V1_4),
    one("annotations", &ANNOTATIONS).since(V1_5),
    one("formulation", &FORMULATION).since(V1_5),
    one("declarations", &DECLARATIONS).since(V1_6),
    one("definitions", &DEFINITIONS).since(V1_6),
    one("citations", &CITATIONS).since(V1_7),
];
