//! What lies beside a lockfile and says more about its packages: a manifest, a file of checksums.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Bound::{Included, Unbounded};

use super::error::{Position, Problem};
use super::text;

/// What is given to readers of files that several lockfiles share, besides [`MAX_SHARES`] times what
/// there is: a thousand modules may name one parent.
const MAX_SHARED_BYTES: usize = 256 * 1024 * 1024;
const MAX_SHARES: usize = 16;

/// A file of a project, as [`parse_all`](super::parse_all) takes it.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Path below the project, with `/` between its parts.
    pub path: &'a str,
    /// Content.
    pub bytes: &'a [u8],
}

/// All files of a project by path, and how much of them is looked into.
pub(super) struct Files<'a> {
    by_path: BTreeMap<&'a str, &'a [u8]>,
    /// How many bytes more are given to readers: many lockfiles may name one large file.
    left: Cell<usize>,
    /// Files that became part of another's inventory.
    taken: RefCell<BTreeSet<String>>,
    /// Files that lack a part, with the place that asks for it.
    lacking: RefCell<Vec<(String, Position, Problem)>>,
}

impl<'a> Files<'a> {
    pub(super) fn new(files: &[File<'a>]) -> Self {
        let bytes = files.iter().map(|file| file.bytes.len()).fold(0, usize::saturating_add);
        let left = bytes.saturating_mul(MAX_SHARES).saturating_add(MAX_SHARED_BYTES);
        let by_path = files.iter().map(|file| (file.path, file.bytes)).collect();
        Self {
            by_path,
            left: Cell::new(left),
            taken: RefCell::default(),
            lacking: RefCell::default(),
        }
    }

    /// Whether the file at `path` became part of another's inventory.
    pub(super) fn is_taken(&self, path: &str) -> bool {
        self.taken.borrow().contains(path)
    }

    /// What [`Beside::lack`] was told since this was last asked.
    pub(super) fn take_lacking(&self) -> Vec<(String, Position, Problem)> {
        self.lacking.take()
    }

    fn text(&self, path: &str) -> Option<&'a str> {
        let text = text::decode(self.by_path.get(path)?).ok()?;
        self.left.set(self.left.get().checked_sub(text.len())?);
        Some(text)
    }
}

/// All files of a project, seen from the folder of one of them.
pub(super) struct Beside<'a> {
    files: &'a Files<'a>,
    folder: &'a str,
    name: &'a str,
}

impl<'a> Beside<'a> {
    /// `files` seen from beside the one at `path`.
    pub(super) fn new(files: &'a Files<'a>, path: &'a str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Self { files, folder, name }
    }

    /// The file at `relative`, which may climb with `../` but not out of the project; absent where
    /// there is none that is text of a size that is read.
    pub(super) fn text(&self, relative: &str) -> Option<&'a str> {
        self.files.text(&self.resolve(relative)?)
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
        let mut folders: Vec<&str> = self.files.by_path.keys().filter_map(below).collect();
        folders.sort_unstable();
        folders
    }

    /// The file at `relative` as [`text`](Self::text) gives it, to be read as a part of this one: with
    /// its path and what lies beside it. Once it is read, [`keep`](Self::keep) makes it one.
    pub(super) fn take(&self, relative: &str) -> Option<(&'a str, &'a str, Self)> {
        let (&path, _) = self.files.by_path.get_key_value(self.resolve(relative)?.as_str())?;
        let text = self.files.text(path)?;
        // Every part of it is kept, where others are but looked into.
        let kept = text.len().saturating_mul(MAX_SHARES);
        self.files.left.set(self.files.left.get().checked_sub(kept)?);
        Some((path, text, Self::new(self.files, path)))
    }

    /// Says that the file at `path` has become a part of another and is no list of its own.
    pub(super) fn keep(&self, path: &str) {
        self.files.taken.borrow_mut().insert(path.to_owned());
    }

    /// Says that line `line` of this file asks for a part that cannot be read.
    pub(super) fn lack(&self, line: usize, problem: Problem) {
        let Some(path) = self.own_path() else { return };
        self.files.lacking.borrow_mut().push((path, Position { line, column: 1 }, problem));
    }

    /// The path below the project of the file that this is beside.
    pub(super) fn own_path(&self) -> Option<String> {
        self.resolve(self.name)
    }

    /// Every file `name` in the folder and below it, by path, with what [`text`](Self::text) gives;
    /// those in folders with a lockfile of their own left out.
    pub(super) fn below(&self, name: &str) -> Vec<(&'a str, &'a str)> {
        let start = match self.folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let paths = self.files.by_path.range::<str, _>((Included(start.as_str()), Unbounded));
        let paths = paths.map_while(|(path, _)| path.strip_prefix(&start));
        let locked: HashSet<&str> =
            paths.clone().filter_map(|path| folder_of(path, self.name)).collect();
        let is_locked = |folder: &str| {
            let mut ends = folder.match_indices('/').map(|(at, _)| at + 1);
            ends.any(|end| locked.contains(&folder[..end]))
        };
        let named = paths.filter(|path| folder_of(path, name).is_some_and(|it| !is_locked(it)));
        named.filter_map(|path| Some((path, self.files.text(&format!("{start}{path}"))?))).collect()
    }

    /// The path below the project of the file at `relative`.
    pub(super) fn resolve(&self, relative: &str) -> Option<String> {
        resolve(self.folder, relative)
    }
}

