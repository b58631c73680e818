//! Packagist, as PHP's `version_compare` compares; a leading `v` says nothing, as in Composer.

use std::cmp::Ordering;

use super::number::{Number, is_digits};

/// Ends with [`Element::End`]. `#` is left out, for a total order can give it no place: see [`compare`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<Element>);

/// In order. Words are told apart by how they begin, so that `beta` and `b` are the same; in capitals only `RC` is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Element {
    OtherWord,
    Dev,
    Alpha,
    Beta,
    Candidate,
    /// The version ends here.
    End,
    Number(Number),
    /// `#`, which stands for any number.
    Any,
    Patch,
}

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        Self(elements(text).filter(|it| *it != Element::Any).chain([Element::End]).collect())
    }

    /// Begins with a number; branches (`dev-main`) do not.
    pub(super) fn is_regular(text: &str) -> bool {
        text.trim().trim_start_matches(['v', 'V']).starts_with(|it: char| it.is_ascii_digit())
    }
}

/// As `version_compare`: a `#` is equal to every number, and to the end, which are not equal to each other.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    if !left.contains('#') && !right.contains('#') {
        return Version::parse(left).cmp(&Version::parse(right));
    }
    let [mut left, mut right] =
        [left, right].map(|it| elements(it).chain([Element::End]).collect::<Vec<_>>().into_iter());
    loop {
        let (Some(one), Some(other)) = (left.next(), right.next()) else { return Ordering::Equal };
        match (&one, &other) {
            (Element::Any, Element::Number(_)) | (Element::Number(_), Element::Any) => {}
            (Element::Any, Element::End) => {
                return end_against(&left.collect::<Vec<_>>()).reverse();
            }
            (Element::End, Element::Any) => return end_against(&right.collect::<Vec<_>>()),
            _ if one == other => {}
            _ => return one.cmp(&other),
        }
    }
}

/// Where a version that has ended lies as seen from what another still has after a `#`.
fn end_against(rest: &[Element]) -> Ordering {
    let next = rest.iter().find(|it| **it != Element::Any);
    next.map_or(Ordering::Equal, |it| Element::End.cmp(it))
}

/// Runs of digits and of other characters, between anything that is neither letter nor digit.
fn elements(text: &str) -> impl Iterator<Item = Element> {
    let text = text.trim();
    let mut rest = text.strip_prefix(['v', 'V']).unwrap_or(text);
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|it: char| !it.is_ascii_alphanumeric() && it != '#');
        let first = rest.chars().next()?;
        let belongs = |it: char| match first {
            '#' => false,
            _ if first.is_ascii_digit() => it.is_ascii_digit(),
            _ => it.is_ascii_alphabetic(),
        };
        let end = rest.find(|it| !belongs(it)).unwrap_or(rest.len()).max(first.len_utf8());
        let (element, after) = rest.split_at(end);
        rest = after;
        Some(Element::of(element))
    })
}

impl Element {
    fn of(text: &str) -> Self {
        match text {
            "#" => Self::Any,
            _ if is_digits(text) => Self::Number(Number::of(text)),
            _ if text.starts_with("dev") => Self::Dev,
            _ if text.starts_with('a') => Self::Alpha,
            _ if text.starts_with('b') => Self::Beta,
            _ if text.starts_with("rc") || text.starts_with("RC") => Self::Candidate,
            _ if text.starts_with('p') => Self::Patch,
            _ => Self::OtherWord,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use crate::Ecosystem::Packagist;

    #[test]
    fn words_lie_around_the_release_by_how_they_begin() {
        let ordered = [
            "1.0-BETA",
            "1.0-dev",
            "1.0-alpha1",
            "1.0-b2",
            "1.0-RC1",
            "1.0",
            "1.0.0",
            "1.0-patch1",
        ];

        for (at, left) in ordered.iter().enumerate() {
            for right in &ordered[at + 1..] {
                assert_eq!(Packagist.compare(left, right), Less, "{left} {right}");
            }
        }
        assert_eq!(Packagist.compare("v1.0.0-beta.2", "1.0.0b2"), Equal);
        assert_eq!(Packagist.compare("1.0.0--1", "1.0.0.1"), Equal);
    }

    #[test]
    fn hash_stands_for_any_number_and_for_none() {
        assert_eq!(Packagist.compare("1.#", "1.7"), Equal);
        assert_eq!(Packagist.compare("1.#", "1"), Equal);
        assert_eq!(Packagist.compare("1", "1.#.#"), Equal);
        assert_eq!(Packagist.compare("1.#.2", "1.7.1"), Greater);
        assert_eq!(Packagist.compare("1.#.beta", "1"), Less);
    }
}
