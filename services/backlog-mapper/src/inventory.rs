//! What an SBOM says a product contains, as far as the backlog needs it.

use advisories::Package;
use documents::bom::{self, Bom};
use documents::vex::Part;
use events::{Digest, Label, Scope, Text};
use jiff::Timestamp;
use purl::Purl;
use serde::{Deserialize, Serialize};

use crate::{
    finding::Found,
    places::{self, Places, Told},
    reported,
    vex::Statement,
};

/// Longest name, version, purl or reference that is kept, in bytes.
const NAME_BYTES_MAX: usize = bom::MAX_PURL_BYTES;

/// What one document contains.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    /// What the document says about itself.
    pub facts: Facts,
    /// Components in a fixed order, each once.
    pub components: Vec<Component>,
    /// Where each of them is.
    pub places: Places,
    /// Vulnerabilities that the document says they have, with their positions.
    pub reported: Vec<Found>,
}

/// What a document says about itself, and what VEX statements may name it by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// What the document describes.
    pub subject: Option<Component>,
    /// `serialNumber`.
    pub serial: Option<String>,
    /// `version` of the document.
    pub bom_version: u64,
    /// When the document was made, where it says.
    #[serde(default)]
    pub timestamp: Option<Timestamp>,
    /// VEX statements within the document.
    pub statements: Vec<Statement>,
}

/// One component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Component {
    /// Name, behind its group and a slash where it has one.
    pub name: String,
    /// Version.
    pub version: Option<String>,
    /// Package URL in its canonical form; as the document writes it where it is no package URL.
    pub purl: Option<String>,
    /// Reference within the document; none if it is too long to be kept.
    pub bom_ref: Option<String>,
    /// The package URL as the document writes it, where that is not the canonical form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
    /// CPE, in lower case: two that differ in that only are the same (NISTIR 7696, 7.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpe: Option<String>,
}

impl Inventory {
    /// The inventory of a document that was read.
    pub fn of(bom: Bom) -> Self {
        let (mut told, mut components) = (Vec::new(), Vec::new());
        for (mut component, via) in bom.components.into_iter().zip(bom.via) {
            told.push(Told::of(&mut component, via));
            components.push(Component::of(component));
        }
        let (components, positions) = places::sorted(components);
        let places = Places::of(told, &positions, components.len());
        let reported = reported::found(bom.reported, &positions, &components);
        let facts = Facts {
            subject: bom.subject.map(Component::of),
            serial: bom.serial,
            bom_version: bom.bom_version,
            timestamp: bom.timestamp,
            statements: bom.statements.into_iter().map(Statement::from).collect(),
        };
        Self { facts, components, places, reported }
    }

    /// Name of the product; that of its project or supplier where the document names none.
    pub fn product(&self, scope: &Scope) -> Label {
        let named =
            self.facts.subject.as_ref().map(|it| it.name.trim()).filter(|it| !it.is_empty());
        Label::of(named.unwrap_or(scope.as_str()))
    }

    /// Identity of the components: most builds of a project have those of the build before.
    pub fn id(&self) -> Digest {
        // Texts always encode.
        Digest::of(&serde_json::to_vec(&self.components).unwrap_or_default())
    }
}

impl Component {
    fn of(component: bom::Component) -> Self {
        let name = match component.group.filter(|group| !group.is_empty()) {
            Some(group) => format!("{group}/{}", component.name),
            None => component.name,
        };
        let bom::Component { bom_ref, version, purl, cpe, .. } = component;
        let (purl, written) = purl.filter(|it| line(it) == *it).map(canonical).unzip();
        Self {
            name: line(&name),
            version: version.as_deref().map(line),
            purl,
            bom_ref: bom_ref.filter(|it| it.len() <= NAME_BYTES_MAX),
            written: written.flatten(),
            cpe: cpe.filter(|it| line(it) == *it).map(|it| it.to_ascii_lowercase()),
        }
    }

    /// The last part of its name in lower case: what people look for.
    pub fn short_name(&self) -> String {
        short_name(&self.name)
    }

    /// What advisories are looked up by; none if no advisories are read for such a component.
    pub fn package(&self) -> Option<Package> {
        Package::from_purl(self.purl.as_deref()?).ok()
    }

    /// As VEX statements are compared with it.
    pub fn part(&self) -> Part<'_> {
        Part {
            purl: self.purl.as_deref(),
            version: self.version.as_deref(),
            bom_ref: self.bom_ref.as_deref(),
        }
    }
}

/// The canonical form of a package URL, and what was written where that is something else. What names
/// no package stays as it is.
pub(crate) fn canonical(written: String) -> (String, Option<String>) {
    match Purl::canonicalize(&written).map(|it| it.canonical()) {
        Ok(canonical) if canonical != written => (canonical, Some(written)),
        _ => (written, None),
    }
}

/// The last part of a name in lower case.
pub(crate) fn short_name(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_lowercase()
}

/// Text from a document as one line without control characters. A purl that it would change names no
/// package.
fn line(text: &str) -> String {
    Text::<NAME_BYTES_MAX>::of(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(component: &str) -> Component {
        let bom = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{{"type":"library","name":"x",{component}}}]}}"#
        );
        Inventory::of(bom::read(bom.as_bytes()).expect("valid CycloneDX")).components.remove(0)
    }

    #[test]
    fn purl_is_kept_in_its_canonical_form_and_as_it_was_written() {
        let cases = [
            ("pkg:pypi/jinja2@2.10", "pkg:pypi/jinja2@2.10", None),
            ("pkg:PyPI/Jinja2@2.10", "pkg:pypi/jinja2@2.10", Some("pkg:PyPI/Jinja2@2.10")),
            (
                "pkg:npm/@babel/core@7.0.0",
                "pkg:npm/%40babel/core@7.0.0",
                Some("pkg:npm/@babel/core@7.0.0"),
            ),
            ("pkg:nothing", "pkg:nothing", None),
        ];
        for (written, canonical, differs) in cases {
            let component = one(&format!(r#""purl":"{written}""#));
            assert_eq!(component.purl.as_deref(), Some(canonical));
            assert_eq!(component.written.as_deref(), differs, "{written}");
        }
    }

    #[test]
    fn cpe_is_kept_in_lower_case_unless_it_is_no_line() {
        let component = one(r#""cpe":"cpe:2.3:a:Acme:Widget:1.0:*:*:*:*:*:*:*""#);
        assert_eq!(component.cpe.as_deref(), Some("cpe:2.3:a:acme:widget:1.0:*:*:*:*:*:*:*"));
        assert_eq!(one(r#""version":"1""#).cpe, None);
        let long = format!(r#""cpe":"cpe:2.3:a:{}""#, "a".repeat(NAME_BYTES_MAX));
        assert_eq!(one(&long).cpe, None);
    }

    #[test]
    fn reference_that_is_too_long_is_not_kept() {
        for (length, kept) in [(NAME_BYTES_MAX, true), (NAME_BYTES_MAX + 1, false)] {
            let reference = "r".repeat(length);
            let bom = format!(
                r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{{"type":"library","name":"x","bom-ref":"{reference}"}}]}}"#
            );
            let inventory = Inventory::of(bom::read(bom.as_bytes()).expect("valid CycloneDX"));
            assert_eq!(inventory.components[0].bom_ref.is_some(), kept, "{length}");
        }
    }
}
