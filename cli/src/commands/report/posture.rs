//! What there is to say about a quarter: numbers from what was recorded, nothing else.

use std::collections::BTreeMap;

use advisories::Severity;
use backlog_mapper::{
    entry::{Change, Status},
    register::EntryRow,
    risk::RiskRow,
};
use jiff::Timestamp;
use policy_gate::standing::{Standing, State};
use registry::{BuildAccount, Reconciliation, SubmissionAccount, Summary};
use serde::Serialize;

use super::quarter::Quarter;

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// What a report is made of; none where nobody answered, or nothing was recorded.
pub(super) struct Sources {
    pub(super) entries: Vec<EntryRow>,
    pub(super) risks_before: Option<Vec<RiskRow>>,
    pub(super) risks_after: Option<Vec<RiskRow>>,
    pub(super) waivers: Option<Vec<Standing>>,
    pub(super) reconciliation: Option<Reconciliation>,
    pub(super) suppliers: Option<Vec<Summary>>,
}

/// How the supply chain stands after a quarter.
#[derive(Debug, Serialize)]
pub(super) struct Posture {
    pub(super) quarter: Quarter,
    /// Up to when: now, if the quarter is still running.
    pub(super) until: Timestamp,
    pub(super) devops: DevOps,
    pub(super) security: Security,
    pub(super) compliance: Compliance,
}

/// Whether evidence is made for everything. Of all that the registry knows, not of the quarter alone.
#[derive(Debug, Serialize)]
pub(super) struct DevOps {
    pub(super) builds: Option<BuildAccount>,
    pub(super) submissions: Option<SubmissionAccount>,
    /// Events of which nobody knows where they went.
    pub(super) unaccounted: Option<u64>,
}

/// What was found and what came of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Security {
    /// Entries that became open in the quarter, again included.
    pub(super) opened: usize,
    /// Changes in the quarter that closed an entry, by where it went.
    pub(super) closed: BTreeMap<&'static str, usize>,
    /// Open at its end, by severity.
    pub(super) open: BTreeMap<&'static str, usize>,
    /// Of these, those that were due before.
    pub(super) overdue: Vec<String>,
    /// Of those fixed in the quarter, how many were in time.
    pub(super) fixed_in_time: usize,
    /// Days from becoming open to being fixed, of those fixed in the quarter: the median.
    pub(super) median_days_to_fix: Option<i64>,
    /// Waivers, by how they stand now.
    pub(super) waivers: Option<BTreeMap<&'static str, usize>>,
}

/// Risks and what suppliers sent.
#[derive(Debug, Serialize)]
pub(super) struct Compliance {
    /// None where nothing had been recorded by then.
    pub(super) risks_before: Option<Risks>,
    pub(super) risks_after: Option<Risks>,
    /// Suppliers that sent something in the quarter or later.
    pub(super) suppliers: Option<Suppliers>,
}

/// A risk register in three numbers.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Risks {
    pub(super) open: usize,
    pub(super) mitigated: usize,
    pub(super) greatest_exposure: u8,
}

/// What suppliers sent.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Suppliers {
    pub(super) suppliers: usize,
    pub(super) documents: u64,
    pub(super) accepted: u64,
    pub(super) rejected: u64,
}

impl Posture {
    /// What `sources` say of `quarter`, up to `until`.
    pub(super) fn of(quarter: Quarter, until: Timestamp, sources: Sources) -> Self {
        let Sources { entries, risks_before, risks_after, waivers, reconciliation, suppliers } =
            sources;
        let mut security =
            Security { waivers: waivers.as_deref().map(by_state), ..Security::default() };
        let mut days = Vec::new();
        for entry in &entries {
            security.count(entry, quarter, until, &mut days);
        }
        days.sort_unstable();
        security.median_days_to_fix = days.get(days.len() / 2).copied();
        let account = reconciliation.as_ref();
        Self {
            quarter,
            until,
            devops: DevOps {
                builds: account.map(|it| it.builds),
                submissions: account.map(|it| it.submissions),
                unaccounted: account.map(|it| it.unaccounted_events),
            },
            security,
            compliance: Compliance {
                risks_before: risks_before.as_deref().map(Risks::of),
                risks_after: risks_after.as_deref().map(Risks::of),
                suppliers: suppliers.as_deref().map(Suppliers::of),
            },
        }
    }
}

impl Security {
    fn count(&mut self, entry: &EntryRow, quarter: Quarter, until: Timestamp, days: &mut Vec<i64>) {
        let is_in = |it: &Change| quarter.begins() <= it.time && it.time < until;
        let mut opened = None;
        for change in entry.history.iter().filter(|it| it.time < until) {
            if change.to.is_open() {
                self.opened += usize::from(is_in(change));
                opened = Some(change.time);
                continue;
            }
            if !is_in(change) {
                continue;
            }
            *self.closed.entry(change.to.as_str()).or_default() += 1;
            if let Some(opened) = opened.filter(|_| change.to == Status::Fixed) {
                days.push((change.time.as_second() - opened.as_second()) / SECONDS_PER_DAY);
                self.fixed_in_time += usize::from(change.time < entry.overdue_from);
            }
        }
        let last = entry.history.iter().rfind(|it| it.time < until);
        if last.is_some_and(|it| it.to.is_open()) {
            *self.open.entry(severity(entry.severity)).or_default() += 1;
            if entry.overdue_from <= until {
                self.overdue.push(entry.id.clone());
            }
        }
    }

