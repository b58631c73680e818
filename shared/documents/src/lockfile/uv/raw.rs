//! The tables of a `uv.lock` as they are written; keys that are not used here may be anything.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::inventory::Source;
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
pub(super) struct RawPackage {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) source: Option<RawSource>,
    #[serde(default)]
    pub(super) dependencies: Vec<Spanned<RawDependency>>,
    #[serde(default)]
    pub(super) optional_dependencies: BTreeMap<String, Vec<Spanned<RawDependency>>>,
    #[serde(default)]
    pub(super) dev_dependencies: BTreeMap<String, Vec<Spanned<RawDependency>>>,
    pub(super) sdist: Option<RawFile>,
    #[serde(default)]
    pub(super) wheels: Vec<RawFile>,
    /// The environments of a package that was locked more than once.
    #[serde(default)]
    pub(super) resolution_markers: Vec<String>,
}

/// Version and source stand only where the name alone would be ambiguous.
#[derive(Deserialize)]
pub(super) struct RawDependency {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) source: Option<RawSource>,
    #[serde(default)]
    pub(super) extra: Vec<String>,
    pub(super) marker: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RawFile {
    pub(super) url: Option<String>,
    pub(super) path: Option<String>,
    pub(super) filename: Option<String>,
    pub(super) hash: Option<String>,
}

/// One of these is set.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSource {
    registry: Option<String>,
    git: Option<String>,
    url: Option<String>,
    path: Option<String>,
    directory: Option<String>,
    editable: Option<String>,
    r#virtual: Option<String>,
}

impl RawSource {
    /// The source, and its text to tell it from others.
    pub(super) fn read(&self) -> Result<(String, Source), Problem> {
        let [registry, git, url, locals @ ..] = self.fields();
        let (key, source) = match (registry, git, url) {
            (Some(url), None, None) => {
                (format!("registry+{url}"), Source::Registry { url: without_credentials(url) })
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
        folders.into_iter().flatten().next().map(String::as_str)
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
