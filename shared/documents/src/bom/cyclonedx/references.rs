//! The references within a document: each name once, each reference to something that is there.

use std::fmt;

use serde_json::Value;

use crate::bom::{Dependencies, Names, Problems};
use crate::schema::json::{items, text};

/// Lists of references: the array of the document, and the array in each of its entries.
const LISTS: [(&str, &str); 6] = [
    ("dependencies", "dependsOn"),
    ("dependencies", "provides"),
    ("compositions", "assemblies"),
    ("compositions", "dependencies"),
    ("compositions", "vulnerabilities"),
    ("annotations", "subjects"),
];

/// The names of a document of which nothing was looked at yet.
pub(super) fn no_names<'a>() -> Names<'a> {
    Names::called("bom-ref")
}

/// Adds the name of every element of `value`; whether each is new, and none was perhaps given before.
pub(super) fn add_names(value: &Value, names: &mut Names<'_>) -> bool {
    match value {
        Value::Array(array) => array.iter().all(|it| add_names(it, names)),
        Value::Object(object) => object.iter().all(|(key, member)| match member {
            Value::String(name) if key == "bom-ref" => names.add_owned(name),
            Value::Object(_) if key == "annotator" => false,
            member => add_names(member, names),
        }),
        _ => true,
    }
}

/// Checks names and references; returns how many dependencies there are. Elements whose `names` are
/// given belong to the document, but are not in it any more.
pub(super) fn check<'a>(document: &'a Value, names: Names<'a>, problems: &mut Problems) -> usize {
    let mut collector =
        Collector { names, pointer: String::new(), annotators: Vec::new(), problems };
    collector.collect(document);
    collector.collect_annotators();
    let names = collector.names;
    let mut references = References { names: &names, problems };
    for (list, key) in LISTS {
        for (index, entry) in items(document, list).iter().enumerate() {
            references.check_all(items(entry, key), format_args!("/{list}/{index}/{key}"));
        }
    }
    for (index, entry) in items(document, "dependencies").iter().enumerate() {
        references.check(text(entry, "ref"), format_args!("/dependencies/{index}/ref"));
    }
    for (index, vulnerability) in items(document, "vulnerabilities").iter().enumerate() {
        for (nth, affected) in items(vulnerability, "affects").iter().enumerate() {
            let place = format_args!("/vulnerabilities/{index}/affects/{nth}/ref");
            references.check(text(affected, "ref"), place);
        }
    }
    check_dependencies(document, problems)
}

/// What needs something, and what is needed, by their names.
pub(super) fn edges(document: &Value) -> impl Iterator<Item = (&str, &str)> {
    items(document, "dependencies").iter().flat_map(|entry| {
        let from = text(entry, "ref").unwrap_or_default();
        items(entry, "dependsOn").iter().filter_map(Value::as_str).map(move |to| (from, to))
    })
}

/// Collects the `bom-ref` of every element, of whatever kind it is.
struct Collector<'a, 'p> {
    names: Names<'a>,
    pointer: String,
    /// Who annotated: often a tool or an organization that the document has described before.
    annotators: Vec<&'a Value>,
    problems: &'p mut Problems,
}

impl<'a> Collector<'a, '_> {
    fn collect_annotators(&mut self) {
        for annotator in std::mem::take(&mut self.annotators) {
            for member in annotator.as_object().into_iter().flat_map(|it| it.values()) {
                if let Some(name) = text(member, "bom-ref") {
                    self.names.add_mentioned(name);
                }
            }
        }
    }

    /// The depth of the document bounds the recursion.
    fn collect(&mut self, value: &'a Value) {
        let length = self.pointer.len();
        match value {
            Value::Array(array) => {
                for (index, item) in array.iter().enumerate() {
                    self.enter(&index.to_string(), item);
                    self.pointer.truncate(length);
                }
            }
            Value::Object(object) => {
                for (key, member) in object {
                    match member {
                        Value::String(name) if key == "bom-ref" => {
                            let place = format_args!("{}/bom-ref", self.pointer);
                            self.names.add(name, place, self.problems);
                        }
                        Value::Object(_) if key == "annotator" => self.annotators.push(member),
                        Value::Array(_) | Value::Object(_) => self.enter(&escaped(key), member),
                        _ => {}
                    }
                    self.pointer.truncate(length);
                }
            }
            _ => {}
        }
    }

    fn enter(&mut self, step: &str, value: &'a Value) {
        self.pointer.push('/');
        self.pointer.push_str(step);
        self.collect(value);
    }
}

/// One step of a JSON Pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

struct References<'a, 'p> {
    names: &'p Names<'a>,
    problems: &'p mut Problems,
}

impl References<'_, '_> {
    fn check_all(&mut self, references: &[Value], place: fmt::Arguments<'_>) {
        for (nth, reference) in references.iter().enumerate() {
            self.check(reference.as_str(), format_args!("{place}/{nth}"));
        }
    }

    fn check(&mut self, reference: Option<&str>, place: fmt::Arguments<'_>) {
        // A BOM-Link points into another document, which is not at hand.
        if let Some(name) = reference.filter(|it| !it.starts_with("urn:cdx:")) {
            self.names.check(name, place, self.problems);
        }
    }
}

/// Looks for cycles in `dependencies`; returns how many edges there are.
fn check_dependencies(document: &Value, problems: &mut Problems) -> usize {
    let entries = items(document, "dependencies");
    let mut dependencies = Dependencies::default();
    for (index, entry) in entries.iter().enumerate() {
        dependencies.add_dependent(text(entry, "ref").unwrap_or_default(), index);
    }
    for (index, entry) in entries.iter().enumerate() {
        let name = text(entry, "ref").unwrap_or_default();
        for (nth, target) in items(entry, "dependsOn").iter().enumerate() {
            let place = format_args!("/dependencies/{index}/dependsOn/{nth}");
            dependencies.add_edge(name, target.as_str().unwrap_or_default(), place, problems);
        }
    }
    dependencies.check("dependencies", problems)
}
