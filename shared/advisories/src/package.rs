//! A package to look for, and how its name is written.

use serde::{Deserialize, Serialize};

use crate::{Ecosystem, Release, git};

/// One version of one package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Package {
    /// Ecosystem of the package.
    pub ecosystem: Ecosystem,
    /// Name, normalised as its ecosystem asks; of distributions mostly that of the source package.
    pub name: String,
    /// The version found.
    pub version: String,
    /// The release of the distribution it belongs to; none where that is not known, and outside of distributions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// Whether the name is that of what was built and is taken to be that of its source package, which is not told.
    #[serde(default, skip_serializing_if = "is_false")]
    pub source_guessed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(it: &bool) -> bool {
    !it
}

/// Why a package URL cannot be looked up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMatchable {
    /// The text is no package URL.
    #[error("`{0}` is no package URL; write pkg:type/namespace/name@version")]
    NotAPurl(String),
    /// Advisories for packages of that type cannot be matched.
    #[error(
        "packages of type `{0}` are not matched; `docs/advisories.md` names the types that are"
    )]
    Type(String),
    /// There is nothing to compare with the ranges of a record.
    #[error("`{0}` has no version, so no advisory can be matched")]
    NoVersion(String),
}

impl Package {
    /// The package with its name normalised (PEP 503 for PyPI, without scheme and `.git` for repositories), and the
    /// version of Go itself written as a release of its modules is: `go1.21rc2` is `1.21.0-rc.2`.
    pub fn new(ecosystem: Ecosystem, name: &str, version: &str) -> Self {
        let name = match ecosystem {
            Ecosystem::PyPi => pep503(name),
            Ecosystem::Git => git::repository(name),
            _ => name.to_owned(),
        };
        let version = match (ecosystem, name.as_str()) {
            (Ecosystem::Go, "stdlib" | "toolchain") => go_release(version),
            _ => version.to_owned(),
        };
        Self { ecosystem, name, version, release: None, source_guessed: false }
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
            Self::Git => git::repository(name),
            _ => name.to_lowercase(),
        }
    }

    /// Whether two packages may differ only in the case of their name.
    pub(crate) fn is_case_sensitive(self) -> bool {
        matches!(
            self,
            Self::Npm | Self::Go | Self::Maven | Self::RubyGems | Self::Cran | Self::Hackage
        )
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
