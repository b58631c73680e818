//! The evidence of one build, as a pure function of its event and what was uploaded with it.

use archive::{Class, Entry};
use attestation::{
    Predicate, Provenance, Reference, Statement, Subject,
    predicate::reference::{Attester, ReferencedDocument},
};
use bytes::Bytes;
use documents::cyclonedx::{self, SbomInput, SpecVersion};
use events::{
    BuildCompleted, Digest, Document, Envelope, EvidenceReady, FilePath, Label, Producer, Role,
    Scope, StatementRef, Uri,
};
use jiff::Timestamp;
use uuid::Uuid;
use worker::HandleError;

use crate::{
    checksums::checksums,
    comparison::{Comparison, Ours},
    inputs::{Inputs, Upload},
    provenance::provenance,
};

const CYCLONEDX_JSON: &str = "application/vnd.cyclonedx+json";
const COMPARISON_JSON: &str = "application/vnd.attestry.sbom-comparison.v1+json";
const IN_TOTO_JSON: &str = "application/vnd.in-toto+json";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Everything that the generator says of a build.
pub(crate) struct Evidence {
    documents: Vec<Made>,
    /// Signed beside the provenance, which is a document too.
    reference: Statement,
    statements: Vec<StatementRef>,
}

/// A document, where it goes, and its bytes.
struct Made {
    document: Document,
    class: Class,
    bytes: Bytes,
}

impl Evidence {
    /// Makes the evidence of `event`, whose inputs say `inputs` and whose own SBOMs are `supplied`.
    /// The same build gives the same bytes, whenever and wherever it is made.
    pub(crate) fn of(
        event: &Envelope<BuildCompleted>,
        inputs: &Inputs,
        supplied: &[Upload],
    ) -> Result<Self, HandleError> {
        let build = &event.data;
        let subjects = subjects(build);
        let described = serde_json::to_vec(build).map_err(HandleError::transient)?;
        let description =
            made(Role::Build, Class::Input, "build.json", "application/json", described)?;
        let boms = boms(event, inputs, supplied)?;

        let about: Vec<&Document> = boms.iter().map(|it| &it.document).collect();
        let statement = Statement::new(&subjects, &provenance(build, &about)).map_err(unfit)?;
        let (role, name) = (Role::Provenance, "provenance/provenance.json");
        let bytes = Bytes::copy_from_slice(statement.as_bytes());
        let provenance = made(role, Class::Statement, name, IN_TOTO_JSON, bytes)?;

        let released = boms.iter().chain([&provenance]).map(|it| &it.document);
        let released = released.map(|it| (it.name.as_str(), it.digest));
        let artifacts = build.artifacts.iter().map(|it| (it.name.as_str(), it.digest));
        let sums = checksums(artifacts.chain(released));
        let sums = made(Role::Checksums, Class::Report, "checksums.txt", "text/plain", sums)?;
        let referenced: Vec<&Document> = about.into_iter().chain([&sums.document]).collect();
        let reference = Statement::new(&subjects, &reference(&referenced)).map_err(unfit)?;
        let statements = vec![
            statement_ref::<Provenance>(&statement, "bundles/provenance.sigstore.json")?,
            statement_ref::<Reference>(&reference, "bundles/sbom.sigstore.json")?,
        ];
        let first = [description].into_iter().chain(boms);
        let documents = first.chain([provenance, sums]).collect();
        Ok(Self { documents, reference, statements })
    }

    /// What has to be in the archive before the event may be published.
    pub(crate) fn entries(&self, event_time: Timestamp) -> impl Iterator<Item = Entry> {
        let reference = Entry {
            class: Class::Statement,
            media_type: IN_TOTO_JSON.to_owned(),
            event_time,
            bytes: Bytes::copy_from_slice(self.reference.as_bytes()),
        };
        let documents = self.documents.iter().map(move |made| Entry {
            class: made.class,
            media_type: made.document.media_type.to_string(),
            event_time,
            bytes: made.bytes.clone(),
        });
        documents.chain([reference])
    }

    pub(crate) fn into_event(self, project: Scope) -> EvidenceReady {
        EvidenceReady {
            producer: Producer::Generator,
            project,
            documents: self.documents.into_iter().map(|made| made.document).collect(),
            statements: self.statements,
            verdict: None,
            decision: None,
        }
    }
}

