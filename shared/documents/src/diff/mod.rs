//! What changed between two SBOMs: components, versions, licences, suppliers, hashes, scopes.

mod attributes;
mod item;
mod package;
mod versions;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::bill::{Bill, shortened};
use crate::schema::SchemaError;
use crate::schema::json::text;
use package::Packages;

/// Most changes that are listed of one kind; the others are only counted.
pub const MAX_CHANGES_PER_KIND: usize = 1_000;

/// What is different between two documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Whether nothing that is compared differs.
    pub same: bool,
    /// The document that came first.
    pub old: Side,
    /// The document that came later.
    pub new: Side,
    /// How many changes of each kind there are, those not listed included.
    pub counts: BTreeMap<ChangeKind, usize>,
    /// The changes by kind, then by package; [`MAX_CHANGES_PER_KIND`] of each kind at most.
    pub changes: Vec<Change>,
}

/// One of the two documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Version of CycloneDX that it follows.
    pub spec_version: &'static str,
    /// `serialNumber`.
    pub serial: Option<String>,
    /// What it describes: name and version.
    pub subject: Option<String>,
    /// How many components it lists, without what it describes.
    pub components: usize,
}

/// One change of one package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// What kind of change.
    pub kind: ChangeKind,
    /// Package URL without version, or group and name where there is none.
    pub package: String,
    /// The version that both documents have, where it is the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the old document says; absent where it says nothing.
    pub from: Option<String>,
    /// What the new document says; absent where it says nothing.
    pub to: Option<String>,
}

/// Kinds of change, the most alarming first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// The same version has other bytes: published again, or not from where it seems to be.
    HashChanged,
    /// A lower version than before.
    Downgraded,
    /// A higher version than before.
    Upgraded,
    /// Another version, of which nobody can say whether it is higher.
    VersionChanged,
    /// A package, or one more version of one, that was not there.
    Added,
    /// A package, or one of the versions of one, that is not there any more.
    Removed,
    /// The same version under another licence.
    LicenceChanged,
    /// The same version from another supplier.
    SupplierChanged,
    /// The same version for another purpose, such as `required` instead of `excluded`.
    ScopeChanged,
    /// What the documents describe is not the same.
    SubjectChanged,
}

/// One of the documents cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// The old one.
    #[error("the old document: {0}")]
    Old(SchemaError),
    /// The new one.
    #[error("the new document: {0}")]
    New(SchemaError),
}

/// Compares two CycloneDX JSON documents of version 1.2 to 1.7, of whatever tools.
///
/// Components are the same if their purls are but for version, qualifiers and subpath; without purl,
/// if group, name and type are. Several versions of one package are compared as sets: what both have
/// is compared in detail, what is left is paired in order of version. A hash counts as changed if both
/// documents give one for the same file, or for the component, by the same function, and none of
/// the one is among those of the other.
///
/// `order` compares two versions by the rules of a purl type, such as `npm`. It has to be a total
/// order for each type, or none for all its versions.
///
/// # Errors
/// [`CompareError`] where a document is too large, not sound JSON, or not CycloneDX. The schema may
/// be broken.
pub fn compare(
    old: &[u8],
    new: &[u8],
    order: impl Fn(&str, &str, &str) -> Option<Ordering>,
) -> Result<Difference, CompareError> {
    let (old, before) = read(old).map_err(CompareError::Old)?;
    let (new, after) = read(new).map_err(CompareError::New)?;
    let mut changes = Changes::default();
    if let (Some(from), Some(to)) = (&old.subject, &new.subject)
        && from != to
    {
        let kind = ChangeKind::SubjectChanged;
        changes.add(kind, "metadata.component", None, Some(from), Some(to));
    }
    package::pair(&before, &after, |name, kind, old, new| {
        versions::compare(name, old, new, &|a, b| order(kind?, a, b), &mut changes);
    });
    Ok(changes.into_difference(old, new))
}

/// What is compared of a document; the document itself takes ten times the memory.
fn read(bytes: &[u8]) -> Result<(Side, Packages), SchemaError> {
    let bill = Bill::read(bytes)?;
    Ok((Side::of(&bill), Packages::of(&bill)))
}

impl Side {
    fn of(bill: &Bill) -> Self {
        let subject = bill.subject().map(|it| {
            let name = text(it, "name").unwrap_or_default();
            let version = text(it, "version").filter(|it| !it.is_empty());
            shortened(&version.map_or(name.to_owned(), |version| format!("{name} {version}")))
        });
        Self {
            spec_version: bill.version.as_str(),
            serial: text(&bill.document, "serialNumber").map(shortened),
            subject,
            components: bill.parts().iter().filter(|it| !it.is_subject).count(),
        }
    }
}

/// Collects changes.
#[derive(Default)]
struct Changes {
    all: Vec<Change>,
}

impl Changes {
    fn add(
        &mut self,
        kind: ChangeKind,
        package: &str,
        version: Option<&str>,
        from: Option<&str>,
        to: Option<&str>,
    ) {
        let [version, from, to] = [version, from, to].map(|it| it.map(shortened));
        self.all.push(Change { kind, package: shortened(package), version, from, to });
    }

    fn into_difference(mut self, old: Side, new: Side) -> Difference {
        self.all.sort();
        let mut counts: BTreeMap<ChangeKind, usize> = BTreeMap::new();
        let same = self.all.is_empty();
        self.all.retain(|change| {
            let count = counts.entry(change.kind).or_default();
            *count += 1;
            *count <= MAX_CHANGES_PER_KIND
        });
        Difference { same, old, new, counts, changes: self.all }
    }
}
