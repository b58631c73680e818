//! CycloneDX as a [`Bom`].

mod components;
mod references;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Bom, BomError, Problems, non_empty, timestamp};
use crate::schema::{CycloneDxVersion, Format, Violation, json};
use crate::vex;

/// Reads a document that its schema lets pass.
pub(super) fn read(
    document: &Value,
    version: CycloneDxVersion,
    mut problems: Problems,
) -> Result<Bom, BomError> {
    let format = Format::CycloneDx(version);
    let bom_version = bom_version(document).ok_or_else(|| BomError::Invalid {
        format,
        violations: vec![Violation {
            pointer: "/version".to_owned(),
            message: "is larger than any version of a document can be".to_owned(),
        }],
    })?;
    let metadata = document.get("metadata").unwrap_or(&Value::Null);
    let (subject, components) = components::read(document, &mut problems);
    let edges = references::check(document, &mut problems);
    let mut bom = Bom {
        format,
        serial: json::text(document, "serialNumber").map(str::to_owned),
        bom_version,
        timestamp: timestamp(metadata, "timestamp", "/metadata/timestamp", &mut problems),
        subject,
        supplier: metadata.get("supplier").and_then(|it| non_empty(it, "name")),
        components,
        edges,
        problems: Vec::new(),
        problem_counts: BTreeMap::new(),
        statements: Vec::new(),
    };
    // What stands in the place of vulnerabilities before that means nothing.
    if version >= vex::cyclonedx::FIRST {
        bom.statements = vex::cyclonedx::statements(document, &bom, &mut problems)?;
    }
    (bom.problems, bom.problem_counts) = problems.into_parts();
    Ok(bom)
}

/// `version`, which the schema lets be any whole number from 1, written as a fraction too.
fn bom_version(document: &Value) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match document.get("version") {
        None => Some(1),
        Some(version) => version.as_u64().or_else(|| {
            let whole = version.as_f64().filter(|it| (1.0..=EXACT).contains(it))?;
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole by the schema, and small enough to be exact"
            )]
            Some(whole as u64)
        }),
    }
}
