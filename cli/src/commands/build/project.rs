//! The name of a project, as its manifest has it.

use std::path::Path;

use events::Scope;

use crate::failure::Failure;

/// Largest manifest that is read for a name.
const MANIFEST_BYTES_MAX: u64 = 1024 * 1024;

/// Manifests that name a project, and the table that holds the name.
const MANIFESTS: [(&str, &[&str]); 4] = [
    ("pyproject.toml", &["project"]),
    ("pyproject.toml", &["tool", "poetry"]),
    ("Cargo.toml", &["package"]),
    ("package.json", &[]),
];

/// Name of the project in `source`: from its manifest, else its folder.
pub(crate) fn name(source: Option<&Path>) -> Result<Scope, Failure> {
    let Some(source) = source else {
        return Err(Failure::input("name the project with --project, or give its --source"));
    };
    let manifests = MANIFESTS.into_iter();
    let mut from_manifests =
        manifests.filter_map(|(file, table)| manifest_name(&source.join(file), table));
    // One that nobody could be called by is as good as none.
    let from_manifest = from_manifests.find(|name| name.parse::<Scope>().is_ok());
    let from_folder = || {
        let folder = source.canonicalize().ok()?;
        Some(folder.file_name()?.to_str()?.to_owned())
    };
    let name = from_manifest.or_else(from_folder);
    let name = name.ok_or_else(|| Failure::input("give the project's name with --project"))?;
    name.parse().map_err(|error| {
        Failure::Input(format!("the project's name {error}; give another one with --project"))
    })
}

fn manifest_name(file: &Path, table: &[&str]) -> Option<String> {
    if std::fs::metadata(file).ok()?.len() > MANIFEST_BYTES_MAX {
        return None;
    }
    let text = std::fs::read_to_string(file).ok()?;
    // Both are read as JSON's values, for a manifest in JSON may have `null`, which TOML has not.
    let manifest: serde_json::Value = match file.extension()?.to_str()? {
        "json" => serde_json::from_str(&text).ok()?,
        _ => toml::from_str(&text).ok()?,
    };
    let table = table.iter().try_fold(&manifest, |table, key| table.get(key))?;
    Some(table.get("name")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn project_is_named_by_the_first_manifest_that_can() {
        for (file, text, expected) in [
            ("pyproject.toml", "[project]\nname = 'a'\n", "a"),
            ("pyproject.toml", "date = 2026-11-28\n[tool.poetry]\nname = 'b'\n", "b"),
            ("Cargo.toml", "[package]\nname = 'c'\n", "c"),
            ("package.json", r#"{"name": "d", "private": null}"#, "d"),
            ("pyproject.toml", "[project]\nname = ''\n", "folder"),
            ("package.json", r#"{"name": 1}"#, "folder"),
        ] {
            let temporary = tempfile::tempdir().unwrap();
            let folder = temporary.path().join("folder");
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join(file), text).unwrap();
            assert_eq!(name(Some(&folder)).unwrap().as_str(), expected, "{text}");
        }
    }
}
