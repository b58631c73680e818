//! dpkg's database of installed packages (deb-control(5), dpkg(1)): `status`, and the files of
//! `status.d` in images that were put together without dpkg.

use super::error::Fault;
use super::fields::{Lines, Stanza};
use super::installed::Installed;
use super::{Context, words};
use crate::inventory::{Package, Source};
use crate::lockfile::Problem;
use crate::lockfile::catalog::Contents;
use crate::lockfile::text;

/// The states in which no file of a package is there. Others, such as `half-installed`, may have
/// left some, and to leave a package out is the unsafe guess.
const ABSENT: [&str; 2] = ["not-installed", "config-files"];

pub(super) fn read<T: AsRef<[u8]>>(
    parts: impl IntoIterator<Item = T>,
    context: &Context<'_>,
) -> Result<Contents, Fault> {
    let distro = context.system.map(super::OsRelease::distro);
    let vendor = context.system.map_or("debian", |system| &system.id);
    let mut installed = Installed::default();
    let mut parts = parts.into_iter().peekable();
    let mut is_only = true;
    while let Some(part) = parts.next() {
        is_only &= parts.peek().is_none();
        let text = words::decode(part.as_ref())?;
        let mut lines = Lines::of(&text);
        while let Some(stanza) = lines.stanza()? {
            let line = stanza.required("Package")?.line;
            if is_installed(&stanza)? {
                let line = is_only.then_some(line);
                add(&mut installed, &stanza, (vendor, distro.as_deref()), line)
                    .map_err(|fault| Fault { line: fault.line.or(line), ..fault })?;
            }
        }
    }
    Ok(installed.into_contents()?)
}

/// Whether the third word of `Status` (want, flag, state) says so; `status.d` has no such field.
fn is_installed(stanza: &Stanza<'_>) -> Result<bool, Fault> {
    let Some(status) = stanza.only("Status")? else { return Ok(true) };
    let state = status.value.split_ascii_whitespace().nth(2).unwrap_or_default();
    Ok(!ABSENT.contains(&state))
}

fn add(
    installed: &mut Installed,
    stanza: &Stanza<'_>,
    (vendor, distro): (&str, Option<&str>),
    line: Option<usize>,
) -> Result<(), Fault> {
    let name = &stanza.required("Package")?.value;
    text::word("Package", name)?;
    let version = &stanza.required("Version")?.value;
    text::word("Version", version)?;
    let architecture = stanza.only("Architecture")?.map(|field| field.value.as_ref());
    if let Some(architecture) = architecture {
        text::word("Architecture", architecture)?;
    }
    let upstream = upstream(stanza, name, version)?;
    let qualifiers =
        [("arch", architecture), ("distro", distro), ("upstream", upstream.as_deref())];
    let purl = words::purl("deb", Some(vendor), name, Some(version), &qualifiers)?;
    let package = Package {
        line,
        supplier: words::remark(stanza.first("Maintainer")),
        ..Package::new(
            name.to_string(),
            Some(version),
            purl,
            Source::Registry { url: vendor.to_owned() },
        )?
    };
    let provided = [name.as_ref()].into_iter().chain(names(stanza.first("Provides")));
    let needed = ["Pre-Depends", "Depends"].into_iter().flat_map(|it| names(stanza.first(it)));
    Ok(installed.add(package, architecture, provided, needed)?)
}

/// The source package, `NAME` or `NAME@VERSION`, where it is another than the package itself:
/// Debian's advisories name sources.
fn upstream(stanza: &Stanza<'_>, name: &str, version: &str) -> Result<Option<String>, Problem> {
    let source = stanza.first("Source");
    let (source, of) = source.split_once(' ').unwrap_or((source, ""));
    let of = of.trim().trim_start_matches('(').trim_end_matches(')');
    let of = Some(of).filter(|of| !of.is_empty() && *of != version);
    if source.is_empty() || (source == name && of.is_none()) {
        return Ok(None);
    }
    text::word("Source", source)?;
    Ok(Some(of.map_or_else(|| source.to_owned(), |of| format!("{source}@{of}"))))
}

/// The names of a relation: `a (>= 1) | b, c:any`, all alternatives alike.
fn names(relation: &str) -> impl Iterator<Item = &str> {
    let names = relation.split([',', '|']).map(|item| {
        let item = item.trim();
        let name = item.split(|c: char| c.is_whitespace() || c == '(').next().unwrap_or(item);
        name.strip_suffix(":any").unwrap_or(name)
    });
    names.filter(|name| !name.is_empty())
}
