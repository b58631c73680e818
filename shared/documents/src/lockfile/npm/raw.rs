//! The objects of a `package-lock.json` as they are written; other keys may be anything.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::lockfile::borrowed::{Entries, Text, Texts};

/// Names with ranges, which do not matter: what was chosen is in the file.
pub(super) type Names<'a> = Entries<'a, IgnoredAny>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawLock<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    pub(super) version: Option<Text<'a>>,
    pub(super) lockfile_version: Option<i64>,
    /// By folder, since version 2; in boxes, for the list is copied as it grows.
    pub(super) packages: Option<Entries<'a, Box<RawFolder<'a>>>>,
    /// By name, until version 2.
    pub(super) dependencies: Option<Entries<'a, RawNested<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawFolder<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    pub(super) version: Option<Text<'a>>,
    /// Old versions of npm write `false` for nothing.
    pub(super) resolved: Texts<'a>,
    pub(super) integrity: Option<Text<'a>>,
    pub(super) license: Texts<'a>,
    pub(super) os: Texts<'a>,
    pub(super) cpu: Texts<'a>,
    pub(super) libc: Texts<'a>,
    /// Whether it leads to the folder that `resolved` names.
    pub(super) link: bool,
    pub(super) dev: bool,
    pub(super) optional: bool,
    pub(super) dev_optional: bool,
    pub(super) workspaces: Option<Texts<'a>>,
    pub(super) dependencies: Names<'a>,
    pub(super) dev_dependencies: Names<'a>,
    pub(super) optional_dependencies: Names<'a>,
    pub(super) peer_dependencies: Names<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawNested<'a> {
    /// A version, or what the project asked for: an alias, a URL, a folder.
    #[serde(borrow)]
    pub(super) version: Option<Text<'a>>,
    pub(super) resolved: Texts<'a>,
    pub(super) integrity: Option<Text<'a>>,
    pub(super) dev: bool,
    pub(super) optional: bool,
    /// Names that it asks for; some versions of npm write `true` for nothing.
    pub(super) requires: Names<'a>,
    /// What lies in the package's own folder.
    pub(super) dependencies: Entries<'a, RawNested<'a>>,
}
