//! Where an entry goes from where it stands: the table of `docs/backlog.md`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entry::{Change, Status};

/// What is so of an entry's findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// At least one counts.
    Counting,
    /// None counts, and a waiver accepts at least one.
    Accepted,
    /// VEX suppresses all.
    Suppressed,
    /// The current document has none.
    Gone,
    /// No advisory names any, in whatever document.
    Unnamed,
}

/// Why an entry's status changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A document has a finding for the first time.
    Found,
    /// A document has one again.
    Returned,
    /// A document has the package in a version without findings.
    Upgraded,
    /// A document does not have the package any more.
    Removed,
    /// VEX says that it does no harm.
    Suppressed,
    /// VEX says otherwise now, or what it said has ended.
    Unsuppressed,
    /// A waiver accepts it.
    Accepted,
    /// The waiver has ended or was revoked.
    WaiverEnded,
    /// The advisory was withdrawn, or changed so that it does not name it.
    Withdrawn,
    /// An advisory names it again.
    Restored,
    /// Recorded by a release that did not tell.
    #[default]
    Untold,
}

/// Where each condition takes an entry; what is not here changes nothing. What was never open is not
/// reopened but opened.
pub const TABLE: [(Option<Status>, Condition, Status); 26] = [
    (None, Condition::Counting, Status::Open),
    (None, Condition::Accepted, Status::Accepted),
    (None, Condition::Suppressed, Status::Suppressed),
    (Some(Status::Open), Condition::Accepted, Status::Accepted),
    (Some(Status::Open), Condition::Suppressed, Status::Suppressed),
    (Some(Status::Open), Condition::Gone, Status::Fixed),
    (Some(Status::Open), Condition::Unnamed, Status::Withdrawn),
    (Some(Status::Reopened), Condition::Accepted, Status::Accepted),
    (Some(Status::Reopened), Condition::Suppressed, Status::Suppressed),
    (Some(Status::Reopened), Condition::Gone, Status::Fixed),
    (Some(Status::Reopened), Condition::Unnamed, Status::Withdrawn),
    (Some(Status::Accepted), Condition::Counting, Status::Reopened),
    (Some(Status::Accepted), Condition::Suppressed, Status::Suppressed),
    (Some(Status::Accepted), Condition::Gone, Status::Fixed),
    (Some(Status::Accepted), Condition::Unnamed, Status::Withdrawn),
    (Some(Status::Suppressed), Condition::Counting, Status::Reopened),
    (Some(Status::Suppressed), Condition::Accepted, Status::Accepted),
    (Some(Status::Suppressed), Condition::Gone, Status::Fixed),
    (Some(Status::Suppressed), Condition::Unnamed, Status::Withdrawn),
    (Some(Status::Fixed), Condition::Counting, Status::Reopened),
    (Some(Status::Fixed), Condition::Accepted, Status::Accepted),
    (Some(Status::Fixed), Condition::Suppressed, Status::Suppressed),
    (Some(Status::Withdrawn), Condition::Counting, Status::Reopened),
    (Some(Status::Withdrawn), Condition::Accepted, Status::Accepted),
    (Some(Status::Withdrawn), Condition::Suppressed, Status::Suppressed),
    (Some(Status::Withdrawn), Condition::Gone, Status::Fixed),
];

/// Where an entry goes that stands at `from`; none if it stays.
pub fn next(from: Option<Status>, condition: Condition, was_open: bool) -> Option<Status> {
    let found = TABLE.iter().find(|(at, when, _)| *at == from && *when == condition);
    found.map(|(_, _, to)| match to {
        Status::Reopened if !was_open => Status::Open,
        to => *to,
    })
}

/// A time in which no advisory named an entry; without an end it still lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unnamed {
    /// When the index that did not name it came.
    pub since: Timestamp,
    /// When one came that named it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What the advisories of now make of an entry's life, as far as the advisories of then knew it: while
/// nobody named it, it stood withdrawn.
pub(crate) fn weave(derived: &[Change], unnamed: &[Unnamed]) -> Vec<Change> {
    let mut woven: Vec<Change> = Vec::new();
    let mut periods = unnamed.iter().peekable();
    let mut hidden: Option<&Change> = None;
    let mut changes = derived.iter().peekable();
    let mut inside = false;
    loop {
        let turn = periods.peek().and_then(|it| if inside { it.until } else { Some(it.since) });
        match (changes.peek(), turn) {
            (Some(change), turn) if turn.is_none_or(|turn| change.time <= turn) => {
                hidden = changes.next();
                if let Some(change) = hidden.filter(|_| !inside) {
                    add(&mut woven, change.clone());
                }
            }
            (_, Some(time)) if !inside => {
                inside = true;
                let is_closed = hidden.is_none_or(|it| it.to == Status::Fixed);
                if !is_closed {
                    add(&mut woven, withdrawn(time));
                }
            }
            (_, Some(time)) => {
                inside = false;
                periods.next();
                if let Some(change) = hidden.filter(|it| it.to != last(&woven)) {
                    add(&mut woven, restored(change, time));
                }
            }
            (_, None) => return woven,
        }
    }
}

fn last(changes: &[Change]) -> Status {
    changes.last().map_or(Status::Fixed, |it| it.to)
}