    /// How many were fixed.
    pub(super) fn fixed(&self) -> usize {
        self.closed.get(Status::Fixed.as_str()).copied().unwrap_or_default()
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Unknown => "not rated",
        rated => rated.as_str(),
    }
}

fn by_state(standings: &[Standing]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for state in standings.iter().flat_map(|it| &it.states).map(|it| State::as_str(*it)) {
        *counts.entry(state).or_default() += 1;
    }
    counts
}

impl Risks {
    fn of(rows: &[RiskRow]) -> Self {
        let mitigated = rows.iter().filter(|it| it.status.as_str() == "Mitigated").count();
        let greatest_exposure = rows.iter().map(|it| it.exposure).max().unwrap_or_default();
        Self { open: rows.len() - mitigated, mitigated, greatest_exposure }
    }
}

impl Suppliers {
    fn of(summaries: &[Summary]) -> Self {
        let sent: Vec<&Summary> = summaries.iter().filter(|it| it.documents > 0).collect();
        let sum = |of: fn(&Summary) -> u64| sent.iter().map(|it| of(it)).sum();
        Self {
            suppliers: sent.len(),
            documents: sum(|it| it.documents),
            accepted: sum(|it| it.accepted),
            rejected: sum(|it| it.rejected),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// An entry with this history: the day of the fourth quarter of 2026, and where it went.
    fn entry(id: &str, severity: &str, due: &str, history: &[(&str, &str)]) -> EntryRow {
        let history: Vec<Value> = history
            .iter()
            .map(|(day, to)| json!({ "time": format!("{day}T12:00:00Z"), "from": null, "to": to, "why": "" }))
            .collect();
        let row = json!({
            "id": id, "title": "", "kind": "project", "scope": "app", "product": "app", "ecosystem": "PyPI",
            "package": "jinja2", "target": null, "severity": severity, "artifacts": 1,
            "priority": { "class": "P4", "score": 0, "vulnerability": "", "terms": [] },
            "overdue_from": format!("{due}T23:59:59Z"), "owner": "Security",
            "first_seen": "2026-10-01T00:00:00Z", "due": due, "status": "open", "since": "2026-10-01T00:00:00Z",
            "summary": "", "vulnerabilities": [], "suppressed": [], "history": history,
            "evidence": { "document": events::Digest::of(b"x"), "event": uuid::Uuid::nil(), "advisories": null },
        });
        serde_json::from_value(row).expect("an entry")
    }

    fn posture(entries: Vec<EntryRow>) -> Posture {
        let quarter: Quarter = "2026Q4".parse().expect("a quarter");
        let (risks_before, risks_after, waivers) = (None, None, None);
        let sources = Sources {
            entries,
            risks_before,
            risks_after,
            waivers,
            reconciliation: None,
            suppliers: None,
        };
        Posture::of(quarter, quarter.ends(), sources)
    }

    #[test]
    fn entries_are_counted_where_they_changed_and_where_they_stand() {
        let security = posture(vec![
            // Open before the quarter, fixed in it, in time.
            entry("A", "high", "2026-10-30", &[("2026-09-20", "open"), ("2026-10-20", "fixed")]),
            // Fixed too late, and back.
            entry(
                "B",
                "critical",
                "2026-10-10",
                &[("2026-10-03", "open"), ("2026-10-13", "fixed"), ("2026-12-01", "reopened")],
            ),
            // Still open, not due yet.
            entry("C", "low", "2027-05-01", &[("2026-12-01", "open")]),
            entry(
                "D",
                "medium",
                "2026-12-01",
                &[("2026-11-01", "open"), ("2026-11-02", "accepted")],
            ),
            // After it.
            entry("E", "high", "2027-05-01", &[("2027-01-01", "open")]),
        ])
        .security;
        assert_eq!(security.opened, 4, "B twice, C and D");
        let closed: Vec<_> =
            security.closed.iter().map(|(to, count)| format!("{to} {count}")).collect();
        assert_eq!(closed, ["accepted 1", "fixed 2"]);
        let open: Vec<_> =
            security.open.iter().map(|(at, count)| format!("{at} {count}")).collect();
        assert_eq!(open, ["critical 1", "low 1"]);
        assert_eq!(security.overdue, ["B"]);
        assert_eq!((security.fixed(), security.fixed_in_time), (2, 1));
        assert_eq!(security.median_days_to_fix, Some(30));
    }

    #[test]
    fn what_nobody_tells_is_not_known_and_not_nothing() {
        let text = super::super::render::markdown(&posture(vec![]));
        assert_eq!(text.matches("not known: nobody answered").count(), 5, "{text}");
        assert_eq!(text.matches("nothing was recorded by then").count(), 2, "{text}");
        assert!(text.contains("# Supply-chain posture 2026Q4"), "{text}");
    }
}
