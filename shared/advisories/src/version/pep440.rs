//! PEP 440, and the order that setuptools gave to versions from before it.

use std::cmp::Ordering;

use super::number::{Number, is_digits, split_digits};

/// A version from before PEP 440 lies before all others, as if it had epoch -1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Legacy(Vec<String>),
    Standard(Box<Standard>),
}

/// Fields and variants stand in the order in which they are compared (PEP 440, "Summary of permitted suffixes").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standard {
    epoch: Number,
    /// Without trailing zeros.
    release: Vec<Number>,
    stage: Stage,
    post: Option<Number>,
    dev: Dev,
    local: Option<Vec<Segment>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// `1.0.dev1`, before every pre-release.
    DevOfRelease,
    Alpha(Number),
    Beta(Number),
    Candidate(Number),
    Final,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Dev {
    Number(Number),
    None,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Text(String),
    Number(Number),
}

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim().to_ascii_lowercase();
        match Standard::parse(&text) {
            Some(standard) => Self::Standard(Box::new(standard)),
            None => Self::Legacy(legacy_key(&text)),
        }
    }

    pub(super) fn is_regular(text: &str) -> bool {
        matches!(Self::parse(text), Self::Standard(_))
    }

    pub(super) fn against(&self, bound: &Self) -> Ordering {
        match (self, bound) {
            (Self::Standard(found), Self::Standard(bound)) if bound.local.is_none() => {
                found.public_part().cmp(&bound.public_part())
            }
            _ => self.cmp(bound),
        }
    }

    /// This version without its local label, if it has one.
    pub(super) fn public(&self) -> Option<Self> {
        match self {
            Self::Standard(it) if it.local.is_some() => {
                Some(Self::Standard(Box::new(Standard { local: None, ..(**it).clone() })))
            }
            _ => None,
        }
    }
}

impl Standard {
    /// Reads by the grammar of PEP 440, appendix B; the text is trimmed and in lower case.
    fn parse(text: &str) -> Option<Self> {
        let mut rest = Rest(text.strip_prefix('v').unwrap_or(text));
        let (digits, after) = split_digits(rest.0);
        let epoch = match after.strip_prefix('!') {
            Some(after) if !digits.is_empty() => {
                rest = Rest(after);
                Number::of(digits)
            }
            _ => Number::zero(),
        };
        let release = rest.release()?;
        let stage = rest.suffix(&["alpha", "a", "beta", "b", "preview", "pre", "c", "rc"]);
        let post = rest.implicit_post().or_else(|| rest.suffix(&["post", "rev", "r"]).map(second));
        let dev = rest.suffix(&["dev"]).map(second);
        let local = rest.local()?;
        let stage = match stage {
            Some(("alpha" | "a", number)) => Stage::Alpha(number),
            Some(("beta" | "b", number)) => Stage::Beta(number),
            Some((_, number)) => Stage::Candidate(number),
            None if post.is_none() && dev.is_some() => Stage::DevOfRelease,
            None => Stage::Final,
        };
        let dev = dev.map_or(Dev::None, Dev::Number);
        Some(Self { epoch, release, stage, post, dev, local })
    }

    /// All but the local label.
    fn public_part(&self) -> impl Ord {
        (&self.epoch, &self.release, &self.stage, &self.post, &self.dev)
    }
}

/// What is left to read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn release(&mut self) -> Option<Vec<Number>> {
        let mut numbers = Vec::new();
        let mut at = self.0;
        loop {
            let (digits, after) = split_digits(at);
            if digits.is_empty() {
                break;
            }
            numbers.push(Number::of(digits));
            self.0 = after;
            match after.strip_prefix('.') {
                Some(next) => at = next,
                None => break,
            }
        }
        if numbers.is_empty() {
            return None;
        }
        let kept = numbers.iter().rposition(|it| !it.is_zero()).map_or(0, |last| last + 1);
        numbers.truncate(kept);
        Some(numbers)
    }

    /// One of `words`, with an optional separator before and after it, and its number, zero if it is left out.
    fn suffix(&mut self, words: &[&'static str]) -> Option<(&'static str, Number)> {
        let at = skip_separator(self.0);
        let (word, after) = words.iter().find_map(|it| Some((*it, at.strip_prefix(it)?)))?;
        let (digits, after) = split_digits(skip_separator(after));
        self.0 = after;
        Some((word, Number::of(digits)))
    }

    /// `1.0-1` is `1.0.post1`.
    fn implicit_post(&mut self) -> Option<Number> {
        let (digits, after) = split_digits(self.0.strip_prefix('-')?);
        if digits.is_empty() {
            return None;
        }
        self.0 = after;
        Some(Number::of(digits))
    }

    /// The local label, which ends the text.
    fn local(self) -> Option<Option<Vec<Segment>>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let segment = |it: &'a str| match it {
            _ if is_digits(it) => Some(Segment::Number(Number::of(it))),
            "" => None,
            _ if it.bytes().all(|it| it.is_ascii_alphanumeric()) => Some(Segment::Text(it.into())),
            _ => None,
        };
        let segments = self.0.strip_prefix('+')?.split(['.', '-', '_']).map(segment);
        segments.collect::<Option<Vec<_>>>().map(Some)
    }
}

