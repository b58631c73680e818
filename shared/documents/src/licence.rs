//! Licences as CycloneDX writes them: identifiers, expressions, names.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use ::spdx::{
    Expression, ParseMode,
    expression::{ExprNode, Operator},
    identifiers::LICENSES,
};
use serde_json::Value;

use crate::schema::json::text;

/// Longest expression that is parsed, in bytes; real ones have some hundred.
const MAX_EXPRESSION_BYTES: usize = 16 * 1024;

/// Most alternatives of an expression, and most licences that apply together: real ones have five.
const MAX_ALTERNATIVES: usize = 64;

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

/// Identifiers by the full name that SPDX has for them, in lower case.
static FULL_NAMES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    LICENSES
        .iter()
        .filter(|it| expression(it.name).is_some())
        .map(|it| (it.full_name.to_lowercase(), it.name))
        .collect()
});

/// Licences that apply together.
pub type Together = BTreeSet<String>;

/// The alternatives that an expression leaves: of each, all licences apply together (`Apache-2.0`, or
/// `GPL-2.0-only WITH Classpath-exception-2.0`). The full name that SPDX has for one, such as `MIT License`, is that one.
///
/// None for what is neither, or has more than 64 alternatives: nobody knows what is allowed then.
pub fn alternatives(text: &str) -> Option<BTreeSet<Together>> {
    let text = text.trim();
    let Some(expression) = expression(text) else {
        // A classifier of Python packages ends with the name.
        let name = text.rsplit(" :: ").next().unwrap_or(text);
        let id = FULL_NAMES.get(&name.to_lowercase())?;
        return Some(BTreeSet::from([Together::from([(*id).to_owned()])]));
    };
    // Operands come before their operator.
    let mut stack: Vec<BTreeSet<Together>> = Vec::new();
    for node in expression.iter() {
        let alternatives = match node {
            ExprNode::Req(it) => BTreeSet::from([Together::from([it.req.to_string()])]),
            ExprNode::Op(operator) => {
                let (right, left) = (stack.pop()?, stack.pop()?);
                match operator {
                    Operator::Or => left.into_iter().chain(right).collect(),
                    Operator::And => both(&left, &right)?,
                }
            }
        };
        if alternatives.len() > MAX_ALTERNATIVES {
            return None;
        }
        stack.push(alternatives);
    }
    stack.pop()
}

/// The alternatives of two expressions that apply together.
pub fn both(left: &BTreeSet<Together>, right: &BTreeSet<Together>) -> Option<BTreeSet<Together>> {
    let few = left.len().saturating_mul(right.len()) <= MAX_ALTERNATIVES * MAX_ALTERNATIVES;
    let pairs = left.iter().flat_map(|left| right.iter().map(move |right| left | right));
    let pairs: BTreeSet<Together> = few.then(|| pairs.collect())?;
    let fit = pairs.len() <= MAX_ALTERNATIVES
        && pairs.iter().all(|together| together.len() <= MAX_ALTERNATIVES);
    fit.then_some(pairs)
}

#[cfg(test)]
mod tests {
    use super::{alternatives, expression};

    #[test]
    fn alternatives_are_those_of_the_expression() {
        let of = |text: &str| -> Option<Vec<String>> {
            let together = |it: &super::Together| it.iter().cloned().collect::<Vec<_>>().join("+");
            alternatives(text).map(|it| it.iter().map(together).collect())
        };
        let some = |texts: &[&str]| Some(texts.iter().map(|it| (*it).to_owned()).collect());

        assert_eq!(of("MIT"), some(&["MIT"]));
        assert_eq!(of("MIT OR Apache-2.0"), some(&["Apache-2.0", "MIT"]));
        assert_eq!(of("(MIT OR Apache-2.0) AND ISC"), some(&["Apache-2.0+ISC", "ISC+MIT"]));
        let linked = "GPL-2.0-only WITH Classpath-exception-2.0";
        assert_eq!(of(linked), some(&[linked]));
        assert_eq!(of("MIT License"), some(&["MIT"]));
        assert_eq!(of("License :: OSI Approved :: MIT License"), some(&["MIT"]));
        assert_eq!(of("MIT License, or so"), None);
        assert_eq!(of("Acme Proprietary"), None);
        assert_eq!(of("NOASSERTION"), None);
        let many: Vec<_> =
            (0..14).map(|it| format!("(LicenseRef-a{it} OR LicenseRef-b{it})")).collect();
        assert_eq!(of(&many.join(" AND ")), None);
    }

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
