//! Semantic Versioning 2.0, read as tolerantly as npm, Go and OSV records need.

use super::number::{Number, is_digits, split_digits};

/// Order of precedence (section 11): build metadata, and numbers after the third, are left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    core: [Number; 3],
    stage: Stage,
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
        let text = text.trim().trim_start_matches('=').trim_start_matches(['v', 'V']);
        let text = text.split_once('+').map_or(text, |(version, _build)| version);
        let (core, rest) = split_core(text);
        let pre_release = rest.strip_prefix('-').unwrap_or(rest.trim_start_matches('.'));
        let stage = match pre_release {
            "" => Stage::Release,
            _ => Stage::PreRelease(pre_release.split('.').map(Identifier::of).collect()),
        };
        Self { core, stage }
    }
}

impl Identifier {
    fn of(text: &str) -> Self {
        match is_digits(text) {
            true => Self::Number(Number::of(text)),
            false => Self::Text(text.to_owned()),
        }
    }
}

/// The first three numbers, and what follows the last number.
fn split_core(text: &str) -> ([Number; 3], &str) {
    let mut core = [Number::zero(), Number::zero(), Number::zero()];
    let mut rest = text;
    for position in 0.. {
        let number = if position == 0 { Some(rest) } else { rest.strip_prefix('.') };
        let Some((digits, after)) =
            number.map(split_digits).filter(|(digits, _)| !digits.is_empty())
        else {
            break;
        };
        if let Some(place) = core.get_mut(position) {
            *place = Number::of(digits);
        }
        rest = after;
    }
    (core, rest)
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use crate::Ecosystem::{Go, Npm};

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
}
