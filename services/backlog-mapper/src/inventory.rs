//! What an SBOM says a product contains, as far as the backlog needs it.

use advisories::Package;
use documents::bom::{self, Bom};
use documents::vex::Part;
use events::{Digest, Label, Scope, Text};
use serde::{Deserialize, Serialize};

use crate::vex::Statement;

/// Longest name, version, purl or reference that is kept, in bytes.
const NAME_BYTES_MAX: usize = bom::MAX_PURL_BYTES;

/// What one document contains.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    /// What the document says about itself.
    pub facts: Facts,
    /// Components in a fixed order, each once.
    pub components: Vec<Component>,
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
    /// Package URL as the document writes it.
    pub purl: Option<String>,
    /// Reference within the document; none if it is too long to be kept.
    pub bom_ref: Option<String>,
}

impl Inventory {
    /// The inventory of a document that was read.
    pub fn of(bom: Bom) -> Self {
        let mut components: Vec<_> = bom.components.into_iter().map(Component::of).collect();
        components.sort_unstable();
        components.dedup();
        let facts = Facts {
            subject: bom.subject.map(Component::of),
            serial: bom.serial,
            bom_version: bom.bom_version,
            statements: bom.statements.into_iter().map(Statement::from).collect(),
        };
        Self { facts, components }
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
        let bom::Component { bom_ref, version, purl, .. } = component;
        Self {
            name: line(&name),
            version: version.as_deref().map(line),
            purl: purl.filter(|purl| line(purl) == *purl),
            bom_ref: bom_ref.filter(|it| it.len() <= NAME_BYTES_MAX),
        }
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

/// Text from a document as one line without control characters. A purl that it would change names no
/// package.
fn line(text: &str) -> String {
    Text::<NAME_BYTES_MAX>::of(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

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
