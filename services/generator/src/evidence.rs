//! The evidence of one build, as a pure function of its event and lockfiles.

use std::{collections::BTreeMap, fmt::Write};

use archive::{Class, Entry};
use attestation::{
    Predicate, Provenance, Reference, ResourceDescriptor, Statement, Subject,
    predicate::{
        provenance::{BuildDefinition, BuildMetadata, Builder, RunDetails},
        reference::{Attester, ReferencedDocument},
    },
};
use bytes::Bytes;
use documents::{
    cyclonedx::{self, SbomInput, SpecVersion},
    inventory::Inventory,
};
use events::{
    BuildCompleted, Digest, Document, Envelope, EvidenceReady, FilePath, Label, Producer, Role,
    Scope, StatementRef, Uri,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;
use worker::HandleError;

const CYCLONEDX_JSON: &str = "application/vnd.cyclonedx+json";
const IN_TOTO_JSON: &str = "application/vnd.in-toto+json";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// `buildType` of builds whose CI names none; described in `docs/build-type.md`.
const BUILD_TYPE: &str = "urn:attestry:build-type:v1";

/// Everything that the generator says of a build.
pub(crate) struct Evidence {
    documents: Vec<(Document, Class, Bytes)>,
    /// Signed beside the provenance, which is a document too.
    reference: Statement,
    statements: Vec<StatementRef>,
}

impl Evidence {
    /// Makes the evidence of `event`, whose lockfiles are `lockfiles`. The same build gives the same
    /// bytes, whenever and wherever it is made.
    pub(crate) fn of(
        event: &Envelope<BuildCompleted>,
        lockfiles: &[Inventory],
    ) -> Result<Self, HandleError> {
        let build = &event.data;
        let subjects = subjects(build);
        let described = serde_json::to_vec(build).map_err(HandleError::transient)?;
        let sbom = Bytes::from(sbom(event, lockfiles));
        let sbom_name = format!("sbom/{}-sbom.json", file_stem(&build.project));
        let provenance = Statement::new(&subjects, &provenance(build, &sbom_name, &sbom));
        let provenance = provenance.map_err(unfit)?;
        let reference = Statement::new(&subjects, &reference(&sbom_name, &sbom)).map_err(unfit)?;

        let mut documents = Vec::new();
        let mut add = |role, class, name: &str, media_type: &str, bytes: Bytes| {
            let name: FilePath = name.parse().map_err(HandleError::transient)?;
            let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
            let media_type = Label::of(media_type);
            documents.push((Document { role, name, digest, size, media_type }, class, bytes));
            Ok::<_, HandleError>(())
        };
        let provenance_bytes = Bytes::copy_from_slice(provenance.as_bytes());
        let sums = checksums(build, &[(&sbom_name, &sbom), (PROVENANCE_NAME, &provenance_bytes)]);
        add(Role::Build, Class::Input, "build.json", "application/json", described.into())?;
        add(Role::Sbom, Class::Sbom, &sbom_name, CYCLONEDX_JSON, sbom)?;
        let bytes = provenance_bytes;
        add(Role::Provenance, Class::Statement, PROVENANCE_NAME, IN_TOTO_JSON, bytes)?;
        add(Role::Checksums, Class::Report, "checksums.txt", "text/plain", sums.into())?;

        let statements = vec![
            statement_ref::<Provenance>(&provenance, "bundles/provenance.sigstore.json")?,
            statement_ref::<Reference>(&reference, "bundles/sbom.sigstore.json")?,
        ];
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
        let documents = self.documents.iter().map(move |(document, class, bytes)| Entry {
            class: *class,
            media_type: document.media_type.to_string(),
            event_time,
            bytes: bytes.clone(),
        });
        documents.chain([reference])
    }

    pub(crate) fn into_event(self, project: Scope) -> EvidenceReady {
        EvidenceReady {
            producer: Producer::Generator,
            project,
            documents: self.documents.into_iter().map(|(document, ..)| document).collect(),
            statements: self.statements,
            verdict: None,
            decision: None,
        }
    }
}

const PROVENANCE_NAME: &str = "provenance/provenance.json";

fn sbom(event: &Envelope<BuildCompleted>, lockfiles: &[Inventory]) -> Vec<u8> {
    let build = &event.data;
    let artifacts: Vec<(String, Digest)> =
        build.artifacts.iter().map(|it| (it.name.to_string(), it.digest)).collect();
    cyclonedx::write(&SbomInput {
        project: build.project.as_str(),
        version: build.version.as_ref().map(Label::as_str),
        serial: Uuid::new_v5(&event.id, format!("sbom/{VERSION}").as_bytes()),
        timestamp: event.time,
        artifacts: &artifacts,
        inventories: lockfiles,
        missing: &[],
        author: None,
        supplier: None,
        spec_version: SpecVersion::default(),
        tool_version: VERSION,
    })
}

fn provenance(build: &BuildCompleted, sbom_name: &str, sbom: &[u8]) -> Provenance {
    let build_type = build.builder.build_type.as_ref().map_or(BUILD_TYPE, Uri::as_str);
    let mut parameters: BTreeMap<String, Value> = BTreeMap::from([
        ("kind".to_owned(), json!(build.kind)),
        ("project".to_owned(), json!(build.project)),
    ]);
    if let Some(source) = &build.source {
        parameters.insert("source".to_owned(), json!(source));
    }
    if !build.parameters.is_empty() {
        parameters.insert("parameters".to_owned(), json!(build.parameters));
    }
    let byproduct = ResourceDescriptor {
        name: Some(sbom_name.to_owned()),
        digest: sha256(Digest::of(sbom)),
        media_type: Some(CYCLONEDX_JSON.to_owned()),
        ..Default::default()
    };
    Provenance {
        build_definition: BuildDefinition {
            build_type: build_type.to_owned(),
            external_parameters: parameters,
            internal_parameters: BTreeMap::new(),
            resolved_dependencies: resolved_dependencies(build),
        },
        run_details: RunDetails {
            builder: Builder {
                id: build.builder.id.to_string(),
                version: BTreeMap::new(),
                builder_dependencies: vec![],
            },
            metadata: Some(BuildMetadata {
                invocation_id: Some(match &build.builder.invocation {
                    Some(invocation) => invocation.to_string(),
                    None => build.run.to_string(),
                }),
                started_on: build.started_at,
                finished_on: build.finished_at,
            }),
            byproducts: vec![byproduct],
        },
    }
}

/// The source at its commit, and every lockfile.
fn resolved_dependencies(build: &BuildCompleted) -> Vec<ResourceDescriptor> {
    let source = build.source.as_ref().map(|source| {
        let mut uri = format!("git+{}", source.repository);
        if let Some(reference) = &source.reference {
            uri = format!("{uri}@{reference}");
        }
        let commit = source.commit.as_ref();
        let digest = commit.map(|it| ("gitCommit".to_owned(), it.as_str().to_owned()));
        let digest = digest.into_iter().collect();
        ResourceDescriptor { uri: Some(uri), digest, ..Default::default() }
    });
    let inputs = build.inputs.iter().map(|input| ResourceDescriptor {
        name: Some(input.path.to_string()),
        digest: sha256(input.digest),
        ..Default::default()
    });
    source.into_iter().chain(inputs).collect()
}

fn reference(sbom_name: &str, sbom: &[u8]) -> Reference {
    let sbom = ReferencedDocument {
        name: Some(sbom_name.to_owned()),
        digest: Digest::of(sbom),
        download_location: sbom_name.to_owned(),
        media_type: CYCLONEDX_JSON.to_owned(),
    };
    let attester = Attester { id: "urn:attestry:generator".to_owned() };
    Reference { attester, references: vec![sbom] }
}

fn subjects(build: &BuildCompleted) -> Vec<Subject> {
    let subject = |artifact: &events::Artifact| Subject {
        name: Some(artifact.name.to_string()),
        uri: None,
        digest: artifact.digest,
    };
    build.artifacts.iter().map(subject).collect()
}

/// Lines of `sha256sum`, which reads them with `--check` in the release's directory.
fn checksums(build: &BuildCompleted, documents: &[(&str, &Bytes)]) -> String {
    let mut lines = String::new();
    let artifacts = build.artifacts.iter().map(|it| (it.digest, it.name.as_str()));
    let documents = documents.iter().map(|(name, bytes)| (Digest::of(bytes), *name));
    for (digest, name) in artifacts.chain(documents) {
        // Writing to a String cannot fail.
        writeln!(lines, "{}  {name}", digest.hex()).unwrap_or_default();
    }
    lines
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

fn sha256(digest: Digest) -> BTreeMap<String, String> {
    BTreeMap::from([("sha256".to_owned(), digest.hex())])
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
