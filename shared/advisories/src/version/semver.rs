//! Semantic Versioning 2.0, read as tolerantly as npm, Go and OSV records need; and what NuGet and pub make of it.

use super::number::{Number, is_digits, split_digits};

/// Order of precedence (section 11): build metadata, and numbers after the third, are left out, but for pub and NuGet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    core: [Number; 4],
    stage: Stage,
    /// Only of pub's packages, where one without comes before those with one.
    build: Option<Vec<Identifier>>,
}

/// A pre-release comes before its release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    PreRelease(Vec<Identifier>),
    Release,
}

/// Numbers come before text (section 11.4.3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(Number),
    Text(String),
}

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        Self::of(parts(text).0, SEMVER_NUMBERS)
    }

    /// A fourth number counts, and case says nothing (NuGet, "Package versioning").
    pub(super) fn parse_nuget(text: &str) -> Self {
        Self::of(&parts(text).0.to_lowercase(), NUGET_NUMBERS)
    }

    /// Build metadata counts last (`Version.compareTo` of `pub_semver`).
    pub(super) fn parse_pub(text: &str) -> Self {
        let (version, build) = parts(text);
        Self { build: build.map(identifiers), ..Self::of(version, SEMVER_NUMBERS) }
    }

    /// Whether a pre-release is written as one, and no number says nothing; missing ones are zero without doubt.
    pub(super) fn is_regular(text: &str) -> bool {
        Self::has_numbers(text, SEMVER_NUMBERS)
    }

    pub(super) fn is_regular_nuget(text: &str) -> bool {
        Self::has_numbers(text, NUGET_NUMBERS)
    }

    fn has_numbers(text: &str, most: usize) -> bool {
        let (numbers, pre_release) = match parts(text).0.split_once('-') {
            Some((numbers, pre_release)) => (numbers, Some(pre_release)),
            None => (parts(text).0, None),
        };
        let is_identifier = |it: &str| {
            !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
        };
        numbers.split('.').all(is_digits)
            && numbers.split('.').count() <= most
            && pre_release.is_none_or(|it| it.split('.').all(is_identifier))
    }

    fn of(text: &str, most: usize) -> Self {
        let (core, rest) = split_core(text, most);
        let pre_release = rest.strip_prefix('-').unwrap_or(rest.trim_start_matches('.'));
        let stage = match pre_release {
            "" => Stage::Release,
            _ => Stage::PreRelease(identifiers(pre_release)),
        };
        Self { core, stage, build: None }
    }
}

/// How many numbers a version has.
const SEMVER_NUMBERS: usize = 3;
const NUGET_NUMBERS: usize = 4;

/// The version without what says nothing in front, and its build metadata.
fn parts(text: &str) -> (&str, Option<&str>) {
    let text = text.trim().trim_start_matches('=').trim_start_matches(['v', 'V']);
    text.split_once('+').map_or((text, None), |(version, build)| (version, Some(build)))
}

fn identifiers(text: &str) -> Vec<Identifier> {
    text.split('.').map(Identifier::of).collect()
}

impl Identifier {
    fn of(text: &str) -> Self {
        match is_digits(text) {
            true => Self::Number(Number::of(text)),
            false => Self::Text(text.to_owned()),
        }
    }
}

/// The first numbers, at `most` that many, and what follows the last number.
fn split_core(text: &str, most: usize) -> ([Number; 4], &str) {
    let mut core = [Number::zero(), Number::zero(), Number::zero(), Number::zero()];
    let mut rest = text;
    for position in 0.. {
        let number = if position == 0 { Some(rest) } else { rest.strip_prefix('.') };
        let Some((digits, after)) =
            number.map(split_digits).filter(|(digits, _)| !digits.is_empty())
        else {
            break;
        };
        if let Some(place) = core.get_mut(position).filter(|_| position < most) {
            *place = Number::of(digits);
        }
        rest = after;
    }
    (core, rest)
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use crate::Ecosystem::{Go, Npm, NuGet, Pub};

    #[test]
    fn go_pseudo_versions_are_ordered_by_their_time() {
        let older = "v0.0.0-20190101000000-abcdefabcdef";
        let newer = "v0.0.0-20200101000000-0123456789ab";

        assert_eq!(Go.compare(older, newer), Less);
        assert_eq!(Go.compare("v1.2.4-0.20200101000000-0123456789ab", "v1.2.3"), Greater);
        assert_eq!(Go.compare("v1.2.4-0.20200101000000-0123456789ab", "v1.2.4"), Less);
        assert_eq!(Go.compare("v2.0.0+incompatible", "2.0.0"), Equal);
    }

    #[test]
    fn odd_spellings_have_their_place() {
        assert_eq!(Npm.compare("=v1.2.3", "1.2.3"), Equal);
        assert_eq!(Npm.compare("1.2", "1.2.0"), Equal);
        assert_eq!(Npm.compare("1.2-beta", "1.2.0"), Less);
        assert_eq!(Npm.compare("1.2.3beta", "1.2.3-beta"), Equal);
        assert_eq!(Npm.compare("1.2.3.4", "1.2.3"), Equal);
        assert_eq!(Npm.compare("latest", "0.0.0"), Less);
        assert_eq!(Npm.compare("", "0.0.0"), Equal);
    }

    #[test]
    fn nuget_has_four_numbers_and_no_case() {
        assert_eq!(NuGet.compare("1.0.0.1", "1.0.0"), Greater);
        assert_eq!(NuGet.compare("1.0.0-RC.1+a", "1.0.0.0-rc.1"), Equal);
        assert_eq!(NuGet.compare("1.0.0.0.1", "1.0.0"), Equal);
    }

    #[test]
    fn pub_counts_builds() {
        assert_eq!(Pub.compare("1.0.0-a+2", "1.0.0-a+10"), Less);
        assert_eq!(Pub.compare("1.0.0+1", "1.0.0"), Greater);
        assert_eq!(Pub.compare("1.0.0+1", "1.0.1"), Less);
    }
}
