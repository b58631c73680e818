//! What a document is about (sections 6 and 11.1: DESCRIBES).

use std::collections::HashSet;

use serde_json::Value;

use super::says_nothing;
use crate::bom::Problems;
use crate::schema::json::{items, text};

/// What a document describes: packages, else files.
pub(super) struct Described {
    pub(super) list: &'static str,
    /// Indexes in that list.
    pub(super) indexes: Vec<usize>,
}

impl Described {
    /// The one element that is described.
    pub(super) fn subject<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        let &[index] = &self.indexes[..] else { return None };
        items(document, self.list).get(index)
    }
}

pub(super) fn read(document: &Value, problems: &mut Problems) -> Described {
    let ids = ids(document);
    let packages = items(document, "packages");
    let mut described = Described { list: "packages", indexes: among(packages, &ids) };
    if described.indexes.is_empty() {
        let files = among(items(document, "files"), &ids);
        if !files.is_empty() {
            described = Described { list: "files", indexes: files };
        } else if ids.is_empty() && packages.len() == 1 {
            described.indexes.push(0);
        }
    }
    let count = described.indexes.len();
    if count > 1 {
        let list = described.list;
        let message = format_args!(
            "the document describes {count} {list}, so that none of them is its subject"
        );
        problems.add("several-subjects", "", message);
    }
    described
}

/// The names of what is described, in each of the three ways to say that.
fn ids(document: &Value) -> HashSet<&str> {
    let own = text(document, "SPDXID");
    let listed = items(document, "documentDescribes").iter().filter_map(Value::as_str);
    let related = items(document, "relationships").iter().filter_map(|it| {
        let [from, to] = ["spdxElementId", "relatedSpdxElement"].map(|key| text(it, key));
        match text(it, "relationshipType")? {
            "DESCRIBES" if from == own => to,
            "DESCRIBED_BY" if to == own => from,
            _ => None,
        }
    });
    listed.chain(related).filter(|it| !says_nothing(it)).collect()
}

fn among(elements: &[Value], ids: &HashSet<&str>) -> Vec<usize> {
    let is_described = |it: &Value| text(it, "SPDXID").is_some_and(|id| ids.contains(id));
    let found = elements.iter().enumerate().filter(|(_, it)| is_described(it));
    found.map(|(index, _)| index).collect()
}
