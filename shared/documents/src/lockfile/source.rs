//! Sources as lockfiles write them, and the package URLs that say where a package comes from.

use std::borrow::Cow;

use purl::Purl;

use super::error::Problem;
use super::text;
use crate::inventory::Source;

impl Source {
    /// A Git source from `repository?query#commit`, which uv and Cargo both write.
    pub(super) fn git(reference: &str) -> Self {
        let (reference, commit) = match reference.split_once('#') {
            Some((reference, commit)) => (reference, Some(commit.to_owned())),
            None => (reference, None),
        };
        let url = reference.split('?').next().unwrap_or(reference);
        let url = &*with_scheme(url);
        Self::Git { url: without_credentials(url), commit }
    }

    /// The package URL of a package of type `kind`, whose registry is `default_registry` unless said.
    ///
    /// Qualifiers follow the purl specification's known ones: `repository_url`, `vcs_url` (as SPDX
    /// writes it, `git+URL@COMMIT`) and `download_url`.
    pub(crate) fn purl(
        &self,
        kind: &'static str,
        name: &str,
        version: Option<&str>,
        default_registry: impl Fn(&str) -> bool,
    ) -> Result<String, Problem> {
        self.qualified_purl(kind, name, version, &[], default_registry)
    }

    /// As [`purl`](Self::purl), with more qualifiers, such as the `platform` of a gem.
    pub(super) fn qualified_purl(
        &self,
        kind: &'static str,
        name: &str,
        version: Option<&str>,
        qualifiers: &[(&'static str, &str)],
        default_registry: impl Fn(&str) -> bool,
    ) -> Result<String, Problem> {
        let qualifier = match self {
            Self::Registry { url } if url.contains("://") && !default_registry(url) => {
                Some(("repository_url", url.clone()))
            }
            Self::Registry { .. } | Self::Local { .. } => None,
            Self::Git { url, commit: Some(commit) } => {
                Some(("vcs_url", format!("git+{url}@{commit}")))
            }
            Self::Git { url, commit: None } => Some(("vcs_url", format!("git+{url}"))),
            Self::Archive { url } => Some(("download_url", url.clone())),
        };
        let (namespace, name) = name_parts(kind, name);
        let mut purl = Purl::new(kind, name);
        if let Some(namespace) = namespace {
            purl = purl.with_namespace(namespace);
        }
        if let Some(version) = version {
            purl = purl.with_version(version);
        }
        if let Some((key, value)) = qualifier {
            purl = purl.with_qualifier(key, &value);
        }
        for &(key, value) in qualifiers {
            purl = purl.with_qualifier(key, value);
        }
        let purl = purl.checked();
        purl.map(|purl| purl.canonical())
            .map_err(|_| text::invalid("name", name, "a name that a package URL can hold"))
    }
}

/// The address of a repository as a URL, where it is written as `git@host:path`, as for scp, or as
/// `github:owner/name`.
fn with_scheme(address: &str) -> Cow<'_, str> {
    let Some((host, path)) = address.split_once(':') else { return address.into() };
    if path.starts_with("//") || path.is_empty() || host.contains('/') {
        return address.into();
    }
    match host {
        "github" => format!("https://github.com/{path}").into(),
        "gitlab" => format!("https://gitlab.com/{path}").into(),
        "bitbucket" => format!("https://bitbucket.org/{path}").into(),
        _ if host.contains('@') => format!("ssh://{host}/{path}").into(),
        _ => address.into(),
    }
}

/// Namespace and name of a package URL: the scope of npm, the vendor of Composer, the group of Maven,
/// and all but the end of a Go module path.
fn name_parts<'a>(kind: &str, name: &'a str) -> (Option<&'a str>, &'a str) {
    let parts = match kind {
        "npm" if name.starts_with('@') => name.split_once('/'),
        "composer" | "golang" => name.rsplit_once('/'),
        "maven" => name.split_once(':'),
        _ => None,
    };
    parts.map_or((None, name), |(namespace, name)| (Some(namespace), name))
}

/// `url` without user and password: an SBOM is published, a token in a lockfile must not be.
///
/// The user of an SSH address stays, for `git@` is part of the address and no secret.
pub(super) fn without_credentials(url: &str) -> String {
    if !url.contains('@') {
        return url.to_owned();
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let Some((user, host)) = authority.rsplit_once('@') else {
        return url.to_owned();
    };
    match user.split(':').next() {
        Some(user) if scheme.ends_with("ssh") => format!("{scheme}://{user}@{host}{path}"),
        _ => format!("{scheme}://{host}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Source, without_credentials};

    #[test]
    fn repositories_have_urls_however_they_are_written() {
        for (given, expected) in [
            ("git@github.com:acme/app.git#0123abc", "ssh://git@github.com/acme/app.git"),
            ("github:acme/app#0123abc", "https://github.com/acme/app"),
            ("https://github.com/acme/app?branch=x#0123abc", "https://github.com/acme/app"),
            ("ssh://git@host.example:22/app#0123abc", "ssh://git@host.example:22/app"),
            ("../app#0123abc", "../app"),
            ("C:\\app#0123abc", "C:\\app"),
        ] {
            let expected =
                Source::Git { url: expected.to_owned(), commit: Some("0123abc".to_owned()) };
            assert_eq!(Source::git(given), expected);
        }
    }

    #[test]
    fn credentials_are_cut_from_urls_and_nothing_else_is() {
        for (given, expected) in [
            ("https://user:secret@host.example/simple", "https://host.example/simple"),
            ("https://token@host.example", "https://host.example"),
            ("https://a@b:c@host.example/x@y", "https://host.example/x@y"),
            ("https://host.example/pkg@1.0", "https://host.example/pkg@1.0"),
            ("ssh://git@host.example/repo", "ssh://git@host.example/repo"),
            ("git+ssh://git:secret@host.example/repo", "git+ssh://git@host.example/repo"),
            ("../wheels", "../wheels"),
        ] {
            assert_eq!(without_credentials(given), expected);
        }
    }
}
