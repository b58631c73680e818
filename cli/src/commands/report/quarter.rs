//! Three months of a year, in UTC.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

/// A quarter of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quarter {
    year: i16,
    /// 1 to 4.
    number: i8,
}

impl Quarter {
    /// The one that `time` is in.
    pub(super) fn of(time: Timestamp) -> Self {
        let day = time.to_zoned(TimeZone::UTC).date();
        Self { year: day.year(), number: (day.month() - 1) / 3 + 1 }
    }

    /// Its first moment.
    pub(super) fn begins(self) -> Timestamp {
        let month = (self.number - 1) * 3 + 1;
        let day = Date::new(self.year, month, 1).ok();
        let begins = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
        begins.map_or(Timestamp::MAX, |it| it.timestamp())
    }

    /// The first moment after it.
    pub(super) fn ends(self) -> Timestamp {
        match self.number {
            4 => Self { year: self.year.saturating_add(1), number: 1 }.begins(),
            number => Self { year: self.year, number: number + 1 }.begins(),
        }
    }
}

impl FromStr for Quarter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no quarter; write one as 2026Q3");
        let (year, number) = text.split_once(['Q', 'q']).ok_or_else(wrong)?;
        let is_year = year.len() == 4 && year.bytes().all(|it| it.is_ascii_digit());
        let year = Some(year).filter(|_| is_year).and_then(|it| it.parse().ok());
        let number = number.parse().ok().filter(|it| (1..=4).contains(it));
        let (Some(year), Some(number)) = (year, number) else { return Err(wrong()) };
        Ok(Self { year, number })
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}Q{}", self.year, self.number)
    }
}

impl Serialize for Quarter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarter_begins_and_ends_with_its_months() {
        for (text, begins, ends) in [
            ("2026Q1", "2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z"),
            ("2026q4", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ] {
            let quarter: Quarter = text.parse().expect("a quarter");
            assert_eq!(quarter.begins().to_string(), begins);
            assert_eq!(quarter.ends().to_string(), ends);
            assert_eq!(Quarter::of(quarter.begins()), quarter);
            assert_ne!(Quarter::of(quarter.ends()), quarter);
            assert_eq!(quarter.to_string(), text.to_uppercase());
        }
    }

    #[test]
    fn what_is_no_quarter_is_refused() {
        for text in ["", "2026", "Q4", "2026Q0", "2026Q5", "26Q1", "-026Q1", "2026Q 1", "2026Q11"] {
            assert!(text.parse::<Quarter>().is_err(), "{text}");
        }
    }
}
