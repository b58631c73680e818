//! Advisories and findings, for people.

use std::{fmt::Write, path::Path};

use advisories::{Affected, BuildReport, Confidence, Epss, Index, Kev};
use events::Digest;

use super::{
    Shown,
    matching::{Finding, State, Tally},
};

/// Listed versions that are shown of one package.
const SHOWN_VERSIONS: usize = 10;

/// What an index was built from, and what was left out.
pub(super) fn sync(digest: Digest, report: &BuildReport, directory: &Path) -> String {
    let mut text = format!(
        "Index {digest} in {}\n  {} advisories, of which {} can be matched and {} are withdrawn\n",
        directory.display(),
        report.advisories,
        report.matchable,
        report.withdrawn,
    );
    for (ecosystem, count) in &report.ecosystems {
        line(&mut text, format_args!("  {count:>8}  {ecosystem}"));
    }
    for (count, what, date) in [
        (report.kev, "known to be exploited (KEV)", report.kev_released),
        (report.epss, "with an EPSS score", report.epss_scored),
    ] {
        if count > 0 {
            let of = date.map(|it| format!(", as of {it}")).unwrap_or_default();
            line(&mut text, format_args!("  {count:>8}  vulnerabilities {what}{of}"));
        }
    }
    let BuildReport { added, changed, removed, .. } = report;
    if added + changed + removed > 0 {
        line(
            &mut text,
            format_args!(
                "  since the index before: {added} new, {changed} changed, {removed} gone"
            ),
        );
    }
    for (count, what) in [
        (report.superseded, "older records of an id that came several times"),
        (report.other_files, "files of other names"),
        (report.problem_count, "files, records, rows or parts that could not be read"),
    ] {
        if count > 0 {
            line(&mut text, format_args!("  left out: {count} {what}"));
        }
    }
    if report.git_ranges > 0 {
        let count = report.git_ranges;
        line(&mut text, format_args!("  {count} GIT ranges, which decide about no version"));
    }
    text
}

/// One record.
pub(super) fn advisory(shown: &Shown<'_>) -> String {
    let advisory = shown.record;
    let mut text = format!("{}  {}", advisory.id, advisory.severity);
    if let Some(cvss) = &advisory.cvss {
        line(&mut text, format_args!("  {:.1}  {}", cvss.score, cvss.vector));
    } else {
        text.push('\n');
    }
    if !advisory.summary.is_empty() {
        line(&mut text, format_args!("  {}", advisory.summary));
    }
    if !advisory.aliases.is_empty() {
        line(&mut text, format_args!("  aliases    {}", advisory.aliases.join(", ")));
    }
    if !advisory.upstream.is_empty() {
        line(&mut text, format_args!("  about      {}", advisory.upstream.join(", ")));
    }
    for (word, time) in [
        ("published", advisory.published),
        ("modified ", advisory.modified),
        ("withdrawn", advisory.withdrawn),
    ] {
        if let Some(time) = time {
            line(&mut text, format_args!("  {word}  {time}"));
        }
    }
    if let Some(known) = &shown.known {
        line(&mut text, format_args!("  known      since {}, so since {}", known.first, known.at));
        line(&mut text, format_args!("  source     {}, {}", known.source, known.digest));
    }
    if let Some(exploitation) = exploitation(shown.kev, shown.epss) {
        line(&mut text, format_args!("  exploited  {exploitation}"));
    }
    for affected in &advisory.affected {
        line(&mut text, format_args!("  affects    {}", affects(affected)));
    }
    text
}

/// What is known of the exploitation of a vulnerability, if anything is.
pub(super) fn exploitation(kev: Option<Kev>, epss: Option<Epss>) -> Option<String> {
    let kev = kev.map(|it| {
        let ransomware = if it.ransomware { ", used by ransomware" } else { "" };
        format!("KEV since {}, due {}{ransomware}", it.date_added, it.due_date)
    });
    let epss = epss.map(|it| format!("EPSS {:.5}, percentile {:.5}", it.score, it.percentile));
    let known: Vec<_> = kev.into_iter().chain(epss).collect();
    (!known.is_empty()).then(|| known.join("; "))
}

