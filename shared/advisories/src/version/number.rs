//! Whole numbers of any length: versions are dates and hashes too, and no date may overflow.

use std::cmp::Ordering;

/// A whole number in decimal digits, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number(String);

impl Number {
    /// The number of these ASCII digits; zero if there are none.
    pub(super) fn of(digits: &str) -> Self {
        Self(digits.trim_start_matches('0').to_owned())
    }

    pub(super) fn zero() -> Self {
        Self(String::new())
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Splits `text` after its leading ASCII digits.
pub(super) fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// Whether `text` is ASCII digits and nothing else.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}

/// Compares two lists as if the shorter one went on with `filler`.
pub(super) fn padded<T: Ord>(left: &[T], right: &[T], filler: &T) -> Ordering {
    let mut places = 0..left.len().max(right.len());
    let found = places.find_map(|it| {
        let [left, right] = [left, right].map(|list| list.get(it).unwrap_or(filler));
        Some(left.cmp(right)).filter(|it| it.is_ne())
    });
    found.unwrap_or(Ordering::Equal)
}
