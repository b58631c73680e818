//! Components, and what they came from.

use super::crypto::CRYPTO;
use super::data::DATA;
use super::definitions::PATENT_ASSERTIONS;
use super::evidence::EVIDENCE;
use super::licence::LICENCES;
use super::model::MODEL_CARD;
use super::party::{CONTACTS, ENTITY};
use super::{
    ATTACHMENT, BOOLEAN, EXTERNALS, HASHES, LINE, PROPERTIES, TAGS, TEXT, TOKEN, V1_3, V1_4, V1_5,
    V1_6, V1_7,
};
use crate::xml::scalar::Scalar;
use crate::xml::shape::{Shape, attribute, attribute_of, many, one};

static SCOPE: Shape = Shape::Text(Scalar::Token, Some("required"));

pub(super) static COMPONENT: Shape = Shape::Object(&[
    attribute("type"),
    attribute_of("mime-type", Scalar::Token),
    attribute("bom-ref"),
    attribute_of("isExternal", Scalar::Boolean).since(V1_7),
    one("supplier", &ENTITY),
    one("manufacturer", &ENTITY).since(V1_6),
    one("authors", &CONTACTS).since(V1_6),
    one("author", &LINE),
    one("publisher", &LINE),
    one("group", &LINE),
    one("name", &LINE),
    one("version", &LINE),
    one("versionRange", &LINE).since(V1_7),
    one("description", &LINE),
    one("scope", &TOKEN).until(V1_4),
    one("scope", &SCOPE).since(V1_5),
    one("hashes", &HASHES),
    one("licenses", &LICENCES),
    one("copyright", &LINE),
    one("patentAssertions", &PATENT_ASSERTIONS).since(V1_7),
    one("cpe", &TEXT),
    one("purl", &TOKEN),
    many("omniborId", &TEXT).since(V1_6),
    many("swhid", &TEXT).since(V1_6),
    one("swid", &SWID),
    one("modified", &BOOLEAN),
    one("pedigree", &PEDIGREE),
    one("externalReferences", &EXTERNALS),
    one("properties", &PROPERTIES).since(V1_3),
    one("components", &COMPONENTS),
    one("evidence", &EVIDENCE).since(V1_3),
    one("releaseNotes", &RELEASE_NOTES).since(V1_4),
    one("modelCard", &MODEL_CARD).since(V1_5),
    many("data", &DATA).since(V1_5),
    one("cryptoProperties", &CRYPTO).since(V1_6),
    one("tags", &TAGS).since(V1_6),
]);
pub(super) static COMPONENTS: Shape = Shape::List(&[one("component", &COMPONENT)]);

static SWID: Shape = Shape::Object(&[
    attribute("tagId"),
    attribute("name"),
    attribute("version"),
    attribute_of("tagVersion", Scalar::Integer),
    attribute_of("patch", Scalar::Boolean),
    one("text", &ATTACHMENT),
    one("url", &TOKEN),
]);

/// `identifiableActionType`.
static ACTION: Shape =
    Shape::Object(&[one("timestamp", &TOKEN), one("name", &LINE), one("email", &LINE)]);
static COMMIT: Shape = Shape::Object(&[
    one("uid", &LINE),
    one("url", &TOKEN),
    one("author", &ACTION),
    one("committer", &ACTION),
    one("message", &LINE),
]);
static COMMITS: Shape = Shape::List(&[one("commit", &COMMIT)]);
static ISSUE_SOURCE: Shape = Shape::Object(&[one("name", &LINE), one("url", &TOKEN)]);
static ISSUE_REFERENCES: Shape = Shape::List(&[one("url", &TOKEN)]);
static ISSUE: Shape = Shape::Object(&[
    attribute("type"),
    one("id", &LINE),
    one("name", &LINE),
    one("description", &LINE),
    one("source", &ISSUE_SOURCE),
    one("references", &ISSUE_REFERENCES),
]);
static ISSUES: Shape = Shape::List(&[one("issue", &ISSUE)]);
static DIFF: Shape = Shape::Object(&[one("text", &ATTACHMENT), one("url", &TOKEN)]);
static PATCH: Shape =
    Shape::Object(&[attribute("type"), one("diff", &DIFF), one("resolves", &ISSUES)]);
static PATCHES: Shape = Shape::List(&[one("patch", &PATCH)]);
static PEDIGREE: Shape = Shape::Object(&[
    one("ancestors", &COMPONENTS),
    one("descendants", &COMPONENTS),
    one("variants", &COMPONENTS),
    one("commits", &COMMITS),
    one("patches", &PATCHES),
    one("notes", &TEXT),
]);

static ALIASES: Shape = Shape::List(&[one("alias", &LINE)]);
static NOTE: Shape = Shape::Object(&[one("locale", &TEXT), one("text", &ATTACHMENT)]);
static NOTES: Shape = Shape::List(&[one("note", &NOTE)]);
pub(super) static RELEASE_NOTES: Shape = Shape::Object(&[
    one("type", &LINE),
    one("title", &TEXT),
    one("featuredImage", &TOKEN),
    one("socialImage", &TOKEN),
    one("description", &TEXT),
    one("timestamp", &TOKEN),
    one("aliases", &ALIASES),
    one("tags", &TAGS),
    one("resolves", &ISSUES),
    one("notes", &NOTES),
    one("properties", &PROPERTIES),
]);
