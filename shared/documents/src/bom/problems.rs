//! What is sound but suspicious: collected, counted and bounded.

use std::collections::BTreeMap;
use std::fmt;

/// Most problems listed of one code; the others are only counted.
pub const MAX_PROBLEMS_PER_CODE: usize = 10;

const MAX_QUOTED_CHARS: usize = 80;
/// Pointers are longer only where the keys of the document are.
const MAX_POINTER_CHARS: usize = 500;

/// Something in a valid document that a policy may refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its kind in a word:
    /// - `dependency-cycle`, `self-dependency`: dependencies are no directed acyclic graph;
    /// - `dangling-reference`: no element has the bom-ref (SPDX: the SPDXID) that is referred to;
    /// - `duplicate-bom-ref`: two elements have the same one;
    /// - `invalid-purl`, `non-canonical-purl`, `purl-bomb`: unreadable, not in the one spelling
    ///   that purl-spec wants, too long to be read (a bom-ref too, which often is a purl, and the
    ///   namespace of SPDX);
    /// - `several-purls`: an SPDX package has different ones, of which the first counts;
    /// - `several-subjects`: SPDX describes more than one element, so that none is the subject;
    /// - `component-without-name`, `component-without-version`, `component-without-identity`: the
    ///   last has no purl, CPE, SWID, SWHID, OmniBOR id or hash;
    /// - `control-character`: a name that may not show as what it is;
    /// - `vulnerability-without-id`: an analysis that can apply to nothing;
    /// - `unreadable-timestamp`;
    /// - those of [`DEVIATIONS`](super::DEVIATIONS).
    pub code: &'static str,
    /// The place, as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

/// The problems of one document.
#[derive(Default)]
pub(crate) struct Problems {
    listed: Vec<Problem>,
    counts: BTreeMap<&'static str, usize>,
}

impl Problems {
    /// Counts a problem, and lists it while there are few.
    pub(crate) fn add(
        &mut self,
        code: &'static str,
        pointer: impl fmt::Display,
        message: fmt::Arguments<'_>,
    ) {
        let count = self.counts.entry(code).or_default();
        *count += 1;
        if *count <= MAX_PROBLEMS_PER_CODE {
            let pointer = pointer.to_string().chars().take(MAX_POINTER_CHARS).collect();
            let message = message.to_string();
            self.listed.push(Problem { code, pointer, message });
        }
    }

    pub(crate) fn into_parts(self) -> (Vec<Problem>, BTreeMap<&'static str, usize>) {
        (self.listed, self.counts)
    }
}

/// `text` for a message: in quotes, on one line, shortened.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(MAX_QUOTED_CHARS) {
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
            None => write!(f, "{:?}", self.0),
        }
    }
}
