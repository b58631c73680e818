//! Debian and Ubuntu: `epoch:upstream-revision` (Debian Policy, section 5.6.12).

use std::cmp::Ordering;

use super::number::{Number, is_digits, padded, split_digits};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    epoch: Number,
    upstream: Part,
    revision: Part,
}

/// Text and number by turns; pairs of nothing and zero are left out at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part(Vec<(Text, Number)>);

/// Without digits. `~` comes before the end, the end before letters, letters before all others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Text(String);

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        let epoch = text.split_once(':').filter(|(epoch, _)| is_digits(epoch));
        let (epoch, rest) = epoch.unwrap_or(("", text));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self {
            epoch: Number::of(epoch),
            upstream: Part::of(upstream),
            revision: Part::of(revision),
        }
    }

    /// Begins with a digit, and has no characters but those of the policy.
    pub(super) fn is_regular(text: &str) -> bool {
        let text = text.trim();
        let epoch = text.split_once(':').filter(|(epoch, _)| is_digits(epoch));
        let (_, rest) = epoch.unwrap_or(("", text));
        let is_known = |it: u8| it.is_ascii_alphanumeric() || b".+-~:".contains(&it);
        rest.starts_with(|it: char| it.is_ascii_digit()) && rest.bytes().all(is_known)
    }
}

impl Part {
    fn of(text: &str) -> Self {
        let mut pairs = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let start = rest.find(|it: char| it.is_ascii_digit()).unwrap_or(rest.len());
            let (words, digits) = rest.split_at(start);
            let (digits, after) = split_digits(digits);
            pairs.push((Text(words.to_owned()), Number::of(digits)));
            rest = after;
        }
        while pairs.last().is_some_and(|(text, number)| text.0.is_empty() && number.is_zero()) {
            pairs.pop();
        }
        Self(pairs)
    }
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        padded(&self.0, &other.0, &(Text::default(), Number::zero()))
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Text {
    fn ranks(&self) -> impl Iterator<Item = (u8, u8)> {
        let rank = |byte| match byte {
            b'~' => (0, 0),
            _ if byte.is_ascii_alphabetic() => (2, byte),
            _ => (3, byte),
        };
        self.0.bytes().map(rank).chain([(1, 0)])
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.ranks().cmp(other.ranks())
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Less};

    use crate::Ecosystem::{Debian, Ubuntu};

    #[test]
    fn tilde_comes_before_the_end_and_letters_before_other_characters() {
        let ordered = [
            "1.0~~",
            "1.0~rc1-1",
            "1.0-1~bpo11+1",
            "1.0-1",
            "1.0-1+b1",
            "1.0-1+deb11u1",
            "1.0-1.1",
            "1.0a-1",
            "1.0+dfsg-1",
            "1.0.1-1",
            "2:0.1-1",
        ];

        for (at, left) in ordered.iter().enumerate() {
            for right in &ordered[at + 1..] {
                assert_eq!(Debian.compare(left, right), Less, "{left} {right}");
            }
        }
        assert_eq!(Ubuntu.compare("1.0", "0:1.0-0"), Equal);
    }
}
