//! CDEvents 0.3 to 0.6 that announce a build (`build.finished`, `artifact.packaged`,
//! `artifact.published`), read as our own `build.completed`.

use std::{collections::BTreeMap, str::FromStr};

use jiff::Timestamp;
use purl::Purl;
use serde::Deserialize;

use crate::{
    Artifact, BuildCompleted, BuildKind, Builder, Commit, Digest, FilePath, InvalidListing,
    InvalidText, Label, Listing, MAX_EVENT_BYTES, Scope, Source, Uri, without_credentials,
};

/// Types that are read, without the version of each (CDEvents specification, "Event type").
const TYPES: [&str; 3] = ["build.finished", "artifact.packaged", "artifact.published"];

/// What a CDEvent does not say.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// The project; otherwise the name in the artifact's package URL.
    pub project: Option<Scope>,
    /// Why it was built.
    pub kind: BuildKind,
    /// Artifacts with their digests; otherwise the event's own package URL must hold one.
    pub artifacts: Vec<Artifact>,
}

/// Why a CDEvent cannot be read as a build.
#[derive(Debug, thiserror::Error)]
pub enum CdEventError {
    /// Larger than an event may be.
    #[error("the CDEvent is {0} bytes long; at most {MAX_EVENT_BYTES} are allowed")]
    TooLarge(usize),
    /// Not JSON, or a field is missing or wrong.
    #[error("`{field}`: {problem}")]
    Invalid {
        /// Path of the field.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A CDEvent that announces no build.
    #[error(
        "`context.type` is `{0}`; send dev.cdevents.build.finished, artifact.packaged or artifact.published"
    )]
    OtherType(String),
    /// The artifact is named without a digest.
    #[error(
        "`{field}`: `{purl}` names the artifact without a SHA-256 digest; put it into the package URL (`pkg:oci/app@sha256%3A…` or `?checksum=sha256:…`), or give the file with --artifact"
    )]
    NoDigest {
        /// Path of the field.
        field: &'static str,
        /// What it holds.
        purl: String,
    },
}

#[derive(Deserialize)]
struct CdEvent {
    context: Context,
    subject: Subject,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    id: String,
    source: String,
    #[serde(rename = "type")]
    event_type: String,
    timestamp: Timestamp,
    #[serde(default)]
    chain_id: Option<String>,
}

#[derive(Deserialize)]
struct Subject {
    id: String,
    #[serde(default)]
    content: Content,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    artifact_id: Option<String>,
    change: Option<Change>,
}

#[derive(Deserialize)]
struct Change {
    id: String,
    source: Option<String>,
}

/// Whether the bytes look like a CDEvent rather than an event of ours.
pub fn is_cdevent(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        context: Option<serde::de::IgnoredAny>,
        subject: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice(bytes)
        .is_ok_and(|probe: Probe| probe.context.is_some() && probe.subject.is_some())
}

