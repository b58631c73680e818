//! `METADATA` and `PKG-INFO` of Python distributions (core metadata specifications, 1.0 to 2.4).

use super::error::Fault;
use super::fields::{Lines, Stanza};
use super::words;
use crate::inventory::{Package, Source};
use crate::lockfile::python;

pub(super) fn read(text: &str) -> Result<Package, Fault> {
    let headers = Lines::of(text).headers()?;
    let (name, version) = (headers.required("Name")?, headers.required("Version")?);
    let registry = Source::Registry { url: python::PYPI.to_owned() };
    let package = python::package(&name.value, Some(&version.value), registry)
        .map_err(|problem| Fault::from(problem).on(name.line))?;
    Ok(Package {
        line: Some(name.line),
        licence: licence(&headers),
        supplier: supplier(&headers),
        ..package
    })
}

/// `License-Expression`, else `License` unless it is the whole text of one, else the only
/// classifier of a licence by its last part.
fn licence(headers: &Stanza<'_>) -> Option<String> {
    let stated = ["License-Expression", "License"];
    let stated = stated.into_iter().find_map(|name| words::remark(headers.first(name)));
    stated.or_else(|| {
        let classifiers = headers.all("Classifier").filter_map(|field| {
            let licence = field.value.strip_prefix("License :: ")?;
            let licence = licence.rsplit(" :: ").next()?;
            (licence != "OSI Approved").then_some(licence)
        });
        let mut licences: Vec<_> = classifiers.collect();
        licences.sort_unstable();
        licences.dedup();
        match licences[..] {
            [only] => words::remark(only),
            _ => None,
        }
    })
}

fn supplier(headers: &Stanza<'_>) -> Option<String> {
    let names = ["Author", "Author-email", "Maintainer", "Maintainer-email"];
    names.into_iter().find_map(|name| words::remark(headers.first(name)))
}
