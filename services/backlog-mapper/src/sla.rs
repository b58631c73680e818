//! How soon an entry must be done: by severity, and by what is known of exploitation.

use std::fmt;

use advisories::{Kev, Severity};
use events::Label;
use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;

use crate::slot::{Slot, SlotKind};

/// Most days that a table may give: a hundred years.
const DAYS_MAX: u16 = 36_500;

/// Days from the day on which something was seen to the day on which it is due, and where days begin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
    /// What CISA's catalogue has, from the day on which it came into it.
    pub exploited: Days,
    /// A package that is itself the attack.
    pub malicious: Days,
    /// After which a supplier's newest SBOM of a product is old, from the day on which it was made.
    pub supplier_sbom: Days,
    /// Where days begin.
    pub time_zone: Zone,
    /// What is otherwise for some projects.
    #[serde(rename = "project")]
    pub projects: Vec<ProjectSla>,
}

/// What is otherwise for one project.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectSla {
    /// The project.
    pub scope: Label,
    /// As of [`Sla`].
    pub critical: Option<Days>,
    /// As of [`Sla`].
    pub high: Option<Days>,
    /// As of [`Sla`].
    pub medium: Option<Days>,
    /// As of [`Sla`].
    pub low: Option<Days>,
    /// As of [`Sla`].
    pub exploited: Option<Days>,
    /// As of [`Sla`].
    pub malicious: Option<Days>,
    /// As of [`Sla`].
    pub time_zone: Option<Zone>,
}

/// A number of days, at most a hundred years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct Days(u16);

/// A time zone by its IANA name, such as `Africa/Johannesburg`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(TimeZone);

/// What decides how soon a vulnerability must be done.
#[derive(Clone, Copy, Debug)]
pub struct Urgency {
    /// How bad it is.
    pub severity: Severity,
    /// CISA's catalogue has it.
    pub kev: Option<Kev>,
    /// The package itself is the attack.
    pub malicious: bool,
    /// Since when something has to be done.
    pub since: Timestamp,
}

impl Sla {
    /// The table of the product's project or supplier.
    #[must_use]
    pub fn of(&self, slot: &Slot) -> Self {
        let applies = |it: &&ProjectSla| {
            slot.kind == SlotKind::Project && it.scope.as_str() == slot.scope.as_str()
        };
        let Some(project) = self.projects.iter().find(applies) else { return self.clone() };
        let project = project.clone();
        Self {
            critical: project.critical.unwrap_or(self.critical),
            high: project.high.unwrap_or(self.high),
            medium: project.medium.unwrap_or(self.medium),
            low: project.low.unwrap_or(self.low),
            exploited: project.exploited.unwrap_or(self.exploited),
            malicious: project.malicious.unwrap_or(self.malicious),
            supplier_sbom: self.supplier_sbom,
            time_zone: project.time_zone.unwrap_or_else(|| self.time_zone.clone()),
            projects: Vec::new(),
        }
    }

    /// The day on which something is due: the earliest that its severity, its exploitation and its malice
    /// give.
    pub fn due(&self, urgency: &Urgency) -> Date {
        let Urgency { severity, kev, malicious, since } = urgency;
        let days = match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium | Severity::Unknown => self.medium,
            Severity::Low => self.low,
        };
        let from = since.to_zoned(self.time_zone.0.clone()).date();
        let by_kev = kev.map(|it| self.exploited.after(from.max(it.date_added)));
        let by_malice = malicious.then(|| self.malicious.after(from));
        let earliest = [by_kev, by_malice].into_iter().flatten();
        earliest.fold(days.after(from), Date::min)
    }

    /// The days after which a supplier's SBOM that was made at `made` is old, and twice as old.
    pub fn renewals(&self, made: Timestamp) -> [Date; 2] {
        let day = made.to_zoned(self.time_zone.0.clone()).date();
        let old = self.supplier_sbom.after(day);
        [old, self.supplier_sbom.after(old)]
    }

    /// When what is due on `due` is overdue: when that day has ended where it counts.
    pub fn overdue_from(&self, due: Date) -> Timestamp {
        let next = due.tomorrow().and_then(|it| it.to_zoned(self.time_zone.0.clone()));
        next.map_or(Timestamp::MAX, |it| it.timestamp())
    }
}

