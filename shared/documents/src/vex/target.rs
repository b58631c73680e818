//! Which findings a statement is about.

use events::Digest;

use super::names::{Name, Named};
use super::{Product, Statement};
use crate::bom::Component;

/// What a statement may apply to: a vulnerability found in one component of one document.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Identifier of the vulnerability.
    pub vulnerability: &'a str,
    /// Its other identifiers.
    pub aliases: &'a [String],
    /// Where it was found.
    pub component: Part<'a>,
    /// What the document describes (`metadata.component`).
    pub subject: Part<'a>,
    /// The document's `serialNumber`.
    pub serial: Option<&'a str>,
    /// The document's `version`.
    pub bom_version: u64,
    /// Digests of what the document describes, and of the document itself.
    pub digests: &'a [Digest],
}

/// How a component is named.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part<'a> {
    /// Its purl.
    pub purl: Option<&'a str>,
    /// Its version, for purls that have none.
    pub version: Option<&'a str>,
    /// Its bom-ref.
    pub bom_ref: Option<&'a str>,
}

impl<'a> From<&'a Component> for Part<'a> {
    fn from(component: &'a Component) -> Self {
        Self {
            purl: component.purl.as_deref(),
            version: component.version.as_deref(),
            bom_ref: component.bom_ref.as_deref(),
        }
    }
}

impl Statement {
    /// Whether the statement is about `target`: one identifier of the vulnerability is the same,
    /// and one of the products is
    /// - what the document describes, or the component itself, in a version the product admits, and
    /// - has no subcomponents, or one that is the component.
    ///
    /// How names are compared, case included only where it is said:
    /// - vulnerabilities, BOM-Links and digests ignore the case; a BOM-Link without `#` is what its
    ///   document describes;
    /// - a purl without version is every version, without subpath every subpath; qualifiers it has
    ///   must be there, others may be;
    /// - a bare bom-ref must be equal. It means something only within one document: compare such
    ///   statements with targets of the same supplier only.
    pub fn applies_to(&self, target: &Target<'_>) -> bool {
        let known = || {
            std::iter::once(target.vulnerability).chain(target.aliases.iter().map(String::as_str))
        };
        let mut said = std::iter::once(&self.vulnerability).chain(&self.aliases);
        if !said.any(|said| !said.is_empty() && known().any(|it| it.eq_ignore_ascii_case(said))) {
            return false;
        }
        self.covers(&Place::of(target))
    }

    /// The same for a vulnerability that it is known to be about.
    pub(super) fn covers(&self, place: &Place<'_>) -> bool {
        self.products.iter().any(|product| product.covers(place))
    }
}

impl Product {
    fn covers(&self, place: &Place<'_>) -> bool {
        let names = || std::iter::once(&self.id).chain(&self.aliases).map(|name| Name::of(name));
        let whole = place.subject_is_named(names()) && self.admits(&place.subject);
        let itself = place.component_is_named(names()) && self.admits(&place.component);
        (whole || itself)
            && (self.subcomponents.is_empty()
                || place.component_is_named(self.subcomponents.iter().map(|name| Name::of(name))))
    }

    fn admits(&self, part: &KnownPart<'_>) -> bool {
        self.versions.as_ref().is_none_or(|versions| {
            part.version().is_some_and(|version| versions.iter().any(|it| it == version))
        })
    }
}

/// A target with its purls read.
pub(super) struct Place<'a> {
    target: &'a Target<'a>,
    component: KnownPart<'a>,
    subject: KnownPart<'a>,
}

struct KnownPart<'a> {
    part: Part<'a>,
    purl: Option<Named<'a>>,
}

impl<'a> Place<'a> {
    pub(super) fn of(target: &'a Target<'a>) -> Self {
        let known = |part: Part<'a>| KnownPart { part, purl: part.purl.map(Named::of) };
        Self { target, component: known(target.component), subject: known(target.subject) }
    }

    fn component_is_named<'n>(&self, mut names: impl Iterator<Item = Name<'n>>) -> bool {
        names.any(|name| self.names(&name, &self.component))
    }

    fn subject_is_named<'n>(&self, mut names: impl Iterator<Item = Name<'n>>) -> bool {
        names.any(|name| match &name {
            Name::Digest(digest) => self.target.digests.contains(digest),
            Name::Link(link) if link.reference.is_none() => {
                link.names_document(self.target.serial, self.target.bom_version)
            }
            _ => self.names(&name, &self.subject),
        })
    }

    fn names(&self, name: &Name<'_>, part: &KnownPart<'_>) -> bool {
        match name {
            Name::Purl(purl) => {
                part.purl.as_ref().is_some_and(|it| purl.covers(it, part.part.version))
                    || part.part.bom_ref == Some(purl.text)
            }
            Name::Link(link) => {
                link.names_document(self.target.serial, self.target.bom_version)
                    && part.part.bom_ref.is_some_and(|it| link.refers_to(it))
            }
            Name::Reference(reference) => part.part.bom_ref == Some(reference),
            Name::Digest(_) => false,
        }
    }
}

impl KnownPart<'_> {
    fn version(&self) -> Option<&str> {
        self.part.version.or_else(|| self.purl.as_ref().and_then(Named::version))
    }
}
