//! The report for people, as Markdown.

use std::{collections::BTreeMap, fmt::Write as _};

use super::posture::{Posture, Risks};

/// Most overdue entries that are named.
const NAMED_MAX: usize = 20;
const NOT_KNOWN: &str = "not known: nobody answered";

pub(super) fn markdown(posture: &Posture) -> String {
    let mut text = format!(
        "# Supply-chain posture {}\n\nUp to {}.\n",
        posture.quarter,
        posture.until.strftime("%Y-%m-%dT%H:%M:%SZ")
    );
    devops(&mut text, posture);
    security(&mut text, posture);
    compliance(&mut text, posture);
    text
}

fn line(text: &mut String, what: &str, value: impl std::fmt::Display) {
    // Writing to a string does not fail.
    writeln!(text, "- **{what}**: {value}.").ok();
}

fn devops(text: &mut String, posture: &Posture) {
    let devops = &posture.devops;
    text.push_str("\n## DevOps: workflows, SBOMs and provenance\n\n");
    let builds = devops.builds.map(|it| {
        format!(
            "{} entered, {} passed, {} failed, {} in quarantine, {} dropped, {} on their way",
            it.entered, it.passed, it.failed, it.quarantined, it.dropped, it.in_progress
        )
    });
    line(text, "Builds on record", builds.unwrap_or_else(|| NOT_KNOWN.to_owned()));
    let submissions = devops.submissions.map(|it| {
        format!(
            "{} entered, {} accepted, {} rejected, {} in quarantine, {} on their way",
            it.entered, it.accepted, it.rejected, it.quarantined, it.in_progress
        )
    });
    line(text, "Submissions on record", submissions.unwrap_or_else(|| NOT_KNOWN.to_owned()));
    let lost = devops.unaccounted.map_or_else(|| NOT_KNOWN.to_owned(), |it| it.to_string());
    line(text, "Events of which nobody knows where they went", lost);
}

fn security(text: &mut String, posture: &Posture) {
    let security = &posture.security;
    text.push_str("\n## Security: findings, policy and waivers\n\n");
    line(text, "Entries that became open", security.opened);
    line(text, "Entries that were closed", counts(&security.closed));
    line(text, "Open at the end", counts(&security.open));
    let mut overdue = security.overdue.len().to_string();
    if !security.overdue.is_empty() {
        let named: Vec<&str> =
            security.overdue.iter().take(NAMED_MAX).map(String::as_str).collect();
        let more = if security.overdue.len() > NAMED_MAX { ", …" } else { "" };
        write!(overdue, " ({}{more})", named.join(", ")).ok();
    }
    line(text, "Overdue at the end", overdue);
    let fixed = security.fixed();
    line(text, "Fixed in time", format!("{} of {fixed}", security.fixed_in_time));
    let median = security.median_days_to_fix;
    line(text, "Median days to a fix", median.map_or_else(|| "–".to_owned(), |it| it.to_string()));
    let waivers = security.waivers.as_ref().map_or_else(|| NOT_KNOWN.to_owned(), counts);
    line(text, "Waivers now", waivers);
}

fn compliance(text: &mut String, posture: &Posture) {
    let compliance = &posture.compliance;
    text.push_str("\n## Compliance: risks, suppliers and evidence\n\n");
    line(text, "Risks at the beginning", risks(compliance.risks_before.as_ref()));
    line(text, "Risks at the end", risks(compliance.risks_after.as_ref()));
    let suppliers = compliance.suppliers.as_ref().map(|it| {
        format!(
            "{} sent {} documents since the beginning: {} accepted, {} rejected",
            it.suppliers, it.documents, it.accepted, it.rejected
        )
    });
    line(text, "Suppliers", suppliers.unwrap_or_else(|| NOT_KNOWN.to_owned()));
    text.push_str(
        "\nThe registers of then: `attestry backlog export --as-of DAY`, `attestry risk export --as-of DAY`.\n",
    );
}

fn risks(risks: Option<&Risks>) -> String {
    match risks {
        Some(Risks { open, mitigated, greatest_exposure }) => {
            format!("{open} open, {mitigated} mitigated, greatest exposure {greatest_exposure}")
        }
        None => "nothing was recorded by then".to_owned(),
    }
}

fn counts(counts: &BTreeMap<&'static str, usize>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    counts.iter().map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}
