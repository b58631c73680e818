//! What one artifact holds, as JSON that travels from where the artifact lies to where the SBOM is made.

use events::Digest;
use purl::Purl;
use serde::{Deserialize, Serialize};

use super::{HashAlgorithm, Inventory, Missing, Package, Source};
use crate::lockfile::{MAX_LOCATION_BYTES, MAX_PACKAGES, MAX_WORD_BYTES};

/// What one artifact holds: a wheel, jar, binary or image, looked into where it lies.
///
/// Whoever has such a document in hand can rely on it: it comes from [`ArtifactContents::read`], or
/// was built with [`ArtifactContents::new`], and both see to it that every value is sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactContents {
    /// Name of the artifact, as its build tells it.
    artifact: String,
    /// SHA-256 of the artifact's bytes; of an image, the digest it goes by in a registry if known.
    digest: Digest,
    /// One for each file within that names packages, in the order of paths.
    inventories: Vec<Inventory>,
    /// What could not be read of it.
    missing: Vec<Missing>,
}

/// Why a document is no [`ArtifactContents`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentsError {
    /// More than [`ArtifactContents::MAX_BYTES`].
    #[error(
        "the document has {bytes} bytes, more than the {} that are read",
        ArtifactContents::MAX_BYTES
    )]
    TooLarge {
        /// Size of the document.
        bytes: usize,
    },
    /// More values than memory is set aside for, or more packages or files than one artifact may hold.
    #[error("the document has more {what} than the {limit} that are read")]
    TooMany {
        /// Of what there are too many.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
    /// No JSON, or JSON of another shape; says what and where.
    #[error("the document is no list of an artifact's contents: {0}; write it again with attestry")]
    Shape(String),
    /// One value is not what it has to be.
    #[error("{place}: `{field}` {problem}; write the document again with attestry")]
    Value {
        /// Path of the file whose packages are told, or the artifact's name.
        place: String,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl ArtifactContents {
    /// How the names of files with such documents end.
    pub const SUFFIX: &'static str = ".inventory.json";
    /// Largest document that is read, in bytes.
    pub const MAX_BYTES: usize = 64 * 1024 * 1024;
    /// Most files with packages that one artifact may hold.
    pub const MAX_INVENTORIES: usize = 100_000;
    /// Most gaps that one document tells.
    pub const MAX_MISSING: usize = 10_000;
    /// Most JSON values that are read: what they become in memory is up to sixty bytes each.
    const MAX_VALUES: usize = 4_000_000;

    /// Contents of the artifact `name`. Each inventory becomes one of this artifact, and one that
    /// [`ArtifactContents::read`] would refuse is told as missing instead.
    ///
    /// Control characters in what is missing are replaced, for they may come from the artifact.
    pub fn new(
        name: String,
        digest: Digest,
        inventories: Vec<Inventory>,
        missing: Vec<Missing>,
    ) -> Self {
        let mut contents =
            Self { artifact: name, digest, inventories: Vec::new(), missing: Vec::new() };
        let mut packages = 0;
        for inventory in inventories {
            let path = inventory.path.clone();
            match contents.add(inventory, &mut packages) {
                Ok(()) => {}
                Err(error) => {
                    contents.miss(Missing { path, line: None, reason: error.to_string() });
                }
            }
        }
        for missing in missing {
            contents.miss(missing);
        }
        contents
    }

    /// Name of the artifact, as its build tells it.
    pub fn artifact(&self) -> &str {
        &self.artifact
    }

    /// SHA-256 of the artifact's bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// One for each file within that names packages.
    pub fn inventories(&self) -> &[Inventory] {
        &self.inventories
    }

    /// What could not be read of it.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// Its inventories, and what is missing of it.
    pub fn into_parts(self) -> (Vec<Inventory>, Vec<Missing>) {
        (self.inventories, self.missing)
    }

    /// The document; equal contents give equal bytes.
    #[allow(clippy::expect_used, reason = "texts and numbers in structs always become JSON")]
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data")
    }

    /// Reads a document that anyone may have written.
    ///
    /// # Errors
    /// Anything that is not as [`ArtifactContents::write`] has it: too much, unknown or repeated
    /// fields, texts that are too long or have control characters, package URLs that are none, edges
    /// that lead nowhere, files of other artifacts.
    pub fn read(bytes: &[u8]) -> Result<Self, ContentsError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(ContentsError::TooLarge { bytes: bytes.len() });
        }
        let values = bytes.iter().filter(|byte| **byte == b',').count();
        at_most("values", values, Self::MAX_VALUES)?;
        let contents: Self = serde_json::from_slice(bytes)
            .map_err(|error| ContentsError::Shape(printable(&error.to_string())))?;
        contents.check()?;
        Ok(contents)
    }

    fn add(&mut self, inventory: Inventory, packages: &mut usize) -> Result<(), ContentsError> {
        let inventory = Inventory { artifact: Some(self.artifact.clone()), ..inventory };
        self.check_inventory(&inventory)?;
        at_most("packages", *packages + inventory.packages.len(), MAX_PACKAGES)?;
        at_most("files", self.inventories.len() + 1, Self::MAX_INVENTORIES)?;
        *packages += inventory.packages.len();
        self.inventories.push(inventory);
        Ok(())
    }

    fn miss(&mut self, missing: Missing) {
        let Missing { path, line, reason } = match self.missing.len() {
            told if told >= Self::MAX_MISSING => return,
            told if told == Self::MAX_MISSING - 1 => Missing {
                path: self.artifact.clone(),
                line: None,
                reason: "more could not be read than is told one by one".to_owned(),
            },
            _ => missing,
        };
        self.missing.push(Missing { path: printable(&path), line, reason: printable(&reason) });
    }

    fn check(&self) -> Result<(), ContentsError> {
        text(&self.artifact, MAX_LOCATION_BYTES).map_err(at(&self.artifact, "artifact"))?;
        at_most("files", self.inventories.len(), Self::MAX_INVENTORIES)?;
        at_most("gaps", self.missing.len(), Self::MAX_MISSING)?;
        let packages = self.inventories.iter().map(|it| it.packages.len()).sum();
        at_most("packages", packages, MAX_PACKAGES)?;
        for inventory in &self.inventories {
            self.check_inventory(inventory)?;
        }
        for missing in &self.missing {
            text(&missing.path, MAX_LOCATION_BYTES).map_err(at(&self.artifact, "missing.path"))?;
            text(&missing.reason, MAX_LOCATION_BYTES).map_err(at(&missing.path, "reason"))?;
        }
        Ok(())
    }

    fn check_inventory(&self, inventory: &Inventory) -> Result<(), ContentsError> {
        text(&inventory.path, MAX_LOCATION_BYTES).map_err(at(&self.artifact, "path"))?;
        let wrong = |field| at(&inventory.path, field);
        let below = inventory.path.strip_prefix(&self.artifact);
        if !below.is_some_and(|below| below.is_empty() || below.starts_with("!/")) {
            return Err(wrong("path")("does not begin with the name of the artifact"));
        }
        if inventory.artifact.as_deref() != Some(&self.artifact) {
            return Err(wrong("artifact")("is not the artifact that the document is about"));
        }
        text(&inventory.format, MAX_WORD_BYTES).map_err(wrong("format"))?;
        for note in &inventory.notes {
            text(&note.message, MAX_LOCATION_BYTES).map_err(wrong("message"))?;
        }
        let fault = inventory
            .packages
            .iter()
            .find_map(|package| check_package(package, inventory.packages.len()).err());
        fault.map_or(Ok(()), |(field, problem)| Err(wrong(field)(problem)))
    }
}

