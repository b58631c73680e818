//! Packages and files as components (sections 7 and 8).

use std::fmt;

use serde_json::Value;

use super::described::Described;
use super::says_nothing;
use crate::bom::{Component, Problems};
use crate::schema::json::{items, text};

/// Types of references that tell a package from others (annex F), the purl among them.
const IDENTIFIERS: [&str; 6] = ["purl", "cpe22Type", "cpe23Type", "swid", "gitoid", "swh"];

pub(super) struct Components {
    pub(super) subject: Option<Component>,
    pub(super) others: Vec<Component>,
}

/// Reads every package, and the files that are described.
pub(super) fn read(document: &Value, described: &Described, problems: &mut Problems) -> Components {
    let is_subject = |list, index| described.list == list && described.indexes[..] == [index];
    let mut reader = Reader { problems };
    let mut found = Components { subject: None, others: Vec::new() };
    for (index, package) in items(document, "packages").iter().enumerate() {
        let component = reader.package(package, index);
        match is_subject("packages", index) {
            true => found.subject = Some(component),
            false => found.others.push(component),
        }
    }
    let files = items(document, "files");
    for &index in described.indexes.iter().filter(|_| described.list == "files") {
        let component = reader.file(&files[index], index);
        match is_subject("files", index) {
            true => found.subject = Some(component),
            false => found.others.push(component),
        }
    }
    found
}

struct Reader<'a> {
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn package(&mut self, value: &Value, index: usize) -> Component {
        let place = format_args!("/packages/{index}");
        let component = Component {
            bom_ref: self.id(value, place),
            name: self.text(value, "name", place).unwrap_or_default().to_owned(),
            group: None,
            version: self.stated(value, "versionInfo", place),
            purl: self.purl(value, place),
            cpe: self.cpe(value, place),
            kind: kind(text(value, "primaryPackagePurpose")).to_owned(),
            scope: None,
            locations: Vec::new(),
        };
        let is_identified = !items(value, "checksums").is_empty()
            || value.get("packageVerificationCode").is_some()
            || references(value).any(|(_, it)| is_identifier(it));
        self.problems.check_identity(&component, is_identified, "versionInfo", place);
        component
    }

    fn file(&mut self, value: &Value, index: usize) -> Component {
        let place = format_args!("/files/{index}");
        let component = Component {
            bom_ref: self.id(value, place),
            name: self.text(value, "fileName", place).unwrap_or_default().to_owned(),
            group: None,
            version: None,
            purl: None,
            cpe: None,
            kind: "file".to_owned(),
            scope: None,
            locations: Vec::new(),
        };
        let is_identified = !items(value, "checksums").is_empty();
        self.problems.check_identity(&component, is_identified, "versionInfo", place);
        component
    }

    fn id(&mut self, value: &Value, place: fmt::Arguments<'_>) -> Option<String> {
        let id = self.text(value, "SPDXID", place).filter(|it| !it.is_empty())?;
        self.problems.bounded(id, format_args!("{place}/SPDXID")).map(str::to_owned)
    }

    /// The first purl; all are checked.
    fn purl(&mut self, value: &Value, place: fmt::Arguments<'_>) -> Option<String> {
        let mut first = None;
        for (index, reference) in references(value).filter(|(_, it)| kind_of(it) == "purl") {
            let Some(purl) = text(reference, "referenceLocator") else { continue };
            let place = format_args!("{place}/externalRefs/{index}/referenceLocator");
            self.problems.check_visible(purl, place);
            let Some(purl) = self.problems.bounded(purl, place) else { continue };
            self.problems.check_purl(purl, place);
            if first.is_some_and(|it| it != purl) {
                let message =
                    format_args!("the package has another purl, which is the one that counts");
                self.problems.add("several-purls", place, message);
            }
            first = first.or(Some(purl));
        }
        first.map(str::to_owned)
    }

    /// The first CPE of the newer binding, else of the older (annex F.2).
    fn cpe(&mut self, value: &Value, place: fmt::Arguments<'_>) -> Option<String> {
        let first = |kind| references(value).find(|(_, it)| kind_of(it) == kind);
        let (index, reference) = first("cpe23Type").or_else(|| first("cpe22Type"))?;
        let cpe = text(reference, "referenceLocator").filter(|it| !says_nothing(it))?;
        let place = format_args!("{place}/externalRefs/{index}/referenceLocator");
        self.problems.bounded(cpe, place).map(str::to_owned)
    }

    /// The text under `key`, unless it says that nothing is known.
    fn stated(&mut self, value: &Value, key: &str, place: fmt::Arguments<'_>) -> Option<String> {
        self.text(value, key, place).filter(|it| !says_nothing(it)).map(str::to_owned)
    }

    fn text<'v>(
        &mut self,
        value: &'v Value,
        key: &str,
        place: fmt::Arguments<'_>,
    ) -> Option<&'v str> {
        let text = text(value, key)?;
        self.problems.check_visible(text, format_args!("{place}/{key}"));
        Some(text)
    }
}

fn references(package: &Value) -> impl Iterator<Item = (usize, &Value)> {
    items(package, "externalRefs").iter().enumerate()
}

/// The type of a reference, which may be written as a URI (annex F).
fn kind_of(reference: &Value) -> &str {
    let kind = text(reference, "referenceType").unwrap_or_default();
    let of_spdx = ["http://spdx.org/rdf/references/", "https://spdx.org/rdf/references/"];
    of_spdx.iter().find_map(|it| kind.strip_prefix(it)).unwrap_or(kind)
}

fn is_identifier(reference: &Value) -> bool {
    IDENTIFIERS.contains(&kind_of(reference))
        && text(reference, "referenceLocator").is_some_and(|it| !says_nothing(it))
}

/// The word of CycloneDX for what a package is for (section 7.24). Schemas disagree on its spelling of
/// operating systems.
fn kind(purpose: Option<&str>) -> &'static str {
    match purpose {
        Some("APPLICATION") => "application",
        Some("CONTAINER") => "container",
        Some("DEVICE") => "device",
        Some("FILE") => "file",
        Some("FIRMWARE") => "firmware",
        Some("FRAMEWORK") => "framework",
        Some("OPERATING-SYSTEM" | "OPERATING_SYSTEM") => "operating-system",
        _ => "library",
    }
}
