//! The objects of a `pnpm-lock.yaml` as they are written; other keys may be anything.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::lockfile::borrowed::{Entries, Text, Texts};

/// Names with what was chosen for them: a version or a key, in version 5 alone and later beside the
/// range that was asked for.
pub(super) type Chosen<'a> = Entries<'a, Texts<'a>>;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawLock<'a> {
    #[serde(borrow)]
    pub(super) lockfile_version: Option<Text<'a>>,
    pub(super) importers: Option<Entries<'a, RawImporter<'a>>>,
    /// What the only project asks for, where there is but one.
    dependencies: Chosen<'a>,
    dev_dependencies: Chosen<'a>,
    optional_dependencies: Chosen<'a>,
    pub(super) packages: Entries<'a, RawPackage<'a>>,
    /// What packages need, by package and chosen peers; apart since version 7.
    pub(super) snapshots: Option<Entries<'a, RawPackage<'a>>>,
    /// Packages with digest and file of a patch.
    pub(super) patched_dependencies: Entries<'a, IgnoredAny>,
}

impl<'a> RawLock<'a> {
    /// The projects by folder; the only one is in the lockfile's.
    pub(super) fn projects(&mut self) -> Entries<'a, RawImporter<'a>> {
        let only = RawImporter {
            dependencies: std::mem::take(&mut self.dependencies),
            dev_dependencies: std::mem::take(&mut self.dev_dependencies),
            optional_dependencies: std::mem::take(&mut self.optional_dependencies),
            ..RawImporter::default()
        };
        let only = || Entries(vec![(Text(".".into()), only)]);
        self.importers.take().unwrap_or_else(only)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawImporter<'a> {
    #[serde(borrow)]
    pub(super) dependencies: Chosen<'a>,
    pub(super) dev_dependencies: Chosen<'a>,
    pub(super) optional_dependencies: Chosen<'a>,
    pub(super) config_dependencies: Chosen<'a>,
    pub(super) package_manager_dependencies: Chosen<'a>,
    /// The folder of the project that others link to instead.
    pub(super) publish_directory: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawPackage<'a> {
    #[serde(borrow)]
    pub(super) resolution: RawResolution<'a>,
    /// Given where the key does not tell.
    pub(super) name: Option<Text<'a>>,
    pub(super) version: Option<Text<'a>>,
    pub(super) os: Texts<'a>,
    pub(super) cpu: Texts<'a>,
    pub(super) libc: Texts<'a>,
    pub(super) dependencies: Chosen<'a>,
    pub(super) optional_dependencies: Chosen<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawResolution<'a> {
    #[serde(borrow)]
    pub(super) integrity: Option<Text<'a>>,
    pub(super) tarball: Option<Text<'a>>,
    pub(super) directory: Option<Text<'a>>,
    pub(super) repo: Option<Text<'a>>,
    pub(super) commit: Option<Text<'a>>,
}
