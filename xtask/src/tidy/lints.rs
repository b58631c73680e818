//! Every crate takes the lints of the workspace: a crate without them could hold unsafe code.

use std::path::Path;

use super::{Metadata, SourceFile};

pub(super) fn violations(metadata: &Metadata, files: &[SourceFile]) -> Vec<String> {
    let root = Path::new(&metadata.workspace_root);
    let text_of = |manifest: &str| {
        let path = Path::new(manifest).strip_prefix(root).ok()?;
        files.iter().find(|it| Path::new(&it.path) == path).map(|it| it.text.as_str())
    };
    metadata
        .packages
        .iter()
        .filter(|it| !text_of(&it.manifest_path).is_some_and(inherits_lints))
        .map(|it| format!("{}: its Cargo.toml needs `[lints] workspace = true`", it.name))
        .collect()
}

fn inherits_lints(manifest: &str) -> bool {
    let manifest: Option<toml::Table> = manifest.parse().ok();
    let inherits = |it: toml::Table| it.get("lints")?.get("workspace")?.as_bool();
    manifest.and_then(inherits) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lints_of_the_workspace_are_inherited() {
        assert!(inherits_lints("[package]\nname = \"a\"\n[lints]\nworkspace = true\n"));
        assert!(inherits_lints("lints.workspace = true"));
    }

    #[test]
    fn crate_with_lints_of_its_own_is_refused() {
        for manifest in
            ["", "[lints.rust]\nunsafe_code = \"allow\"", "[lints]\nworkspace = false", "# lints"]
        {
            assert!(!inherits_lints(manifest), "{manifest}");
        }
    }

    #[test]
    fn violation_names_the_crate() {
        let metadata = serde_json::json!({
            "workspace_root": "/repo",
            "packages": [{ "name": "loose", "manifest_path": "/repo/loose/Cargo.toml", "dependencies": [] }],
        });
        let metadata = serde_json::from_value(metadata).unwrap();
        let files = [SourceFile { path: "loose/Cargo.toml".into(), text: String::new() }];
        assert_eq!(
            violations(&metadata, &files),
            ["loose: its Cargo.toml needs `[lints] workspace = true`"]
        );
    }
}
