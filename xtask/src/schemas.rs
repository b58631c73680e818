//! `docs/schemas/`: the JSON Schema of every event, generated from the types that read and write them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, ensure};

const FOLDER: &str = "docs/schemas";
const EXTENSION: &str = ".schema.json";

/// Makes the folder what the types say.
pub(crate) fn write() -> anyhow::Result<()> {
    fs::create_dir_all(FOLDER).with_context(|| format!("cannot make {FOLDER}"))?;
    let generated = generated()?;
    for orphan in committed()?.keys().filter(|name| !generated.contains_key(*name)) {
        fs::remove_file(Path::new(FOLDER).join(orphan)).with_context(|| orphan.clone())?;
    }
    for (name, text) in generated {
        let path = Path::new(FOLDER).join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Fails if a committed schema is not the one that the types give.
pub(crate) fn check() -> anyhow::Result<()> {
    let stale = stale(&generated()?, &committed()?);
    ensure!(
        stale.is_empty(),
        "not as the types have it: {}; run `cargo xtask docs`, look at the difference, commit it",
        stale.join(", ")
    );
    Ok(())
}

/// By file name.
type Schemas = BTreeMap<String, String>;

fn generated() -> anyhow::Result<Schemas> {
    let pretty =
        |(name, schema)| Ok((str::to_owned(name), serde_json::to_string_pretty(&schema)? + "\n"));
    events::schemas().into_iter().map(pretty).collect()
}

fn committed() -> anyhow::Result<Schemas> {
    let mut committed = Schemas::new();
    for entry in fs::read_dir(FOLDER).with_context(|| format!("cannot read {FOLDER}"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(EXTENSION) {
            committed.insert(name, fs::read_to_string(entry.path())?);
        }
    }
    Ok(committed)
}

/// Files that differ, are missing, or belong to no type any more.
fn stale(generated: &Schemas, committed: &Schemas) -> Vec<String> {
    let names: BTreeSet<_> = generated.keys().chain(committed.keys()).collect();
    let differs = |name: &&String| generated.get(*name) != committed.get(*name);
    names.into_iter().filter(differs).map(|name| format!("{FOLDER}/{name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schemas(files: &[(&str, &str)]) -> Schemas {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn changed_missing_and_orphaned_schemas_are_stale() {
        let generated = schemas(&[("same", "1"), ("changed", "1"), ("missing", "1")]);
        let committed = schemas(&[("same", "1"), ("changed", "2"), ("orphan", "1")]);

        let expected = ["docs/schemas/changed", "docs/schemas/missing", "docs/schemas/orphan"];
        assert_eq!(stale(&generated, &committed), expected);
        assert_eq!(stale(&generated, &generated), [""; 0]);
    }

    #[test]
    fn every_schema_has_the_extension_that_is_looked_for() {
        let generated = generated().expect("schemas encode");

        assert!(generated.len() >= 3);
        assert!(generated.keys().all(|name| name.ends_with(EXTENSION)));
    }
}
