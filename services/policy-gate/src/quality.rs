//! How good an SBOM is, as far as rules ask.

use std::collections::BTreeMap;

use documents::{
    schema::SchemaError,
    score::{self, Level, Standard},
};
use schemars::JsonSchema;
use serde::Serialize;

/// An SBOM by one standard.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Quality {
    /// From 0 to 100.
    pub(crate) score: u8,
    /// `A` to `F`.
    pub(crate) grade: char,
    /// Whether everything required is there, everywhere.
    pub(crate) met: bool,
    /// Required elements that are not there everywhere, each with how often not.
    pub(crate) missing: Vec<String>,
}

/// The SBOM by each standard: `cisa`, `ntia`, `bsi`.
///
/// # Errors
/// The document is not CycloneDX.
pub(crate) fn of(sbom: &[u8]) -> Result<BTreeMap<&'static str, Quality>, SchemaError> {
    let scores = score::score(sbom)?.scores.into_iter();
    Ok(scores
        .map(|it| {
            let lacking = it.elements.iter().filter(|it| it.level == Level::Required);
            let lacking = lacking.filter(|it| it.present < it.of);
            let missing = lacking
                .map(|it| format!("{} ({} of {})", it.name, it.of - it.present, it.of))
                .collect();
            let name = match it.standard {
                Standard::Cisa => "cisa",
                Standard::Ntia => "ntia",
                Standard::Bsi => "bsi",
            };
            (name, Quality { score: it.score, grade: it.grade, met: it.met, missing })
        })
        .collect())
}