fn skip_separator(text: &str) -> &str {
    text.strip_prefix(['-', '_', '.']).unwrap_or(text)
}

fn second<A, B>((_, second): (A, B)) -> B {
    second
}

/// Below it sort the words for what comes before a release.
const FINAL: &str = "*final";
const DASH: &str = "*final-";
const ZERO: &str = "00000000";

/// The key that setuptools compared: words and padded numbers, so that text order is version order.
fn legacy_key(text: &str) -> Vec<String> {
    let mut key: Vec<String> = Vec::new();
    let parts = legacy_parts(text).filter(|it| *it != ".").map(legacy_part);
    for part in parts.chain([FINAL.to_owned()]) {
        if part.starts_with('*') {
            if *part < *FINAL {
                drop_trailing(&mut key, DASH);
            }
            drop_trailing(&mut key, ZERO);
        }
        key.push(part);
    }
    key
}

fn legacy_part(part: &str) -> String {
    match part {
        "pre" | "preview" | "rc" => "*c".to_owned(),
        "-" => DASH.to_owned(),
        "dev" => "*@".to_owned(),
        _ if is_digits(part) => format!("{part:0>8}"),
        _ => format!("*{part}"),
    }
}

/// Runs of digits, of letters and of other characters; every dot and dash alone.
fn legacy_parts(text: &str) -> impl Iterator<Item = &str> {
    let kind = |it: char| match it {
        '0'..='9' => 0,
        'a'..='z' => 1,
        '.' | '-' => 2,
        _ => 3,
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = match kind(first) {
            2 => 1,
            run => rest.find(|it| kind(it) != run).unwrap_or(rest.len()),
        };
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
}

fn drop_trailing(key: &mut Vec<String>, unwanted: &str) {
    while key.last().is_some_and(|it| it == unwanted) {
        key.pop();
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use super::Version;
    use crate::Ecosystem::PyPi;

    #[test]
    fn spellings_of_one_version_are_equal() {
        for (left, right) in [
            ("1.0", "1"),
            ("v1.0.0", " 1.0 "),
            ("1.0-ALPHA.1", "1.0a1"),
            ("1.0c2", "1.0rc2"),
            ("1.0-1", "1.0.post1"),
            ("1.0a--1", "1.0a0.post1"),
            ("1.0+Ubuntu_1", "1.0+ubuntu.01"),
            ("00!1.0", "1.0"),
        ] {
            assert_eq!(PyPi.compare(left, right), Equal, "{left} {right}");
        }
    }

    #[test]
    fn dates_longer_than_a_machine_word_keep_their_order() {
        assert_eq!(
            PyPi.compare("20240101000000000000000001", "20240101000000000000000000"),
            Greater
        );
        assert_eq!(PyPi.compare("20240101000000000000000000", "1.0"), Greater);
    }

    #[test]
    fn versions_from_before_pep_440_come_first() {
        assert_eq!(PyPi.compare("0.9-ivysaur", "0.0.dev0"), Less);
        assert_eq!(PyPi.compare("2.0-final-x", "10.0-final-x"), Less);
        assert_eq!(PyPi.compare("1.0x-dev", "1.0x"), Less);
    }

    #[test]
    fn local_label_counts_only_against_a_bound_that_has_one() {
        let [found, public, local] = ["2.0+cpu", "2.0", "2.0+gpu"].map(Version::parse);

        assert_eq!(found.against(&public), Equal);
        assert_eq!(found.against(&local), Less);
        assert_eq!(public.against(&local), Less);
    }
}
