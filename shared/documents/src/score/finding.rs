//! What is found where an element should be.

use crate::bill::says_unknown;

/// What is found, from the best to the worst.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Finding {
    Present,
    /// Something that does not do, and why.
    Invalid(String),
    /// The document says that it is not known.
    DeclaredUnknown,
    Absent,
}

impl Finding {
    /// A text that counts if it says something.
    pub(super) fn of_text(text: Option<&str>) -> Self {
        match text {
            None => Self::Absent,
            Some(text) if says_unknown(text) => Self::DeclaredUnknown,
            Some(_) => Self::Present,
        }
    }

    /// The best of several; absent if there are none.
    pub(super) fn best(findings: impl IntoIterator<Item = Self>) -> Self {
        let mut best = Self::Absent;
        for finding in findings {
            if finding < best {
                best = finding;
            }
            if best == Self::Present {
                break;
            }
        }
        best
    }

    /// The worst of several; absent if there are none.
    pub(super) fn worst(findings: impl IntoIterator<Item = Self>) -> Self {
        findings.into_iter().max().unwrap_or(Self::Absent)
    }

    /// Present if `holds`.
    pub(super) fn when(holds: bool) -> Self {
        if holds { Self::Present } else { Self::Absent }
    }
}
