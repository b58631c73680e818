//! CycloneDX as a [`Bom`].

mod components;
pub(super) mod one_by_one;
mod references;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Bom, BomError, Component, Problems, deviations, non_empty, reported, timestamp, via};
use crate::schema::json::{self, Outline};
use crate::schema::{self, CycloneDxVersion, Format, Violation};
use crate::vex;

/// What a [`Bom`] is made of, but for what is suspicious.
static CONTENTS: Outline = Outline(&[
    ("bomFormat", None),
    ("specVersion", None),
    ("serialNumber", None),
    ("version", None),
    ("metadata", Some(&METADATA)),
    ("components", Some(&COMPONENT)),
    ("dependencies", Some(&Outline(&[("ref", None), ("dependsOn", None)]))),
    ("vulnerabilities", None),
]);
static METADATA: Outline = Outline(&[
    ("timestamp", None),
    ("component", Some(&COMPONENT)),
    ("supplier", Some(&Outline(&[("name", None)]))),
]);
static COMPONENT: Outline = Outline(&[
    ("bom-ref", None),
    ("name", None),
    ("group", None),
    ("version", None),
    ("purl", None),
    ("cpe", None),
    ("type", None),
    ("scope", None),
    ("evidence", Some(&Outline(&[("occurrences", Some(&Outline(&[("location", None)])))]))),
    ("components", Some(&COMPONENT)),
]);

/// Of a document that was judged before, what a [`Bom`] is made of; none if it is not CycloneDX in JSON.
pub(super) fn skim(bytes: &[u8]) -> Option<(Value, CycloneDxVersion)> {
    let mut document = json::parse_part(json::decode(bytes).ok()?, &CONTENTS).ok()?;
    let Ok(Format::CycloneDx(version)) = schema::format(&document, CycloneDxVersion::V1_2) else {
        return None;
    };
    // What deviates there was mended when it was judged. Of a component nothing is kept that would be, an
    // edge that is there twice is one, and to compare them all takes long.
    let apart =
        ["components", "dependencies"].map(|it| (it, document.get_mut(it).map(Value::take)));
    deviations::mend(&mut document, &mut Problems::default());
    for (list, items) in apart {
        if let (Some(items), Some(top)) = (items, document.as_object_mut()) {
            top.insert(list.to_owned(), items);
        }
    }
    Some((document, version))
}

/// Reads a document that its schema lets pass.
pub(super) fn read(
    document: &Value,
    version: CycloneDxVersion,
    mut problems: Problems,
) -> Result<Bom, BomError> {
    let parts = components::read(document, &mut problems);
    let edges = references::check(document, references::no_names(), &mut problems);
    assemble(document, version, parts, edges, problems)
}

/// Reads what [`skim`] gave.
pub(super) fn read_again(document: &Value, version: CycloneDxVersion) -> Result<Bom, BomError> {
    let mut problems = Problems::default();
    let parts = components::read(document, &mut problems);
    assemble(document, version, parts, 0, problems)
}

/// The components of a document.
struct Parts {
    subject: Option<Component>,
    components: Vec<Component>,
    /// So many, the first ones, are parts of the subject.
    of_subject: usize,
}

/// Puts together what was read of a document, whose components need not be in it any more; it has so many
/// `edges`.
fn assemble(
    document: &Value,
    version: CycloneDxVersion,
    Parts { subject, components, of_subject }: Parts,
    edges: usize,
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
    let via = via(subject.as_ref(), &components, of_subject, references::edges(document));
    let mut bom = Bom {
        format,
        serial: json::text(document, "serialNumber").map(str::to_owned),
        bom_version,
        timestamp: timestamp(metadata, "timestamp", "/metadata/timestamp", &mut problems),
        subject,
        supplier: metadata.get("supplier").and_then(|it| non_empty(it, "name")),
        components,
        via,
        edges,
        problems: Vec::new(),
        problem_counts: BTreeMap::new(),
        statements: Vec::new(),
        reported: Vec::new(),
    };
    // What stands in the place of vulnerabilities before that means nothing.
    if version >= vex::cyclonedx::FIRST {
        bom.statements = vex::cyclonedx::statements(document, &bom, &mut problems)?;
        bom.reported = reported::read(document, &bom);
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
