//! The tables of a `uv.lock` as they are written; keys that are not used here may be anything.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::inventory::Source;
use crate::lockfile::borrowed::Text;
use crate::lockfile::error::Problem;
use crate::lockfile::source::without_credentials;
use crate::lockfile::text;

#[derive(Deserialize)]
pub(super) struct RawLock {
    pub(super) version: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) manifest: RawManifest,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct RawManifest {
    pub(super) members: Vec<String>,
    pub(super) requirements: Vec<RawRequirement>,
    pub(super) dependency_groups: BTreeMap<String, Vec<RawRequirement>>,
}

#[derive(Deserialize)]
pub(super) struct RawRequirement {
    pub(super) name: String,
    #[serde(default)]
    pub(super) extras: Vec<String>,
    pub(super) marker: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RawPackage<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) version: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) source: Option<RawSource<'a>>,
    #[serde(default)]
    pub(super) dependencies: Vec<Spanned<RawDependency<'a>>>,
    #[serde(default)]
    pub(super) optional_dependencies: BTreeMap<String, Vec<Spanned<RawDependency<'a>>>>,
    #[serde(default)]
    pub(super) dev_dependencies: BTreeMap<String, Vec<Spanned<RawDependency<'a>>>>,
    #[serde(borrow)]
    pub(super) sdist: Option<RawFile<'a>>,
    #[serde(default)]
    pub(super) wheels: Vec<RawFile<'a>>,
    /// The environments of a package that was locked more than once.
    #[serde(default)]
    pub(super) resolution_markers: Vec<Text<'a>>,
}

/// Version and source stand only where the name alone would be ambiguous.
#[derive(Deserialize)]
pub(super) struct RawDependency<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) version: Option<Text<'a>>,
    /// In a box, for most have none and there are many.
    #[serde(borrow)]
    pub(super) source: Option<Box<RawSource<'a>>>,
    #[serde(default)]
    pub(super) extra: Vec<Text<'a>>,
    pub(super) marker: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct RawFile<'a> {
    #[serde(borrow)]
    pub(super) url: Option<Text<'a>>,
    pub(super) path: Option<Text<'a>>,
    pub(super) filename: Option<Text<'a>>,
    pub(super) hash: Option<Text<'a>>,
}

/// One of these is set.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSource<'a> {
    #[serde(borrow)]
    registry: Option<Text<'a>>,
    git: Option<Text<'a>>,
    url: Option<Text<'a>>,
    path: Option<Text<'a>>,
    directory: Option<Text<'a>>,
    editable: Option<Text<'a>>,
    r#virtual: Option<Text<'a>>,
}

impl<'a> RawSource<'a> {
    /// The source, and its text to tell it from others.
    pub(super) fn read(&self) -> Result<(String, Source), Problem> {
        let [registry, git, url, locals @ ..] = self.fields();
        let (key, source) = match (registry, git, url) {
            (Some(url), None, None) => {
                (["registry+", url].concat(), Source::Registry { url: without_credentials(url) })
            }
            (None, Some(reference), None) => (format!("git+{reference}"), Source::git(reference)),
            (None, None, Some(url)) => {
                (format!("url+{url}"), Source::Archive { url: without_credentials(url) })
            }
            (None, None, None) => {
                let path = locals.into_iter().flatten().next();
                (format!("local+{}", path.unwrap_or_default()), local(path))
            }
            _ => (String::new(), Source::Local { path: None }),
        };
        if self.fields().into_iter().flatten().count() != 1 {
            return Err(text::invalid("source", &key, "one of registry, git, url or a path"));
        }
        text::location("source", &key)?;
        Ok((key, source))
    }

    /// The folder that the package lies in, relative to the lockfile.
    pub(super) fn folder(&self) -> Option<&str> {
        let folders = [&self.editable, &self.r#virtual, &self.directory];
        folders.into_iter().flatten().next().map(|folder| &**folder)
    }

    /// As [`folder`](Self::folder).
    pub(super) fn into_folder(self) -> Option<Text<'a>> {
        self.editable.or(self.r#virtual).or(self.directory)
    }

    fn fields(&self) -> [Option<&str>; 7] {
        [
            &self.registry,
            &self.git,
            &self.url,
            &self.path,
            &self.directory,
            &self.editable,
            &self.r#virtual,
        ]
        .map(Option::as_deref)
    }
}

fn local(path: Option<&str>) -> Source {
    Source::Local { path: path.map(str::to_owned) }
}
