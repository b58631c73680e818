//! OPA bundles: a policy directory in one gzipped tar file, as `opa build` makes it.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    path::Path,
};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use tar::{Archive, EntryType};

use super::{
    LoadError,
    files::{Files, MAX_BUNDLE_BYTES, MAX_ENTRIES, is_wanted},
};

/// Most bytes that a bundle may unpack to, with what is passed over: a bomb is not unpacked to its end.
const MAX_UNPACKED_BYTES: u64 = 4 * MAX_BUNDLE_BYTES;
const MANIFEST: &str = ".manifest";

/// What a manifest says that matters here.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    wasm: Vec<serde::de::IgnoredAny>,
}

/// The bytes of the bundle at `place`.
pub(super) fn bytes(place: &Path) -> Result<Vec<u8>, LoadError> {
    let name = place.display().to_string();
    let failed = |error| LoadError::Read { file: name.clone(), error };
    let mut bytes = Vec::new();
    let file = fs::File::open(place).map_err(failed)?;
    let length = file.take(MAX_BUNDLE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    match length as u64 > MAX_BUNDLE_BYTES {
        true => Err(LoadError::TooLarge { file: name, max: MAX_BUNDLE_BYTES }),
        false => Ok(bytes),
    }
}

/// The files in the bundle `bytes`, as if they lay in a directory: hidden ones are passed over.
pub(super) fn read(bytes: &[u8]) -> Result<Files, LoadError> {
    let mut archive = Archive::new(MultiGzDecoder::new(bytes).take(MAX_UNPACKED_BYTES));
    let files = entries(&mut archive);
    let mut rest = archive.into_inner();
    let checked = io::copy(&mut rest, &mut io::sink());
    // What is cut off may end like a whole archive.
    if rest.limit() == 0 {
        return Err(LoadError::TooLarge { file: "bundle".to_owned(), max: MAX_UNPACKED_BYTES });
    }
    let files = files?;
    checked.map_err(|error| broken(&error))?;
    Ok(files)
}

fn entries(archive: &mut Archive<impl Read>) -> Result<Files, LoadError> {
    let (mut files, mut names, mut left) = (Files::default(), BTreeSet::new(), MAX_BUNDLE_BYTES);
    for (count, entry) in archive.entries().map_err(|error| broken(&error))?.enumerate() {
        let mut entry = entry.map_err(|error| broken(&error))?;
        if count >= MAX_ENTRIES {
            return Err(LoadError::TooManyFiles { file: "bundle".to_owned() });
        }
        let shown = String::from_utf8_lossy(&entry.path_bytes()).escape_debug().to_string();
        let unfit = |problem| LoadError::Tarball { file: shown.clone(), problem };
        match entry.header().entry_type() {
            EntryType::Regular => {}
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            _ => return Err(unfit("is a link or no file".to_owned())),
        }
        let name = match std::str::from_utf8(&entry.path_bytes()) {
            Ok(path) => below(path).ok_or_else(|| unfit("is no path below the bundle".to_owned())),
            Err(_) => Err(LoadError::NotUtf8 { file: shown.clone() }),
        }?;
        if !names.insert(name.clone()) {
            return Err(unfit("stands twice".to_owned()));
        }
        if name == MANIFEST {
            check_manifest(&mut entry).map_err(unfit)?;
        } else if !name.split('/').any(|part| part.starts_with('.')) && is_wanted(&name)? {
            files.take(name, entry, &mut left).map_err(|error| match error {
                LoadError::Read { error, .. } => unfit(error.to_string()),
                other => other,
            })?;
        }
    }
    Ok(files)
}

/// The path of an entry below the bundle, if it is one: OPA's begin with `/`, those of tar with nothing or `./`.
fn below(path: &str) -> Option<String> {
    let name = path.strip_prefix('/').or_else(|| path.strip_prefix("./")).unwrap_or(path);
    let fits = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(char::is_control);
    name.split('/').all(fits).then(|| name.to_owned())
}

fn check_manifest(entry: &mut impl Read) -> Result<(), String> {
    let manifest: Manifest = serde_json::from_reader(entry).map_err(|error| error.to_string())?;
    match manifest.wasm.is_empty() {
        true => Ok(()),
        false => {
            Err("names WebAssembly, and only Rego is judged by: build with `--target rego`"
                .to_owned())
        }
    }
}

fn broken(error: &io::Error) -> LoadError {
    LoadError::Tarball { file: "bundle".to_owned(), problem: error.to_string() }
}

#[cfg(test)]
pub(super) mod tests;
