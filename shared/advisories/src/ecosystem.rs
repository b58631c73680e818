//! The families of packages that can be matched, named as in OSV.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A family of packages with one registry and one version order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ecosystem {
    /// Python distributions; versions as in PEP 440.
    #[serde(rename = "PyPI")]
    PyPi,
    /// Rust crates; Semantic Versioning 2.0.
    #[serde(rename = "crates.io")]
    CratesIo,
    /// JavaScript packages; Semantic Versioning 2.0.
    #[serde(rename = "npm")]
    Npm,
    /// Go modules, its standard library and toolchain; Semantic Versioning 2.0 with a leading `v`.
    Go,
}

impl Ecosystem {
    /// Every ecosystem that can be matched.
    pub const ALL: [Self; 4] = [Self::PyPi, Self::CratesIo, Self::Npm, Self::Go];

    /// The name that OSV records use (OSV schema, `affected[].package.ecosystem`).
    pub fn osv_name(self) -> &'static str {
        match self {
            Self::PyPi => "PyPI",
            Self::CratesIo => "crates.io",
            Self::Npm => "npm",
            Self::Go => "Go",
        }
    }

    /// The ecosystem of packages whose purl is of that type, such as `golang`; none if they cannot be matched.
    pub fn from_purl_type(purl_type: &str) -> Option<Self> {
        match purl_type.to_ascii_lowercase().as_str() {
            "pypi" => Some(Self::PyPi),
            "cargo" => Some(Self::CratesIo),
            "npm" => Some(Self::Npm),
            "golang" => Some(Self::Go),
            _ => None,
        }
    }

    /// The ecosystem of that OSV name, whose `:suffix` says nothing here; none if it cannot be matched.
    pub fn from_osv(name: &str) -> Option<Self> {
        let family = name.split_once(':').map_or(name, |(family, _)| family);
        Self::ALL.into_iter().find(|ecosystem| ecosystem.osv_name() == family)
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.osv_name())
    }
}
