//! From one version of CycloneDX to another, with what that loses.

mod prune;
mod upgrade;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::bill::Bill;
use crate::cyclonedx::SpecVersion;
use crate::schema::{CycloneDxVersion, SchemaError, Violation, listed, validator, violations};

/// A document in another format or version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// One line of JSON.
    pub document: Vec<u8>,
    /// What it does not say any more.
    pub losses: Vec<Loss>,
}

/// Something that the other format has no place for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What it is.
    pub what: String,
    /// How often it was there.
    pub count: usize,
}

/// Why a document is not converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// It is no valid CycloneDX.
    #[error(transparent)]
    Invalid(#[from] SchemaError),
    /// The result would not be valid, and nothing that may be left out mends that.
    #[error(
        "cannot be told in CycloneDX {version}: {}; take these out, or stay with its version",
        listed(violations)
    )]
    Inexpressible {
        /// The version that was asked for.
        version: CycloneDxVersion,
        /// What would be wrong with the result.
        violations: Vec<Violation>,
    },
}

/// Writes a valid CycloneDX JSON document of version 1.2 to 1.7 in another version.
///
/// What the other version knows stays as it is; what it does not know is left out and told. Serial
/// number, version and time stay: the content is the same document's.
///
/// # Errors
/// [`ConvertError`]: the document is no valid CycloneDX, or it cannot be told in the other version.
pub fn to_cyclonedx(bytes: &[u8], to: SpecVersion) -> Result<Converted, ConvertError> {
    let to = match to {
        SpecVersion::V1_6 => CycloneDxVersion::V1_6,
        SpecVersion::V1_7 => CycloneDxVersion::V1_7,
    };
    let Bill { mut document, version: from, weight } = Bill::read_valid(bytes)?;
    let mut losses = Losses::default();
    upgrade::apply(&mut document, from, to, &mut losses);
    let mut after = violations(&document, to, weight)?;
    if !after.is_empty() {
        prune::apply(&mut document, &schema(to)?, &mut losses);
        after = violations(&document, to, weight)?;
    }
    if !after.is_empty() {
        return Err(ConvertError::Inexpressible { version: to, violations: after });
    }
    // A `Value` can always be written.
    let mut document = serde_json::to_vec(&document).unwrap_or_default();
    document.push(b'\n');
    Ok(Converted { document, losses: losses.into_list() })
}

fn schema(version: CycloneDxVersion) -> Result<Value, SchemaError> {
    let broken = |message| SchemaError::BrokenSchema { format: version.into(), message };
    serde_json::from_str(validator::cyclonedx_text(version)).map_err(|it| broken(it.to_string()))
}

/// Counts what is lost.
#[derive(Default)]
pub(crate) struct Losses(BTreeMap<String, usize>);

impl Losses {
    pub(crate) fn add(&mut self, what: impl Into<String>, count: usize) {
        if count > 0 {
            *self.0.entry(what.into()).or_default() += count;
        }
    }

    pub(crate) fn into_list(self) -> Vec<Loss> {
        self.0.into_iter().map(|(what, count)| Loss { what, count }).collect()
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.count)
    }
}
