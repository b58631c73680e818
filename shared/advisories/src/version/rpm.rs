//! Distributions with RPM: `epoch:version-release`, compared as `rpmvercmp` does.

use super::number::{Number, is_digits, split_digits};

/// One without release comes before those with one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    epoch: Number,
    version: Vec<Segment>,
    release: Option<Vec<Segment>>,
}

/// In order; every list ends with [`Segment::End`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Tilde,
    End,
    Caret,
    Letters(String),
    Number(Number),
}

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        let epoch = text.split_once(':').filter(|(epoch, _)| is_digits(epoch));
        let (epoch, rest) = epoch.unwrap_or(("", text));
        let (version, release) = match rest.split_once('-') {
            Some((version, release)) => (version, Some(release)),
            None => (rest, None),
        };
        Self {
            epoch: Number::of(epoch),
            version: segments(version),
            release: release.map(segments),
        }
    }

    /// Has no characters but those that RPM admits.
    pub(super) fn is_regular(text: &str) -> bool {
        let text = text.trim();
        let epoch = text.split_once(':').filter(|(epoch, _)| is_digits(epoch));
        let (_, rest) = epoch.unwrap_or(("", text));
        let is_known = |it: u8| it.is_ascii_alphanumeric() || b"._+-~^".contains(&it);
        !rest.is_empty() && rest.bytes().all(is_known)
    }
}

/// Whatever is no ASCII letter, digit, tilde or caret separates and says nothing else.
fn segments(text: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut rest = text;
    loop {
        rest = rest
            .trim_start_matches(|it: char| !it.is_ascii_alphanumeric() && it != '~' && it != '^');
        let (digits, after) = split_digits(rest);
        let (segment, after) = match rest.chars().next() {
            None => break,
            Some('~') => (Segment::Tilde, &rest[1..]),
            Some('^') => (Segment::Caret, &rest[1..]),
            _ if !digits.is_empty() => (Segment::Number(Number::of(digits)), after),
            _ => {
                let end = rest.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(rest.len());
                let (letters, after) = rest.split_at(end);
                (Segment::Letters(letters.to_owned()), after)
            }
        };
        segments.push(segment);
        rest = after;
    }
    segments.push(Segment::End);
    segments
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Less};

    use crate::Ecosystem::{RedHat, Suse};

    #[test]
    fn tilde_comes_before_the_end_and_caret_after_it() {
        let ordered =
            ["1.0~rc1-1", "1.0-1.el9", "1.0-1.el9_2", "1.0^git1-1", "1.0a-1", "1.0.1-1", "1:0.1-1"];

        for (at, left) in ordered.iter().enumerate() {
            for right in &ordered[at + 1..] {
                assert_eq!(RedHat.compare(left, right), Less, "{left} {right}");
            }
        }
        assert_eq!(Suse.compare("0:1.01-1", "1_1-1"), Equal);
    }
}
