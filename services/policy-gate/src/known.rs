//! What is known beside a build's own evidence: the build before, VEX, and suppliers' documents.

use std::collections::BTreeSet;

use archive::{Archive, ArchiveError};
use bytes::Bytes;
use documents::vex::{self, Authority, Court, Source};
use events::{Accepted, BuildCompleted, Digest, OPERATOR, Scope, Sender, SupplierId};
use futures::TryStreamExt;
use jiff::Timestamp;
use policy::MAX_INPUT_BYTES;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;
use worker::HandleError;

use crate::promoted::{Before, Promoted, all_of};

/// Most VEX documents that are asked, the newest. One that is left out suppresses nothing.
const MAX_VEX: usize = 500;
/// Most bytes of all of them.
const MAX_VEX_BYTES: u64 = 64 << 20;

/// What is known beside the evidence.
#[derive(Default)]
pub(crate) struct Known {
    /// The build that was promoted before, and its SBOM while the archive has it.
    pub(crate) previous: Option<(Before, Bytes)>,
    /// What operators say of this project's vulnerabilities.
    pub(crate) court: Court,
    /// The documents that say it.
    pub(crate) vex: Vec<VexDocument>,
    /// All that are on record, those that cannot be read included.
    pub(crate) vex_on_record: Option<Digest>,
    /// Accepted SBOMs of the suppliers that policy asks for; none if it asks for nobody.
    pub(crate) suppliers: Option<Vec<Supplied>>,
}

/// What the policy's data asks for, because looking it up costs something.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// How good the SBOM is: `required_standards` or `minimum_score`.
    pub(crate) quality: bool,
    /// Suppliers that `supplied_components` names.
    pub(crate) suppliers: BTreeSet<SupplierId>,
}

/// An entry of `input.vex`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct VexDocument {
    pub(crate) document: Digest,
    pub(crate) who: String,
    pub(crate) accepted_at: Timestamp,
    pub(crate) statements: usize,
}

/// An entry of `input.suppliers`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Supplied {
    pub(crate) supplier: String,
    pub(crate) product: Option<String>,
    pub(crate) document: Digest,
    pub(crate) accepted_at: Timestamp,
    pub(crate) signed: bool,
}

impl Wanted {
    /// What `data`, the policy's, asks for.
    pub(crate) fn by(data: &Value) -> Self {
        let some = |key: &str| match &data[key] {
            Value::Array(list) => !list.is_empty(),
            Value::Object(map) => !map.is_empty(),
            _ => false,
        };
        let supplied = data["supplied_components"].as_object().into_iter().flatten();
        let suppliers = supplied.filter_map(|(_, it)| it["supplier"].as_str()?.parse().ok());
        Self {
            quality: some("required_standards") || some("minimum_score"),
            suppliers: suppliers.collect(),
        }
    }
}

impl Known {
    /// What the archive has about `build`, whose story is `story`.
    pub(crate) async fn load(
        archive: &Archive,
        build: &BuildCompleted,
        story: Uuid,
        wanted: &Wanted,
    ) -> Result<Self, HandleError> {
        let mut known =
            Self { previous: previous(archive, &build.project, story).await?, ..Self::default() };
        known.ask_operators(archive, &build.project).await?;
        if !wanted.suppliers.is_empty() {
            let mut suppliers = Vec::new();
            for supplier in &wanted.suppliers {
                let accepted = accepted(archive, &Accepted::sboms(supplier)).await?;
                suppliers.extend(accepted.into_iter().map(Supplied::from));
            }
            known.suppliers = Some(suppliers);
        }
        Ok(known)
    }

    /// Adds what a VEX document of an operator says, which ends with no time.
    pub(crate) fn add_vex(
        &mut self,
        scope: &Scope,
        accepted_at: Timestamp,
        document: Digest,
        said: &vex::Document,
    ) {
        let everywhere = scope.as_str() == OPERATOR;
        let source = Source {
            who: "operator".to_owned(),
            authority: if everywhere { Authority::Everywhere } else { Authority::Scope },
            document,
            edition: said.edition.clone(),
            said: said.timestamp,
            accepted: accepted_at,
            valid_for: None,
        };
        self.court.hear(source, &said.statements);
        let who = Sender::Operator(scope.clone()).to_string();
        let statements = said.statements.len();
        self.vex.push(VexDocument { document, who, accepted_at, statements });
    }

