//! What the command line adds to the provenance of a build.

use std::collections::BTreeMap;

use events::{BuildCompleted, Dependency, Label, Uri, without_credentials};
use jiff::Timestamp;

use super::dependency::{base_image, dependency};
use crate::failure::Failure;

/// Facts about a build that CI and git do not say, or not rightly.
#[derive(clap::Args)]
pub(super) struct ProvenanceArgs {
    /// URI of the build platform (SLSA builder.id) [default: from CI, else urn:attestry:local]
    #[arg(long, value_name = "URI")]
    builder_id: Option<Uri>,
    /// Version of a part of the platform; repeat for several
    #[arg(long, value_name = "NAME=VERSION", value_parser = pair)]
    builder_version: Vec<(Label, Uri)>,
    /// URI that says how the parameters are read (SLSA buildType) [default: urn:attestry:build-type:v1]
    #[arg(long, value_name = "URI")]
    build_type: Option<Uri>,
    /// The run, for people to look up (SLSA invocationId) [default: from CI]
    #[arg(long, value_name = "URL")]
    invocation: Option<Uri>,
    /// A parameter that whoever started the build chose, never a secret; repeat for several
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    parameter: Vec<(Label, Uri)>,
    /// A parameter that the platform set, never a secret; repeat for several
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    internal_parameter: Vec<(Label, Uri)>,
    /// Something else that the build fetched, pinned; repeat for several
    #[arg(long, value_name = "URI@ALGORITHM:HEX", value_parser = dependency)]
    dependency: Vec<Dependency>,
    /// The container image that the build began with, pinned; repeat for several
    #[arg(long, value_name = "IMAGE@sha256:HEX", value_parser = base_image)]
    base_image: Vec<Dependency>,
    /// When the build began, such as 2026-11-22T10:00:00Z [default: from CI]
    #[arg(long, value_name = "TIME")]
    started_at: Option<Timestamp>,
    /// When the build ended
    #[arg(long, value_name = "TIME")]
    finished_at: Option<Timestamp>,
}

impl ProvenanceArgs {
    /// Adds what was given to `build`; it outweighs what CI said.
    pub(super) fn add_to(&self, build: &mut BuildCompleted) -> Result<(), Failure> {
        let builder = &mut build.builder;
        replace(&mut builder.id, self.builder_id.as_ref());
        for (name, version) in &self.builder_version {
            builder.version.insert(name.clone(), Label::of(version.as_str()));
        }
        builder.build_type = self.build_type.clone().or(builder.build_type.take());
        builder.invocation = self.invocation.clone().or(builder.invocation.take());
        extend(&mut build.parameters, &self.parameter);
        extend(&mut build.internal_parameters, &self.internal_parameter);
        build.started_at = self.started_at.or(build.started_at);
        build.finished_at = self.finished_at.or(build.finished_at);
        let mut fetched = build.dependencies.to_vec();
        for given in self.base_image.iter().chain(&self.dependency) {
            match fetched.iter_mut().find(|it| it.uri == given.uri) {
                Some(known) => *known = given.clone(),
                None => fetched.push(given.clone()),
            }
        }
        build.dependencies =
            fetched.try_into().map_err(|error| Failure::Input(format!("--dependency: {error}")))?;
        match build.started_at.zip(build.finished_at) {
            Some((started, finished)) if finished < started => Err(Failure::Input(format!(
                "--finished-at: the build ended at {finished}, before it began at {started}"
            ))),
            _ => Ok(()),
        }
    }
}

fn replace(field: &mut Uri, given: Option<&Uri>) {
    if let Some(given) = given {
        *field = Uri::of(&without_credentials(given.as_str()));
    }
}

fn extend(parameters: &mut BTreeMap<Label, Uri>, given: &[(Label, Uri)]) {
    let given = given
        .iter()
        .map(|(name, value)| (name.clone(), Uri::of(&without_credentials(value.as_str()))));
    parameters.extend(given);
}

