//! Licences as SPDX expressions, and the texts of those that its list does not have (2.3, section 10).

use std::collections::{BTreeMap, HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::wire::Extracted;
use super::{NOASSERTION, words};
use crate::bill::says_unknown;
use crate::licence::{self, Licence};
use crate::schema::json::text;

/// Longest text of a licence that is written out, in bytes.
const MAX_TEXT_BYTES: usize = 256 * 1024;

/// Licences that no list has, by their LicenseRef.
#[derive(Default)]
pub(super) struct Licences {
    extracted: BTreeMap<String, Extracted>,
    /// LicenseRefs by name and text.
    ids: HashMap<(String, Option<String>), String>,
    /// How many LicenseRefs were made of the same words.
    numbers: HashMap<String, usize>,
}

impl Licences {
    /// The expressions for what is concluded and what is declared.
    pub(super) fn of(&mut self, entries: &[Value]) -> (String, String) {
        let is_concluded = |it: &Licence<'_>| it.acknowledgement == Some("concluded");
        let (concluded, declared): (Vec<_>, Vec<_>) = licence::of(entries).partition(is_concluded);
        (self.joined(&concluded), self.joined(&declared))
    }

    /// Several licences without a word between them all apply.
    fn joined(&mut self, licences: &[Licence<'_>]) -> String {
        let mut seen = HashSet::new();
        let mut terms: Vec<String> = licences.iter().filter_map(|it| self.term(it)).collect();
        terms.retain(|term| seen.insert(term.clone()));
        match &mut terms[..] {
            [] => NOASSERTION.to_owned(),
            [only] => std::mem::take(only),
            several => {
                let bracketed = several.iter().map(|it| match it.contains(' ') {
                    true => format!("({it})"),
                    false => it.clone(),
                });
                bracketed.collect::<Vec<_>>().join(" AND ")
            }
        }
    }

    fn term(&mut self, licence: &Licence<'_>) -> Option<String> {
        // "NONE" is an answer in SPDX.
        if licence.text == "NONE" {
            return Some("NONE".to_owned());
        }
        if says_unknown(licence.text) {
            return None;
        }
        let name = licence.text;
        let Some(expression) = licence::expression(name) else {
            return Some(self.extract(licence));
        };
        let mut references = Vec::new();
        for requirement in expression.requirements() {
            // What is told in another document, or as an addition, cannot be told here.
            let is_here = match &requirement.req.license {
                ::spdx::LicenseItem::Other(reference) => reference.doc_ref.is_none(),
                ::spdx::LicenseItem::Spdx { .. } => true,
            };
            let is_addition_known = match &requirement.req.addition {
                Some(::spdx::AdditionItem::Other(_)) => false,
                Some(::spdx::AdditionItem::Spdx(_)) | None => true,
            };
            if !is_here || !is_addition_known {
                return Some(self.extract(licence));
            }
            if let ::spdx::LicenseItem::Other(reference) = &requirement.req.license {
                references.push(reference.to_string());
            }
        }
        let is_alone = references.len() == 1 && references[0] == name;
        for id in references {
            let text = full_text(licence).filter(|_| is_alone);
            self.extracted.entry(id.clone()).or_insert_with(|| entry(id, None, text, licence));
        }
        Some(name.to_owned())
    }

    /// The LicenseRef of a licence that no list has.
    fn extract(&mut self, licence: &Licence<'_>) -> String {
        let key = (licence.text.to_owned(), full_text(licence));
        if let Some(id) = self.ids.get(&key) {
            return id.clone();
        }
        let words = words(licence.text.trim_start_matches("LicenseRef-"));
        let base = format!("LicenseRef-{}", if words.is_empty() { "unnamed" } else { &words });
        let number = self.numbers.entry(base.clone()).or_default();
        let id = loop {
            *number += 1;
            let id = if *number == 1 { base.clone() } else { format!("{base}-{number}") };
            if !self.extracted.contains_key(&id) {
                break id;
            }
        };
        let extracted = entry(id.clone(), Some(licence.text), key.1.clone(), licence);
        self.extracted.insert(id.clone(), extracted);
        self.ids.insert(key, id.clone());
        id
    }

    pub(super) fn into_extracted(self) -> Vec<Extracted> {
        self.extracted.into_values().collect()
    }
}

fn entry(id: String, name: Option<&str>, text: Option<String>, licence: &Licence<'_>) -> Extracted {
    let without = || {
        let name = name.unwrap_or(&id);
        format!("The SBOM names this licence {name:?} and does not have its text.")
    };
    let url = crate::schema::json::text(licence.value, "url").filter(|it| !it.is_empty());
    Extracted {
        extracted_text: text.unwrap_or_else(without),
        license_id: id,
        name: name.map(str::to_owned),
        see_alsos: url.map(str::to_owned).into_iter().collect(),
    }
}

/// The text of the licence, where the document has it.
fn full_text(licence: &Licence<'_>) -> Option<String> {
    let attached = licence.value.get("text")?;
    let content = text(attached, "content").filter(|it| it.len() <= MAX_TEXT_BYTES)?;
    match text(attached, "encoding") {
        Some("base64") => {
            let bytes = STANDARD.decode(content.trim()).ok()?;
            String::from_utf8(bytes).ok()
        }
        _ => Some(content.to_owned()),
    }
    .filter(|it| !it.trim().is_empty())
}
