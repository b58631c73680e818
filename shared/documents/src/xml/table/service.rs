//! Services.

use super::component::RELEASE_NOTES;
use super::data::GOVERNANCE;
use super::definitions::PATENT_ASSERTIONS;
use super::licence::LICENCES;
use super::party::ENTITY;
use super::{
    BOOLEAN, EXTERNALS, LINE, PROPERTIES, TAGS, TEXT, TOKEN, V1_3, V1_4, V1_5, V1_6, V1_7,
};
use crate::xml::scalar::Scalar;
use crate::xml::shape::{Shape, attribute, merged, one};

static CLASSIFICATION: Shape = Shape::Content("classification", Scalar::Line, &[attribute("flow")]);
static URLS: Shape = Shape::List(&[one("url", &TOKEN)]);
static DATA_FLOW: Shape = Shape::Object(&[
    attribute("name"),
    attribute("description"),
    merged("classification", &CLASSIFICATION),
    one("governance", &GOVERNANCE),
    one("source", &URLS),
    one("destination", &URLS),
]);
static SERVICE_DATA: Shape =
    Shape::List(&[one("classification", &CLASSIFICATION), one("dataflow", &DATA_FLOW).since(V1_5)]);
static ENDPOINTS: Shape = Shape::List(&[one("endpoint", &TOKEN)]);

pub(super) static SERVICE: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("provider", &ENTITY),
    one("group", &LINE),
    one("name", &LINE),
    one("version", &LINE),
    one("description", &LINE),
    one("endpoints", &ENDPOINTS),
    one("authenticated", &BOOLEAN),
    one("x-trust-boundary", &BOOLEAN),
    one("trustZone", &TEXT).since(V1_5),
    one("data", &SERVICE_DATA),
    one("licenses", &LICENCES),
    one("patentAssertions", &PATENT_ASSERTIONS).since(V1_7),
    one("externalReferences", &EXTERNALS),
    one("properties", &PROPERTIES).since(V1_3),
    one("services", &SERVICES),
    one("releaseNotes", &RELEASE_NOTES).since(V1_4),
    one("tags", &TAGS).since(V1_6),
]);
pub(super) static SERVICES: Shape = Shape::List(&[one("service", &SERVICE)]);
