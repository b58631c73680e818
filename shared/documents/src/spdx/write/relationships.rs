//! What belongs to what (2.3, section 11).

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::NOASSERTION;
use super::wire::Relationship;
use crate::bill::{Bill, Part};
use crate::convert::Losses;
use crate::schema::json::{items, text};

const DOCUMENT: &str = "SPDXRef-DOCUMENT";

pub(super) fn of(
    bill: &Bill,
    parts: &[Part<'_>],
    ids: &[String],
    losses: &mut Losses,
) -> Vec<Relationship> {
    let refs = parts.iter().enumerate();
    let by_ref = refs.filter_map(|(index, it)| Some((it.bom_ref()?, index))).collect();
    let mut writer = Writer { parts, ids, by_ref, found: Vec::new(), losses };
    writer.describe(bill);
    writer.contain();
    let leaves = writer.depend(bill);
    writer.leave_open(bill, &leaves);
    writer.found
}

struct Writer<'a> {
    parts: &'a [Part<'a>],
    ids: &'a [String],
    by_ref: HashMap<&'a str, usize>,
    found: Vec<Relationship>,
    losses: &'a mut Losses,
}

impl<'a> Writer<'a> {
    fn add(&mut self, from: &str, kind: &'static str, to: &str, comment: Option<String>) {
        self.found.push(Relationship {
            spdx_element_id: from.to_owned(),
            relationship_type: kind,
            related_spdx_element: to.to_owned(),
            comment,
        });
    }

    /// The document describes its subject, else what nothing depends on, else everything.
    fn describe(&mut self, bill: &Bill) {
        if self.parts.first().is_some_and(|it| it.is_subject) {
            return self.add(DOCUMENT, "DESCRIBES", &self.ids[0], None);
        }
        let entries = items(&bill.document, "dependencies").iter();
        let targets = entries.flat_map(|it| items(it, "dependsOn")).filter_map(Value::as_str);
        let targets: HashSet<_> = targets.collect();
        let is_root = |part: &Part<'_>| {
            part.within.is_none() && part.bom_ref().is_none_or(|it| !targets.contains(it))
        };
        let is_any_root = self.parts.iter().any(is_root);
        for (part, id) in self.parts.iter().zip(self.ids) {
            if is_root(part) || !is_any_root {
                self.add(DOCUMENT, "DESCRIBES", id, None);
            }
        }
    }

    fn contain(&mut self) {
        for (part, id) in self.parts.iter().zip(self.ids) {
            if let Some(whole) = part.within {
                self.add(&self.ids[whole], "CONTAINS", id, None);
            }
        }
    }

    /// Writes the dependencies; returns the components that are said to have none.
    fn depend(&mut self, bill: &'a Bill) -> HashSet<&'a str> {
        let mut leaves = HashSet::new();
        for entry in items(&bill.document, "dependencies") {
            let name = text(entry, "ref").unwrap_or_default();
            let targets = items(entry, "dependsOn");
            if targets.is_empty() {
                leaves.insert(name);
            }
            for target in targets.iter().filter_map(Value::as_str) {
                match (self.by_ref.get(name), self.by_ref.get(target)) {
                    (Some(&from), Some(&to)) => self.edge(from, to),
                    _ => self.losses.add("dependencies of or on what is no component", 1),
                }
            }
        }
        leaves
    }

    fn edge(&mut self, from: usize, to: usize) {
        let (whole, part) = (&self.parts[from], &self.parts[to]);
        let (from, to) = (&self.ids[from], &self.ids[to]);
        let is_optional = |it: &Part<'_>| it.text("scope") == Some("optional");
        if is_development(part) && !is_development(whole) {
            self.add(to, "DEV_DEPENDENCY_OF", from, None);
        } else if is_optional(part) && !is_optional(whole) {
            self.add(to, "OPTIONAL_DEPENDENCY_OF", from, None);
        } else {
            self.add(from, "DEPENDS_ON", to, None);
        }
    }

    /// "NOASSERTION" and "NONE" stand for what is not known and for nothing (section 11.1).
    fn leave_open(&mut self, bill: &Bill, leaves: &HashSet<&str>) {
        for composition in items(&bill.document, "compositions") {
            let aggregate = text(composition, "aggregate").unwrap_or("not_specified");
            let is_complete = aggregate == "complete";
            for (list, kind) in [("assemblies", "CONTAINS"), ("dependencies", "DEPENDS_ON")] {
                for name in items(composition, list).iter().filter_map(Value::as_str) {
                    let Some(&index) = self.by_ref.get(name) else { continue };
                    let id = &self.ids[index];
                    if !is_complete {
                        let comment = format!("Completeness: {aggregate}");
                        self.add(id, kind, NOASSERTION, Some(comment));
                    } else if list == "dependencies" && leaves.contains(name) {
                        self.add(id, kind, "NONE", None);
                    }
                }
            }
        }
    }
}

/// Whether only development needs it. `excluded` alone says that it is not shipped, for whatever
/// reason, so that the words of those who write it are asked.
fn is_development(part: &Part<'_>) -> bool {
    const MARKS: [(&str, &str); 3] = [
        ("attestry:dependency:group", "dev"),
        ("cdx:npm:package:development", "true"),
        ("cdx:composer:package:isDevRequirement", "true"),
    ];
    MARKS.iter().any(|(name, value)| part.property(name) == Some(value))
}
