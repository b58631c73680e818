//! What lies beside a lockfile and says more about its packages: a manifest, a file of checksums.

use std::collections::HashMap;

use super::text;

/// A file of a project, as [`parse_all`](super::parse_all) takes it.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Path below the project, with `/` between its parts.
    pub path: &'a str,
    /// Content.
    pub bytes: &'a [u8],
}

/// All files of a project, seen from the folder of one of them.
pub(super) struct Beside<'a> {
    files: &'a HashMap<&'a str, &'a [u8]>,
    folder: &'a str,
}

impl<'a> Beside<'a> {
    /// `files` by path, seen from beside the one at `path`.
    pub(super) fn new(files: &'a HashMap<&'a str, &'a [u8]>, path: &'a str) -> Self {
        Self { files, folder: path.rsplit_once('/').map_or("", |(folder, _)| folder) }
    }

    /// The file at `relative`, which may climb with `../` but not out of the project; absent where
    /// there is none that is text of a size that is read.
    pub(super) fn text(&self, relative: &str) -> Option<&'a str> {
        let bytes = self.files.get(self.resolve(relative)?.as_str())?;
        text::decode(bytes).ok()
    }

    /// Folders below this one that have a file of this name, as paths from here, in order; this one
    /// is not among them.
    pub(super) fn folders_with(&self, file_name: &str) -> Vec<&'a str> {
        let below = |path: &&'a str| {
            let path = match self.folder {
                "" => path,
                folder => path.strip_prefix(folder)?.strip_prefix('/')?,
            };
            path.strip_suffix(file_name)?.strip_suffix('/')
        };
        let mut folders: Vec<&str> = self.files.keys().filter_map(below).collect();
        folders.sort_unstable();
        folders
    }

    fn resolve(&self, relative: &str) -> Option<String> {
        let mut parts: Vec<&str> = self.folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in relative.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()?),
                part => parts.push(part),
            }
        }
        Some(parts.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_found_and_nothing_outside_the_project_is() {
        let files = HashMap::from([("a/b/Cargo.toml", &b"in"[..]), ("Cargo.toml", b"top")]);
        let beside = Beside::new(&files, "a/Cargo.lock");
        assert_eq!(beside.text("b/Cargo.toml"), Some("in"));
        assert_eq!(beside.text("./b/../../Cargo.toml"), Some("top"));
        assert_eq!(beside.text("../../Cargo.toml"), None);
        assert_eq!(beside.text("Cargo.toml"), None);
        assert_eq!(beside.folders_with("Cargo.toml"), ["b"]);
        assert_eq!(Beside::new(&files, "uv.lock").folders_with("Cargo.toml"), ["a/b"]);
    }
}
