//! Maven, by the "Version Order Specification" of its POM reference.
//!
//! Maven's answers are no order: `1.0` before `1.0-1` before `1.0.beta` before `1.0`. So there are two: what Maven answers
//! ([`Version::compare`]), and one that sorts, where a dot and a hyphen before a qualifier are the same, and a zero before
//! either says nothing. They differ where projects mix both.

use std::cmp::Ordering;

use super::number::{Number, is_digits, split_digits};

#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// As Maven has it: without parts that say nothing, at the end and before hyphens.
    own: Vec<Raw>,
    /// Without any part that says nothing; ends with [`Part::End`].
    sorted: Vec<Part>,
}

/// In order. Before a qualifier a dot and a hyphen are the same, before a number they are not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Alpha,
    Beta,
    Milestone,
    Candidate,
    Snapshot,
    /// The version ends here.
    End,
    /// `ga`, `final` or `release`.
    Release,
    ServicePack,
    Qualifier(String),
    HyphenNumber(Number),
    DotNumber(Number),
}

/// A part, and whether a hyphen precedes it; a change between digits and others is one.
#[derive(Debug, Clone)]
struct Raw {
    part: Part,
    hyphen: bool,
}

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        let raw = raw_parts(&text.trim().to_lowercase());
        let own = without_null(raw.clone(), |it| it.hyphen);
        let sorted = without_null(raw, |it| it.hyphen || !it.part.is_number());
        let sorted = sorted.into_iter().map(|it| it.part).chain([Part::End]).collect();
        Self { own, sorted }
    }

    /// What Maven answers.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let mut places = 0..self.own.len().max(other.own.len());
        let found = places.find_map(|it| {
            let found = match (self.own.get(it), other.own.get(it)) {
                (Some(left), Some(right)) => {
                    left.kind().cmp(&right.kind()).then_with(|| left.part.cmp(&right.part))
                }
                (Some(left), None) => left.part.against_end(),
                (None, right) => {
                    right.map_or(Ordering::Equal, |it| it.part.against_end().reverse())
                }
            };
            Some(found).filter(|it| it.is_ne())
        });
        found.unwrap_or(Ordering::Equal)
    }

    /// "Versions are expected to start with numbers."
    pub(super) fn is_regular(text: &str) -> bool {
        text.trim().starts_with(|it: char| it.is_ascii_digit())
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sorted.cmp(&other.sorted)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.sorted == other.sorted
    }
}

impl Eq for Version {}

/// Leaves out what says nothing at the end and before those that `follows` is true of.
fn without_null(raw: Vec<Raw>, follows: impl Fn(&Raw) -> bool) -> Vec<Raw> {
    let mut kept = Vec::with_capacity(raw.len());
    let mut droppable = true;
    for it in raw.into_iter().rev() {
        if droppable && it.part.is_null() {
            continue;
        }
        droppable = follows(&it);
        kept.push(it);
    }
    kept.reverse();
    kept
}

impl Raw {
    /// In Maven's order: `.qualifier`, `-qualifier`, `-number`, `.number`.
    fn kind(&self) -> (bool, bool) {
        let is_number = self.part.is_number();
        (is_number, is_number != self.hyphen)
    }
}

impl Part {
    /// Where the part lies as seen from a version that has ended.
    fn against_end(&self) -> Ordering {
        match self {
            _ if self.is_null() => Ordering::Equal,
            _ => self.cmp(&Self::End),
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::HyphenNumber(_) | Self::DotNumber(_))
    }

    fn is_null(&self) -> bool {
        match self {
            Self::Release => true,
            Self::HyphenNumber(number) | Self::DotNumber(number) => number.is_zero(),
            _ => false,
        }
    }

    /// One that is no number; one letter is short for a word where a number follows at once.
    fn qualifier(text: &str, number_follows: bool) -> Self {
        match text {
            "a" if number_follows => Self::Alpha,
            "b" if number_follows => Self::Beta,
            "m" if number_follows => Self::Milestone,
            "alpha" => Self::Alpha,
            "beta" => Self::Beta,
            "milestone" => Self::Milestone,
            "rc" | "cr" => Self::Candidate,
            "snapshot" => Self::Snapshot,
            "ga" | "final" | "release" => Self::Release,
            "sp" => Self::ServicePack,
            _ => Self::Qualifier(text.to_owned()),
        }
    }
}

fn raw_parts(text: &str) -> Vec<Raw> {
    let mut raw = Vec::new();
    let mut hyphen = false;
    for piece in text.split_inclusive(['.', '-']) {
        let token = piece.strip_suffix(['.', '-']).unwrap_or(piece);
        add_token(&mut raw, token, hyphen);
        hyphen = piece.ends_with('-');
    }
    // Nothing after the last separator is a zero, which says nothing at the end.
    raw
}

/// What stands between two separators; nothing is a zero.
fn add_token(raw: &mut Vec<Raw>, token: &str, hyphen: bool) {
    let mut hyphen = hyphen;
    let mut rest = token;
    loop {
        let (digits, after) = split_digits(rest);
        let (text, after) = match digits {
            "" => rest.split_at(rest.find(|it: char| it.is_ascii_digit()).unwrap_or(rest.len())),
            _ => (digits, after),
        };
        let part = match (text.is_empty() || is_digits(text), hyphen) {
            (true, true) => Part::HyphenNumber(Number::of(text)),
            (true, false) => Part::DotNumber(Number::of(text)),
            (false, _) => Part::qualifier(text, !after.is_empty()),
        };
        raw.push(Raw { part, hyphen });
        if after.is_empty() {
            return;
        }
        (rest, hyphen) = (after, true);
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use crate::Ecosystem::Maven;

    #[test]
    fn qualifiers_come_in_their_own_order_and_numbers_after_them() {
        let ordered = [
            "1-alpha-1",
            "1-b2",
            "1-M1",
            "1.0-CR1",
            "1-SNAPSHOT",
            "1",
            "1-sp",
            "1-abc",
            "1-xyz",
            "1-1",
            "1.0.1",
            "1.1",
        ];

        for (at, left) in ordered.iter().enumerate() {
            for right in &ordered[at + 1..] {
                assert_eq!(Maven.compare(left, right), Less, "{left} {right}");
            }
        }
    }

    #[test]
    fn what_maven_answers_goes_round_and_is_sorted_nevertheless() {
        for (left, right) in [
            ("1.0", "1.0-1"),
            ("1.0-1", "1.0.beta"),
            ("1.0.beta", "1.0"),
            // Of libraries that were published.
            ("1.0.0-RC16", "1.0.0.RC8-beta"),
            ("6.1.12.rc5", "6.1.12rc1"),
            ("1.1.31.sec10", "1.1.31_noneautotype"),
        ] {
            assert_eq!(Maven.compare(left, right), Less, "{left} {right}");
            assert_eq!(Maven.compare(right, left), Greater, "{left} {right}");
        }
        assert_eq!(Maven.order("1.0.beta", "1.0-1"), Less);
        assert_eq!(Maven.order("6.1.12rc1", "6.1.12.rc5"), Less);
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        for (left, right) in [
            ("5.3.0.RELEASE", "5.3"),
            ("4.1.0.Final", "4.1"),
            ("1.0.0-alpha.1", "1-alpha.1"),
            ("1.0-0-1", "1-1"),
            ("1..1", "1.0.1"),
            ("1-1", "1.0-ga-1"),
        ] {
            assert_eq!(Maven.compare(left, right), Equal, "{left} {right}");
        }
    }
}