/// The path below the project of what is at `relative` from `folder`; nothing outside the project.
pub(super) fn resolve(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The folder of `path` with its slash, if the path's last part is `name`.
fn folder_of<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let folder = path.strip_suffix(name)?;
    (folder.is_empty() || folder.ends_with('/')).then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &'static str) -> File<'static> {
        File { path, bytes: path.as_bytes() }
    }

    #[test]
    fn neighbours_are_found_and_nothing_outside_the_project_is() {
        let files = Files::new(&["a/b/Cargo.toml", "Cargo.toml"].map(file));
        let beside = Beside::new(&files, "a/Cargo.lock");
        assert_eq!(beside.text("b/Cargo.toml"), Some("a/b/Cargo.toml"));
        assert_eq!(beside.text("./b/../../Cargo.toml"), Some("Cargo.toml"));
        assert_eq!(beside.text("../../Cargo.toml"), None);
        assert_eq!(beside.text("Cargo.toml"), None);
        assert_eq!(beside.folders_with("Cargo.toml"), ["b"]);
        assert_eq!(Beside::new(&files, "uv.lock").folders_with("Cargo.toml"), ["a/b"]);
    }

    #[test]
    fn files_below_are_those_that_no_other_lockfile_is_nearer_to() {
        let paths = [
            "Cargo.lock",
            "Cargo.toml",
            "a/Cargo.toml",
            "a/b/Cargo.toml",
            "a/fuzz/Cargo.lock",
            "a/fuzz/Cargo.toml",
            "a/fuzz/c/Cargo.toml",
            "a/myCargo.toml",
            "b/Cargo.toml",
        ];
        let files = Files::new(&paths.map(file));
        let below = |path| {
            Beside::new(&files, path)
                .below("Cargo.toml")
                .into_iter()
                .map(|it| it.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            below("Cargo.lock"),
            ["Cargo.toml", "a/Cargo.toml", "a/b/Cargo.toml", "b/Cargo.toml"]
        );
        assert_eq!(below("a/fuzz/Cargo.lock"), ["Cargo.toml", "c/Cargo.toml"]);
    }

    #[test]
    fn one_large_file_is_not_given_to_ever_so_many_lockfiles() {
        let large = vec![b' '; 1024 * 1024];
        let files = Files::new(&[File { path: "base.txt", bytes: &large }]);
        let beside = Beside::new(&files, "requirements.txt");
        let given = (0..1_000).filter(|_| beside.text("base.txt").is_some()).count();
        assert_eq!(given, 256 + 16);
        let files = Files::new(&[File { path: "base.txt", bytes: &large }]);
        let beside = Beside::new(&files, "requirements.txt");
        let given = (0..1_000).filter(|_| beside.take("base.txt").is_some()).count();
        assert_eq!(given, 16);
    }
}
