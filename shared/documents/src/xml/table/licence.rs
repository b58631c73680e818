//! Licences.

use super::party::PARTY;
use super::{ATTACHMENT, LINE, PROPERTIES, TEXT, TOKEN, V1_5, V1_6, V1_7};
use crate::xml::scalar::Scalar;
use crate::xml::shape::{Shape, attribute, attribute_of, many, one};

static ALTERNATIVES: Shape = Shape::List(&[one("altId", &LINE)]);
static LICENCE_TYPES: Shape = Shape::List(&[one("licenseType", &TOKEN)]);
static LICENSING: Shape = Shape::Object(&[
    one("altIds", &ALTERNATIVES),
    one("licensor", &PARTY),
    one("licensee", &PARTY),
    one("purchaser", &PARTY),
    one("purchaseOrder", &TEXT),
    one("licenseTypes", &LICENCE_TYPES),
    one("lastRenewal", &TOKEN),
    one("expiration", &TOKEN),
]);

static LICENCE: Shape = Shape::Object(&[
    attribute("bom-ref").since(V1_5),
    attribute("acknowledgement").since(V1_6),
    one("id", &TOKEN),
    one("name", &LINE),
    one("text", &ATTACHMENT),
    one("url", &TOKEN),
    one("licensing", &LICENSING).since(V1_5),
    one("properties", &PROPERTIES).since(V1_5),
]);
static NAMED: Shape = Shape::Wrapped("license", &LICENCE);

static EXPRESSION: Shape = Shape::Content(
    "expression",
    Scalar::Line,
    &[attribute("bom-ref").since(V1_5), attribute("acknowledgement").since(V1_6)],
);
static EXPRESSION_DETAILS: Shape = Shape::Object(&[
    attribute_of("license-identifier", Scalar::Line).key("licenseIdentifier"),
    attribute("bom-ref"),
    one("text", &ATTACHMENT),
    one("url", &TOKEN),
]);
static DETAILED: Shape = Shape::Object(&[
    attribute_of("expression", Scalar::Line),
    attribute("bom-ref"),
    attribute("acknowledgement"),
    many("details", &EXPRESSION_DETAILS).key("expressionDetails"),
    one("licensing", &LICENSING),
    one("properties", &PROPERTIES),
]);

/// `licenseChoiceType`.
pub(super) static LICENCES: Shape = Shape::List(&[
    one("license", &NAMED),
    one("expression", &EXPRESSION),
    one("expression-detailed", &DETAILED).since(V1_7),
]);