/// The build that a CDEvent announces. The same CDEvent is the same build.
///
/// # Errors
/// Names the field, what is wrong with it, and the remedy.
pub fn build_completed(bytes: &[u8], defaults: &Defaults) -> Result<BuildCompleted, CdEventError> {
    let event = read(bytes)?;
    let announces = |name: &&str| {
        let version = event.context.event_type.strip_prefix("dev.cdevents.");
        version.and_then(|it| it.strip_prefix(*name)).is_some_and(|it| it.starts_with('.'))
    };
    let Some(name) = TYPES.into_iter().find(|name| announces(name)) else {
        return Err(CdEventError::OtherType(Label::of(&event.context.event_type).into()));
    };
    let (field, purl) = match (name, &event.subject.content.artifact_id) {
        ("build.finished", Some(purl)) => ("subject.content.artifactId", purl.as_str()),
        ("build.finished", None) => ("subject.content.artifactId", ""),
        _ => ("subject.id", event.subject.id.as_str()),
    };
    let named = Named::of(purl);
    let project = match (&defaults.project, &named) {
        (Some(project), _) => project.clone(),
        (None, Some(named)) => Scope::of(&named.project),
        (None, None) => {
            let problem = format!("`{}` is no package URL; name the project", Label::of(purl));
            return Err(CdEventError::Invalid { field: field.to_owned(), problem });
        }
    };
    let artifacts = match (defaults.artifacts.is_empty(), named.and_then(|it| it.artifact)) {
        (false, _) => defaults.artifacts.clone(),
        (true, Some(artifact)) => vec![artifact],
        (true, None) => {
            let purl = Label::of(purl).into();
            return Err(CdEventError::NoDigest { field, purl });
        }
    };
    let artifacts = Listing::try_from(artifacts).map_err(|error: InvalidListing| {
        CdEventError::Invalid { field: "--artifact".to_owned(), problem: error.to_string() }
    })?;
    let text = |field: &str| {
        let field = field.to_owned();
        move |error: InvalidText| CdEventError::Invalid { field, problem: error.to_string() }
    };
    let source = without_credentials(&event.context.source);
    let builder = Uri::from_str(&source).map_err(text("context.source"))?;
    // The subject of the others is the artifact, not the run that made it.
    let invocation = (name == "build.finished").then(|| event.subject.id.parse().ok()).flatten();
    let internal_parameters = event.context.parameters();
    Ok(BuildCompleted {
        project,
        kind: defaults.kind,
        environment: None,
        run: Label::from_str(&event.context.id).map_err(text("context.id"))?,
        version: None,
        source: event.subject.content.change.and_then(Change::into_source),
        builder: Builder { invocation, ..Builder::new(builder) },
        started_at: None,
        finished_at: Some(event.context.timestamp),
        parameters: Default::default(),
        internal_parameters,
        dependencies: Listing::default(),
        artifacts,
        inputs: Listing::default(),
        sboms: Listing::default(),
    })
}

fn read(bytes: &[u8]) -> Result<CdEvent, CdEventError> {
    if bytes.len() > MAX_EVENT_BYTES {
        return Err(CdEventError::TooLarge(bytes.len()));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| CdEventError::Invalid {
        field: error.path().to_string(),
        problem: error.inner().to_string(),
    })
}

/// What a package URL says of an artifact.
struct Named {
    project: String,
    artifact: Option<Artifact>,
}

impl Named {
    fn of(purl: &str) -> Option<Self> {
        let purl = Purl::canonicalize(purl).ok()?;
        let checksum = purl.qualifiers().get("checksum");
        let checksum = checksum.into_iter().flat_map(|it| it.split(','));
        let digest = checksum.chain(purl.version()).find_map(|it| it.parse::<Digest>().ok());
        let artifact = digest.zip(FilePath::from_str(purl.name()).ok());
        Some(Self {
            project: purl.name().to_owned(),
            artifact: artifact.map(|(digest, name)| Artifact { name, digest, size: None }),
        })
    }
}

impl Context {
    /// What the event says of itself, and no field of ours takes.
    fn parameters(&self) -> BTreeMap<Label, Uri> {
        let said = [
            ("cdevents.type", Some(&self.event_type)),
            ("cdevents.chain_id", self.chain_id.as_ref()),
        ];
        let said = said
            .into_iter()
            .filter_map(|(name, value)| Some((Label::of(name), value?.parse().ok()?)));
        said.collect()
    }
}

