//! What refers to what, and what needs what (section 11).

use serde_json::Value;

use super::says_nothing;
use crate::bom::{Dependencies, Names, Problems};
use crate::schema::json::{items, text};

/// Checks names and references; returns how many dependencies there are.
pub(super) fn check(document: &Value, problems: &mut Problems) -> usize {
    let names = names(document, problems);
    let mut check = |name: Option<&str>, place: std::fmt::Arguments<'_>| {
        if let Some(name) = name.filter(|it| !is_elsewhere(it)) {
            names.check(name, place, problems);
        }
    };
    for (nth, described) in items(document, "documentDescribes").iter().enumerate() {
        check(described.as_str(), format_args!("/documentDescribes/{nth}"));
    }
    for (index, package) in items(document, "packages").iter().enumerate() {
        for (nth, file) in items(package, "hasFiles").iter().enumerate() {
            check(file.as_str(), format_args!("/packages/{index}/hasFiles/{nth}"));
        }
    }
    for (index, snippet) in items(document, "snippets").iter().enumerate() {
        let place = format_args!("/snippets/{index}/snippetFromFile");
        check(text(snippet, "snippetFromFile"), place);
    }
    for (index, relationship) in items(document, "relationships").iter().enumerate() {
        for key in ["spdxElementId", "relatedSpdxElement"] {
            check(text(relationship, key), format_args!("/relationships/{index}/{key}"));
        }
    }
    check_dependencies(document, problems)
}

/// The names of everything that has one.
fn names<'a>(document: &'a Value, problems: &mut Problems) -> Names<'a> {
    let mut names = Names::called("SPDXID");
    if let Some(id) = text(document, "SPDXID") {
        names.add(id, "/SPDXID", problems);
    }
    for list in ["packages", "files", "snippets"] {
        for (index, element) in items(document, list).iter().enumerate() {
            if let Some(id) = text(element, "SPDXID") {
                names.add(id, format_args!("/{list}/{index}/SPDXID"), problems);
            }
        }
    }
    names
}

/// Whether nothing here could have that name: nothing is meant, or something in another document.
fn is_elsewhere(name: &str) -> bool {
    says_nothing(name) || name.starts_with("DocumentRef-")
}

fn check_dependencies(document: &Value, problems: &mut Problems) -> usize {
    let relationships = || {
        let entries = items(document, "relationships").iter().enumerate();
        entries.filter_map(|(index, it)| Some((index, dependency(it)?)))
    };
    let mut dependencies = Dependencies::default();
    for (index, (dependent, _)) in relationships() {
        dependencies.add_dependent(dependent, index);
    }
    for (index, (dependent, target)) in relationships() {
        let place = format_args!("/relationships/{index}");
        dependencies.add_edge(dependent, target, place, problems);
    }
    dependencies.check("relationships", problems)
}

/// What needs something, and what is needed, by their names.
pub(super) fn edges(document: &Value) -> impl Iterator<Item = (&str, &str)> {
    items(document, "relationships").iter().filter_map(dependency)
}

/// Who needs whom, if that is what the relationship says.
fn dependency(relationship: &Value) -> Option<(&str, &str)> {
    let from = text(relationship, "spdxElementId").filter(|it| !says_nothing(it))?;
    let to = text(relationship, "relatedSpdxElement").filter(|it| !says_nothing(it))?;
    match text(relationship, "relationshipType")? {
        "DEPENDS_ON" | "HAS_PREREQUISITE" | "DYNAMIC_LINK" | "STATIC_LINK" => Some((from, to)),
        "PREREQUISITE_FOR" => Some((to, from)),
        kind if kind.ends_with("DEPENDENCY_OF") => Some((to, from)),
        _ => None,
    }
}