/// Our SBOM; then, where the build made some of its own, these and what they say otherwise.
fn boms(
    event: &Envelope<BuildCompleted>,
    inputs: &Inputs,
    supplied: &[Upload],
) -> Result<Vec<Made>, HandleError> {
    let name = format!("sbom/{}-sbom.json", file_stem(&event.data.project));
    let sbom = made(Role::Sbom, Class::Sbom, &name, CYCLONEDX_JSON, sbom(event, inputs))?;
    if supplied.is_empty() {
        return Ok(vec![sbom]);
    }
    let theirs = supplied.iter().map(|upload| {
        let (name, bytes) = (format!("sbom/supplied/{}", upload.path), upload.bytes.clone());
        let is_tag_value = documents::spdx::is_tag_value(&bytes);
        let media_type = if is_tag_value { "text/spdx" } else { "application/json" };
        made(Role::SuppliedSbom, Class::Sbom, &name, media_type, bytes)
    });
    let theirs: Vec<Made> = theirs.collect::<Result<_, _>>()?;
    let ours = Ours::of(&inputs.inventories);
    let compare = |it: &Made| ours.compare(it.document.name.clone(), it.document.digest, &it.bytes);
    let comparison = Comparison {
        sbom: sbom.document.digest,
        packages: ours.packages(),
        supplied: theirs.iter().map(compare).collect(),
    };
    let comparison = serde_json::to_vec(&comparison).map_err(HandleError::transient)?;
    let (role, name) = (Role::SbomComparison, "sbom/comparison.json");
    let comparison = made(role, Class::Report, name, COMPARISON_JSON, comparison)?;
    Ok([sbom].into_iter().chain(theirs).chain([comparison]).collect())
}

fn made(
    role: Role,
    class: Class,
    name: &str,
    media_type: &str,
    bytes: impl Into<Bytes>,
) -> Result<Made, HandleError> {
    let bytes = bytes.into();
    let name: FilePath = name.parse().map_err(|error: events::InvalidText| {
        HandleError::permanent("statement-unfit", format!("a document's name {error}"))
    })?;
    let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
    let document = Document { role, name, digest, size, media_type: Label::of(media_type) };
    Ok(Made { document, class, bytes })
}

fn sbom(event: &Envelope<BuildCompleted>, inputs: &Inputs) -> Vec<u8> {
    let build = &event.data;
    let artifacts: Vec<(String, Digest)> =
        build.artifacts.iter().map(|it| (it.name.to_string(), it.digest)).collect();
    cyclonedx::write(&SbomInput {
        project: build.project.as_str(),
        version: build.version.as_ref().map(Label::as_str),
        serial: Uuid::new_v5(&event.id, format!("sbom/{VERSION}").as_bytes()),
        timestamp: event.time,
        artifacts: &artifacts,
        inventories: &inputs.inventories,
        missing: &inputs.missing,
        author: None,
        supplier: None,
        spec_version: SpecVersion::default(),
        tool_version: VERSION,
    })
}

fn reference(documents: &[&Document]) -> Reference {
    let referenced = |document: &&Document| ReferencedDocument {
        name: Some(document.name.to_string()),
        digest: document.digest,
        download_location: document.name.to_string(),
        media_type: document.media_type.to_string(),
    };
    let attester = Attester { id: "urn:attestry:generator".to_owned() };
    Reference { attester, references: documents.iter().map(referenced).collect() }
}

fn subjects(build: &BuildCompleted) -> Vec<Subject> {
    let subject = |artifact: &events::Artifact| Subject {
        name: Some(artifact.name.to_string()),
        uri: None,
        digest: artifact.digest,
    };
    build.artifacts.iter().map(subject).collect()
}

fn statement_ref<P: Predicate>(
    statement: &Statement,
    bundle_name: &str,
) -> Result<StatementRef, HandleError> {
    Ok(StatementRef {
        digest: Digest::of(statement.as_bytes()),
        predicate_type: Uri::of(P::TYPE),
        bundle_name: bundle_name.parse().map_err(HandleError::transient)?,
    })
}

/// The last part of a project's name, as a file name.
fn file_stem(project: &Scope) -> String {
    let last = project.as_str().rsplit('/').next().unwrap_or_default();
    let fit = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let stem: String = last.chars().map(fit).collect();
    let stem = stem.trim_matches('.');
    if stem.is_empty() { "project".to_owned() } else { stem.to_owned() }
}

fn unfit(error: attestation::StatementError) -> HandleError {
    HandleError::permanent("statement-unfit", error)
}

#[cfg(test)]
mod tests;
