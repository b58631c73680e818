//! The files of a policy directory or bundle, read once, bounded and in a fixed order.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use events::Digest;

use super::{Dialect, LoadError, tarball};

/// Most bytes that a policy directory may hold in `*.rego` and `data.json`.
pub const MAX_BUNDLE_BYTES: u64 = 8 * 1024 * 1024;
/// Most entries, files and directories, that are looked at.
pub(super) const MAX_ENTRIES: usize = 10_000;
/// Deepest directory below the policy directory.
const MAX_DEPTH: usize = 8;

/// What a policy directory holds, by `/`-separated path below it.
#[derive(Default)]
pub(super) struct Files {
    /// `*.rego`, tests excluded.
    pub(super) policies: BTreeMap<String, String>,
    /// `*_test.rego`.
    pub(super) tests: BTreeMap<String, String>,
    /// `data.json` at the top.
    pub(super) data: Option<String>,
}

pub(super) const DATA: &str = "data.json";

/// The policy library that ships with Attestry: what judges, without its tests.
const SHIPPED: [(&str, &str); 17] = [
    ("completeness.rego", include_str!("../../../policy/completeness.rego")),
    ("components.rego", include_str!("../../../policy/components.rego")),
    ("input.rego", include_str!("../../../policy/input.rego")),
    ("lib/lib.rego", include_str!("../../../policy/lib/lib.rego")),
    ("lib/purl.rego", include_str!("../../../policy/lib/purl.rego")),
    ("lib/settings.rego", include_str!("../../../policy/lib/settings.rego")),
    ("lib/versions.rego", include_str!("../../../policy/lib/versions.rego")),
    ("licenses.rego", include_str!("../../../policy/licenses.rego")),
    ("provenance.rego", include_str!("../../../policy/provenance.rego")),
    ("quality.rego", include_str!("../../../policy/quality.rego")),
    ("sbom.rego", include_str!("../../../policy/sbom.rego")),
    ("sbom_rules.rego", include_str!("../../../policy/sbom_rules.rego")),
    ("settings.rego", include_str!("../../../policy/settings.rego")),
    ("signatures.rego", include_str!("../../../policy/signatures.rego")),
    ("source.rego", include_str!("../../../policy/source.rego")),
    ("supplied.rego", include_str!("../../../policy/supplied.rego")),
    ("vulnerabilities.rego", include_str!("../../../policy/vulnerabilities.rego")),
];

/// The files of the library that ships with Attestry, by path below a policy directory.
pub fn library() -> impl Iterator<Item = (&'static str, &'static str)> {
    SHIPPED.into_iter().chain([(DATA, include_str!("../../../policy/data.json"))])
}

impl Files {
    /// The library that ships with Attestry.
    pub(super) fn shipped() -> Self {
        let owned = |(path, text): (&str, &str)| (path.to_owned(), text.to_owned());
        Self {
            policies: SHIPPED.into_iter().map(owned).collect(),
            tests: BTreeMap::new(),
            data: Some(include_str!("../../../policy/data.json").to_owned()),
        }
    }

    /// Reads the directory at `place`, or the OPA bundle.
    pub(super) fn read(place: &Path) -> Result<Self, LoadError> {
        let failed = |error| LoadError::Read { file: place.display().to_string(), error };
        match fs::metadata(place).map_err(failed)?.is_dir() {
            true => Self::directory(place),
            false => tarball::read(&tarball::bytes(place)?),
        }
    }

    /// Reads the directory `root`; hidden files are passed over.
    fn directory(root: &Path) -> Result<Self, LoadError> {
        let mut files = Self::default();
        let mut left = MAX_BUNDLE_BYTES;
        for (name, path) in listing(root)? {
            if is_wanted(&name)? {
                let opened = fs::File::open(&path);
                let file = opened.map_err(|error| LoadError::Read { file: name.clone(), error })?;
                files.take(name, file, &mut left)?;
            }
        }
        Ok(files)
    }

