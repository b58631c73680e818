//! `Cargo.toml`, as far as it says what its package is and asks for; what is not as it should be in it
//! is passed over.

use toml::{Table, Value};

use super::super::text;

/// The manifest of one package.
#[derive(Default)]
pub(super) struct Manifest {
    pub(super) name: String,
    /// Absent where it comes from a workspace that is not at hand.
    pub(super) version: Option<String>,
    pub(super) licence: Option<String>,
    pub(super) supplier: Option<String>,
    pub(super) asks: Vec<Ask>,
    /// What each feature of the package turns on.
    pub(super) features: Vec<(String, Vec<String>)>,
}

/// A dependency as a manifest has it.
pub(super) struct Ask {
    /// The name that the manifest gives it.
    pub(super) key: String,
    /// The name of the package.
    pub(super) package: String,
    pub(super) kind: Kind,
    pub(super) optional: bool,
    /// The target it is for, such as `cfg(windows)`; otherwise all.
    pub(super) target: Option<String>,
    /// Features of the package that it turns on.
    pub(super) features: Vec<String>,
}

/// Which table of a manifest has a dependency.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Build,
    Dev,
}

impl Manifest {
    /// The package of `document`, which may leave things to the `[workspace]` of another; nothing
    /// where it has none.
    pub(super) fn of(document: &Table, workspace: Option<&Table>) -> Option<Self> {
        let package = document.get("package").or_else(|| document.get("project"))?.as_table()?;
        let name = package.get("name")?.as_str()?.to_owned();
        let inherited = workspace.and_then(|it| it.get("package")).and_then(Value::as_table);
        let field = |key: &str| match package.get(key)? {
            Value::Table(_) => inherited?.get(key),
            value => Some(value),
        };
        let said = |value: &str| text::said(value);
        let authors = field("authors").and_then(Value::as_array).map(Vec::as_slice);
        let authors: Vec<_> =
            authors.unwrap_or_default().iter().filter_map(Value::as_str).collect();
        let features = document.get("features").and_then(Value::as_table).into_iter().flatten();
        let features = features.map(|(feature, on)| (feature.clone(), texts(Some(on))));
        Some(Self {
            name,
            version: field("version").and_then(Value::as_str).map(str::to_owned),
            licence: field("license").and_then(Value::as_str).and_then(said),
            supplier: said(&authors.join(", ")),
            asks: asks_of(document, workspace),
            features: features.collect(),
        })
    }
}

fn asks_of(document: &Table, workspace: Option<&Table>) -> Vec<Ask> {
    let mut asks = Vec::new();
    take(document, None, workspace, &mut asks);
    let targets = document.get("target").and_then(Value::as_table).into_iter().flatten();
    for (target, tables) in targets {
        if let Some(tables) = tables.as_table() {
            take(tables, text::said(target), workspace, &mut asks);
        }
    }
    asks
}

fn take(from: &Table, target: Option<String>, workspace: Option<&Table>, asks: &mut Vec<Ask>) {
    for (table, kind) in [
        ("dependencies", Kind::Normal),
        ("build-dependencies", Kind::Build),
        ("build_dependencies", Kind::Build),
        ("dev-dependencies", Kind::Dev),
        ("dev_dependencies", Kind::Dev),
    ] {
        for (key, value) in from.get(table).and_then(Value::as_table).into_iter().flatten() {
            let is_inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
            let inherited = workspace.filter(|_| is_inherited);
            let inherited = inherited.and_then(|it| it.get("dependencies")?.get(key));
            let package = inherited.unwrap_or(value).get("package").and_then(Value::as_str);
            let mut features = texts(value.get("features"));
            features.extend(texts(inherited.and_then(|it| it.get("features"))));
            asks.push(Ask {
                key: key.clone(),
                package: package.unwrap_or(key).to_owned(),
                kind,
                optional: value.get("optional").and_then(Value::as_bool) == Some(true),
                target: target.clone(),
                features,
            });
        }
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let values = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
