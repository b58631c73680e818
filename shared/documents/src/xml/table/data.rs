//! Data that components bring, and who answers for it.

use super::party::RESPONSIBLE;
use super::{ATTACHMENT, PROPERTIES, TEXT, TOKEN};
use crate::xml::shape::{Shape, attribute, many, one};

static CUSTODIANS: Shape = Shape::List(&[one("custodian", &RESPONSIBLE)]);
static STEWARDS: Shape = Shape::List(&[one("steward", &RESPONSIBLE)]);
static OWNERS: Shape = Shape::List(&[one("owner", &RESPONSIBLE)]);
/// `dataGovernance`.
pub(super) static GOVERNANCE: Shape = Shape::Object(&[
    one("custodians", &CUSTODIANS),
    one("stewards", &STEWARDS),
    one("owners", &OWNERS),
]);

static GRAPHIC: Shape = Shape::Object(&[one("name", &TEXT), one("image", &ATTACHMENT)]);
static COLLECTION: Shape = Shape::List(&[one("graphic", &GRAPHIC)]);
/// `graphicsCollectionType`.
pub(super) static GRAPHICS: Shape =
    Shape::Object(&[one("description", &TEXT), one("collection", &COLLECTION)]);

static CONTENTS: Shape = Shape::Object(&[
    one("attachment", &ATTACHMENT),
    one("url", &TOKEN),
    one("properties", &PROPERTIES),
]);
/// `componentDataType`.
pub(super) static DATA: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("type", &TOKEN),
    one("name", &TEXT),
    one("contents", &CONTENTS),
    one("classification", &TEXT),
    many("sensitiveData", &TEXT),
    one("graphics", &GRAPHICS),
    one("description", &TEXT),
    one("governance", &GOVERNANCE),
]);
