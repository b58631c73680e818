//! Alpine and others with apk: numbers, a letter, suffixes, a commit and a revision, such as `1.2.3a_rc1-r0` (apk-package(5)).

use super::number::{Number, split_digits};

/// Ends with [`Token::End`] or [`Token::Invalid`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<Token>);

/// In order: what is only suffixed before its release lies before the end, all else after it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    Before(Before),
    /// From here on apk reads nothing; what begins with a hyphen is not told apart.
    Invalid(String),
    End,
    Revision(Number),
    Commit(String),
    SuffixNumber(Number),
    After(After),
    Letter(char),
    Digits(Digits),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Before {
    Alpha,
    Beta,
    Pre,
    Candidate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum After {
    Cvs,
    Svn,
    Git,
    Mercurial,
    Patch,
}

/// With a zero in front they are compared as decimal places are; the first number of a version never is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Digits {
    Places(String),
    Number(Number),
}

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        let (digits, mut rest) = split_digits(text);
        if digits.is_empty() {
            return Self(vec![Token::Invalid(text.to_owned())]);
        }
        let mut tokens = vec![Token::Digits(Digits::Number(Number::of(digits)))];
        let mut phase = Phase::Digits;
        while !rest.is_empty() {
            let Some((token, after)) = next(rest, phase) else {
                let shown = if rest.starts_with('-') { "" } else { rest };
                tokens.push(Token::Invalid(shown.to_owned()));
                return Self(tokens);
            };
            phase = token.phase();
            tokens.push(token);
            rest = after;
        }
        tokens.push(Token::End);
        Self(tokens)
    }

    pub(super) fn is_regular(text: &str) -> bool {
        let Self(tokens) = Self::parse(text);
        !tokens.iter().any(|it| matches!(it, Token::Invalid(_)))
    }
}

/// What was read last decides what may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Digits,
    Letter,
    Suffix,
    SuffixNumber,
    Commit,
    Revision,
}

impl Token {
    fn phase(&self) -> Phase {
        match self {
            Self::Digits(_) => Phase::Digits,
            Self::Letter(_) => Phase::Letter,
            Self::Before(_) | Self::After(_) => Phase::Suffix,
            Self::SuffixNumber(_) => Phase::SuffixNumber,
            Self::Commit(_) => Phase::Commit,
            Self::Revision(_) | Self::End | Self::Invalid(_) => Phase::Revision,
        }
    }

    fn suffix(word: &str) -> Option<Self> {
        Some(match word {
            "alpha" => Self::Before(Before::Alpha),
            "beta" => Self::Before(Before::Beta),
            "pre" => Self::Before(Before::Pre),
            "rc" => Self::Before(Before::Candidate),
            "cvs" => Self::After(After::Cvs),
            "svn" => Self::After(After::Svn),
            "git" => Self::After(After::Git),
            "hg" => Self::After(After::Mercurial),
            "p" => Self::After(After::Patch),
            _ => return None,
        })
    }
}

/// The next token, and what is left.
fn next(rest: &str, phase: Phase) -> Option<(Token, &str)> {
    let first = rest.chars().next()?;
    match first {
        '.' if phase == Phase::Digits => {
            let (digits, after) = split_digits(&rest[1..]);
            let digits = match digits {
                "" => return None,
                _ if digits.starts_with('0') => Digits::Places(digits.to_owned()),
                _ => Digits::Number(Number::of(digits)),
            };
            Some((Token::Digits(digits), after))
        }
        'a'..='z' if phase == Phase::Digits => Some((Token::Letter(first), &rest[1..])),
        '0'..='9' if phase == Phase::Suffix => {
            let (digits, after) = split_digits(rest);
            Some((Token::SuffixNumber(Number::of(digits)), after))
        }
        '_' if phase <= Phase::SuffixNumber => {
            let (word, after) = split_while(&rest[1..], |it| it.is_ascii_lowercase());
            Some((Token::suffix(word)?, after))
        }
        '~' if phase < Phase::Commit => {
            let is_hex = |it: char| matches!(it, '0'..='9' | 'a'..='f');
            let (commit, after) = split_while(&rest[1..], is_hex);
            (!commit.is_empty()).then(|| (Token::Commit(commit.to_owned()), after))
        }
        '-' if phase < Phase::Revision => {
            let (digits, after) = split_digits(rest.strip_prefix("-r")?);
            let is_word = digits.is_empty() && after.starts_with(|it: char| it.is_alphanumeric());
            (!is_word).then(|| (Token::Revision(Number::of(digits)), after))
        }
        _ => None,
    }
}

fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|it| !belongs(it)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Less};

    use crate::Ecosystem::{Alpine, Wolfi};

    #[test]
    fn suffixes_lie_around_the_release() {
        let ordered = [
            "1.2_alpha",
            "1.2_alpha2",
            "1.2_rc1",
            "1.2",
            "1.2-r0",
            "1.2-r10",
            "1.2_git20240101-r0",
            "1.2_p1",
            "1.2a",
            "1.2.0",
            "1.2.1",
            "1.10",
        ];

        for (at, left) in ordered.iter().enumerate() {
            for right in &ordered[at + 1..] {
                assert_eq!(Alpine.compare(left, right), Less, "{left} {right}");
            }
        }
        assert_eq!(Wolfi.compare("1.2-r01", "1.2-r1"), Equal);
    }
}