impl Change {
    fn into_source(self) -> Option<Source> {
        let repository = without_credentials(self.source.as_deref()?).parse().ok()?;
        Some(Source { repository, reference: None, commit: Commit::try_from(self.id).ok() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: Defaults =
        Defaults { project: None, kind: BuildKind::Release, artifacts: vec![] };

    fn event(event_type: &str, subject: &str) -> Vec<u8> {
        format!(
            r#"{{"context": {{"specversion": "0.5.1", "id": "run-7", "source": "https://ci.example/1",
                "type": "{event_type}", "timestamp": "2026-11-22T10:00:00Z"}},
                "subject": {subject}}}"#
        )
        .into_bytes()
    }

    fn oci() -> String {
        format!("pkg:oci/myapp@sha256%3A{}", Digest::of(b"image").hex())
    }

    #[test]
    fn finished_build_names_its_artifact_by_digest() {
        let subject = format!(r#"{{"id": "b", "content": {{"artifactId": "{}"}}}}"#, oci());
        let bytes = event("dev.cdevents.build.finished.0.2.0", &subject);

        let build = build_completed(&bytes, &DEFAULTS).expect("a build");

        assert!(is_cdevent(&bytes));
        assert_eq!(build.project.as_str(), "myapp");
        assert_eq!(build.artifacts[0].digest, Digest::of(b"image"));
        assert_eq!(build.run.as_str(), "run-7");
        assert_eq!(build.builder.id.as_str(), "https://ci.example/1");
        assert_eq!(build.builder.invocation.expect("the build's id").as_str(), "b");
        let told = &build.internal_parameters[&Label::of("cdevents.type")];
        assert_eq!(told.as_str(), "dev.cdevents.build.finished.0.2.0");
    }

    #[test]
    fn credentials_in_addresses_are_not_passed_on() {
        let subject = format!(
            r#"{{"id": "{}", "content": {{"change": {{"id": "x", "source": "https://me:pw@git.example/a"}}}}}}"#,
            oci()
        );
        let bytes = event("dev.cdevents.artifact.packaged.0.2.0", &subject);
        let bytes = String::from_utf8(bytes).expect("text").replace("//ci.", "//bot:pw@ci.");

        let build = build_completed(bytes.as_bytes(), &DEFAULTS).expect("a build");

        let told = serde_json::to_string(&build).expect("encodes");
        assert!(!told.contains("pw"), "{told}");
        assert_eq!(build.builder.invocation, None);
    }

    #[test]
    fn packaged_artifact_names_its_change() {
        let commit = "0123456789012345678901234567890123456789";
        let subject = format!(
            r#"{{"id": "{}", "content": {{"change": {{"id": "{commit}", "source": "https://git.example/a"}}}}}}"#,
            oci()
        );
        let bytes = event("dev.cdevents.artifact.packaged.0.2.0", &subject);

        let source = build_completed(&bytes, &DEFAULTS).expect("a build").source.expect("named");

        assert_eq!(source.repository.as_str(), "https://git.example/a");
        assert_eq!(source.commit.expect("full").as_str(), commit);
    }

    #[test]
    fn artifact_without_digest_is_refused_with_the_remedy() {
        let subject =
            r#"{"id": "pkg:golang/example.org/app@234fd47e07d1004f0aed9c", "content": {}}"#;
        let bytes = event("dev.cdevents.artifact.published.0.2.0", subject);

        let error = build_completed(&bytes, &DEFAULTS).expect_err("refused").to_string();
        assert!(error.contains("subject.id") && error.contains("--artifact"), "{error}");

        let name = "app".parse().expect("valid");
        let artifacts = vec![Artifact { name, digest: Digest::of(b"app"), size: None }];
        let defaults = Defaults { artifacts, ..DEFAULTS };
        let build = build_completed(&bytes, &defaults).expect("given from outside");
        assert_eq!(build.artifacts[0].digest, Digest::of(b"app"));
    }

    #[test]
    fn other_events_are_refused_by_name() {
        let bytes = event("dev.cdevents.incident.detected.0.1.0", r#"{"id": "x"}"#);

        let error = build_completed(&bytes, &DEFAULTS).expect_err("refused");

        assert!(error.to_string().contains("incident.detected"), "{error}");
    }

    #[test]
    fn missing_field_is_named() {
        let error =
            build_completed(br#"{"context": {"id": "x"}}"#, &DEFAULTS).expect_err("refused");

        assert!(error.to_string().contains("context"), "{error}");
        assert!(error.to_string().contains("source"), "{error}");
    }
}
