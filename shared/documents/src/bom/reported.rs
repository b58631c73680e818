//! Vulnerabilities that a CycloneDX document says its own components have (`vulnerabilities`).

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Bom, non_empty};
use crate::schema::json::{items, text};
use crate::vex;

/// Most ratings of one vulnerability that are read.
const MAX_RATINGS: usize = 16;

/// A vulnerability that components of a document are said to have.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// `id`.
    pub id: String,
    /// `references[].id`: what else it is called.
    pub aliases: Vec<String>,
    /// `description`.
    pub description: Option<String>,
    /// `ratings`, the first ones of very many.
    pub ratings: Vec<Rating>,
    /// `published`.
    pub published: Option<Timestamp>,
    /// The components by their numbers in [`Bom::components`], ascending, each once; never none.
    pub components: Vec<usize>,
}

/// How bad somebody says a vulnerability is.
#[derive(Debug, Clone, PartialEq)]
pub struct Rating {
    /// `severity`, in a word such as `high`.
    pub severity: Option<String>,
    /// `vector`, where `method` is a version of CVSS.
    pub vector: Option<String>,
    /// `score`, from 0 to 10, where `method` is a version of CVSS.
    pub score: Option<f64>,
}

/// Reads what `document` says of the components of `bom`. What was analysed as not affected or resolved,
/// what was rejected, and what has no name is not among it.
pub(super) fn read(document: &Value, bom: &Bom) -> Vec<Reported> {
    let all = items(document, "vulnerabilities");
    if all.is_empty() {
        return Vec::new();
    }
    let mut own = HashMap::new();
    for (number, component) in bom.components.iter().enumerate() {
        if let Some(name) = component.bom_ref.as_deref() {
            own.entry(name).or_insert(number);
        }
    }
    let link = vex::cyclonedx::link(bom).map(|it| format!("{it}#"));
    let read = all.iter().filter(|it| is_there(it)).filter_map(|vulnerability| {
        let id = non_empty(vulnerability, "id")?;
        let mut components: Vec<usize> = items(vulnerability, "affects")
            .iter()
            .filter_map(|affected| {
                let name = text(affected, "ref")?;
                let inner = link.as_deref().and_then(|link| name.strip_prefix(link));
                let number = *own.get(inner.unwrap_or(name))?;
                let version = bom.components[number].version.as_deref();
                (!is_spared(affected, version)).then_some(number)
            })
            .collect();
        components.sort_unstable();
        components.dedup();
        (!components.is_empty()).then(|| Reported {
            id,
            aliases: references(vulnerability),
            description: non_empty(vulnerability, "description"),
            ratings: items(vulnerability, "ratings").iter().take(MAX_RATINGS).map(rating).collect(),
            published: text(vulnerability, "published").and_then(|it| it.parse().ok()),
            components,
        })
    });
    read.collect()
}

/// Whether it is said that the components have it: an analysis may take that back.
fn is_there(vulnerability: &Value) -> bool {
    let status = vulnerability.get("analysis").and_then(vex::cyclonedx::status);
    vulnerability.get("rejected").is_none() && status.is_none_or(|it| !it.suppresses())
}

/// Whether just the version that is there is said not to have it.
fn is_spared(affected: &Value, version: Option<&str>) -> bool {
    let mut told = items(affected, "versions")
        .iter()
        .filter(|it| version.is_some_and(|version| text(it, "version") == Some(version)));
    told.any(|it| text(it, "status") == Some("unaffected"))
}

fn references(vulnerability: &Value) -> Vec<String> {
    items(vulnerability, "references").iter().filter_map(|it| non_empty(it, "id")).collect()
}

fn rating(rating: &Value) -> Rating {
    let is_cvss = text(rating, "method").is_some_and(|it| it.starts_with("CVSS"));
    let score = rating.get("score").and_then(Value::as_f64);
    Rating {
        severity: non_empty(rating, "severity"),
        vector: non_empty(rating, "vector").filter(|_| is_cvss),
        score: score.filter(|it| is_cvss && (0.0..=10.0).contains(it)),
    }
}
