//! How soon an entry must be done, by its severity.

use advisories::Severity;
use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;

/// Most days that a table may give: a hundred years.
const DAYS_MAX: u16 = 36_500;

/// Days from the day on which something was seen first to the day on which it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sla {
    /// CVSS 9.0 and above.
    pub critical: Days,
    /// CVSS 7.0 and above.
    pub high: Days,
    /// CVSS 4.0 and above, and what nobody rated.
    pub medium: Days,
    /// Below that.
    pub low: Days,
}

/// A number of days, at most a hundred years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct Days(u16);

impl Sla {
    /// The day, in UTC, on which something of `severity` is due that was seen at `first_seen`.
    pub fn due(&self, severity: Severity, first_seen: Timestamp) -> Date {
        let days = match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium | Severity::Unknown => self.medium,
            Severity::Low => self.low,
        };
        date(first_seen).saturating_add(Span::new().days(days.0))
    }
}

/// The day of `time` in UTC.
pub fn date(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

impl TryFrom<u16> for Days {
    type Error = String;

    fn try_from(days: u16) -> Result<Self, String> {
        match days <= DAYS_MAX {
            true => Ok(Self(days)),
            false => Err(format!("{days} days are too many; at most {DAYS_MAX}")),
        }
    }
}

impl Default for Sla {
    fn default() -> Self {
        Self { critical: Days(7), high: Days(30), medium: Days(90), low: Days(180) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    #[test]
    fn due_counts_days_from_the_first_sight() {
        let late: Timestamp = "2026-01-31T23:59:59Z".parse().expect("valid");
        let due = |severity| Sla::default().due(severity, late).to_string();
        assert_eq!(due(Severity::Critical), "2026-02-07");
        assert_eq!(due(Severity::High), "2026-03-02");
        assert_eq!(due(Severity::Medium), "2026-05-01");
        assert_eq!(due(Severity::Unknown), "2026-05-01");
        assert_eq!(due(Severity::Low), "2026-07-30");
        let end = Sla::default().due(Severity::Low, Timestamp::MAX).to_string();
        assert_eq!(end, "9999-12-31");
    }

    #[test]
    fn table_keeps_the_defaults_of_what_it_does_not_name() {
        let sla: Sla = parse(Path::new("sla.toml"), "critical = 2\n").expect("valid");
        assert_eq!(sla, Sla { critical: Days(2), ..Sla::default() });
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let refusal =
            |text: &str| parse::<Sla>(Path::new("s"), text).expect_err("refused").to_string();
        assert!(refusal("low = 1\nhigh = -1\n").starts_with("s:2: "), "{}", refusal("high = -1"));
        assert!(refusal("\n\nurgent = 1\n").starts_with("s:3: unknown field `urgent`"));
        assert!(refusal("low = 40000").starts_with("s:1: 40000 days are too many"));
    }
}
