//! How bad a vulnerability is.

use std::{cmp::Ordering, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest CVSS vector that is read, in bytes: all metrics of version 4.0 need half of it.
const MAX_VECTOR_BYTES: usize = 512;

/// Qualitative severity, weakest first (CVSS 3.1, section 5).
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No record says.
    #[default]
    Unknown,
    /// Score below 4.0.
    Low,
    /// Score from 4.0.
    Medium,
    /// Score from 7.0.
    High,
    /// Score from 9.0, in CVSS 3 and 4.
    Critical,
}

impl Severity {
    /// The word in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity that a database states in a word, such as `MODERATE`.
    pub(crate) fn of_word(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "low" | "negligible" | "unimportant" => Self::Low,
            "medium" | "moderate" => Self::Medium,
            "high" | "important" => Self::High,
            "critical" => Self::Critical,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A CVSS vector and what it scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cvss {
    /// The vector as the record writes it: version 2.0, 3.0, 3.1 or 4.0.
    pub vector: String,
    /// From 0.0 to 10.0.
    pub score: f64,
}

impl Cvss {
    /// Reads a vector and scores it; none if it is no vector.
    pub(crate) fn parse(vector: &str) -> Option<(Self, Severity)> {
        if vector.len() > MAX_VECTOR_BYTES {
            return None;
        }
        let parsed: cvss::Cvss = vector.parse().ok()?;
        let severity = match parsed.severity() {
            cvss::Severity::None | cvss::Severity::Low => Severity::Low,
            cvss::Severity::Medium => Severity::Medium,
            cvss::Severity::High => Severity::High,
            cvss::Severity::Critical => Severity::Critical,
        };
        Some((Self { vector: vector.to_owned(), score: parsed.score() }, severity))
    }

    /// Lower scores first; of equal ones the vector of the newer version last.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then_with(|| self.vector.cmp(&other.vector))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_every_version_are_scored() {
        for (vector, score, severity) in [
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", 10.0, Severity::High),
            ("CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:N", 4.8, Severity::Medium),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, Severity::Critical),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                9.3,
                Severity::Critical,
            ),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0, Severity::Low),
        ] {
            let (cvss, found) = Cvss::parse(vector).expect(vector);
            assert_eq!((cvss.score, found), (score, severity), "{vector}");
        }
    }

    #[test]
    fn any_text_in_place_of_a_vector_is_survived() {
        fastrand::seed(4);
        let vectors = [
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:A",
            "AV:N/AC:L/Au:N/C:C/I:C/A:C",
        ];
        for _ in 0..20_000 {
            let mut text: Vec<char> = fastrand::choice(vectors).expect("some").chars().collect();
            for _ in 0..fastrand::usize(1..4) {
                let at = fastrand::usize(..text.len());
                text[at] = fastrand::choice(['/', ':', 'X', '9', '\u{e9}', 'N']).expect("some");
            }
            let text: String = text.into_iter().collect();
            if let Some((cvss, _)) = Cvss::parse(&text) {
                assert!((0.0..=10.0).contains(&cvss.score), "{text}: {}", cvss.score);
            }
        }
        assert_eq!(Cvss::parse(&"CVSS:3.1/".repeat(1000)), None);
    }
}