fn affects(affected: &Affected) -> String {
    let mut text = affected.ecosystem.to_string();
    if let Some(release) = &affected.release {
        text.push_str(&format!(" {release}"));
    }
    text.push_str(&format!(" {}", affected.name));
    for range in &affected.ranges {
        let events = range.events.iter().map(|event| {
            let kind = match event {
                advisories::Event::Introduced(_) => "introduced",
                advisories::Event::Fixed(_) => "fixed",
                advisories::Event::LastAffected(_) => "last affected",
                advisories::Event::Limit(_) => "limit",
            };
            format!("{kind} {}", event.version())
        });
        text.push_str(": ");
        text.push_str(&events.collect::<Vec<_>>().join(", "));
    }
    if !affected.versions.is_empty() {
        let shown = affected.versions.iter().take(SHOWN_VERSIONS).map(String::as_str);
        text.push_str("; versions ");
        text.push_str(&shown.collect::<Vec<_>>().join(", "));
        if affected.versions.len() > SHOWN_VERSIONS {
            line(&mut text, format_args!(" and {} more", affected.versions.len() - SHOWN_VERSIONS));
        }
    }
    text.trim_end().to_owned()
}

/// A table of findings, one a line.
pub(super) fn findings(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "No known vulnerability.".to_owned();
    }
    let rows: Vec<[String; 6]> = findings.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|it| it[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let cells: Vec<_> = cells.collect();
        line(&mut text, format_args!("{}  {}", cells.join("  "), row[5]));
    }
    text
}

fn row(finding: &Finding) -> [String; 6] {
    let found = &finding.vulnerability;
    let state = match (finding.state, &found.informational) {
        (State::Suppressed, _) => "suppressed".to_owned(),
        (State::Undecided, _) => "undecided".to_owned(),
        (State::Affected, Some(what)) => what.clone(),
        (State::Affected, None) => found.severity.to_string(),
    };
    let fixed = match &found.fixed {
        Some(version) => format!("fixed in {version}"),
        None => "no fix known".to_owned(),
    };
    let mut last = found.summary.clone();
    if let Some(exploitation) = exploitation(found.kev, found.epss) {
        last = format!("[{exploitation}] {last}");
    }
    if found.confidence < Confidence::High {
        let doubts: Vec<_> = found.doubts.iter().map(|it| it.as_str()).collect();
        last = format!("[{} confidence: {}] {last}", found.confidence.as_str(), doubts.join(", "));
    }
    if found.malicious {
        last = format!("[malicious package] {last}");
    }
    if let Some(vex) = &finding.vex {
        let why = vex.justification.as_deref().or(vex.statement.as_deref()).unwrap_or_default();
        last = format!("{} ({}) {last}", vex.status, why);
    }
    let package = format!("{} {}", finding.package.name, finding.package.version);
    let ecosystem = finding.package.ecosystem.to_string();
    let row = [state, ecosystem, package, found.id.clone(), fixed, last];
    row.map(|cell| cell.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect())
}

/// How much was looked up, and what that gave.
pub(super) fn summary(file: &Path, tally: &Tally, index: &Index) -> String {
    let not: usize = tally.unmatched.values().sum();
    let mut text = format!(
        "{}: {} findings count, {} are suppressed, {} only inform; {} of {} components looked up in {} advisories ({})",
        file.display(),
        tally.affected,
        tally.suppressed,
        tally.informational,
        tally.components - not,
        tally.components,
        index.len(),
        index.digest(),
    );
    if tally.undecided > 0 {
        text.push_str(&format!(
            "\n{}: undecided: {} findings, whose records name only commits",
            file.display(),
            tally.undecided
        ));
    }
    if not > 0 {
        let reasons = tally.unmatched.iter().map(|(why, count)| format!("{count} {why}"));
        let reasons = reasons.collect::<Vec<_>>().join(", ");
        text.push_str(&format!("\n{}: not looked up: {reasons}", file.display()));
    }
    text
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    writeln!(text, "{arguments}").ok();
}
