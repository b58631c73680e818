//! Registers as CSV (RFC 4180) that a spreadsheet shows as it is written.

use crate::register::{EntryRow, Register, VulnerabilityRow, need};

const BACKLOG_HEADER: [&str; 25] = [
    "id",
    "title",
    "kind",
    "scope",
    "product",
    "ecosystem",
    "package",
    "target",
    "severity",
    "owner",
    "first_seen",
    "due",
    "status",
    "since",
    "vulnerabilities",
    "suppressed",
    "summary",
    "document",
    "event",
    "priority",
    "score",
    "lock",
    "path",
    "need",
    "artifacts",
];
const RISK_HEADER: [&str; 9] = [
    "id",
    "description",
    "surface",
    "impact",
    "likelihood",
    "exposure",
    "owner",
    "status",
    "mitigation",
];

pub(super) fn backlog(register: &Register) -> String {
    let mut text = header(&BACKLOG_HEADER);
    for entry in &register.entries {
        let row: [String; BACKLOG_HEADER.len()] = [
            entry.id.clone(),
            entry.title.clone(),
            entry.kind.to_string(),
            entry.scope.to_string(),
            entry.product.to_string(),
            entry.ecosystem.to_string(),
            entry.package.clone(),
            entry.target.clone().unwrap_or_default(),
            entry.severity.to_string(),
            entry.owner.to_string(),
            entry.first_seen.to_string(),
            entry.due.to_string(),
            entry.status.as_str().to_owned(),
            entry.since.to_string(),
            ids(entry),
            entry.suppressed.len().to_string(),
            entry.summary.clone(),
            entry.evidence.document.to_string(),
            entry.evidence.event.to_string(),
            entry.priority.class.as_str().to_owned(),
            entry.priority.score.to_string(),
            entry.lock.clone().unwrap_or_default(),
            entry.path.join(" > "),
            entry.need.map(need).unwrap_or_default().to_owned(),
            entry.artifacts.to_string(),
        ];
        push(&mut text, &row);
    }
    text
}

pub(super) fn risk(register: &Register) -> String {
    let mut text = header(&RISK_HEADER);
    for risk in &register.risks {
        let row: [String; RISK_HEADER.len()] = [
            risk.id.clone(),
            risk.description.clone(),
            risk.surface.clone(),
            risk.impact.to_string(),
            risk.likelihood.to_string(),
            risk.exposure.to_string(),
            risk.owner.to_string(),
            risk.status.as_str().to_owned(),
            risk.mitigation.clone(),
        ];
        push(&mut text, &row);
    }
    text
}

fn ids(entry: &EntryRow) -> String {
    let id = |row: &VulnerabilityRow| row.id.clone();
    entry.vulnerabilities.iter().map(id).collect::<Vec<_>>().join(" ")
}

fn header(names: &[&str]) -> String {
    let mut text = names.join(",");
    text.push_str("\r\n");
    text
}

fn push(text: &mut String, row: &[String]) {
    let fields: Vec<String> = row.iter().map(|it| field(it)).collect();
    text.push_str(&fields.join(","));
    text.push_str("\r\n");
}

/// What begins like a formula would be run by a spreadsheet: an apostrophe makes it text (OWASP,
/// "CSV Injection").
fn field(value: &str) -> String {
    let guarded = match value.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
    {
        true => format!("'{value}"),
        false => value.to_owned(),
    };
    match guarded.contains(['"', ',', '\r', '\n', '\t', ';', '\'']) {
        true => format!("\"{}\"", guarded.replace('"', "\"\"")),
        false => guarded,
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn what_a_spreadsheet_would_run_or_split_is_text() {
        for (value, written) in [
            ("plain", "plain"),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("-2+3", "\"'-2+3\""),
            (" \t=cmd|' /C calc'!A0", "\"' \t=cmd|' /C calc'!A0\""),
            ("＝1", "\"'＝1\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
        ] {
            assert_eq!(field(value), written);
        }
    }
}
