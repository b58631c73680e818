//! apk's database of installed packages, `lib/apk/db/installed` (apk-package(5)).
//!
//! Its checksums (`C:`) are of a part of each package's archive, so they are no digests of any file.

use super::error::Fault;
use super::installed::Installed;
use super::{Context, OsRelease, words};
use crate::inventory::{Package, Source};
use crate::lockfile::catalog::Contents;
use crate::lockfile::text;

/// The lines that matter, by their letter; those of files come after them and repeat.
const LETTERS: &str = "PVALmopD";

/// One package's lines.
#[derive(Default)]
struct Record<'a> {
    line: usize,
    values: [Option<&'a str>; LETTERS.len()],
}

/// Vendor in package URLs, and the `distro` qualifier.
type Vendor<'a> = (&'a str, Option<&'a str>);

pub(super) fn read(text: &str, context: &Context<'_>) -> Result<Contents, Fault> {
    let distro = context.system.map(OsRelease::distro);
    let vendor = (context.system.map_or("alpine", |system| &system.id), distro.as_deref());
    let mut installed = Installed::default();
    let mut record = Record::default();
    // The last record may end with the file.
    for (at, line) in text.lines().chain([""]).enumerate() {
        if !line.trim().is_empty() {
            record.take(at + 1, line)?;
        } else if record.line > 0 {
            let record = std::mem::take(&mut record);
            record.add_to(&mut installed, vendor).map_err(|fault| fault.on(record.line))?;
        }
    }
    Ok(installed.into_contents()?)
}

impl<'a> Record<'a> {
    fn take(&mut self, line: usize, text: &'a str) -> Result<(), Fault> {
        let (letter, value) = text
            .split_once(':')
            .ok_or_else(|| Fault::syntax(line, "a line that is no letter with a value"))?;
        if self.line == 0 {
            self.line = line;
        }
        let place = if letter.len() == 1 { LETTERS.find(letter) } else { None };
        match place.map(|place| self.values[place].replace(value)) {
            Some(Some(_)) => Err(Fault::syntax(line, format!("`{letter}` is there twice"))),
            _ => Ok(()),
        }
    }

    fn value(&self, letter: char) -> Option<&'a str> {
        self.values[LETTERS.find(letter)?]
    }

    fn add_to(&self, installed: &mut Installed, (vendor, distro): Vendor<'_>) -> Result<(), Fault> {
        let required =
            |letter, field| self.value(letter).ok_or_else(|| Fault::missing("the package", field));
        let (name, version) = (required('P', "P")?, required('V', "V")?);
        let architecture = self.value('A');
        let origin = self.value('o').filter(|origin| *origin != name);
        for (field, word) in
            [("P", Some(name)), ("V", Some(version)), ("A", architecture), ("o", origin)]
        {
            word.map(|word| text::word(field, word)).transpose()?;
        }
        // Alpine's advisories name origins.
        let qualifiers = [("arch", architecture), ("distro", distro), ("upstream", origin)];
        let purl = words::purl("apk", Some(vendor), name, Some(version), &qualifiers)?;
        let source = Source::Registry { url: vendor.to_owned() };
        let package = Package {
            line: Some(self.line),
            licence: self.value('L').and_then(words::remark),
            supplier: self.value('m').and_then(words::remark),
            ..Package::new(name.to_owned(), Some(version), purl, source)?
        };
        let provided = [name].into_iter().chain(names(self.value('p')));
        Ok(installed.add(package, None, provided, names(self.value('D')))?)
    }
}

/// The names of a list such as `so:libc.so=1 busybox>1.2 /bin/sh`; what starts with `!` is not wanted.
fn names(list: Option<&str>) -> impl Iterator<Item = &str> {
    let items = list.unwrap_or_default().split_ascii_whitespace();
    let names = items.filter(|item| !item.starts_with('!'));
    names.map(|item| item.split(['=', '<', '>', '~', '@']).next().unwrap_or(item))
}
