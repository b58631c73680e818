//! Whether a version is affected (OSV schema, "Evaluation").

use crate::{Affected, Ecosystem, Event, MatchRule, Range, version::Version};

/// An [`Affected`] with its versions parsed.
pub(crate) struct Evaluator<'a> {
    ranges: Vec<Vec<Bounded<'a>>>,
    /// Sorted.
    versions: Vec<Version>,
}

/// An event and the version at which it happens; the earliest comes before every version.
struct Bounded<'a> {
    event: &'a Event,
    at: Option<Version>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(affected: &'a Affected) -> Self {
        let ecosystem = affected.ecosystem;
        let bounded = |event| Bounded::new(ecosystem, event);
        let ranges = affected.ranges.iter().map(|it| it.events.iter().map(bounded).collect());
        let mut versions: Vec<_> =
            affected.versions.iter().map(|it| Version::parse(ecosystem, it)).collect();
        versions.sort_unstable();
        Self { ranges: ranges.collect(), versions }
    }

    /// By which rule `found` is affected, if it is.
    pub(crate) fn affects(&self, found: &Version) -> Option<MatchRule> {
        if self.ranges.iter().any(|range| contains(range, found)) {
            return Some(MatchRule::Range);
        }
        let listed = self.versions.binary_search_by(|it| it.cmp(found)).is_ok()
            || found.public().is_some_and(|it| self.versions.binary_search(&it).is_ok());
        listed.then_some(MatchRule::ExactVersion)
    }

    /// Every version that fixes something, with its text.
    pub(crate) fn fixes(&self) -> impl Iterator<Item = (&Version, &'a str)> {
        self.ranges.iter().flatten().filter_map(|bounded| match bounded.event {
            Event::Fixed(text) => Some((bounded.at.as_ref()?, text.as_str())),
            _ => None,
        })
    }
}

impl<'a> Bounded<'a> {
    fn new(ecosystem: Ecosystem, event: &'a Event) -> Self {
        let at = match event {
            Event::Introduced(text) if text == "0" => None,
            _ => Some(Version::parse(ecosystem, event.version())),
        };
        Self { event, at }
    }

    /// Whether `found` is at this version or after it.
    fn is_reached(&self, found: &Version) -> bool {
        self.at.as_ref().is_none_or(|at| found.against(at).is_ge())
    }

    fn is_passed(&self, found: &Version) -> bool {
        self.at.as_ref().is_none_or(|at| found.against(at).is_gt())
    }
}

