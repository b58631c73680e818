//! Declarations of conformance, and what they rest on.

use super::component::COMPONENTS;
use super::data::GOVERNANCE;
use super::party::{CONTACT, ENTITY};
use super::service::SERVICES;
use super::{ATTACHMENT, BOOLEAN, DECIMAL, EXTERNAL, EXTERNALS, TEXT, TOKEN};
use crate::xml::shape::{Shape, attribute, many, one};

static ASSESSOR: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("thirdParty", &BOOLEAN),
    one("organization", &ENTITY),
]);
static ASSESSORS: Shape = Shape::List(&[one("assessor", &ASSESSOR)]);

static STRATEGIES: Shape = Shape::List(&[one("mitigationStrategy", &TEXT)]);
static CONFORMANCE: Shape = Shape::Object(&[
    one("score", &DECIMAL),
    one("rationale", &TEXT),
    one("mitigationStrategies", &STRATEGIES),
]);
static CONFIDENCE: Shape = Shape::Object(&[one("score", &DECIMAL), one("rationale", &TEXT)]);
static CLAIM_NAMES: Shape = Shape::List(&[one("claim", &TEXT)]);
static COUNTER_CLAIM_NAMES: Shape = Shape::List(&[one("counterClaim", &TEXT)]);
static MAP: Shape = Shape::Object(&[
    one("requirement", &TEXT),
    one("claims", &CLAIM_NAMES),
    one("counterClaims", &COUNTER_CLAIM_NAMES),
    one("conformance", &CONFORMANCE),
    one("confidence", &CONFIDENCE),
]);
static ATTESTATION: Shape =
    Shape::Object(&[one("summary", &TEXT), one("assessor", &TEXT), many("map", &MAP)]);
static ATTESTATIONS: Shape = Shape::List(&[one("attestation", &ATTESTATION)]);

static CLAIM: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("target", &TEXT),
    one("predicate", &TEXT),
    one("mitigationStrategies", &STRATEGIES),
    one("reasoning", &TEXT),
    many("evidence", &TEXT),
    many("counterEvidence", &TEXT),
    one("externalReferences", &EXTERNALS),
]);
static CLAIMS: Shape = Shape::List(&[one("claim", &CLAIM)]);

static CONTENTS: Shape = Shape::Object(&[one("attachment", &ATTACHMENT), one("url", &TOKEN)]);
static DATA: Shape = Shape::Object(&[
    one("name", &TEXT),
    one("contents", &CONTENTS),
    one("classification", &TEXT),
    many("sensitiveData", &TEXT),
    one("governance", &GOVERNANCE),
]);
static EVIDENCE: Shape = Shape::Object(&[
    attribute("bom-ref"),
    one("propertyName", &TEXT),
    one("description", &TEXT),
    many("data", &DATA),
    one("created", &TOKEN),
    one("expires", &TOKEN),
    one("author", &CONTACT),
    one("reviewer", &CONTACT),
]);
static EVIDENCE_LIST: Shape = Shape::List(&[one("evidence", &EVIDENCE)]);

static ORGANIZATIONS: Shape = Shape::List(&[one("organization", &ENTITY)]);
static TARGETS: Shape = Shape::Object(&[
    one("organizations", &ORGANIZATIONS),
    one("components", &COMPONENTS),
    one("services", &SERVICES),
]);

static SIGNATORY: Shape = Shape::Object(&[
    one("name", &TEXT),
    one("role", &TEXT),
    one("organization", &ENTITY),
    one("externalReference", &EXTERNAL),
]);
static SIGNATORIES: Shape = Shape::List(&[one("signatory", &SIGNATORY)]);
static AFFIRMATION: Shape =
    Shape::Object(&[one("statement", &TEXT), one("signatories", &SIGNATORIES)]);

pub(super) static DECLARATIONS: Shape = Shape::Object(&[
    one("assessors", &ASSESSORS),
    one("attestations", &ATTESTATIONS),
    one("claims", &CLAIMS),
    one("evidence", &EVIDENCE_LIST),
    one("targets", &TARGETS),
    one("affirmation", &AFFIRMATION),
]);
