//! The files that an image is stored as, by name.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use crate::{
    budget::Budget,
    tar::{self, EntryKind},
    tree::open_regular,
};

/// Marks an OCI image layout (OCI image specification, image-layout).
pub(super) const OCI_LAYOUT: &str = "oci-layout";
/// Most files of an image; there are about as many as layers.
const MAX_FILES: usize = 10_000;
/// Largest list or manifest, in bytes: what registries accept.
const MAX_JSON_BYTES: u64 = 4 * 1024 * 1024;
/// How often one link may lead to another.
const MAX_LINKS: usize = 3;

/// The files of images, in an archive or a folder.
pub(super) enum Blobs {
    Archive { file: File, places: HashMap<String, Place> },
    Folder(PathBuf),
}

/// Where an archive has a file.
pub(super) enum Place {
    At {
        offset: u64,
        size: u64,
    },
    /// Where the other name leads; old `docker save` links layers that are the same.
    Link(String),
}

impl Blobs {
    pub(super) fn in_folder(dir: &Path) -> Self {
        Self::Folder(dir.to_owned())
    }

    pub(super) fn in_archive(mut file: File, budget: &Budget) -> io::Result<Self> {
        let mut places = HashMap::new();
        tar::each(&mut file, budget, &mut |entry, _| {
            let path = String::from_utf8_lossy(&entry.path);
            let path = joined("", &path);
            let place = match entry.kind {
                EntryKind::File => Place::At { offset: entry.offset, size: entry.size },
                EntryKind::Symlink => {
                    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    Place::Link(joined(folder, &String::from_utf8_lossy(&entry.target)))
                }
                _ => return Ok(()),
            };
            if places.len() >= MAX_FILES {
                return Err(io::Error::other(format!(
                    "has more than the {MAX_FILES} files of an image"
                )));
            }
            places.insert(path, place);
            Ok(())
        })?;
        Ok(Self::Archive { file, places })
    }

    /// The file of this name, if there is one.
    pub(super) fn open(&mut self, name: &str) -> io::Result<Option<Box<dyn Read + '_>>> {
        match self {
            Self::Folder(dir) => {
                // Names come from manifests; none may lead out of the folder.
                match open_regular(&dir.join(joined("", name))) {
                    Ok(file) => Ok(Some(Box::new(file))),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Self::Archive { file, places } => {
                let mut name = joined("", name);
                for _ in 0..MAX_LINKS {
                    match places.get(&name) {
                        Some(Place::At { offset, size }) => {
                            file.seek(SeekFrom::Start(*offset))?;
                            return Ok(Some(Box::new(file.take(*size))));
                        }
                        Some(Place::Link(target)) => name.clone_from(target),
                        None => return Ok(None),
                    }
                }
                Ok(None)
            }
        }
    }

    /// A small file whole.
    pub(super) fn json(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.open(name)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(MAX_JSON_BYTES + 1).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > MAX_JSON_BYTES {
            true => Err(io::Error::other(format!("{name} has more than {MAX_JSON_BYTES} bytes"))),
            false => Ok(Some(bytes)),
        }
    }
}

/// `path` as seen from `folder`, without leaving the root.
fn joined(folder: &str, path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in folder.split('/').chain(path.split('/')) {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_lead_out_of_the_image() {
        assert_eq!(joined("a/b", "../c/./layer.tar"), "a/c/layer.tar");
        assert_eq!(joined("", "../../etc/passwd"), "etc/passwd");
        assert_eq!(joined("", "/etc/passwd"), "etc/passwd");
    }
}