/// Words in the names of variables that hold secrets.
const SECRET_NAMES: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "api_key",
    "apikey",
    "private_key",
];
/// How secrets of well-known makers begin.
const SECRET_VALUES: [&str; 10] = [
    "ghp_",
    "gho_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "glcbt-",
    "xoxb-",
    "pypi-AgE",
    "-----BEGIN",
];

/// `NAME=VALUE`, unless it looks like a secret: provenance is published.
fn pair(text: &str) -> Result<(Label, Uri), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("write NAME=VALUE".to_owned());
    };
    let plain = name.to_lowercase().replace('-', "_");
    let secret = SECRET_NAMES.iter().any(|word| plain.contains(word))
        || SECRET_VALUES.iter().any(|start| value.starts_with(start));
    if secret {
        return Err(format!("`{name}` looks like a secret; leave it out: provenance is published"));
    }
    let name = name.parse().map_err(|error| format!("the name {error}"))?;
    Ok((name, value.parse().map_err(|error| format!("the value {error}"))?))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        provenance: ProvenanceArgs,
    }

    fn build() -> BuildCompleted {
        let digest = events::Digest::of(b"wheel");
        let json = serde_json::json!({
            "project": "app", "kind": "pr", "run": "1", "parameters": { "a": "1", "b": "2" },
            "builder": { "id": "urn:ci", "invocation": "https://ci.example/1" },
            "artifacts": [{ "name": "app.whl", "digest": digest }],
        });
        serde_json::from_value(json).expect("a build")
    }

    fn added(arguments: &[&str]) -> Result<BuildCompleted, String> {
        let command = Command::try_parse_from([&["submit"], arguments].concat());
        let command = command.map_err(|error| error.to_string())?;
        let mut build = build();
        match command.provenance.add_to(&mut build) {
            Ok(()) => Ok(build),
            Err(Failure::Input(message)) => Err(message),
            Err(_) => Err("another failure".to_owned()),
        }
    }

    #[test]
    fn what_is_given_outweighs_what_ci_said() {
        let hex = "0".repeat(64);
        let (image, tool) =
            (format!("debian@sha256:{hex}"), format!("https://a.example/t@sha256:{hex}"));
        let build = added(&[
            "--parameter",
            "b=3",
            "--internal-parameter",
            "c=4",
            "--builder-id",
            "https://x:y@ci",
            "--builder-version",
            "runner=1",
            "--base-image",
            &image,
            "--dependency",
            &tool,
            "--dependency",
            &tool,
            "--started-at",
            "2026-11-22T10:00:00Z",
        ]);

        let build = build.expect("sound");
        let told = serde_json::to_value(&build).expect("encodes");
        assert_eq!(told["parameters"], serde_json::json!({ "a": "1", "b": "3" }));
        assert_eq!(told["internal_parameters"], serde_json::json!({ "c": "4" }));
        assert_eq!(told["builder"]["id"], "https://ci");
        assert_eq!(told["builder"]["invocation"], "https://ci.example/1");
        assert_eq!(told["builder"]["version"]["runner"], "1");
        assert_eq!(build.dependencies.len(), 2, "the same twice is one");
        assert_eq!(told["started_at"], "2026-11-22T10:00:00Z");
    }

    #[test]
    fn secrets_and_nonsense_are_refused() {
        for (arguments, reason) in [
            (["--parameter", "NPM_TOKEN=x"].as_slice(), "looks like a secret"),
            (&["--internal-parameter", "a=glpat-1"], "looks like a secret"),
            (&["--parameter", "a"], "write NAME=VALUE"),
            (&["--parameter", "=1"], "the name must not be empty"),
            (&["--base-image", "debian:12"], "add its digest"),
            (&["--started-at", "yesterday"], "--started-at"),
            (
                &["--started-at", "2026-11-22T10:00:00Z", "--finished-at", "2026-11-22T09:00:00Z"],
                "before it began",
            ),
        ] {
            let said = added(arguments).expect_err(reason);
            assert!(said.contains(reason), "{said}");
        }
    }
}
