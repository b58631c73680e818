//! Lists of numbers, compared one by one: CRAN (`package_version` of R) and Hackage (`Version` of Cabal).

use super::number::{Number, is_digits};

/// What is longer comes later: `1.0` before `1.0.0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<Segment>);

/// Neither registry admits text; it comes before numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Text(String),
    Number(Number),
}

impl Version {
    /// A hyphen separates as a dot does.
    pub(super) fn parse(text: &str) -> Self {
        Self(text.trim().split(['.', '-']).map(Segment::of).collect())
    }

    pub(super) fn is_regular(text: &str) -> bool {
        text.trim().split(['.', '-']).all(is_digits)
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

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use crate::Ecosystem::{Cran, Hackage};

    #[test]
    fn longer_versions_come_later_and_numbers_have_no_size() {
        assert_eq!(Hackage.compare("1.0", "1.0.0"), Less);
        assert_eq!(Cran.compare("1.0-0", "1.0.0"), Equal);
        assert_eq!(
            Cran.compare("20240101000000000000000001", "20240101000000000000000000"),
            Greater
        );
        assert_eq!(Cran.compare("1.0.x", "1.0.0"), Less);
    }
}
