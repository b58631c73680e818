//! What is compared of one version of a package.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::bill::{Part, says_unknown};
use crate::licence;
use crate::schema::json::{items, text};

/// Digests by hash function, in lower case.
pub(super) type Hashes = BTreeMap<String, BTreeSet<String>>;

/// One version of a package, joined from every component that has it.
#[derive(Default)]
pub(super) struct Item {
    pub(super) licences: BTreeSet<String>,
    pub(super) suppliers: BTreeSet<String>,
    pub(super) scopes: BTreeSet<String>,
    /// Digests of the component.
    pub(super) hashes: Hashes,
    /// Digests of its files, by where they lie.
    pub(super) files: BTreeMap<String, Hashes>,
}

impl Item {
    pub(super) fn add(&mut self, part: &Part<'_>) {
        self.licences.extend(licence::of(part.items("licenses")).filter_map(|it| told(it.text)));
        self.suppliers.extend(supplier(part));
        // CycloneDX: "If the scope is not specified, 'required' scope SHOULD be assumed".
        self.scopes.insert(part.text("scope").unwrap_or("required").to_owned());
        add_hashes(part.items("hashes"), &mut self.hashes);
        for file in part.references(&["distribution", "distribution-intake"]) {
            let hashes = items(file, "hashes");
            if let Some(url) = text(file, "url").filter(|_| !hashes.is_empty()) {
                add_hashes(hashes, self.files.entry(url.to_owned()).or_default());
            }
        }
    }
}

fn add_hashes(list: &[Value], hashes: &mut Hashes) {
    for hash in list {
        let content = text(hash, "content").and_then(told);
        if let (Some(algorithm), Some(content)) = (text(hash, "alg"), content) {
            let digests = hashes.entry(algorithm.to_owned()).or_default();
            digests.insert(content.to_ascii_lowercase());
        }
    }
}

/// Who is named first, from the supplier to the author.
fn supplier(part: &Part<'_>) -> Option<String> {
    let entities = ["supplier", "manufacturer"].into_iter();
    let entities = entities.filter_map(|key| part.value.get(key)).filter_map(|it| text(it, "name"));
    let texts = ["publisher", "author"].into_iter().filter_map(|key| part.text(key));
    entities.chain(texts).find_map(told)
}

fn told(text: &str) -> Option<String> {
    (!says_unknown(text)).then(|| text.trim().to_owned())
}
