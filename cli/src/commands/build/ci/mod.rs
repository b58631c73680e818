//! What CI's environment and git say of a build.
//!
//! Variables are asked for by name, and none of them holds a secret.

mod github;
mod gitlab;

use std::{collections::BTreeMap, path::Path, process::Command};

use events::{Commit, Dependency, Label, Uri, without_credentials};
use jiff::Timestamp;

/// What surrounds a build.
#[derive(Default)]
pub(super) struct Surroundings {
    pub(super) repository: Option<Uri>,
    pub(super) reference: Option<Label>,
    pub(super) commit: Option<Commit>,
    pub(super) run: Option<Label>,
    pub(super) builder_id: Option<Uri>,
    pub(super) builder_version: BTreeMap<Label, Label>,
    pub(super) invocation: Option<Uri>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) parameters: BTreeMap<Label, Uri>,
    pub(super) internal_parameters: BTreeMap<Label, Uri>,
    pub(super) dependencies: Vec<Dependency>,
}

impl Surroundings {
    /// Looks at the variables of GitHub Actions and GitLab CI, then at git in `source`.
    pub(super) fn look(source: Option<&Path>) -> Self {
        Self::of_ci(&variable).unwrap_or_else(|| Self::of_git(source.unwrap_or(Path::new("."))))
    }

    /// What the variables of a known CI say.
    fn of_ci(variable: &impl Fn(&str) -> Option<String>) -> Option<Self> {
        github::surroundings(variable).or_else(|| gitlab::surroundings(variable))
    }

    fn of_git(source: &Path) -> Self {
        let git = |arguments: &[&str]| {
            let output = Command::new("git").arg("-C").arg(source).args(arguments).output().ok()?;
            let text = String::from_utf8(output.stdout).ok()?;
            let text = text.trim();
            (output.status.success() && !text.is_empty()).then(|| text.to_owned())
        };
        Self {
            repository: git(&["remote", "get-url", "origin"]).map(|url| uri(&url)),
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

/// An address as it may be published.
fn uri(text: &str) -> Uri {
    Uri::of(&without_credentials(text))
}

/// Parameters by name, as far as the variables behind them are set.
fn parameters(
    variable: &impl Fn(&str) -> Option<String>,
    names: &[(&str, &str)],
) -> BTreeMap<Label, Uri> {
    let named = names.iter().filter_map(|(parameter, name)| {
        let value = variable(name).filter(|value| !value.trim().is_empty())?;
        Some((Label::of(parameter), uri(&value)))
    });
    named.collect()
}

#[cfg(test)]
mod testing {
    //! An environment of variables.

    use super::Surroundings;

    pub(super) fn surroundings(variables: &[(&str, &str)]) -> Option<Surroundings> {
        Surroundings::of_ci(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    /// The variables with one more, or another value of one.
    pub(super) fn with<'a>(
        variables: &[(&'a str, &'a str)],
        name: &'a str,
        value: &'a str,
    ) -> Vec<(&'a str, &'a str)> {
        let kept = variables.iter().filter(|(known, _)| *known != name).copied();
        kept.chain([(name, value)]).collect()
    }

    #[test]
    fn no_ci_says_nothing() {
        assert!(surroundings(&[]).is_none());
        assert!(surroundings(&[("GITHUB_ACTIONS", "false"), ("GITLAB_CI", "false")]).is_none());
    }
}
