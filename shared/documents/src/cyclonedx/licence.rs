//! Licences as CycloneDX has them: one of the SPDX list, an SPDX expression, or a name.

use std::borrow::Cow;

use spdx::{Expression, license_id};

/// Longest text that is read as an expression; longer ones are the licence itself.
const MAX_EXPRESSION_LENGTH: usize = 1_000;
/// Longest name, in characters.
const MAX_NAME_LENGTH: usize = 120;

/// Known to the parser, but not to the copy of the SPDX list in CycloneDX's schemas: not to be an `id`.
const UNKNOWN_TO_THE_SCHEMA: &[&str] = &[
    "BSD-2-Clause-pos-unchanged",
    "BSD-3-Clause-OpenWebUI",
    "BSD-Source-Code-no-disclaimer",
    "BSD-Source-alt-GPL",
    "BSD-ask-to-endorse",
    "Brian-Gladman-3-Clause-no-conversion",
    "Bugroff",
    "CC-BY-NC-3.0-IGO",
    "FDK-MPEG-H",
    "GFDL-1.1-invariants",
    "GFDL-1.1-no-invariants",
    "GFDL-1.2-invariants",
    "GFDL-1.2-no-invariants",
    "GFDL-1.3-invariants",
    "GFDL-1.3-no-invariants",
    "Hippocratic-3.0-core",
    "Informatica",
    "MVT-1.1",
    "NOASSERTION",
    "atc-game",
];

/// What a text says about a licence.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Licence<'a> {
    /// A licence of the SPDX list, by its identifier.
    Id(&'static str),
    /// An SPDX expression that a strict reader accepts.
    Expression(Cow<'a, str>),
    /// Something else: a name, or a whole text with its first line as the name.
    Named { name: Cow<'a, str>, text: Option<&'a str> },
}

impl<'a> Licence<'a> {
    /// Absent if the text says nothing; what is nearly an expression (`MIT/Apache-2.0`, `GPL-2.0`)
    /// is written as the one that it means.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        if matches!(text, "" | "UNKNOWN" | "NOASSERTION" | "NONE") {
            return None;
        }
        Some(Self::listed(text).unwrap_or_else(|| Self::named(text)))
    }

    fn listed(text: &'a str) -> Option<Self> {
        // Outside ASCII are no expressions, and the parser need not be trusted with them.
        if text.len() > MAX_EXPRESSION_LENGTH || !text.is_ascii() {
            return None;
        }
        let strict = match Expression::parse(text) {
            Ok(_) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(Expression::canonicalize(text).ok()??),
        };
        Expression::parse(&strict).ok()?;
        let id = license_id(&strict).map(|id| id.name).filter(|id| *id == strict);
        match id.filter(|id| !UNKNOWN_TO_THE_SCHEMA.contains(id)) {
            Some(id) => Some(Self::Id(id)),
            None => Some(Self::Expression(strict)),
        }
    }

    fn named(text: &'a str) -> Self {
        let line = text.lines().next().unwrap_or(text).trim_end();
        let name = match line.char_indices().nth(MAX_NAME_LENGTH) {
            Some((end, _)) => Cow::Owned(format!("{}…", line[..end].trim_end())),
            None => Cow::Borrowed(line),
        };
        let is_whole = name.len() == text.len();
        Self::Named { name, text: (!is_whole).then_some(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Licence, UNKNOWN_TO_THE_SCHEMA};

    fn shown(text: &str) -> String {
        match Licence::read(text) {
            None => "-".to_owned(),
            Some(Licence::Id(id)) => format!("id {id}"),
            Some(Licence::Expression(it)) => format!("expression {it}"),
            Some(Licence::Named { name, text }) => format!("name {name}, {}", text.is_some()),
        }
    }

    #[test]
    fn what_is_meant_is_found_and_nothing_else_is_made_up() {
        for (text, expected) in [
            ("MIT", "id MIT"),
            (" Apache-2.0\n", "id Apache-2.0"),
            ("MIT OR Apache-2.0", "expression MIT OR Apache-2.0"),
            ("MIT/Apache-2.0", "expression MIT OR Apache-2.0"),
            ("(MIT or GPL-2.0+)", "expression (MIT OR GPL-2.0-or-later)"),
            ("GPL-2.0", "id GPL-2.0-only"),
            ("LicenseRef-ours", "expression LicenseRef-ours"),
            (
                "GPL-2.0-only WITH Classpath-exception-2.0",
                "expression GPL-2.0-only WITH Classpath-exception-2.0",
            ),
            ("UNKNOWN", "-"),
            ("", "-"),
            ("SEE LICENSE IN LICENSE.txt", "name SEE LICENSE IN LICENSE.txt, false"),
            ("Lizenz für alle", "name Lizenz für alle, false"),
            ("MIT AND", "name MIT AND, false"),
            ("Do what you want.\n\nBut ask first.", "name Do what you want., true"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert!(shown(&"long ".repeat(1_000)).ends_with("…, true"));
    }

    #[test]
    fn every_identifier_is_one_of_the_schema() {
        let schema = include_str!("../../schemas/spdx.schema.json");
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let listed: Vec<_> =
            schema["enum"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
        let unknown: Vec<_> = spdx::identifiers::LICENSES
            .iter()
            .map(|licence| licence.name)
            .filter(|name| !listed.contains(name) && spdx::license_id(name).is_some())
            .collect();
        assert_eq!(unknown, UNKNOWN_TO_THE_SCHEMA);
    }

    #[test]
    fn odd_texts_never_panic() {
        const PARTS: [&str; 12] =
            ["MIT", "GPL-2.0", "+", "(", ")", " ", "/", "OR", "WITH", "LicenseRef-", ":", "apache"];
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let text: String = (0..random.usize(..9)).map(|_| PARTS[random.usize(..12)]).collect();
            if let Some(Licence::Expression(it)) = Licence::read(&text) {
                assert!(spdx::Expression::parse(&it).is_ok(), "{text}");
            }
        }
    }
}
