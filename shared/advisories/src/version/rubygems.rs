//! RubyGems, as `Gem::Version` compares.

use std::cmp::Ordering;

use super::number::{Number, is_digits, padded};

/// Without zeros at the end of its numbers, and at its own end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version(Vec<Segment>);

/// Text makes a pre-release: it comes before numbers, also before those that are not written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Text(String),
    Number(Number),
}

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim().replace('-', ".pre.");
        let mut segments: Vec<_> = segments(&text).map(Segment::of).collect();
        let is_text = |it: &Segment| matches!(it, Segment::Text(_));
        let mut rest = segments.iter().position(is_text).map(|at| segments.split_off(at));
        drop_zeros(&mut segments);
        if let Some(rest) = &mut rest {
            drop_zeros(rest);
            segments.append(rest);
        }
        Self(segments)
    }

    /// Numbers first, then segments of letters and digits.
    pub(super) fn is_regular(text: &str) -> bool {
        let segments = || text.trim().split(['.', '-']);
        segments().next().is_some_and(is_digits)
            && segments()
                .all(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric()))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        padded(&self.0, &other.0, &Segment::Number(Number::zero()))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Segment {
    fn of(text: &str) -> Self {
        match is_digits(text) {
            true => Self::Number(Number::of(text)),
            false => Self::Text(text.to_owned()),
        }
    }
}

/// Runs of digits and runs of ASCII letters; whatever lies between separates.
fn segments(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|it: char| !it.is_ascii_alphanumeric());
        let is_digit = rest.bytes().next()?.is_ascii_digit();
        let belongs = |it: char| match is_digit {
            true => it.is_ascii_digit(),
            false => it.is_ascii_alphabetic(),
        };
        let (segment, after) = rest.split_at(rest.find(|it| !belongs(it)).unwrap_or(rest.len()));
        rest = after;
        Some(segment)
    })
}

fn drop_zeros(segments: &mut Vec<Segment>) {
    while segments.last().is_some_and(|it| matches!(it, Segment::Number(it) if it.is_zero())) {
        segments.pop();
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use crate::Ecosystem::RubyGems;

    #[test]
    fn zeros_that_are_not_written_count_and_text_is_a_pre_release() {
        assert_eq!(RubyGems.compare("1", "1.0.0"), Equal);
        assert_eq!(RubyGems.compare("1.0.a", "1.a"), Equal);
        assert_eq!(RubyGems.compare("1.0-1", "1.0"), Less);
        assert_eq!(RubyGems.compare("1.0.pre.1", "1.0-1"), Equal);
        assert_eq!(RubyGems.compare("1.0.a.1", "1.0.a"), Greater);
        assert_eq!(RubyGems.compare("", "0"), Equal);
    }
}
