//! Standards and patents, and who says what of the document.

use super::party::{CONTACT, ENTITY, SOMEBODY};
use super::{EXTERNALS, PROPERTIES, TEXT, TOKEN, V1_7};
use crate::xml::shape::{Shape, attribute, many, one};

static DESCRIPTIONS: Shape = Shape::List(&[one("description", &TEXT)]);
static REQUIREMENT: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("identifier", &TEXT),
    one("title", &TEXT),
    one("text", &TEXT),
    one("descriptions", &DESCRIPTIONS),
    many("openCre", &TEXT),
    one("parent", &TEXT),
    one("properties", &PROPERTIES),
    one("externalReferences", &EXTERNALS),
]);
static REQUIREMENTS: Shape = Shape::List(&[one("requirement", &REQUIREMENT)]);
static REQUIREMENT_NAMES: Shape = Shape::List(&[one("requirement", &TEXT)]);
static LEVEL: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("identifier", &TEXT),
    one("title", &TEXT),
    one("description", &TEXT),
    one("requirements", &REQUIREMENT_NAMES),
]);
static LEVELS: Shape = Shape::List(&[one("level", &LEVEL)]);
static STANDARD: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("name", &TEXT),
    one("version", &TEXT),
    one("description", &TEXT),
    one("owner", &TEXT),
    one("requirements", &REQUIREMENTS),
    one("levels", &LEVELS),
    one("externalReferences", &EXTERNALS),
]);
static STANDARDS: Shape = Shape::List(&[one("standard", &STANDARD)]);

static PRIORITY: Shape = Shape::Object(&[
    one("applicationNumber", &TEXT),
    one("jurisdiction", &TEXT),
    one("filingDate", &TOKEN),
]);
static PATENT: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("patentNumber", &TEXT),
    one("applicationNumber", &TEXT),
    one("jurisdiction", &TEXT),
    one("priorityApplication", &PRIORITY),
    one("publicationNumber", &TEXT),
    one("title", &TEXT),
    one("abstract", &TEXT),
    one("filingDate", &TOKEN),
    one("grantDate", &TOKEN),
    one("patentExpirationDate", &TOKEN),
    one("patentLegalStatus", &TOKEN),
    many("patentAssignee", &SOMEBODY),
    one("externalReferences", &EXTERNALS),
]);
static MEMBERS: Shape = Shape::List(&[one("ref", &TEXT)]);
static FAMILY: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("familyId", &TEXT),
    one("priorityApplication", &PRIORITY),
    one("members", &MEMBERS),
    one("externalReferences", &EXTERNALS),
]);
static PATENTS: Shape = Shape::List(&[one("patent", &PATENT), one("patentFamily", &FAMILY)]);

pub(super) static DEFINITIONS: Shape =
    Shape::Object(&[one("standards", &STANDARDS), one("patents", &PATENTS).since(V1_7)]);

static PATENT_NAMES: Shape = Shape::List(&[one("bom-ref", &TEXT)]);
static ASSERTER: Shape =
    Shape::Chosen(&[one("organization", &ENTITY), one("contact", &CONTACT), one("ref", &TEXT)]);
static PATENT_ASSERTION: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("assertionType", &TOKEN),
    one("patentRefs", &PATENT_NAMES),
    one("asserter", &ASSERTER),
    one("notes", &TEXT),
]);
pub(super) static PATENT_ASSERTIONS: Shape =
    Shape::List(&[one("patentAssertion", &PATENT_ASSERTION)]);

static POINTERS: Shape = Shape::List(&[one("pointer", &TEXT)]);
static EXPRESSIONS: Shape = Shape::List(&[one("expression", &TEXT)]);
static CITATION: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("pointers", &POINTERS),
    one("expressions", &EXPRESSIONS),
    one("timestamp", &TOKEN),
    one("attributedTo", &TEXT),
    one("process", &TEXT),
    one("note", &TEXT),
]);
pub(super) static CITATIONS: Shape = Shape::List(&[one("citation", &CITATION)]);