/// What was there before the change decides what it comes from, and whether it comes back.
fn add(changes: &mut Vec<Change>, mut change: Change) {
    let from = changes.last().map(|it| it.to);
    if from == Some(change.to) {
        return;
    }
    let was_open = changes.iter().any(|it| it.to.is_open());
    if change.to.is_open() {
        change.to = if was_open { Status::Reopened } else { Status::Open };
    }
    change.from = from;
    changes.push(change);
}

pub(crate) fn withdrawn(time: Timestamp) -> Change {
    let why = "no advisory names it any more".to_owned();
    Change { time, from: None, to: Status::Withdrawn, cause: Cause::Withdrawn, why }
}

fn restored(change: &Change, time: Timestamp) -> Change {
    let why = format!("an advisory names it again: {}", change.why);
    let cause = if change.to.is_open() { Cause::Restored } else { change.cause };
    Change { time, from: None, to: change.to, cause, why }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::testing::day;

    const ALL: [Option<Status>; 7] = [
        None,
        Some(Status::Open),
        Some(Status::Reopened),
        Some(Status::Accepted),
        Some(Status::Suppressed),
        Some(Status::Fixed),
        Some(Status::Withdrawn),
    ];

    /// Written down once more: a row for each status, a column for each condition in their order.
    const EXPECTED: [[&str; 5]; 7] = [
        ["open", "accepted", "suppressed", "-", "-"],
        ["-", "accepted", "suppressed", "fixed", "withdrawn"],
        ["-", "accepted", "suppressed", "fixed", "withdrawn"],
        ["reopened", "-", "suppressed", "fixed", "withdrawn"],
        ["reopened", "accepted", "-", "fixed", "withdrawn"],
        ["reopened", "accepted", "suppressed", "-", "-"],
        ["reopened", "accepted", "suppressed", "fixed", "-"],
    ];

    #[test]
    fn every_cell_of_the_table_is_as_it_is_written() {
        use Condition::{Accepted, Counting, Gone, Suppressed, Unnamed};
        for (from, row) in ALL.into_iter().zip(EXPECTED) {
            for (condition, expected) in
                [Counting, Accepted, Suppressed, Gone, Unnamed].into_iter().zip(row)
            {
                let to = next(from, condition, true).map_or("-", Status::as_str);
                assert_eq!(to, expected, "{from:?} {condition:?}");
            }
        }
        assert_eq!(next(Some(Status::Suppressed), Counting, false), Some(Status::Open));
        let cells: HashSet<_> =
            TABLE.iter().map(|(from, when, _)| format!("{from:?}{when:?}")).collect();
        assert_eq!(cells.len(), TABLE.len(), "a cell is there twice");
    }

    #[test]
    fn the_table_in_the_docs_is_this_one() {
        use Condition::{Accepted, Counting, Gone, Suppressed, Unnamed};
        let docs = include_str!("../../../docs/backlog.md");
        for from in ALL {
            let cells = [Counting, Accepted, Suppressed, Gone, Unnamed].map(|condition| {
                next(from, condition, true)
                    .map_or(" ".to_owned(), |to| format!(" {} ", to.as_str()))
            });
            let row = format!("| {} |{}|", from.map_or("–", Status::as_str), cells.join("|"));
            assert!(docs.contains(&format!("\n{row}\n")), "docs/backlog.md lacks {row}");
        }
    }

    fn change(at: i64, to: Status, cause: Cause) -> Change {
        Change { time: day(at), from: None, to, cause, why: String::new() }
    }

    fn trail(derived: &[Change], unnamed: &[(i64, Option<i64>)]) -> String {
        let unnamed: Vec<_> = unnamed
            .iter()
            .map(|(since, until)| Unnamed { since: day(*since), until: until.map(day) })
            .collect();
        let woven = weave(derived, &unnamed);
        let told = woven.iter().map(|it| format!("{:?} {:?}", it.to, it.cause));
        for (before, after) in woven.iter().zip(woven.iter().skip(1)) {
            assert_eq!(after.from, Some(before.to));
            assert!(before.time <= after.time);
        }
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn while_nobody_names_it_an_entry_is_withdrawn() {
        use Cause::{Found, Returned, Upgraded};
        let open = [change(1, Status::Open, Found)];
        assert_eq!(trail(&open, &[]), "Open Found");
        assert_eq!(trail(&open, &[(2, None)]), "Open Found, Withdrawn Withdrawn");
        assert_eq!(
            trail(&open, &[(2, Some(5))]),
            "Open Found, Withdrawn Withdrawn, Reopened Restored"
        );
        assert_eq!(
            trail(&open, &[(2, Some(3)), (4, Some(5))]),
            "Open Found, Withdrawn Withdrawn, Reopened Restored, Withdrawn Withdrawn, Reopened Restored"
        );
        // What happened meanwhile shows when it is named again.
        let fixed = [change(1, Status::Open, Found), change(3, Status::Fixed, Upgraded)];
        assert_eq!(
            trail(&fixed, &[(2, Some(5))]),
            "Open Found, Withdrawn Withdrawn, Fixed Upgraded"
        );
        // What was fixed is not withdrawn.
        assert_eq!(trail(&fixed, &[(4, Some(5))]), "Open Found, Fixed Upgraded");
        let back = [&fixed[..], &[change(6, Status::Reopened, Returned)]].concat();
        assert_eq!(trail(&back, &[(4, Some(5))]), "Open Found, Fixed Upgraded, Reopened Returned");
        // It was first found while nobody named it, as it turns out.
        assert_eq!(trail(&[change(3, Status::Open, Found)], &[(2, Some(5))]), "Open Restored");
    }
}
