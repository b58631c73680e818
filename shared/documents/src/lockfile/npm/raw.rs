//! The objects of a `package-lock.json` as they are written; other keys may be anything.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Names with ranges, which do not matter: what was chosen is in the file.
pub(super) type Names = BTreeMap<String, IgnoredAny>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawLock {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) lockfile_version: Option<i64>,
    /// By folder, since version 2.
    pub(super) packages: Option<BTreeMap<String, RawFolder>>,
    /// By name, until version 2.
    pub(super) dependencies: Option<BTreeMap<String, RawNested>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawFolder {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    resolved: Option<Value>,
    pub(super) integrity: Option<String>,
    /// Whether it leads to the folder that `resolved` names.
    pub(super) link: bool,
    pub(super) dev: bool,
    pub(super) optional: bool,
    pub(super) dev_optional: bool,
    pub(super) workspaces: Option<Value>,
    dependencies: Names,
    dev_dependencies: Names,
    optional_dependencies: Names,
    peer_dependencies: Names,
}

impl RawFolder {
    /// Old versions of npm write `false` for nothing.
    pub(super) fn resolved(&self) -> Option<&str> {
        self.resolved.as_ref().and_then(Value::as_str)
    }

    /// All that it asks for.
    pub(super) fn asked(&self) -> [&Names; 4] {
        [
            &self.dependencies,
            &self.dev_dependencies,
            &self.optional_dependencies,
            &self.peer_dependencies,
        ]
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawNested {
    /// A version, or what the project asked for: an alias, a URL, a folder.
    pub(super) version: Option<String>,
    resolved: Option<Value>,
    pub(super) integrity: Option<String>,
    pub(super) dev: bool,
    pub(super) optional: bool,
    requires: Option<Value>,
    /// What lies in the package's own folder.
    pub(super) dependencies: BTreeMap<String, RawNested>,
}

impl RawNested {
    /// Old versions of npm write `false` for nothing.
    pub(super) fn resolved(&self) -> Option<&str> {
        self.resolved.as_ref().and_then(Value::as_str)
    }

    /// Names that it asks for; some versions of npm write `true` for nothing.
    pub(super) fn requires(&self) -> impl Iterator<Item = &str> {
        let requires = self.requires.as_ref().and_then(Value::as_object);
        requires.into_iter().flat_map(|names| names.keys().map(String::as_str))
    }
}
