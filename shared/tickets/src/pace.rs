//! How fast a tracker is asked: slower than what it calls abuse.

use std::{collections::VecDeque, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::TicketError;

/// Between two writes. GitHub takes 80 a minute.
const BETWEEN_WRITES: SignedDuration = SignedDuration::from_secs(1);
/// Writes in one hour. GitHub takes 500.
const WRITES_AN_HOUR: usize = 450;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Longest that a tracker is believed when it says how long to wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(2);

/// When what may be sent.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    writes: VecDeque<Timestamp>,
    /// Not before, and why.
    blocked: Option<(Timestamp, String)>,
}

impl Pace {
    /// Whether something may be sent at `now`.
    pub(crate) fn may_ask(&mut self, now: Timestamp) -> Result<(), TicketError> {
        match &self.blocked {
            Some((until, why)) if now < *until => {
                Err(TicketError::Wait { until: *until, why: why.clone() })
            }
            _ => {
                self.blocked = None;
                Ok(())
            }
        }
    }

    /// How long to wait before something is written, which then counts as written.
    pub(crate) fn may_write(&mut self, now: Timestamp) -> Result<Duration, TicketError> {
        self.may_ask(now)?;
        while self.writes.front().is_some_and(|it| *it + HOUR <= now) {
            self.writes.pop_front();
        }
        if self.writes.len() >= WRITES_AN_HOUR
            && let Some(first) = self.writes.front()
        {
            let why = format!("at most {WRITES_AN_HOUR} changes an hour are made");
            return Err(TicketError::Wait { until: *first + HOUR, why });
        }
        let due = self.writes.back().map_or(now, |last| *last + BETWEEN_WRITES).max(now);
        self.writes.push_back(due);
        Ok(due.duration_since(now).unsigned_abs())
    }

    /// The tracker asks to wait so long, or until then.
    pub(crate) fn block(&mut self, until: Timestamp, now: Timestamp, why: String) -> TicketError {
        let until = until.clamp(now + SignedDuration::from_secs(1), now + LONGEST_WAIT);
        self.blocked = Some((until, why.clone()));
        TicketError::Wait { until, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("in range")
    }

    #[test]
    fn writes_are_a_second_apart() {
        let mut pace = Pace::default();
        let mut wait = |second| pace.may_write(at(second)).expect("may").as_secs();
        assert_eq!([wait(0), wait(0), wait(1), wait(9), wait(9)], [0, 1, 1, 0, 1]);
    }

    #[test]
    fn hour_is_full_and_empties_again() {
        let mut pace = Pace::default();
        for second in 0..450 {
            pace.may_write(at(second)).expect("may");
        }
        let full = pace.may_write(at(460)).expect_err("full");
        assert!(matches!(full, TicketError::Wait { until, .. } if until == at(3600)), "{full}");
        pace.may_write(at(3600)).expect("may again");
    }

    #[test]
    fn tracker_is_believed_for_two_hours_at_most() {
        let mut pace = Pace::default();
        pace.block(at(1_000_000), at(0), "limit".to_owned());
        assert!(pace.may_ask(at(7199)).is_err());
        assert!(pace.may_ask(at(7200)).is_ok());
        pace.block(at(-5), at(0), "limit".to_owned());
        assert!(pace.may_ask(at(0)).is_err());
        assert!(pace.may_ask(at(1)).is_ok());
    }
}
