//! Vulnerabilities that a document itself says its components have.

use std::collections::HashSet;

use advisories::{Cvss, Doubt, MatchRule, Severity};
use documents::bom;
use events::Text;

use crate::{
    finding::{FINDINGS_MAX, Found, Vulnerability, order},
    inventory::Component,
    places::Place,
};

/// Most bytes of an id.
const ID_BYTES: usize = 64;
/// Most other ids of one vulnerability.
const ALIASES_MAX: usize = 16;
/// Most bytes of a vector: twice what all metrics of CVSS 4.0 need.
const VECTOR_BYTES: usize = 512;
/// Most bytes of the description that are kept.
const SUMMARY_BYTES: usize = 256;

/// What is `reported` of components by their numbers, which have `positions` among `components`. What no
/// advisories are read for has no package that something could be done to, and is left out.
pub(crate) fn found(
    reported: Vec<bom::Reported>,
    positions: &[usize],
    components: &[Component],
) -> Vec<Found> {
    let mut all = Vec::new();
    for it in reported {
        let numbers = it.components.clone();
        let vulnerability = vulnerability(it);
        for number in numbers {
            let position = positions.get(number).copied();
            let place =
                position.and_then(|it| Some((u32::try_from(it).ok()?, components.get(it)?)));
            let Some((position, component)) = place else { continue };
            let Some(package) = component.package() else { continue };
            if all.len() == FINDINGS_MAX {
                return all;
            }
            let (component, vulnerability) = (component.clone(), vulnerability.clone());
            let (positions, place) = (vec![position], Place::default());
            all.push(Found { component, package, vulnerability, positions, place });
        }
    }
    all
}

/// What was `found` by the index, and of what a document `reported` whatever the index does not know of
/// the same component by any of its ids.
pub(crate) fn joined(found: Vec<Found>, reported: Vec<Found>) -> Vec<Found> {
    if reported.is_empty() {
        return found;
    }
    let names = |it: &Found| -> Vec<(Option<String>, String)> {
        let ids = it.vulnerability.ids().map(str::to_ascii_lowercase);
        ids.map(|id| (it.component.purl.clone(), id)).collect()
    };
    let mut known: HashSet<_> = found.iter().flat_map(names).collect();
    let mut joined = found;
    for it in reported {
        let names = names(&it);
        let is_known = names.iter().any(|name| known.contains(name));
        if !is_known && joined.len() < FINDINGS_MAX {
            joined.push(it);
        }
        known.extend(names);
    }
    joined.sort_by(|a, b| order(a).cmp(&order(b)));
    joined
}

fn vulnerability(reported: bom::Reported) -> Vulnerability {
    let bom::Reported { id, aliases, description, ratings, published, .. } = reported;
    let all = std::iter::once(&id).chain(&aliases).take(1 + ALIASES_MAX);
    let mut ids: Vec<String> = all.map(|it| Text::<ID_BYTES>::of(it).into()).collect();
    ids.sort_by(|a, b| preference(a).cmp(&preference(b)));
    ids.dedup();
    let malicious = ids.iter().any(|it| it.starts_with("MAL-"));
    let severity = ratings.iter().map(severity).max().unwrap_or_default();
    let summary = description.map(|it| Text::<SUMMARY_BYTES>::of(&it).into());
    Vulnerability {
        id: ids.remove(0),
        aliases: ids,
        upstream: Vec::new(),
        summary: summary.unwrap_or_default(),
        severity,
        cvss: cvss(&ratings),
        fixed: None,
        rule: Some(MatchRule::Reported),
        confidence: Some(Doubt::BySupplier.confidence()),
        doubts: vec![Doubt::BySupplier],
        malicious,
        published,
    }
}

/// As the index names a vulnerability: CVE before GHSA before the rest, smaller ids first.
fn preference(id: &str) -> (u8, &str) {
    match id {
        _ if id.starts_with("CVE-") => (0, id),
        _ if id.starts_with("GHSA-") => (1, id),
        _ => (2, id),
    }
}

/// The word, else what the score means (CVSS 3.1, section 5).
fn severity(rating: &bom::Rating) -> Severity {
    match (rating.severity.as_deref(), rating.score) {
        (Some("critical"), _) => Severity::Critical,
        (Some("high"), _) => Severity::High,
        (Some("medium"), _) => Severity::Medium,
        (Some("low" | "info" | "none"), _) => Severity::Low,
        (_, Some(9.0..)) => Severity::Critical,
        (_, Some(7.0..)) => Severity::High,
        (_, Some(4.0..)) => Severity::Medium,
        (_, Some(_)) => Severity::Low,
        (_, None) => Severity::Unknown,
    }
}

