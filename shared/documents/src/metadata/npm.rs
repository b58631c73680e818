//! `package.json` of an installed npm package, which npm fills in when it publishes one.

use serde::Deserialize;
use serde_json::Value;

use super::error::Fault;
use super::words;
use crate::inventory::{Package, Source};
use crate::lockfile::{json_file, text};

const REGISTRY: &str = "https://registry.npmjs.org";

#[derive(Deserialize)]
struct RawManifest {
    name: Option<Value>,
    version: Option<Value>,
    private: Option<Value>,
    license: Option<Value>,
    /// Until 2014, a list of `{ type, url }`.
    licenses: Option<Value>,
    author: Option<Value>,
}

/// The package; none where the file has no name and version, or is private: such files mark the
/// syntax of a folder's scripts, or are a project's own.
pub(super) fn read(file: &str) -> Result<Option<Package>, Fault> {
    let raw: RawManifest = json_file::read(file).map_err(|fault| Fault::placed(fault, file))?;
    let (Some(Value::String(name)), Some(Value::String(version))) = (&raw.name, &raw.version)
    else {
        return Ok(None);
    };
    let is_private = matches!(raw.private, Some(Value::Bool(true)));
    if is_private || name.is_empty() || version.is_empty() {
        return Ok(None);
    }
    text::word("name", name)?;
    text::word("version", version)?;
    let source = Source::Registry { url: REGISTRY.to_owned() };
    let purl = source.purl("npm", name, Some(version), |url| url == REGISTRY)?;
    let package = Package::new(name.clone(), Some(version), purl, source)?;
    let licences = raw.licenses.as_ref().and_then(Value::as_array);
    let licence = raw.license.as_ref().or(match licences.map(Vec::as_slice) {
        Some([only]) => Some(only),
        _ => None,
    });
    Ok(Some(Package {
        licence: licence.and_then(|it| remark(it, "type")),
        supplier: raw.author.as_ref().and_then(|it| remark(it, "name")),
        ..package
    }))
}

/// A text, or that of an object's `key`.
fn remark(value: &Value, key: &str) -> Option<String> {
    words::remark(value.as_str().or_else(|| value.get(key)?.as_str())?)
}
