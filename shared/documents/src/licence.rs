//! Licences as CycloneDX writes them: identifiers, expressions, names.

use ::spdx::{Expression, ParseMode};
use serde_json::Value;

use crate::schema::json::text;

/// Longest expression that is parsed, in bytes; real ones have some hundred.
const MAX_EXPRESSION_BYTES: usize = 16 * 1024;

/// As the specification has it; licences that the list deprecates are still licences.
const MODE: ParseMode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };

/// One entry of `licenses`.
#[derive(Clone, Copy)]
pub(crate) struct Licence<'a> {
    /// What it is called: an expression, an identifier, or a name.
    pub(crate) text: &'a str,
    /// The entry, or within it what `license` holds.
    pub(crate) value: &'a Value,
    /// `declared`, `concluded`, or none where the document does not say (before 1.6 it never does).
    pub(crate) acknowledgement: Option<&'a str>,
}

/// The licences in `licenses`; entries without a word are left out.
pub(crate) fn of(entries: &[Value]) -> impl Iterator<Item = Licence<'_>> {
    entries.iter().filter_map(|entry| {
        let value = entry.get("license").unwrap_or(entry);
        let named = ["expression", "id", "name"].iter().find_map(|key| text(value, key));
        let linked = || text(value, "url");
        let acknowledgement = text(value, "acknowledgement");
        Some(Licence { text: named.or_else(linked)?.trim(), value, acknowledgement })
    })
}

/// Parses an expression of the SPDX specification, Annex D; a single identifier is one too.
pub(crate) fn expression(text: &str) -> Option<Expression> {
    // Words of SPDX's documents, not of its expressions.
    let says_nothing = ["NOASSERTION", "NONE"].contains(&text);
    let short = Some(text).filter(|it| it.len() <= MAX_EXPRESSION_BYTES && !says_nothing);
    short.and_then(|it| Expression::parse_mode(it, MODE).ok())
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn expressions_are_those_of_the_specification() {
        for right in ["MIT", "GPL-2.0", "MIT OR (Apache-2.0 AND LicenseRef-x)", "LicenseRef-a-b.c"]
        {
            assert!(expression(right).is_some(), "{right}");
        }
        for wrong in
            ["", "MIT/Apache-2.0", "Apache-2.0 OR", "NOASSERTION", "Apache-9999", "MIT, BSD"]
        {
            assert!(expression(wrong).is_none(), "{wrong}");
        }
        assert!(expression(&"(".repeat(10_000)).is_none());
        assert!(expression(&"MIT OR ".repeat(1_000_000)).is_none());
    }
}