/// The day of `time` in UTC.
pub fn date(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

impl Days {
    fn after(self, day: Date) -> Date {
        day.saturating_add(Span::new().days(self.0))
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
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

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        TimeZone::get(&name).map(Self).map_err(|_| {
            format!(
                "{name:?} is no time zone that is known here; write one such as Africa/Johannesburg, and have the system's time zones (tzdata) installed"
            )
        })
    }
}

impl Default for Sla {
    fn default() -> Self {
        Self {
            critical: Days(7),
            high: Days(30),
            medium: Days(90),
            low: Days(180),
            exploited: Days(3),
            malicious: Days(1),
            supplier_sbom: Days(180),
            time_zone: Zone(TimeZone::UTC),
            projects: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        config::parse,
        testing::{project, supplier},
    };

    const LATE: &str = "2026-01-31T23:59:59Z";

    fn urgency(severity: Severity) -> Urgency {
        let since = LATE.parse().expect("valid");
        Urgency { severity, kev: None, malicious: false, since }
    }

    fn kev(day: &str) -> Option<Kev> {
        let day = day.parse().expect("valid");
        Some(Kev { date_added: day, due_date: day, ransomware: false })
    }

    #[test]
    fn due_counts_days_from_the_first_sight() {
        let due = |severity| Sla::default().due(&urgency(severity)).to_string();
        assert_eq!(due(Severity::Critical), "2026-02-07");
        assert_eq!(due(Severity::High), "2026-03-02");
        assert_eq!(due(Severity::Medium), "2026-05-01");
        assert_eq!(due(Severity::Unknown), "2026-05-01");
        assert_eq!(due(Severity::Low), "2026-07-30");
        let end = Urgency { since: Timestamp::MAX, ..urgency(Severity::Low) };
        let end = Sla::default().due(&end);
        assert_eq!(end.to_string(), "9999-12-31");
        assert_eq!(Sla::default().overdue_from(end), Timestamp::MAX);
    }

    #[test]
    fn what_is_exploited_or_an_attack_is_due_sooner_however_it_is_rated() {
        let sla = Sla::default();
        let due = |urgency: Urgency| sla.due(&urgency).to_string();
        let low = urgency(Severity::Low);
        assert_eq!(due(Urgency { kev: kev("2026-01-01"), ..low }), "2026-02-03");
        assert_eq!(due(Urgency { kev: kev("2026-02-10"), ..low }), "2026-02-13");
        assert_eq!(due(Urgency { malicious: true, ..urgency(Severity::Unknown) }), "2026-02-01");
        // Who learns late that it is exploited has no more time than the severity gives.
        let critical = urgency(Severity::Critical);
        assert_eq!(due(Urgency { kev: kev("2026-02-10"), ..critical }), "2026-02-07");
    }

    #[test]
    fn days_are_those_of_the_projects_time_zone() {
        let text = "time_zone = 'Africa/Johannesburg'\ncritical = 2\n\
            [[project]]\nscope = 'west'\ntime_zone = 'America/Los_Angeles'\n\
            [[project]]\nscope = 'soon'\ncritical = 0\nexploited = 0\n";
        let sla: Sla = parse(Path::new("sla.toml"), text).expect("valid");
        let told = |sla: &Sla| {
            let due = sla.due(&urgency(Severity::Critical));
            format!("{due} {}", sla.overdue_from(due))
        };
        // In Johannesburg it is the next day already.
        assert_eq!(told(&sla.of(&project("x"))), "2026-02-03 2026-02-03T22:00:00Z");
        assert_eq!(told(&sla.of(&project("west"))), "2026-02-02 2026-02-03T08:00:00Z");
        assert_eq!(told(&sla.of(&project("soon"))), "2026-02-01 2026-02-01T22:00:00Z");
        assert_eq!(told(&sla.of(&supplier("soon", "x"))), told(&sla.of(&project("x"))));
    }

    #[test]
    fn suppliers_sbom_is_old_when_its_last_day_has_ended() {
        let sla: Sla = parse(Path::new("s"), "supplier_sbom = 30\n").expect("valid");
        let renewals = sla.renewals(LATE.parse().expect("valid"));
        assert_eq!(renewals.map(|it| it.to_string()), ["2026-03-02", "2026-04-01"]);
        assert_eq!(sla.overdue_from(renewals[0]).to_string(), "2026-03-03T00:00:00Z");
        assert_eq!(sla.renewals(Timestamp::MAX)[1].to_string(), "9999-12-31");
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
        let zone = refusal("low = 1\ntime_zone = 'Mars/Olympus'\n");
        assert!(zone.starts_with("s:2: \"Mars/Olympus\" is no time zone"), "{zone}");
        let scope = refusal("[[project]]\nlow = 1\n");
        assert!(scope.starts_with("s:1: missing field `scope`"), "{scope}");
    }
}
