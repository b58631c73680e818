//! The provenance of a build: what CI said of it, as SLSA v1 (`docs/build-type.md`).

use std::collections::BTreeMap;

use attestation::{
    Provenance, ResourceDescriptor,
    predicate::provenance::{BuildDefinition, BuildMetadata, Builder, RunDetails},
};
use events::{
    BuildCompleted, Dependency, Digest, Document, Input, Source, Uri, without_credentials,
};
use serde_json::{Value, json};

use crate::inputs::is_contents;

/// `buildType` of builds whose CI names none; described in `docs/build-type.md`.
const BUILD_TYPE: &str = "urn:attestry:build-type:v1";

/// The provenance of `build`, which made `byproducts` beside its artifacts.
pub(crate) fn provenance(build: &BuildCompleted, byproducts: &[&Document]) -> Provenance {
    let build_type = build.builder.build_type.as_ref().map_or(BUILD_TYPE, Uri::as_str);
    let texts = |map: &BTreeMap<_, Uri>| {
        let texts = map.iter().map(|(name, value): (&events::Label, _)| {
            (name.to_string(), json!(without_credentials(value.as_str())))
        });
        texts.collect::<BTreeMap<String, Value>>()
    };
    Provenance {
        build_definition: BuildDefinition {
            build_type: build_type.to_owned(),
            external_parameters: external(build, texts(&build.parameters)),
            internal_parameters: texts(&build.internal_parameters),
            resolved_dependencies: resolved(build),
        },
        run_details: RunDetails {
            builder: builder(build),
            metadata: Some(BuildMetadata {
                invocation_id: Some(match &build.builder.invocation {
                    Some(invocation) => without_credentials(invocation.as_str()),
                    None => build.run.to_string(),
                }),
                started_on: build.started_at,
                finished_on: build.finished_at,
            }),
            byproducts: made_beside(build, byproducts),
        },
    }
}

fn external(build: &BuildCompleted, chosen: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let mut parameters = BTreeMap::from([
        ("kind".to_owned(), json!(build.kind)),
        ("project".to_owned(), json!(build.project)),
    ]);
    if let Some(source) = &build.source {
        let repository = Uri::of(&without_credentials(source.repository.as_str()));
        let source = Source { repository, ..source.clone() };
        parameters.insert("source".to_owned(), json!(source));
    }
    if !chosen.is_empty() {
        parameters.insert("parameters".to_owned(), json!(chosen));
    }
    parameters
}

fn builder(build: &BuildCompleted) -> Builder {
    let version = build.builder.version.iter();
    Builder {
        id: build.builder.id.to_string(),
        version: version.map(|(name, it)| (name.to_string(), it.to_string())).collect(),
        builder_dependencies: vec![],
    }
}

/// The source at its commit, the files that were read, and what else was fetched.
fn resolved(build: &BuildCompleted) -> Vec<ResourceDescriptor> {
    let source = build.source.as_ref().map(|source| {
        let mut uri = format!("git+{}", without_credentials(source.repository.as_str()));
        if let Some(reference) = &source.reference {
            uri = format!("{uri}@{reference}");
        }
        let commit = source.commit.as_ref();
        let digest = commit.map(|it| ("gitCommit".to_owned(), it.as_str().to_owned()));
        let digest = digest.into_iter().collect();
        ResourceDescriptor { uri: Some(uri), digest, ..Default::default() }
    });
    let read = build.inputs.iter().filter(|it| !is_contents(it.path.as_str())).map(file);
    let fetched = build.dependencies.iter().map(|dependency: &Dependency| ResourceDescriptor {
        name: dependency.name.as_ref().map(ToString::to_string),
        uri: Some(dependency.uri.as_str().to_owned()),
        digest: dependency.digest.iter().map(|(a, hex)| (a.to_owned(), hex.to_owned())).collect(),
        media_type: dependency.media_type.as_ref().map(ToString::to_string),
        ..Default::default()
    });
    source.into_iter().chain(read).chain(fetched).collect()
}

/// Documents about the artifacts, and what was found in them.
fn made_beside(build: &BuildCompleted, documents: &[&Document]) -> Vec<ResourceDescriptor> {
    let documents = documents.iter().map(|document| ResourceDescriptor {
        name: Some(document.name.to_string()),
        digest: sha256(document.digest),
        media_type: Some(document.media_type.to_string()),
        ..Default::default()
    });
    let contents = build.inputs.iter().filter(|it| is_contents(it.path.as_str())).map(file);
    documents.chain(contents).collect()
}

fn file(input: &Input) -> ResourceDescriptor {
    let (name, digest) = (Some(input.path.to_string()), sha256(input.digest));
    ResourceDescriptor { name, digest, ..Default::default() }
}

fn sha256(digest: Digest) -> BTreeMap<String, String> {
    BTreeMap::from([("sha256".to_owned(), digest.hex())])
}