    /// A document that is gone or cannot be read suppresses nothing.
    async fn ask_operators(
        &mut self,
        archive: &Archive,
        project: &Scope,
    ) -> Result<(), HandleError> {
        let mut left = MAX_VEX_BYTES;
        let mut documents = of_operators(archive, project).await?;
        self.vex_on_record = all_of(documents.iter().map(|it| it.document));
        documents.sort_by_key(|it| (std::cmp::Reverse(it.accepted_at), it.document));
        for Accepted { from, document, accepted_at, .. } in documents.into_iter().take(MAX_VEX) {
            let bytes = match archive.get(document, left).await {
                Ok(bytes) => bytes,
                Err(error @ (ArchiveError::NotFound(_) | ArchiveError::TooLarge { .. })) => {
                    tracing::warn!(%document, %error, "A VEX document is not asked");
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            left -= (bytes.len() as u64).min(left);
            match vex::read(&bytes) {
                Ok(read) => self.add_vex(&from.scope(), accepted_at, document, &read),
                Err(error) => tracing::warn!(%document, %error, "A VEX document is not asked"),
            }
        }
        Ok(())
    }
}

/// The VEX documents that operators added about `project` or everything.
pub(crate) async fn of_operators(
    archive: &Archive,
    project: &Scope,
) -> Result<Vec<Accepted>, HandleError> {
    let mut documents = Vec::new();
    for scope in BTreeSet::from([project.clone(), Scope::of(OPERATOR)]) {
        let from = Sender::Operator(scope);
        documents.extend(accepted(archive, &Accepted::vex(&from)).await?);
    }
    Ok(documents)
}

async fn previous(
    archive: &Archive,
    project: &Scope,
    story: Uuid,
) -> Result<Option<(Before, Bytes)>, HandleError> {
    let promoted = Promoted::of(archive, project).await?;
    let Some(before) = promoted.and_then(|it| it.before(story)) else { return Ok(None) };
    match archive.get(before.sbom, MAX_INPUT_BYTES as u64).await {
        Ok(bytes) => Ok(Some((before, bytes))),
        // Its year is over: everything counts as new, which is stricter.
        Err(ArchiveError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn accepted(archive: &Archive, place: &str) -> Result<Vec<Accepted>, HandleError> {
    let held: Vec<_> = archive.pointers(place).try_collect().await?;
    let read = held.iter().filter_map(|it| serde_json::from_slice::<Accepted>(&it.value).ok());
    let mut accepted: Vec<Accepted> = read.collect();
    accepted.sort_by_key(|it| (it.accepted_at, it.document));
    Ok(accepted)
}

impl From<Accepted> for Supplied {
    fn from(accepted: Accepted) -> Self {
        Self {
            supplier: accepted.from.scope().to_string(),
            product: accepted.product.map(|it| it.as_str().to_owned()),
            document: accepted.document,
            accepted_at: accepted.accepted_at,
            signed: accepted.signed,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn policy_asks_by_its_data() {
        let off =
            json!({ "required_standards": [], "minimum_score": {}, "supplied_components": {} });
        assert_eq!(Wanted::by(&off), Wanted::default());
        assert_eq!(Wanted::by(&Value::Null), Wanted::default());
        assert!(Wanted::by(&json!({ "minimum_score": { "cisa": 80 } })).quality);
        let wanted = Wanted::by(&json!({
            "required_standards": ["ntia"],
            "supplied_components": { "pkg:npm/%40acme/": { "supplier": "acme" }, "x": {} },
        }));
        assert!(wanted.quality);
        assert_eq!(wanted.suppliers, BTreeSet::from(["acme".parse().expect("valid")]));
    }
}
