//! The formats of SBOMs and their versions.

use std::fmt;

use serde_json::Value;

use super::{SchemaError, json};

const MAX_FOUND_CHARS: usize = 80;

/// Format of an SBOM, and its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CycloneDX (ECMA-424).
    CycloneDx(CycloneDxVersion),
    /// SPDX (ISO/IEC 5962), in JSON or tag-value.
    Spdx(SpdxVersion),
}

/// Version of CycloneDX that a document says it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say all there is to say")]
pub enum CycloneDxVersion {
    V1_2,
    V1_3,
    V1_4,
    V1_5,
    V1_6,
    V1_7,
}

/// Version of SPDX that a document says it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say all there is to say")]
pub enum SpdxVersion {
    V2_2,
    V2_3,
}

impl Format {
    /// The format in a word: `cyclonedx` or `spdx`.
    pub fn name(self) -> &'static str {
        match self {
            Self::CycloneDx(_) => "cyclonedx",
            Self::Spdx(_) => "spdx",
        }
    }

    /// Its version, such as `1.6` or `2.3`.
    pub fn spec_version(self) -> &'static str {
        match self {
            Self::CycloneDx(version) => version.as_str(),
            Self::Spdx(version) => version.as_str(),
        }
    }
}

impl CycloneDxVersion {
    const ALL: [Self; 6] = [Self::V1_2, Self::V1_3, Self::V1_4, Self::V1_5, Self::V1_6, Self::V1_7];

    /// The version as `specVersion` writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
            Self::V1_4 => "1.4",
            Self::V1_5 => "1.5",
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }

    /// The version that `document` names, if it is `oldest` or later.
    pub(super) fn of(document: &Value, oldest: Self) -> Result<Self, SchemaError> {
        Self::named(json::text(document, "specVersion").unwrap_or("missing"), oldest)
    }

    /// The version by its name, if it is `oldest` or later.
    pub(crate) fn named(named: &str, oldest: Self) -> Result<Self, SchemaError> {
        let known = Self::ALL.into_iter().find(|version| version.as_str() == named);
        known
            .filter(|&version| version >= oldest)
            .ok_or_else(|| SchemaError::UnsupportedVersion { found: shortened(named), oldest })
    }
}

impl SpdxVersion {
    /// The version without the `SPDX-` before it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2_2 => "2.2",
            Self::V2_3 => "2.3",
        }
    }

    /// The version that `document` names. SPDX 3 names it in `@context`.
    pub(super) fn of(document: &Value) -> Result<Self, SchemaError> {
        let named =
            json::text(document, "spdxVersion").or_else(|| json::text(document, "@context"));
        Self::named(named.unwrap_or("missing"))
    }

    /// The version called `SPDX-2.3`, for example.
    pub(crate) fn named(name: &str) -> Result<Self, SchemaError> {
        match name {
            "SPDX-2.2" => Ok(Self::V2_2),
            "SPDX-2.3" => Ok(Self::V2_3),
            _ => Err(SchemaError::UnsupportedSpdx { found: shortened(name) }),
        }
    }
}

fn shortened(named: &str) -> String {
    named.chars().take(MAX_FOUND_CHARS).collect()
}

impl From<CycloneDxVersion> for Format {
    fn from(version: CycloneDxVersion) -> Self {
        Self::CycloneDx(version)
    }
}

impl From<SpdxVersion> for Format {
    fn from(version: SpdxVersion) -> Self {
        Self::Spdx(version)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::CycloneDx(_) => "CycloneDX",
            Self::Spdx(_) => "SPDX",
        };
        write!(f, "{name} {}", self.spec_version())
    }
}

impl fmt::Display for CycloneDxVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
