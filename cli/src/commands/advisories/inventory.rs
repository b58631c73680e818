//! What an SBOM or lockfile holds, as far as it can be looked up.

use std::path::Path;

use advisories::{Ecosystem, NotMatchable, Package};
use documents::{
    Kind, bom, detect, inventory as lock, lockfile,
    vex::{Part, Statement},
};
use events::Digest;

use crate::{failure::Failure, read};

/// Largest SBOM or lockfile that is read, in bytes.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// What one file holds.
pub(super) struct Inventory {
    pub(super) items: Vec<Item>,
    /// What the file describes, where it says.
    pub(super) subject: Option<Item>,
    /// `serialNumber` and `version` of an SBOM.
    pub(super) serial: Option<String>,
    pub(super) bom_version: u64,
    pub(super) digest: Digest,
    /// VEX within the SBOM.
    pub(super) statements: Vec<Statement>,
    /// Remarks of the reader, for people.
    pub(super) notes: Vec<String>,
}

/// A component of an SBOM or a package of a lockfile.
pub(super) struct Item {
    pub(super) version: Option<String>,
    pub(super) purl: Option<String>,
    pub(super) bom_ref: Option<String>,
    /// What to look up, or why that is not possible.
    pub(super) package: Result<Package, Unmatched>,
}

/// Why an item cannot be looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unmatched {
    NoPurl,
    InvalidPurl,
    NoVersion,
    Type(String),
}

impl Inventory {
    /// Reads the CycloneDX SBOM or the lockfile at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let at_fault = |why: String| Failure::Input(format!("{}: {why}", path.display()));
        let bytes = read::up_to(MAX_BYTES, path).map_err(|error| at_fault(error.to_string()))?;
        if bytes.len() > MAX_BYTES {
            return Err(at_fault(format!("is larger than {} MiB", MAX_BYTES / (1024 * 1024))));
        }
        let digest = Digest::of(&bytes);
        match detect(&bytes) {
            Kind::CycloneDx => {
                let bom = bom::read(&bytes).map_err(|error| at_fault(error.to_string()))?;
                Ok(Self::of_bom(bom, digest))
            }
            Kind::Unknown => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let lockfile = lockfile::parse(&name, &bytes).map_err(|error| {
                    at_fault(format!(
                        "is no CycloneDX SBOM and no lockfile that can be read: {error}"
                    ))
                })?;
                Ok(Self::of_lockfile(lockfile, digest))
            }
            other => {
                let remedy = "give a CycloneDX SBOM, or a lockfile";
                Err(at_fault(format!("is a document of another kind ({other:?}); {remedy}")))
            }
        }
    }

    fn of_bom(bom: bom::Bom, digest: Digest) -> Self {
        let notes = bom.problems.iter().map(|it| format!("{}: {}", it.pointer, it.message));
        Self {
            notes: notes.collect(),
            items: bom.components.into_iter().map(Item::of_component).collect(),
            subject: bom.subject.map(Item::of_component),
            serial: bom.serial,
            bom_version: bom.bom_version,
            digest,
            statements: bom.statements,
        }
    }

    fn of_lockfile(lockfile: lock::Inventory, digest: Digest) -> Self {
        let ecosystem = Ecosystem::from_osv(lockfile.ecosystem.osv_name());
        let mut roots = lockfile.packages.iter().filter(|it| it.root);
        let subject = match (roots.next(), roots.next()) {
            (Some(only), None) => Some(Item::of_locked(ecosystem, only.clone())),
            _ => None,
        };
        let notes = lockfile.notes.iter().map(|it| format!("line {}: {}", it.line, it.message));
        Self {
            notes: notes.collect(),
            items: lockfile.packages.into_iter().map(|it| Item::of_locked(ecosystem, it)).collect(),
            subject,
            serial: None,
            bom_version: 1,
            digest,
            statements: Vec::new(),
        }
    }
}

impl Item {
    fn of_component(component: bom::Component) -> Self {
        let package = match component.purl.as_deref() {
            Some(purl) => Package::from_purl(purl).map_err(Unmatched::from),
            None => Err(Unmatched::NoPurl),
        };
        let bom::Component { version, purl, bom_ref, .. } = component;
        Self { version, purl, bom_ref, package }
    }

    /// A lockfile knows its packages' names as their registry writes them, which a purl may not. Only the purl knows the
    /// source package and the release of a distribution's package.
    fn of_locked(ecosystem: Option<Ecosystem>, package: lock::Package) -> Self {
        let lock::Package { name, version, purl, .. } = package;
        let ecosystem = ecosystem.filter(|it| !it.is_distribution());
        let lookup = match (ecosystem, &version) {
            (Some(ecosystem), Some(version)) => Ok(Package::new(ecosystem, &name, version)),
            (None, _) => Package::from_purl(&purl).map_err(Unmatched::from),
            (_, None) => Err(Unmatched::NoVersion),
        };
        Self { version, purl: Some(purl), bom_ref: None, package: lookup }
    }

    /// As VEX statements are compared with it.
    pub(super) fn part(&self) -> Part<'_> {
        Part {
            purl: self.purl.as_deref(),
            version: self.version.as_deref(),
            bom_ref: self.bom_ref.as_deref(),
        }
    }
}

impl From<NotMatchable> for Unmatched {
    fn from(why: NotMatchable) -> Self {
        match why {
            NotMatchable::NotAPurl(_) => Self::InvalidPurl,
            NotMatchable::NoVersion(_) => Self::NoVersion,
            NotMatchable::Type(kind) => Self::Type(kind),
        }
    }
}

impl std::fmt::Display for Unmatched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoPurl => f.write_str("without purl"),
            Self::InvalidPurl => f.write_str("with a purl that is none"),
            Self::NoVersion => f.write_str("without version"),
            Self::Type(kind) => write!(f, "of type {kind}"),
        }
    }
}
