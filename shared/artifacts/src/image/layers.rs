//! The layers of an image, one upon the other (OCI image specification, layer).

use std::io::{self, Read};

use events::Digester;

use super::{
    blobs::Blobs,
    manifest::{Image, LayerDigest},
};
use crate::{
    contents::{Contents, Outcome, Scan},
    finish, packed,
    tar::{self, EntryKind},
};

/// Name of a file that says that the lower layers' files of its folder are gone.
const OPAQUE: &str = ".wh..wh..opq";
/// Beginning of the name of a file that says that what it names is gone.
const WHITEOUT: &str = ".wh.";

/// What is in the image once all its layers are in place.
pub(super) fn read(blobs: &mut Blobs, image: &Image, place: &str, scan: Scan<'_>) -> Outcome {
    let mut contents = Contents::new(place, scan);
    for layer in &image.layers {
        contents.lower = std::mem::take(&mut contents.found);
        let problem = match blobs.open(&layer.file) {
            Ok(Some(stored)) => apply(&mut contents, stored, layer.digest, scan).err(),
            Ok(None) => Some(io::Error::other("is not in the artifact; save the image with it")),
            Err(error) => Some(error),
        };
        if let Some(problem) = problem {
            contents.miss(&format!("its layer {}: {problem}", layer.file));
        }
        let upper = std::mem::take(&mut contents.found);
        contents.found = std::mem::take(&mut contents.lower);
        contents.found.extend(upper);
    }
    finish::all(contents)
}

fn apply(
    contents: &mut Contents<'_>,
    stored: Box<dyn Read + '_>,
    expected: Option<LayerDigest>,
    scan: Scan<'_>,
) -> io::Result<()> {
    let mut stored = Hashed { inner: stored, digester: Digester::default() };
    let unpacked = {
        let inner = packed::unpacked(Box::new(&mut stored), scan)?;
        let mut unpacked = Hashed { inner, digester: Digester::default() };
        tar::each(&mut unpacked, scan.budget, &mut |entry, bytes| {
            contents.layer_entry(entry, bytes);
            Ok(())
        })?;
        unpacked.digester.finish()
    };
    io::copy(&mut stored, &mut io::sink())?;
    let stored = stored.digester.finish();
    match expected {
        Some(LayerDigest::Stored(digest)) if digest != stored => Err(changed()),
        Some(LayerDigest::Unpacked(digest)) if digest != unpacked => Err(changed()),
        None => Err(io::Error::other("is named without a SHA-256 that could be checked")),
        Some(_) => Ok(()),
    }
}

fn changed() -> io::Error {
    io::Error::other("has another digest than the image says: it was changed; save the image again")
}

impl Contents<'_> {
    fn layer_entry(&mut self, entry: &tar::Entry, bytes: &mut dyn Read) {
        let Some(path) = self.path(&entry.path) else { return };
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if name == OPAQUE {
            return self.remove_below(folder);
        }
        if let Some(gone) = name.strip_prefix(WHITEOUT) {
            let gone = if folder.is_empty() { gone.to_owned() } else { format!("{folder}/{gone}") };
            self.lower.remove(&gone);
            return self.remove_below(&gone);
        }
        self.lower.remove(&path);
        if entry.kind != EntryKind::Folder {
            self.remove_below(&path);
        }
        self.entry(entry, bytes);
    }

    /// Forgets what lower layers have in a folder.
    fn remove_below(&mut self, folder: &str) {
        if folder.is_empty() {
            return self.lower.clear();
        }
        let below = format!("{folder}/");
        let from = self.lower.range(below.clone()..);
        let gone: Vec<String> =
            from.map(|(path, _)| path).take_while(|it| it.starts_with(&below)).cloned().collect();
        for path in gone {
            self.lower.remove(&path);
        }
    }
}

struct Hashed<'a> {
    inner: Box<dyn Read + 'a>,
    digester: Digester,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digester.update(&buffer[..read]);
        Ok(read)
    }
}
