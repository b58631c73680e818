//! Maven, by the "Version Order Specification" of its POM reference.
//!
//! There are versions that Maven itself does not order (a before b before c before a). So that ours are, a zero is left
//! out wherever a qualifier follows, and not only a hyphen; the versions that projects publish compare alike.

use super::number::{Number, is_digits, split_digits};

/// Without parts that say nothing; ends with [`Part::End`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<Part>);

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
struct Raw {
    part: Part,
    hyphen: bool,
}

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        let mut parts = vec![Part::End];
        // From the end: whether a part that says nothing says nothing here.
        let mut droppable = true;
        for raw in raw_parts(&text.trim().to_lowercase()).into_iter().rev() {
            if droppable && raw.part.is_null() {
                continue;
            }
            droppable = raw.hyphen || !raw.part.is_number();
            parts.push(raw.part);
        }
        parts.reverse();
        Self(parts)
    }

    /// "Versions are expected to start with numbers."
    pub(super) fn is_regular(text: &str) -> bool {
        text.trim().starts_with(|it: char| it.is_ascii_digit())
    }
}

impl Part {
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
    use std::cmp::Ordering::{Equal, Less};

    use crate::Ecosystem::Maven;

    #[test]
    fn qualifiers_come_in_their_own_order_and_numbers_after_them() {
        let ordered = [
            "1-alpha-1",
            "1-b2",
            "1-M1",
            "1.0.CR1",
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
    fn what_says_nothing_is_left_out() {
        for (left, right) in [
            ("5.3.0.RELEASE", "5.3"),
            ("4.1.0.Final", "4.1"),
            ("1.0.0.alpha.1", "1.alpha.1"),
            ("1.0-0-1", "1-1"),
            ("1..1", "1.0.1"),
            ("0-alpha", "alpha"),
        ] {
            assert_eq!(Maven.compare(left, right), Equal, "{left} {right}");
        }
    }
}