fn contains(range: &[Bounded<'_>], found: &Version) -> bool {
    let mut limits = range.iter().filter(|it| matches!(it.event, Event::Limit(_))).peekable();
    let unlimited = limits.peek().is_none();
    if !unlimited && !limits.any(|it| it.event.version() == "*" || !it.is_reached(found)) {
        return false;
    }
    range.iter().fold(false, |affected, bounded| match bounded.event {
        Event::Introduced(_) => affected || bounded.is_reached(found),
        Event::Fixed(_) => affected && !bounded.is_reached(found),
        Event::LastAffected(_) => affected && !bounded.is_passed(found),
        Event::Limit(_) => affected,
    })
}

impl Event {
    /// The version at which it happens.
    pub fn version(&self) -> &str {
        match self {
            Self::Introduced(it) | Self::Fixed(it) | Self::LastAffected(it) | Self::Limit(it) => it,
        }
    }
}

impl Range {
    /// Sorts the events; those of equal version stay as the record has them.
    pub(crate) fn sort(&mut self, ecosystem: Ecosystem) {
        self.events.sort_by_cached_key(|event| Bounded::new(ecosystem, event).at);
    }
}

impl Affected {
    /// Drops the listed versions that a range covers, and sorts the others.
    pub(crate) fn prune_versions(&mut self) {
        let versions = std::mem::take(&mut self.versions);
        let evaluator = Evaluator::new(self);
        let parsed = versions.into_iter().map(|it| (Version::parse(self.ecosystem, &it), it));
        let mut kept: Vec<_> =
            parsed.filter(|(version, _)| evaluator.affects(version).is_none()).collect();
        kept.sort_unstable();
        kept.dedup_by(|next, kept| next.0 == kept.0);
        self.versions = kept.into_iter().map(|(_, text)| text).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;

    fn affected(ecosystem: Ecosystem, events: &[(&str, &str)], versions: &[&str]) -> Affected {
        let event = |(kind, at): &(&str, &str)| {
            let at = (*at).to_owned();
            match *kind {
                "introduced" => Event::Introduced(at),
                "fixed" => Event::Fixed(at),
                "last_affected" => Event::LastAffected(at),
                _ => Event::Limit(at),
            }
        };
        let mut range = Range { events: events.iter().map(event).collect() };
        range.sort(ecosystem);
        let mut affected = Affected {
            ecosystem,
            release: None,
            name: "x".into(),
            ranges: vec![range],
            versions: versions.iter().map(|it| (*it).to_owned()).collect(),
            only_commits: false,
            severity: Severity::Unknown,
            informational: None,
        };
        affected.prune_versions();
        affected
    }

    fn assert_affected(affected: &Affected, yes: &[&str], no: &[&str]) {
        let evaluator = Evaluator::new(affected);
        let affects =
            |it: &str| evaluator.affects(&Version::parse(affected.ecosystem, it)).is_some();
        for version in yes {
            assert!(affects(version), "{version} is affected");
        }
        for version in no {
            assert!(!affects(version), "{version} is not affected");
        }
    }

    #[test]
    fn events_take_effect_in_version_order_whatever_the_record_says() {
        let events =
            [("fixed", "1.10"), ("introduced", "2.0"), ("introduced", "1.9"), ("fixed", "2.1")];

        let affected = affected(Ecosystem::PyPi, &events, &[]);

        assert_affected(
            &affected,
            &["1.9", "1.9.5", "2.0", "2.1rc1"],
            &["1.8", "1.10", "2.0rc1", "2.1"],
        );
    }

    #[test]
    fn zero_is_before_every_version() {
        let affected =
            affected(Ecosystem::CratesIo, &[("introduced", "0"), ("fixed", "0.2.0")], &[]);

        assert_affected(&affected, &["0.0.0-alpha", "0.1.9", "0.2.0-rc.1"], &["0.2.0"]);
    }

    #[test]
    fn last_affected_is_affected_itself() {
        let affected =
            affected(Ecosystem::Npm, &[("introduced", "1.0.0"), ("last_affected", "1.2.0")], &[]);

        assert_affected(&affected, &["1.0.0", "1.2.0"], &["0.9.0", "1.2.1", "1.2.1-rc.1"]);
    }

    #[test]
    fn nothing_is_said_from_the_limit_on() {
        let limited = affected(Ecosystem::Go, &[("introduced", "0"), ("limit", "1.3.0")], &[]);
        let star = affected(Ecosystem::Go, &[("introduced", "0"), ("limit", "*")], &[]);

        assert_affected(&limited, &["v1.2.9"], &["v1.3.0", "v2.0.0"]);
        assert_affected(&star, &["v1.2.9", "v99.0.0"], &[]);
    }

    #[test]
    fn a_range_without_introduced_affects_nothing() {
        assert_affected(
            &affected(Ecosystem::Npm, &[("fixed", "2.0.0")], &[]),
            &[],
            &["1.0.0", "2.0.0"],
        );
    }

    #[test]
    fn events_of_one_version_keep_the_order_of_the_record() {
        let empty = affected(Ecosystem::PyPi, &[("introduced", "1"), ("fixed", "1.0")], &[]);
        let joined = affected(
            Ecosystem::PyPi,
            &[("introduced", "0"), ("fixed", "1.0"), ("introduced", "1.0"), ("fixed", "2")],
            &[],
        );

        assert_affected(&empty, &[], &["0.9", "1.0", "1.1"]);
        assert_affected(&joined, &["0.9", "1.0", "1.9"], &["2.0"]);
    }

    #[test]
    fn listed_versions_are_affected_in_any_spelling() {
        let affected = affected(
            Ecosystem::PyPi,
            &[("introduced", "5"), ("fixed", "6")],
            &["1.0", "1.0.0", "2.0.post1", "5.5"],
        );

        assert_eq!(affected.versions, ["1.0", "2.0.post1"]);
        assert_affected(
            &affected,
            &["1", "1.0.0", "1.0+local", "2.0-1", "5.5"],
            &["1.1", "2.0", "6"],
        );
    }

    #[test]
    fn local_builds_are_affected_like_the_version_they_are_built_from() {
        let affected =
            affected(Ecosystem::PyPi, &[("introduced", "1"), ("last_affected", "2.0")], &[]);

        assert_affected(&affected, &["2.0+cpu"], &["2.0.1+cpu"]);
    }
}
