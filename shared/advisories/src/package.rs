//! A package to look for, and how its name is written.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Ecosystem, Release};

/// One version of one package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Package {
    /// Ecosystem of the package.
    pub ecosystem: Ecosystem,
    /// Name, normalised as its ecosystem asks.
    pub name: String,
    /// The version found.
    pub version: String,
    /// The release of the distribution it belongs to; none where that is not known, and outside of distributions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
}

/// Why a package URL cannot be looked up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMatchable {
    /// The text is no package URL.
    #[error("`{0}` is no package URL; write pkg:type/namespace/name@version")]
    NotAPurl(String),
    /// Advisories for packages of that type cannot be matched.
    #[error("packages of type `{0}` are not matched; types pypi, cargo, npm and golang are")]
    Type(String),
    /// There is nothing to compare with the ranges of a record.
    #[error("`{0}` has no version, so no advisory can be matched")]
    NoVersion(String),
}

impl Package {
    /// The package with its name normalised (PEP 503 for PyPI), and the version of Go itself written as a release of
    /// its modules is: `go1.21rc2` is `1.21.0-rc.2`.
    pub fn new(ecosystem: Ecosystem, name: &str, version: &str) -> Self {
        let name = match ecosystem {
            Ecosystem::PyPi => pep503(name),
            _ => name.to_owned(),
        };
        let version = match (ecosystem, name.as_str()) {
            (Ecosystem::Go, "stdlib" | "toolchain") => go_release(version),
            _ => version.to_owned(),
        };
        Self { ecosystem, name, version, release: None }
    }

    /// The package that a package URL of type `pypi`, `cargo`, `npm` or `golang` names; qualifiers and subpath say
    /// nothing here.
    ///
    /// # Errors
    /// Not a package URL, another type, or no version.
    pub fn from_purl(purl: &str) -> Result<Self, NotMatchable> {
        let not_a_purl = || NotMatchable::NotAPurl(shortened(purl));
        let (scheme, rest) = purl.trim().split_once(':').ok_or_else(not_a_purl)?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return Err(not_a_purl());
        }
        let rest = rest.trim_start_matches('/');
        let rest = rest.split_once('#').map_or(rest, |(rest, _subpath)| rest);
        let rest = rest.split_once('?').map_or(rest, |(rest, _qualifiers)| rest);
        let (kind, path) = rest.split_once('/').ok_or_else(not_a_purl)?;
        if kind.is_empty()
            || !kind.bytes().all(|it| it.is_ascii_alphanumeric() || b".+-".contains(&it))
        {
            return Err(not_a_purl());
        }
        let ecosystem = Ecosystem::from_purl_type(kind);
        let ecosystem = ecosystem.ok_or_else(|| NotMatchable::Type(shortened(kind)))?;
        // A scope may be written `@scope`: only an `@` after the last slash begins the version.
        let name_at = path.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
        let version_at =
            path[name_at..].find('@').map(|at| name_at + at).filter(|at| *at > name_at);
        let (name, version) = match version_at {
            Some(at) => (&path[..at], &path[at + 1..]),
            None => (path, ""),
        };
        let name = percent_decoded(name.trim_matches('/')).ok_or_else(not_a_purl)?;
        let version = percent_decoded(version).ok_or_else(not_a_purl)?;
        match (name.is_empty(), version.is_empty()) {
            (true, _) => Err(not_a_purl()),
            (_, true) => Err(NotMatchable::NoVersion(shortened(purl))),
            _ => Ok(Self::new(ecosystem, &name, &version)),
        }
    }
}

impl Ecosystem {
    /// The name under which records and packages meet.
    ///
    /// Package URLs put Go modules and npm packages in lower case, and crates.io knows no two crates that differ only
    /// in case or in `-` and `_`.
    pub(crate) fn lookup_name(self, name: &str) -> String {
        match self {
            Self::PyPi => pep503(name),
            Self::CratesIo => name.to_ascii_lowercase().replace('_', "-"),
            Self::Npm | Self::Go => name.to_ascii_lowercase(),
        }
    }

    /// Whether two packages may differ only in the case of their name.
    pub(crate) fn is_case_sensitive(self) -> bool {
        matches!(self, Self::Npm | Self::Go)
    }
}

/// PEP 503, "Normalized Names".
fn pep503(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.trim().chars() {
        match letter {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            _ => normal.extend(letter.to_lowercase()),
        }
    }
    normal
}

fn go_release(version: &str) -> String {
    let version = version.split_whitespace().next().unwrap_or_default();
    let version = version.trim_start_matches("go").trim_start_matches('v');
    for word in ["beta", "rc"] {
        if let Some((release, number)) = version.split_once(word)
            && !release.contains('-')
        {
            let zeros = ".0".repeat(2_usize.saturating_sub(release.matches('.').count()));
            return format!("{release}{zeros}-{word}.{number}");
        }
    }
    version.to_owned()
}

fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex_digit(rest.next()?)? << 4 | hex_digit(rest.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok())
}

/// Enough of other people's text to recognise it.
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(purl: &str) -> (Ecosystem, String, String) {
        let package = Package::from_purl(purl).expect(purl);
        (package.ecosystem, package.name, package.version)
    }

    #[test]
    fn purls_of_four_types_name_packages() {
        for (purl, ecosystem, name, version) in [
            ("pkg:pypi/Ruamel.YAML@0.18", Ecosystem::PyPi, "ruamel-yaml", "0.18"),
            ("pkg:pypi/a@1%2Bcpu?file_name=a.whl#b", Ecosystem::PyPi, "a", "1+cpu"),
            ("PKG://cargo/serde_json@1.0.0", Ecosystem::CratesIo, "serde_json", "1.0.0"),
            ("pkg:npm/%40babel/core@7.0.0", Ecosystem::Npm, "@babel/core", "7.0.0"),
            ("pkg:npm/@babel/core@7.0.0", Ecosystem::Npm, "@babel/core", "7.0.0"),
            (
                "pkg:golang/github.com/Masterminds/semver/v3@v3.2.0#x",
                Ecosystem::Go,
                "github.com/Masterminds/semver/v3",
                "v3.2.0",
            ),
            ("pkg:golang/stdlib@go1.21rc2", Ecosystem::Go, "stdlib", "1.21.0-rc.2"),
            ("pkg:golang/stdlib@v1.20.3", Ecosystem::Go, "stdlib", "1.20.3"),
        ] {
            assert_eq!(package(purl), (ecosystem, name.to_owned(), version.to_owned()), "{purl}");
        }
    }

    #[test]
    fn what_cannot_be_matched_says_why() {
        let not_a_purl = |text: &str| NotMatchable::NotAPurl(text.to_owned());
        for (purl, why) in [
            ("pkg:deb/debian/curl@7.50.3", NotMatchable::Type("deb".into())),
            ("pkg:pypi/django", NotMatchable::NoVersion("pkg:pypi/django".into())),
            ("pkg:npm/@babel/core", NotMatchable::NoVersion("pkg:npm/@babel/core".into())),
            ("pkg:pypi/django@", NotMatchable::NoVersion("pkg:pypi/django@".into())),
            ("pkg:pypi/%FF@1", not_a_purl("pkg:pypi/%FF@1")),
            ("pkg:pypi/a@%2", not_a_purl("pkg:pypi/a@%2")),
            ("pkg:pypi/", not_a_purl("pkg:pypi/")),
            ("pkg:pypi", not_a_purl("pkg:pypi")),
            ("django@4.2", not_a_purl("django@4.2")),
            ("", not_a_purl("")),
        ] {
            assert_eq!(Package::from_purl(purl), Err(why), "{purl}");
        }
    }
}
