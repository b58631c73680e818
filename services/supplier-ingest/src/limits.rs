//! How much one supplier may drop, so that the others have room and time.

use std::time::Duration;

use bus::DoorLimits;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

const MIB: i64 = 1024 * 1024;
/// Submissions per minute of a supplier whose passport says nothing.
const SUBMISSIONS_PER_MINUTE: u32 = 600;

/// Limits in a passport. Those of the stream that are absent belong to whoever runs the broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Limits {
    /// MiB that the supplier's stream keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_mib: Option<u32>,
    /// Messages that the supplier's stream keeps; a submission is three or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_messages: Option<u32>,
    /// Submissions that are let in within a minute; the others wait in the supplier's stream.
    pub submissions_per_minute: u32,
}

/// Limits as somebody wrote them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    max_mib: Option<u32>,
    max_messages: Option<u32>,
    #[serde(default = "submissions_per_minute")]
    submissions_per_minute: u32,
}

fn submissions_per_minute() -> u32 {
    SUBMISSIONS_PER_MINUTE
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_mib: None, max_messages: None, submissions_per_minute: SUBMISSIONS_PER_MINUTE }
    }
}

impl TryFrom<Unchecked> for Limits {
    type Error = String;

    fn try_from(limits: Unchecked) -> Result<Self, String> {
        let Unchecked { max_mib, max_messages, submissions_per_minute } = limits;
        let ranges = [
            ("max_mib", max_mib, 1, 1 << 20),
            ("max_messages", max_messages, 2, 10_000_000),
            ("submissions_per_minute", Some(submissions_per_minute), 1, 60_000),
        ];
        for (field, value, least, most) in ranges {
            if value.is_some_and(|it| !(least..=most).contains(&it)) {
                return Err(format!("`limits.{field}` must be from {least} to {most}"));
            }
        }
        Ok(Self { max_mib, max_messages, submissions_per_minute })
    }
}

impl Limits {
    /// Whether they are those of a passport that says nothing.
    #[must_use]
    pub fn are_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Those that the broker keeps.
    pub fn of_door(&self) -> DoorLimits {
        DoorLimits {
            max_bytes: self.max_mib.map(|it| i64::from(it) * MIB),
            max_messages: self.max_messages.map(i64::from),
        }
    }
}

/// Lets so many in within a minute: as many at once, if nobody came for a minute, and evenly after that.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When those who were let in so far have used their time.
    used_until: Option<Instant>,
}

impl Pace {
    /// How long after `now`, when somebody was let in, the next one waits.
    pub(crate) fn pause(&mut self, now: Instant, per_minute: u32) -> Duration {
        const MINUTE: Duration = Duration::from_secs(60);
        let share = MINUTE / per_minute.max(1);
        let used_until = self.used_until.map_or(now, |it| it.max(now)) + share;
        self.used_until = Some(used_until);
        (used_until + share).saturating_duration_since(now + MINUTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_worth_is_let_in_at_once_and_the_rest_evenly() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        for number in 1..60 {
            assert_eq!(pace.pause(now, 60), Duration::ZERO, "{number}");
        }
        let second = Duration::from_secs(1);
        for number in 0..10 {
            assert_eq!(pace.pause(now + second * number, 60), second, "{number}");
        }
        // Ten minutes of nobody are no credit for more than one.
        let later = now + second * 600;
        let pauses: Vec<_> = (0..60).map(|_| pace.pause(later, 60)).collect();
        assert_eq!(pauses.iter().filter(|it| it.is_zero()).count(), 59);
    }

    #[test]
    fn limits_are_within_reason() {
        let limits = |text: &str| toml::from_str::<Limits>(text).map_err(|it| it.to_string());
        assert!(limits("").expect("reads").are_usual());
        limits("max_mib = 1\nmax_messages = 2\nsubmissions_per_minute = 60000").expect("reads");
        for (text, field) in [
            ("max_mib = 0", "max_mib"),
            ("max_messages = 1", "max_messages"),
            ("submissions_per_minute = 0", "submissions_per_minute"),
            ("submissions_per_minute = 60001", "submissions_per_minute"),
            ("max_bytes = 1", "unknown field"),
        ] {
            assert!(limits(text).expect_err("refused").contains(field), "{text}");
        }
    }
}