    /// Takes up the text of a file that is wanted, if it has at most `left` bytes.
    pub(super) fn take(
        &mut self,
        name: String,
        file: impl Read,
        left: &mut u64,
    ) -> Result<(), LoadError> {
        let text = read_text(&name, file, left)?;
        if name == DATA {
            self.data = Some(text);
        } else if name.ends_with("_test.rego") {
            self.tests.insert(name, text);
        } else {
            self.policies.insert(name, text);
        }
        Ok(())
    }

    /// Everything that judges as one text: for each file, in the order of its path, the path, NUL,
    /// its length in bytes, NUL, its bytes.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let mut judging: BTreeMap<&str, &str> =
            self.policies.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        if let Some(data) = &self.data {
            judging.insert(DATA, data);
        }
        let mut listing = Vec::new();
        for (path, text) in judging {
            listing.extend_from_slice(format!("{path}\0{}\0", text.len()).as_bytes());
            listing.extend_from_slice(text.as_bytes());
        }
        listing
    }

    /// Those of the policies that are written in `dialect`.
    pub(super) fn policies_in(&self, dialect: Dialect) -> impl Iterator<Item = (&String, &String)> {
        self.policies.iter().filter(move |(path, _)| Dialect::of(path) == dialect)
    }

    /// Digest of [`Self::canonical`].
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.canonical())
    }

    /// Reads what [`Self::canonical`] wrote; none if it is anything else.
    pub(super) fn from_canonical(mut bytes: &[u8]) -> Option<Self> {
        let mut files = Self::default();
        while !bytes.is_empty() {
            let (path, rest) = until_nul(bytes)?;
            let (length, rest) = until_nul(rest)?;
            let (text, rest) = rest.split_at_checked(length.parse().ok()?)?;
            let text = std::str::from_utf8(text).ok()?.to_owned();
            match path == DATA {
                true => files.data = Some(text),
                false => drop(files.policies.insert(path.to_owned(), text)),
            }
            bytes = rest;
        }
        Some(files)
    }
}

fn until_nul(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

fn listing(root: &Path) -> Result<BTreeMap<String, PathBuf>, LoadError> {
    let mut found = BTreeMap::new();
    let mut entries = 0;
    let mut directories = vec![(String::new(), root.to_owned(), 0)];
    while let Some((prefix, directory, depth)) = directories.pop() {
        let failed = |error| LoadError::Read { file: directory.display().to_string(), error };
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            entries += 1;
            if entries > MAX_ENTRIES || depth > MAX_DEPTH {
                return Err(LoadError::TooManyFiles { file: directory.display().to_string() });
            }
            let Ok(name) = entry.file_name().into_string() else {
                return Err(LoadError::NotUtf8 { file: entry.path().display().to_string() });
            };
            if name.starts_with('.') {
                continue;
            }
            let path = entry.path();
            // `metadata` follows links: Kubernetes mounts every file of a ConfigMap as one.
            if fs::metadata(&path).map_err(failed)?.is_dir() {
                directories.push((format!("{prefix}{name}/"), path, depth + 1));
            } else {
                found.insert(format!("{prefix}{name}"), path);
            }
        }
    }
    Ok(found)
}

/// Whether the file of this name is read.
pub(super) fn is_wanted(name: &str) -> Result<bool, LoadError> {
    let last = name.rsplit('/').next().unwrap_or(name);
    match last {
        DATA | "data.yaml" | "data.yml" if name != DATA => {
            Err(LoadError::MisplacedData { file: name.to_owned() })
        }
        _ => Ok(name == DATA || name.ends_with(".rego")),
    }
}

fn read_text(name: &str, file: impl Read, left: &mut u64) -> Result<String, LoadError> {
    let mut bytes = Vec::new();
    let read = file.take(*left + 1).read_to_end(&mut bytes);
    let length = read.map_err(|error| LoadError::Read { file: name.to_owned(), error })? as u64;
    *left = left
        .checked_sub(length)
        .ok_or(LoadError::TooLarge { file: name.to_owned(), max: MAX_BUNDLE_BYTES })?;
    String::from_utf8(bytes).map_err(|_| LoadError::NotUtf8 { file: name.to_owned() })
}
