//! Python distributions, as all of Python's lockfiles name them.

use std::borrow::Cow;

use super::error::Problem;
use super::source::without_credentials;
use super::{Distribution, Package, text};
use crate::inventory::Source;

/// Index of the Python Package Index.
pub(crate) const PYPI: &str = "https://pypi.org/simple";

/// A package by its name and version, both checked.
pub(crate) fn package(
    name: &str,
    version: Option<&str>,
    source: Source,
) -> Result<Package, Problem> {
    check_name(name)?;
    let name = normalized(name).into_owned();
    let purl = source.purl("pypi", &name, version, is_pypi)?;
    Package::new(name, version, purl, source)
}

/// A file of a package, by URL, path or name.
pub(super) fn distribution(
    location: Option<&str>,
    hash: Option<&str>,
) -> Result<Distribution, Problem> {
    if let Some(location) = location {
        text::location("url", location)?;
    }
    Ok(Distribution {
        location: location.map(without_credentials),
        hash: hash.map(|hash| text::hash("hash", hash)).transpose()?,
    })
}

/// Whether `path` is the folder of the lockfile itself.
pub(super) fn is_project_folder(path: &str) -> bool {
    matches!(path, "." | "./" | "")
}

/// A name by PEP 508: ASCII letters and digits, with `.`, `-` and `_` between them.
pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    text::word("name", name)?;
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let outer = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    if bytes.iter().all(|&byte| inner(byte)) && outer(bytes.first()) && outer(bytes.last()) {
        return Ok(());
    }
    Err(text::invalid("name", name, "a name by PEP 508"))
}

/// A name by PEP 503: lower case, and one `-` for each run of `.`, `-` and `_`.
pub(super) fn normalized(name: &str) -> Cow<'_, str> {
    let mut last = b' ';
    let is_normal = text::every(name, |byte| {
        let follows = std::mem::replace(&mut last, byte);
        matches!(byte, b'a'..=b'z' | b'0'..=b'9') || (byte == b'-' && follows != b'-')
    });
    if is_normal {
        return Cow::Borrowed(name);
    }
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '.' | '-' | '_' if normal.ends_with('-') => {}
            '.' | '-' | '_' => normal.push('-'),
            _ => normal.push(c.to_ascii_lowercase()),
        }
    }
    Cow::Owned(normal)
}

/// Whether `registry` is the Python Package Index, by its address or its former one.
pub(super) fn is_pypi(registry: &str) -> bool {
    let host = registry.split_once("://").map_or(registry, |(_, host)| host);
    matches!(host.trim_end_matches('/'), "pypi.org/simple" | "pypi.python.org/simple")
}
