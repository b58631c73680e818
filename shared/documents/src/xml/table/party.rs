//! Organizations and people.

use super::{LINE, TEXT, TOKEN, V1_5, V1_6};
use crate::xml::shape::{Shape, attribute, many, one};

/// `organizationalContact`.
pub(super) static CONTACT: Shape = Shape::Object(&[
    attribute("bom-ref").since(V1_5),
    one("name", &LINE),
    one("email", &LINE),
    one("phone", &LINE),
]);
pub(super) static CONTACTS: Shape = Shape::List(&[one("author", &CONTACT)]);

/// `postalAddressType`.
static ADDRESS: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("country", &TEXT),
    one("region", &TEXT),
    one("locality", &TEXT),
    one("postOfficeBoxNumber", &TEXT),
    one("postalCode", &TEXT),
    one("streetAddress", &TEXT),
]);

/// `organizationalEntity`.
pub(super) static ENTITY: Shape = Shape::Object(&[
    attribute("bom-ref").since(V1_5),
    one("name", &LINE),
    one("address", &ADDRESS).since(V1_6),
    many("url", &TOKEN),
    many("contact", &CONTACT),
]);

/// Either of them, under its name in `licensing`.
pub(super) static PARTY: Shape =
    Shape::Object(&[one("organization", &ENTITY), one("individual", &CONTACT)]);
/// Either of them, under its name in `dataGovernance`.
pub(super) static RESPONSIBLE: Shape =
    Shape::Object(&[one("organization", &ENTITY), one("individual", &CONTACT).key("contact")]);
/// Either of them, without a name.
pub(super) static SOMEBODY: Shape =
    Shape::Chosen(&[one("organization", &ENTITY), one("individual", &CONTACT)]);
