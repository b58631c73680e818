//! What the rules look at beside the component itself: the schema's verdict and the graph.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::bill::{Bill, Part};
use crate::schema::json::{items, text};
use crate::schema::{CycloneDxVersion, Violation};

pub(super) struct View<'a> {
    pub(super) document: &'a Value,
    pub(super) metadata: &'a Value,
    pub(super) version: CycloneDxVersion,
    /// Where the document breaks its schema.
    pub(super) violations: Vec<Violation>,
    /// The bom-refs that `dependencies` has an entry for.
    entries: HashSet<&'a str>,
    /// The bom-refs that something depends on.
    targets: HashSet<&'a str>,
    /// Whether it is known what these bom-refs need, as `compositions` say.
    told: HashMap<&'a str, bool>,
    /// The same for the whole document.
    told_of_all: Option<bool>,
}

impl<'a> View<'a> {
    pub(super) fn of(bill: &'a Bill, violations: Vec<Violation>) -> Self {
        let document = &bill.document;
        let dependencies = items(document, "dependencies");
        let targets = dependencies.iter().flat_map(|it| items(it, "dependsOn"));
        let mut view = Self {
            document,
            metadata: bill.metadata(),
            version: bill.version,
            violations,
            entries: dependencies.iter().filter_map(|it| text(it, "ref")).collect(),
            targets: targets.filter_map(Value::as_str).collect(),
            told: HashMap::new(),
            told_of_all: None,
        };
        // What is said of dependencies goes before what is said of parts.
        view.read_compositions("assemblies");
        view.read_compositions("dependencies");
        view
    }

    fn read_compositions(&mut self, list: &str) {
        for composition in items(self.document, "compositions") {
            let Some(aggregate) = text(composition, "aggregate") else { continue };
            let is_known = !["unknown", "not_specified"].contains(&aggregate);
            let lists = ["assemblies", "dependencies", "vulnerabilities"];
            if lists.iter().all(|it| items(composition, it).is_empty()) {
                self.told_of_all = Some(is_known);
            }
            let told = items(composition, list).iter().filter_map(Value::as_str);
            self.told.extend(told.map(|name| (name, is_known)));
        }
    }

    /// Whether the document says what `part` needs: an entry of its own, however empty, or parts.
    pub(super) fn has_edges(&self, part: &Part<'_>) -> bool {
        part.bom_ref().is_some_and(|it| self.entries.contains(it))
            || !part.items("components").is_empty()
    }

    /// Whether something else needs `part`.
    pub(super) fn is_needed(&self, part: &Part<'_>) -> bool {
        part.bom_ref().is_some_and(|it| self.targets.contains(it))
    }

    /// Whether it is known what `part` needs, if the document says.
    pub(super) fn is_known(&self, part: &Part<'_>) -> Option<bool> {
        let told = part.bom_ref().and_then(|it| self.told.get(it).copied());
        told.or(self.told_of_all)
    }

    /// Whether anything is said to be known about completeness; none if nothing is said at all.
    pub(super) fn tells_completeness(&self) -> Option<bool> {
        let mut told = self.told.values().copied().chain(self.told_of_all);
        let first = told.next()?;
        Some(first || told.any(|it| it))
    }
}
