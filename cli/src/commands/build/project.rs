//! What can be learned of a build without being told: from manifests, CI's environment and git.

use std::{path::Path, process::Command};

use events::{Commit, Label, Scope, Uri};

use crate::failure::Failure;

/// Largest manifest that is read for a name.
const MANIFEST_BYTES_MAX: u64 = 1024 * 1024;

/// Name of the project in `source`: from its manifest, else its folder.
pub(crate) fn name(source: Option<&Path>) -> Result<Scope, Failure> {
    let Some(source) = source else {
        return Err(Failure::input("name the project with --project, or give its --source"));
    };
    let from_manifest = [("pyproject.toml", "project"), ("Cargo.toml", "package")]
        .into_iter()
        .find_map(|(file, table)| manifest_name(&source.join(file), table));
    let from_folder = || {
        let folder = source.canonicalize().ok()?;
        Some(folder.file_name()?.to_str()?.to_owned())
    };
    let name = from_manifest.or_else(from_folder);
    let name = name.ok_or_else(|| Failure::input("give the project's name with --project"))?;
    name.parse().map_err(|error| {
        Failure::Input(format!("the project's name {error}; give another one with --project"))
    })
}

fn manifest_name(file: &Path, table: &str) -> Option<String> {
    if std::fs::metadata(file).ok()?.len() > MANIFEST_BYTES_MAX {
        return None;
    }
    let manifest: toml::Table = std::fs::read_to_string(file).ok()?.parse().ok()?;
    Some(manifest.get(table)?.get("name")?.as_str()?.to_owned())
}

/// What CI and git say of the build.
#[derive(Default)]
pub(super) struct Surroundings {
    pub(super) repository: Option<Uri>,
    pub(super) reference: Option<Label>,
    pub(super) commit: Option<Commit>,
    pub(super) run: Option<Label>,
    pub(super) builder_id: Option<Uri>,
    pub(super) invocation: Option<Uri>,
}

impl Surroundings {
    /// Looks at GitHub Actions' variables, then at git in `source`.
    pub(super) fn look(source: Option<&Path>) -> Self {
        Self::of_github(&variable).unwrap_or_else(|| Self::of_git(source.unwrap_or(Path::new("."))))
    }

    fn of_github(variable: &impl Fn(&str) -> Option<String>) -> Option<Self> {
        if variable("GITHUB_ACTIONS")? != "true" {
            return None;
        }
        let server = variable("GITHUB_SERVER_URL")?;
        let repository = format!("{server}/{}", variable("GITHUB_REPOSITORY")?);
        let run = variable("GITHUB_RUN_ID")?;
        let attempt = variable("GITHUB_RUN_ATTEMPT").unwrap_or_else(|| "1".to_owned());
        let invocation = format!("{repository}/actions/runs/{run}/attempts/{attempt}");
        // One run may submit several builds: its job tells them apart.
        let job = variable("GITHUB_JOB").unwrap_or_default();
        Some(Self {
            reference: variable("GITHUB_REF").map(|it| Label::of(&it)),
            commit: variable("GITHUB_SHA").and_then(|it| Commit::try_from(it).ok()),
            run: Some(Label::of(&format!("github/{run}/{attempt}/{job}"))),
            builder_id: Some(Uri::of("https://github.com/actions/runner")),
            invocation: Some(Uri::of(&invocation)),
            repository: Some(Uri::of(&repository)),
        })
    }

    fn of_git(source: &Path) -> Self {
        let git = |arguments: &[&str]| {
            let output = Command::new("git").arg("-C").arg(source).args(arguments).output().ok()?;
            let text = String::from_utf8(output.stdout).ok()?;
            let text = text.trim();
            (output.status.success() && !text.is_empty()).then(|| text.to_owned())
        };
        Self {
            repository: git(&["remote", "get-url", "origin"])
                .map(|url| Uri::of(&without_credentials(&url))),
            reference: git(&["symbolic-ref", "-q", "HEAD"]).map(|it| Label::of(&it)),
            commit: git(&["rev-parse", "HEAD"]).and_then(|it| Commit::try_from(it).ok()),
            ..Self::default()
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "CI describes itself by variables of its own names")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// `https://user:token@host/path` without what must not be published.
fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit('@').next().unwrap_or(host);
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn credentials_never_leave_the_machine() {
        assert_eq!(without_credentials("https://me:secret@host/a@b/c"), "https://host/a@b/c");
        assert_eq!(without_credentials("git@github.com:a/b.git"), "git@github.com:a/b.git");
    }

    #[test]
    fn github_actions_describe_the_build() {
        let variables = HashMap::from([
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/hotpass"),
            ("GITHUB_RUN_ID", "42"),
            ("GITHUB_RUN_ATTEMPT", "2"),
            ("GITHUB_JOB", "release"),
            ("GITHUB_REF", "refs/tags/v1"),
            ("GITHUB_SHA", "0123456789012345678901234567890123456789"),
        ]);
        let found = Surroundings::of_github(&|name| variables.get(name).map(|it| (*it).to_owned()));

        let found = found.expect("on GitHub Actions");
        assert_eq!(found.repository.expect("there").as_str(), "https://github.com/acme/hotpass");
        assert_eq!(found.run.expect("there").as_str(), "github/42/2/release");
        assert!(found.commit.is_some());
    }
}
