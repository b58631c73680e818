//! What the ticket of an entry should be.

use std::fmt::Write as _;

use events::Digest;
use tickets::{
    Desired, Key, Note, Wanted,
    text::{plain, quiet},
};

use super::config::Tracked;
use crate::{
    entry::{Action, Status, fingerprint},
    register::{EntryRow, VulnerabilityRow, rating},
    slot::Slot,
};

/// Most vulnerabilities that a ticket lists.
const LISTED_MAX: usize = 30;

/// What the ticket of `row` at `tracker` should be. The evidence's digest is not in it: every build has another one.
pub(crate) fn wanted(row: &EntryRow, tracker: &Tracked) -> Wanted {
    let key = key(row);
    Wanted {
        entry: row.id.clone(),
        key,
        title: plain(&format!("[{}] {}", row.id, row.title)),
        body: body(row),
        labels: tracker.labels.clone(),
        state: desired(row.status),
        worth_one: tracker.is_worth_one(row),
        change: change(row, key),
        evidence: Digest::of(
            format!("{} {}", row.evidence.document, row.evidence.event).as_bytes(),
        ),
        due: row.overdue_from,
    }
}

/// The natural identity of an entry: its id may get more digits, this stays.
fn key(row: &EntryRow) -> Key {
    let (scope, product) = (row.scope.clone(), row.product.clone());
    let slot = Slot { kind: row.kind, scope, product };
    let (ecosystem, package, lock) = (row.ecosystem, row.package.clone(), row.lock.clone());
    let action = Action { ecosystem, package, lock };
    Key::of(fingerprint(&slot, &action))
}

fn desired(status: Status) -> Desired {
    match status {
        status if status.is_open() => Desired::Open,
        Status::Fixed => Desired::Done,
        // Whatever else ends an entry: nobody did something about it.
        _ => Desired::NotPlanned,
    }
}

fn change(row: &EntryRow, key: Key) -> Note {
    let Some(change) = row.history.last() else {
        return Note { id: key.digest(), text: String::new() };
    };
    let (time, to) = (change.time, change.to.as_str());
    // Not by its words: another release may choose others.
    let id = Digest::of(format!("{key} {time} {to}").as_bytes());
    let text = format!("**{to}** {}: {}", crate::sla::date(time), quiet(&change.why));
    Note { id, text }
}

fn body(row: &EntryRow) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    write_body(&mut text, row).unwrap_or_default();
    text
}

fn write_body(out: &mut String, row: &EntryRow) -> std::fmt::Result {
    let EntryRow { id, owner, due, first_seen, vulnerabilities, .. } = row;
    writeln!(out, "**{}**\n", quiet(&row.title))?;
    // The score changes every day, with EPSS; its class seldom.
    writeln!(out, "- **Priority**: {:?}", row.priority.class)?;
    writeln!(out, "- **Severity**: {}", rating(row.severity))?;
    writeln!(out, "- **Owner**: {}", quiet(owner.as_str()))?;
    writeln!(out, "- **Due**: {due}")?;
    let (product, section) = (quiet(row.product.as_str()), quiet(&row.section()));
    writeln!(out, "- **Product**: {product} of {section}")?;
    if let Some(lock) = &row.lock {
        writeln!(out, "- **Lockfile**: {}", quiet(lock))?;
    }
    if row.path.len() > 1 {
        writeln!(out, "- **Comes with**: {}", quiet(&row.path.join(" → ")))?;
    }
    writeln!(out, "- **First seen**: {}\n", crate::sla::date(*first_seen))?;
    writeln!(out, "{}\n", quiet(&row.summary))?;
    writeln!(out, "| vulnerability | severity | fixed in | what |\n|---|---|---|---|")?;
    for it in vulnerabilities.iter().take(LISTED_MAX) {
        let VulnerabilityRow { id, severity, fixed, summary, .. } = it;
        let fixed = fixed.as_deref().map_or_else(|| "no fix known".to_owned(), quiet);
        let severity = rating(*severity);
        writeln!(out, "| {} | {severity} | {fixed} | {} |", quiet(id), quiet(summary))?;
    }
    if let Some(more) = vulnerabilities.len().checked_sub(LISTED_MAX).filter(|more| *more > 0) {
        writeln!(out, "\n… and {more} more.")?;
    }
    writeln!(out, "\nEvidence and history: `attestry backlog show {id}`.")?;
    writeln!(
        out,
        "Attestry writes this text anew when something changes; comments and labels stay."
    )
}
