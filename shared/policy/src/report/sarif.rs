//! Reports as SARIF 2.1.0 (OASIS), for code scanning.

use std::{collections::BTreeMap, fmt::Write as _};

use events::{Digest, VerdictResult};
use serde_json::{Value, json};

use super::{Finding, Report, Severity};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

impl Report {
    /// One run with a result for each finding. What has no place of its own stands at `otherwise`, a path, because
    /// code scanning shows nothing without one.
    pub fn sarif(&self, otherwise: &str) -> Value {
        let mut rules: BTreeMap<&str, &Finding> = BTreeMap::new();
        for (_, finding) in self.findings() {
            rules.entry(&finding.id).or_insert(finding);
        }
        let index: BTreeMap<&str, usize> = rules.keys().copied().zip(0..).collect();
        let results: Vec<Value> = self
            .findings()
            .map(|(kind, finding)| result(kind, finding, index[finding.id.as_str()], otherwise))
            .collect();
        let failures: Vec<Value> = self
            .errors
            .iter()
            .map(|error| json!({ "level": "error", "message": { "text": error } }))
            .collect();
        let verdict = match self.result {
            VerdictResult::Passed => "PASSED",
            VerdictResult::Failed => "FAILED",
        };
        json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "Attestry",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules.into_values().map(rule).collect::<Vec<_>>(),
                } },
                "invocations": [{
                    "executionSuccessful": self.errors.is_empty(),
                    "toolExecutionNotifications": failures,
                }],
                "results": results,
                "properties": { "verdict": verdict, "policy": self.policy_digest, "omitted": self.omitted },
            }],
        })
    }
}

fn rule(finding: &Finding) -> Value {
    json!({
        "id": finding.id,
        "shortDescription": { "text": finding.title },
        "help": { "text": finding.remedy },
        "properties": { "security-severity": score(finding.severity) },
    })
}

fn result(kind: &str, finding: &Finding, rule: usize, otherwise: &str) -> Value {
    let level = match kind {
        "violation" => "error",
        "warning" => "warning",
        _ => "note",
    };
    let mut text = finding.message.clone();
    if !finding.path.is_empty() {
        // Writing to a String cannot fail.
        write!(text, "\nPath: {}", finding.path.join(" → ")).unwrap_or_default();
    }
    write!(text, "\nRemedy: {}", finding.remedy).unwrap_or_default();
    let file = finding.place.as_ref().map_or(otherwise, |place| &place.file);
    let line = finding.place.as_ref().and_then(|place| place.line).unwrap_or(1).max(1);
    // The same finding of the next build is the same alert; lines move.
    let component = finding.component.as_deref().unwrap_or_default();
    let fingerprint =
        Digest::of(format!("{}\0{component}\0{}", finding.id, finding.message).as_bytes());
    json!({
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": level,
        "message": { "text": text },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(file) },
            "region": { "startLine": line },
        } }],
        "partialFingerprints": { "attestry/v1": fingerprint.hex() },
        "properties": {
            "severity": finding.severity,
            "component": finding.component,
            "field": finding.field,
            "path": finding.path,
        },
    })
}

/// As code scanning sorts alerts: the middle of each class of CVSS.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

/// A path as a relative reference (RFC 3986 section 4.2).
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.trim_start_matches('/').bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => write!(uri, "%{byte:02X}").unwrap_or_default(),
        }
    }
    uri
}
