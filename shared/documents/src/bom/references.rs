//! The references within a document: each name once, each reference to something that is there.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde_json::Value;

use super::cycle;
use super::problems::{Problems, Quoted};
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
/// Most members of a cycle that are named.
const MAX_MEMBERS: usize = 10;

/// Checks names and references; returns how many dependencies there are.
pub(super) fn check(document: &Value, problems: &mut Problems) -> usize {
    let mut names = Names { found: HashSet::new(), pointer: String::new(), problems };
    names.collect(document);
    let found = names.found;
    let mut dangling = Dangling { names: &found, problems };
    for (list, key) in LISTS {
        for (index, entry) in items(document, list).iter().enumerate() {
            dangling.check_all(items(entry, key), format_args!("/{list}/{index}/{key}"));
        }
    }
    for (index, entry) in items(document, "dependencies").iter().enumerate() {
        dangling.check(text(entry, "ref"), format_args!("/dependencies/{index}/ref"));
    }
    for (index, vulnerability) in items(document, "vulnerabilities").iter().enumerate() {
        for (nth, affected) in items(vulnerability, "affects").iter().enumerate() {
            let place = format_args!("/vulnerabilities/{index}/affects/{nth}/ref");
            dangling.check(text(affected, "ref"), place);
        }
    }
    check_dependencies(document, problems)
}

/// Collects the `bom-ref` of every element, of whatever kind it is.
struct Names<'a, 'p> {
    found: HashSet<&'a str>,
    pointer: String,
    problems: &'p mut Problems,
}

impl<'a> Names<'a, '_> {
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
                        Value::String(name) if key == "bom-ref" => self.add(name),
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

    fn add(&mut self, name: &'a str) {
        if !self.found.insert(name) {
            let message = format_args!("{} names another element already", Quoted(name));
            let place = format_args!("{}/bom-ref", self.pointer);
            self.problems.add("duplicate-bom-ref", place, message);
        }
    }
}

/// One step of a JSON Pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

struct Dangling<'a, 'p> {
    names: &'p HashSet<&'a str>,
    problems: &'p mut Problems,
}

impl Dangling<'_, '_> {
    fn check_all(&mut self, references: &[Value], place: fmt::Arguments<'_>) {
        for (nth, reference) in references.iter().enumerate() {
            self.check(reference.as_str(), format_args!("{place}/{nth}"));
        }
    }

    fn check(&mut self, reference: Option<&str>, place: fmt::Arguments<'_>) {
        let Some(name) = reference else { return };
        // A BOM-Link points into another document, which is not at hand.
        if !self.names.contains(name) && !name.starts_with("urn:cdx:") {
            let message = format_args!("no element has the bom-ref {}", Quoted(name));
            self.problems.add("dangling-reference", place, message);
        }
    }
}

/// Looks for cycles in `dependencies`; returns how many edges there are.
fn check_dependencies(document: &Value, problems: &mut Problems) -> usize {
    let entries = items(document, "dependencies");
    let mut nodes: HashMap<&str, usize> = HashMap::new();
    // Only what has an entry can depend on something, and so be on a cycle.
    let mut entry_of_node = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        nodes.entry(text(entry, "ref").unwrap_or_default()).or_insert_with(|| {
            entry_of_node.push(index);
            entry_of_node.len() - 1
        });
    }
    let mut edges = 0;
    let mut successors = vec![Vec::new(); entry_of_node.len()];
    for (index, entry) in entries.iter().enumerate() {
        let name = text(entry, "ref").unwrap_or_default();
        for (nth, target) in items(entry, "dependsOn").iter().enumerate() {
            edges += 1;
            let Some(target) = target.as_str() else { continue };
            if target == name {
                let place = format_args!("/dependencies/{index}/dependsOn/{nth}");
                let message = format_args!("{} depends on itself", Quoted(name));
                problems.add("self-dependency", place, message);
            } else if let (Some(&from), Some(&to)) = (nodes.get(name), nodes.get(target)) {
                successors[from].push(to);
            }
        }
    }
    if let Some(cycle) = cycle::find(&successors) {
        let first = cycle.first().map_or(0, |&node| entry_of_node[node]);
        let names = cycle.iter().take(MAX_MEMBERS).filter_map(|&node| {
            text(&entries[entry_of_node[node]], "ref").map(|name| Quoted(name).to_string())
        });
        let members = names.collect::<Vec<_>>().join(" → ");
        let more = if cycle.len() > MAX_MEMBERS { " → …" } else { "" };
        let count = cycle.len();
        let message = format_args!("{count} elements depend on one another: {members}{more}");
        problems.add("dependency-cycle", format_args!("/dependencies/{first}"), message);
    }
    edges
}
