//! The tables of project files: `[project]` and `[dependency-groups]` (PEP 621, 639, 735), and those of
//! Poetry, PDM and Pipenv. What is not as it should be in them is passed over.

use toml::{Table, Value};

use super::super::pep508::{Requirement, egg};
use super::super::{Scope, text};
use super::{Ask, Project, group, name};

/// The project of a `pyproject.toml`.
pub(super) fn project(document: &Table) -> Project {
    let project = table(Some(document), &["project"]);
    let poetry = table(Some(document), &["tool", "poetry"]);
    let field = |key: &str| {
        let field = project.and_then(|it| it.get(key));
        field.or_else(|| poetry?.get(key))
    };
    let named = field("name").and_then(Value::as_str);
    let mut asks = Vec::new();
    take_project(project, &mut asks);
    take_groups(table(Some(document), &["dependency-groups"]), &mut asks);
    take_groups(table(Some(document), &["tool", "pdm", "dev-dependencies"]), &mut asks);
    take_poetry(poetry, &mut asks);
    let own = named.and_then(name);
    // `all = ["app[fast,small]"]` asks for nothing but extras of the project.
    asks.retain(|ask| Some(&ask.name) != own.as_ref());
    Project {
        name: own,
        version: field("version").and_then(Value::as_str).and_then(version),
        licence: field("license").and_then(licence),
        supplier: field("authors").and_then(Value::as_array).and_then(|it| supplier(it)),
        asks,
    }
}

/// What a `Pipfile` asks for: a table for each category.
pub(super) fn pipfile(document: &Table) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (category, packages) in document {
        let (scope, group) = match category.as_str() {
            "source" | "requires" | "scripts" | "pipenv" => continue,
            "packages" => (Scope::Required, None),
            "dev-packages" => (Scope::Dev, Some("dev")),
            other => (Scope::Optional, Some(other)),
        };
        for package in packages.as_table().into_iter().flat_map(Table::keys) {
            ask(package, scope, group, &mut asks);
        }
    }
    asks
}

fn take_project(project: Option<&Table>, asks: &mut Vec<Ask>) {
    for text in texts(project.and_then(|it| it.get("dependencies"))) {
        ask_requirement(text, Scope::Required, None, asks);
    }
    let extras = table(project, &["optional-dependencies"]);
    for (extra, requirements) in extras.into_iter().flatten() {
        for text in texts(Some(requirements)) {
            ask_requirement(text, Scope::Optional, Some(extra), asks);
        }
    }
}

/// Groups of requirements for development; groups that are included tell of themselves.
fn take_groups(groups: Option<&Table>, asks: &mut Vec<Ask>) {
    for (group, requirements) in groups.into_iter().flatten() {
        for text in texts(Some(requirements)) {
            ask_requirement(text, Scope::Dev, Some(group), asks);
        }
    }
}

fn take_poetry(poetry: Option<&Table>, asks: &mut Vec<Ask>) {
    for (name, value) in table(poetry, &["dependencies"]).into_iter().flatten() {
        let is_optional = value.get("optional").and_then(Value::as_bool) == Some(true);
        // An optional one is in the extras that name it.
        let scope = if is_optional { Scope::Optional } else { Scope::Required };
        if name != "python" {
            ask(name, scope, None, asks);
        }
    }
    for (extra, names) in table(poetry, &["extras"]).into_iter().flatten() {
        for name in texts(Some(names)) {
            ask_requirement(name, Scope::Optional, Some(extra), asks);
        }
    }
    let dev = table(poetry, &["dev-dependencies"]).map(|it| ("dev", it));
    let groups = table(poetry, &["group"]).into_iter().flatten();
    let groups = groups
        .filter_map(|(group, it)| Some((group.as_str(), it.get("dependencies")?.as_table()?)));
    for (group, dependencies) in dev.into_iter().chain(groups) {
        for name in dependencies.keys() {
            ask(name, Scope::Dev, Some(group), asks);
        }
    }
}

fn ask_requirement(text: &str, scope: Scope, in_group: Option<&str>, asks: &mut Vec<Ask>) {
    let named = Requirement::parse(text).map(|it| it.name).or_else(|| egg(text));
    if let Some(named) = named {
        ask(named, scope, in_group, asks);
    }
}

fn ask(named: &str, scope: Scope, in_group: Option<&str>, asks: &mut Vec<Ask>) {
    if let Some(name) = name(named) {
        asks.push(Ask { name, scope, group: in_group.and_then(group) });
    }
}

/// A licence expression (PEP 639), or the text of the older table where it is a line; that of a file
/// is not at hand.
fn licence(value: &Value) -> Option<String> {
    let text = value.as_str().or_else(|| value.get("text")?.as_str());
    text.and_then(text::said)
}

/// Authors by name, or by address where they have no name.
fn supplier(authors: &[Value]) -> Option<String> {
    let field = |author: &Value, key: &str| Some(author.get(key)?.as_str()?.to_owned());
    let told = |author: &Value| {
        let plain = author.as_str().map(str::to_owned);
        plain.or_else(|| field(author, "name")).or_else(|| field(author, "email"))
    };
    text::said(&authors.iter().filter_map(told).collect::<Vec<_>>().join(", "))
}

/// A version, unless a tool is to fill it in.
fn version(value: &str) -> Option<String> {
    text::word("version", value).is_ok().then(|| value.to_owned())
}

fn table<'a>(from: Option<&'a Table>, keys: &[&str]) -> Option<&'a Table> {
    keys.iter().try_fold(from?, |table, key| table.get(*key)?.as_table())
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
