//! Registers as Markdown, in the shape of Hotpass's `remediation-backlog.md` and
//! `risk-register.md`.

use advisories::Severity;
use documents::bom::Scope as Need;

use crate::{
    entry::Status,
    register::{EntryRow, Register},
    risk::RiskRow,
    sla,
};

pub(super) fn backlog(register: &Register) -> String {
    let mut text = front_matter(
        register,
        "Supply chain — remediation backlog",
        "Prioritised tasks to close known vulnerabilities in builds and supplier deliveries.",
    );
    text.push_str(
        "\nEach backlog item is one fix action for one product and records ownership, due date, and evidence. High-risk items are marked 🔴.\n",
    );
    if register.entries.is_empty() {
        text.push_str("\nNo known vulnerability was found up to now.\n");
    }
    let mut section = None;
    for entry in &register.entries {
        let of = entry.section();
        if section.as_ref() != Some(&of) {
            text.push_str(&format!("\n## {}\n", inline(&of)));
            section = Some(of);
        }
        text.push_str(&item(entry));
    }
    text
}

pub(super) fn risk(register: &Register) -> String {
    let mut text = front_matter(
        register,
        "Supply chain — risk register",
        "Risks from known vulnerabilities in builds and supplier deliveries, with scoring, owners, and treatments.",
    );
    text.push_str(
        "\nThis register translates findings into risks with likelihood, impact, and mitigation tracking. Scores use a 1–5 scale (5 = highest).\n\n## Risk scoring legend\n\n- **Impact** — Severity if the risk materialises: 5 critical, 4 high, 3 medium or not rated, 2 low.\n- **Likelihood** — Probability based on what is open: 1 nothing, 2 some, 3 from 5 vulnerabilities on, 4 from 20 on; and 1 more if one of them has no fix.\n- **Exposure** — Impact × Likelihood.\n- **Status** — Current treatment state (Open, In progress, Mitigated).\n- **Suppliers** — Rows `RS-…` tell what relying on a supplier risks: overdue entries about its products, refused submissions, old SBOMs.\n\n## Risks\n\n",
    );
    let header = [
        "ID",
        "Description",
        "Surface / Assets",
        "Impact",
        "Likelihood",
        "Exposure",
        "Owner",
        "Status",
        "Mitigation / Notes",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(register.risks.iter().map(cells));
    text.push_str(&table(&rows));
    text.push_str(
        "\n## Review cadence\n\n- Attestry writes this register after every change; review it during the quarterly compliance verification window.\n- Mitigation evidence is in `remediation-backlog.md` and behind each document's digest (`attestry explain`).\n",
    );
    text
}

fn front_matter(register: &Register, title: &str, summary: &str) -> String {
    let updated = register.last_updated.map_or_else(|| "never".to_owned(), |it| it.to_string());
    format!("---\ntitle: {title}\nsummary: {summary}\nlast_updated: {updated}\n---\n")
}

fn item(entry: &EntryRow) -> String {
    let EntryRow { id, evidence, due, .. } = entry;
    let index = match evidence.advisories {
        Some(index) => format!(", advisory index `{index}`"),
        None => String::new(),
    };
    let mut text = format!(
        "\n### {id} {}\n\n- **Risk**: {}\n- **Priority**: {} ({} = {})\n- **Owner**: {}\n- **Due**: {due}\n- **Summary**: {}{}\n- **Evidence**: document `{}`{index}, event `{}`.\n",
        inline(&entry.title),
        mark(entry.severity),
        entry.priority.class.as_str(),
        entry.priority.score,
        entry.priority.sum(),
        inline(entry.owner.as_str()),
        inline(&entry.summary),
        place(entry),
        evidence.document,
        evidence.event,
    );
    if let Some(change) = entry.closed() {
        let what = match entry.status {
            Status::Suppressed => "⏸️ Suppressed",
            Status::Accepted => "⏸️ Accepted",
            Status::Withdrawn => "⏸️ Withdrawn",
            _ => "✅ Completed",
        };
        let (date, why) = (sla::date(change.time), inline(&change.why));
        text.push_str(&format!("- **Status**: {what} {date} — {why}.\n"));
    }
    text
}

/// How the package comes in, in a sentence of its own.
fn place(entry: &EntryRow) -> String {
    let mut text = String::new();
    let way = entry.way();
    if !way.is_empty() {
        text.push_str(&format!(" Comes in by {}.", inline(&way)));
    }
    if entry.need == Some(Need::Excluded) {
        text.push_str(" Needed for development only.");
    }
    if entry.artifacts > 1 {
        text.push_str(&format!(" The same in {} products.", entry.artifacts));
    }
    text
}

fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🔴 Critical",
        Severity::High => "🔴 High",
        Severity::Medium => "🟡 Medium",
        Severity::Low => "🟢 Low",
        Severity::Unknown => "⚪ Not rated",
    }
}

fn cells(risk: &RiskRow) -> [String; 9] {
    [
        inline(&risk.id),
        inline(&risk.description),
        inline(&risk.surface),
        risk.impact.to_string(),
        risk.likelihood.to_string(),
        risk.exposure.to_string(),
        inline(risk.owner.as_str()),
        risk.status.as_str().to_owned(),
        inline(&risk.mitigation),
    ]
}

/// A table whose columns are as wide as their widest cell.
fn table(rows: &[[String; 9]]) -> String {
    let mut widths = [0; 9];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [String; 9]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        text.push_str(&line(row.clone()));
        if index == 0 {
            text.push_str(&line(widths.map(|width| "-".repeat(width))));
        }
    }
    text
}

/// Text of unknown origin within a line or a cell: it makes no structure, no HTML and no link.
fn inline(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // Within a word it begins no emphasis (CommonMark 0.31, section 6.2).
            '_' if before.is_ascii_alphanumeric() && next.is_ascii_alphanumeric() => {
                escaped.push('_');
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '$' => {
                escaped.extend(['\\', c]);
            }
            // What looks like an address becomes a link on GitHub.
            ':' if next == '/' => escaped.push_str("\\:"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => escaped.push(' '),
            c => escaped.push(c),
        }
        before = c;
    }
    escaped
}