type Fault = (&'static str, &'static str);

fn check_package(package: &Package, packages: usize) -> Result<(), Fault> {
    let word = |field, value: &str| text(value, MAX_WORD_BYTES).map_err(|why| (field, why));
    let long = |field, value: &str| text(value, MAX_LOCATION_BYTES).map_err(|why| (field, why));
    word("name", &package.name)?;
    package.version.iter().try_for_each(|it| word("version", it))?;
    long("purl", &package.purl)?;
    if package.purl.parse::<Purl>().is_err() {
        return Err(("purl", "is no package URL"));
    }
    check_source(&package.source).map_err(|why| ("source", why))?;
    for distribution in &package.distributions {
        distribution.location.iter().try_for_each(|it| long("location", it))?;
        if let Some(hash) = &distribution.hash {
            let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            if hash.hex.len() != hex_digits(hash.algorithm) || !hash.hex.bytes().all(digit) {
                return Err(("hash", "has not the hex digits of its algorithm"));
            }
        }
    }
    let last = package.dependencies.last();
    if !package.dependencies.is_sorted_by(|a, b| a < b) || last.is_some_and(|it| *it >= packages) {
        return Err(("dependencies", "does not name packages of the file in their order"));
    }
    package.licence.iter().try_for_each(|it| long("licence", it))?;
    package.supplier.iter().try_for_each(|it| long("supplier", it))?;
    package.groups.iter().try_for_each(|it| word("groups", it))?;
    package.conditions.iter().try_for_each(|it| long("conditions", it))
}

fn check_source(source: &Source) -> Result<(), &'static str> {
    let (first, second) = match source {
        Source::Registry { url } | Source::Archive { url } => (Some(url), None),
        Source::Git { url, commit } => (Some(url), commit.as_ref()),
        Source::Local { path } => (path.as_ref(), None),
    };
    first.into_iter().chain(second).try_for_each(|it| text(it, MAX_LOCATION_BYTES))
}

fn hex_digits(algorithm: HashAlgorithm) -> usize {
    match algorithm {
        HashAlgorithm::Md5 => 32,
        HashAlgorithm::Sha1 => 40,
        HashAlgorithm::Sha256 => 64,
        HashAlgorithm::Sha384 => 96,
        HashAlgorithm::Sha512 | HashAlgorithm::Blake2b512 => 128,
    }
}

fn text(value: &str, limit: usize) -> Result<(), &'static str> {
    match value {
        "" => Err("is empty"),
        _ if value.len() > limit => Err("is too long"),
        _ if value.contains(char::is_control) => Err("has control characters"),
        _ => Ok(()),
    }
}

fn at(place: &str, field: &'static str) -> impl FnOnce(&'static str) -> ContentsError {
    let place = printable(place);
    move |problem| ContentsError::Value { place, field, problem }
}

fn at_most(what: &'static str, count: usize, limit: usize) -> Result<(), ContentsError> {
    if count > limit { Err(ContentsError::TooMany { what, limit }) } else { Ok(()) }
}

/// At most a line of `value`, with nothing that a terminal would obey.
fn printable(value: &str) -> String {
    const MAX_CHARS: usize = 1000;
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let text: String = value.chars().take(MAX_CHARS).map(shown).collect();
    if text.is_empty() { "?".to_owned() } else { text }
}
