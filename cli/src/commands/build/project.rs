//! The name of a project, as its manifest has it.

use std::path::Path;

use events::Scope;

use crate::failure::Failure;

/// Largest manifest that is read for a name.
const MANIFEST_BYTES_MAX: u64 = 1024 * 1024;

/// Name of the project in `source`: from its manifest, else its folder.
pub(crate) fn name(source: Option<&Path>) -> Result<Scope, Failure> {
    let Some(source) = source else {
        return Err(Failure::input("name the project with --project, or give its --source"));
    };
    let from_manifest = [("pyproject.toml", "project"), ("Cargo.toml", "package")]
        .into_iter()
        .find_map(|(file, table)| manifest_name(&source.join(file), table));
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

fn manifest_name(file: &Path, table: &str) -> Option<String> {
    if std::fs::metadata(file).ok()?.len() > MANIFEST_BYTES_MAX {
        return None;
    }
    let manifest: toml::Table = std::fs::read_to_string(file).ok()?.parse().ok()?;
    Some(manifest.get(table)?.get("name")?.as_str()?.to_owned())
}