/// The vector with the highest score that it is said to have.
fn cvss(ratings: &[bom::Rating]) -> Option<Cvss> {
    let told = ratings.iter().filter_map(|it| {
        let vector = it.vector.clone().filter(|it| it.len() <= VECTOR_BYTES)?;
        Some(Cvss { vector: Text::<VECTOR_BYTES>::of(&vector).into(), score: it.score? })
    });
    told.max_by(|a, b| a.score.total_cmp(&b.score))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{finding::find, inventory::Inventory, testing::full_index};

    const JINJA: &str = "pkg:pypi/jinja2@2.10";

    fn inventory(vulnerabilities: &[Value]) -> Inventory {
        let bom = json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "components": [
                { "type": "library", "bom-ref": "z", "name": "jinja2", "version": "2.10", "purl": JINJA },
                { "type": "library", "bom-ref": "a", "name": "flask", "version": "1", "purl": "pkg:pypi/flask@1" },
                { "type": "library", "bom-ref": "g", "name": "glue", "version": "1", "purl": "pkg:generic/glue@1" },
            ],
            "vulnerabilities": vulnerabilities,
        });
        let bytes = serde_json::to_vec(&bom).expect("encodes");
        Inventory::of(bom::read(&bytes).expect("valid CycloneDX"))
    }

    fn all(vulnerabilities: &[Value]) -> Vec<Found> {
        let inventory = inventory(vulnerabilities);
        joined(find(&inventory.components, &full_index()), inventory.reported)
    }

    fn told(found: &[Found]) -> Vec<(String, Option<MatchRule>)> {
        let line = |it: &Found| format!("{} {}", it.package.name, it.vulnerability.id);
        found.iter().map(|it| (line(it), it.vulnerability.rule)).collect()
    }

    #[test]
    fn what_a_document_reports_is_found_unless_the_index_has_it() {
        let found = all(&[
            json!({ "id": "GHSA-462W-V97R-4M45", "affects": [{ "ref": "z" }] }),
            json!({ "id": "SNYK-1", "references": [{ "id": "CVE-2020-28493", "source": {} }], "affects": [{ "ref": "z" }] }),
            json!({
                "id": "SNYK-2",
                "references": [{ "id": "CVE-2099-1", "source": {} }],
                "ratings": [
                    { "severity": "low" },
                    { "score": 8.1, "method": "CVSSv31", "vector": "CVSS:3.1/AV:N" },
                    { "score": 99.0, "method": "CVSSv4", "vector": "CVSS:4.0/AV:N" },
                    { "score": 10.0, "method": "OWASP", "vector": "x" },
                ],
                "affects": [{ "ref": "z" }, { "ref": "a" }, { "ref": "g" }, { "ref": "nobody" }],
            }),
            json!({ "id": "CVE-2099-1", "affects": [{ "ref": "a" }] }),
        ]);
        let (range, reported) = (Some(MatchRule::Range), Some(MatchRule::Reported));
        let expected = [
            ("flask CVE-2099-1", reported),
            ("jinja2 CVE-2019-10906", range),
            ("jinja2 CVE-2020-28493", range),
            ("jinja2 CVE-2099-1", reported),
        ];
        assert_eq!(told(&found), expected.map(|(line, rule)| (line.to_owned(), rule)));
        let Vulnerability { aliases, severity, cvss, doubts, .. } = &found[0].vulnerability;
        assert_eq!((aliases.as_slice(), *severity), (&["SNYK-2".to_owned()][..], Severity::High));
        assert_eq!(cvss.as_ref().map(|it| it.score), Some(8.1));
        assert_eq!(doubts, &[Doubt::BySupplier]);
    }

    #[test]
    fn what_is_taken_back_or_about_other_versions_is_not_reported() {
        let state = |state: &str| {
            let analysis = json!({ "state": state });
            json!({ "id": "CVE-2099-1", "analysis": analysis, "affects": [{ "ref": "a" }] })
        };
        for (vulnerability, count) in [
            (state("not_affected"), 0),
            (state("resolved"), 0),
            (state("false_positive"), 0),
            (state("in_triage"), 1),
            (state("exploitable"), 1),
            (json!({ "id": "CVE-2099-1" }), 0),
            (json!({ "affects": [{ "ref": "a" }] }), 0),
            (
                json!({ "id": "CVE-2099-1", "rejected": "2024-01-01T00:00:00Z", "affects": [{ "ref": "a" }] }),
                0,
            ),
            (
                json!({ "id": "CVE-2099-1", "affects": [{ "ref": "a", "versions": [{ "version": "1", "status": "unaffected" }] }] }),
                0,
            ),
            (
                json!({ "id": "CVE-2099-1", "affects": [{ "ref": "a", "versions": [{ "version": "2", "status": "unaffected" }] }] }),
                1,
            ),
        ] {
            let reported = inventory(std::slice::from_ref(&vulnerability)).reported;
            assert_eq!(reported.len(), count, "{vulnerability}");
        }
    }
}
