//! `Cargo.toml` of a `.crate`, which Cargo writes with everything inherited filled in.

use serde::Deserialize;

use super::error::Fault;
use super::words;
use crate::inventory::{Package, Source};
use crate::lockfile::{text, toml_file};

#[derive(Deserialize)]
struct RawManifest {
    package: Option<RawPackage>,
}

#[derive(Deserialize)]
struct RawPackage {
    name: String,
    version: String,
    license: Option<String>,
    #[serde(default)]
    authors: Vec<String>,
}

pub(super) fn read(file: &str) -> Result<Package, Fault> {
    let raw: RawManifest = toml_file::read(file).map_err(|fault| Fault::placed(fault, file))?;
    let raw = raw.package.ok_or_else(|| Fault::missing("the file", "package"))?;
    text::word("name", &raw.name)?;
    text::word("version", &raw.version)?;
    let purl = words::purl("cargo", None, &raw.name, Some(&raw.version), &[])?;
    let package = Package::new(raw.name, Some(&raw.version), purl, Source::Local { path: None })?;
    Ok(Package {
        licence: raw.license.as_deref().and_then(words::remark),
        supplier: words::remark(&raw.authors.join(", ")),
        ..package
    })
}
