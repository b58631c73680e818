//! A tree of source files: its lockfiles and what says more about them.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use documents::{inventory::Missing, lockfile};
use events::FilePath;
use rustix::fs::OFlags;

use crate::Limits;

/// Folders that hold other people's lockfiles, copies, or what was built.
const PASSED_OVER: [&str; 9] = [
    "__pycache__",
    "bower_components",
    "build",
    "dist",
    "dist-packages",
    "node_modules",
    "site-packages",
    "target",
    "vendor",
];
/// A file that marks its folder as a Python environment (PEP 405).
const ENVIRONMENT: &str = "pyvenv.cfg";
/// Deepest inclusion that is followed, as far as one is read.
const MAX_INCLUSIONS: usize = 100;
/// Most gaps of one tree that are told one by one.
const MAX_MISSING: usize = 1000;

/// What was found in a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Lockfiles and files that say more about them, with their paths below the tree, sorted by
    /// folder; then what they include by other names: what [`lockfile::parse_all`] takes.
    pub files: Vec<(String, Bytes)>,
    /// What could not be read.
    pub missing: Vec<Missing>,
}

/// Finds the lockfiles below `dir` and the files that say more about them.
///
/// Folders whose names begin with a dot are passed over, and those that hold installed packages or
/// what was built. Links are not followed, and nothing but regular files is opened. What cannot be
/// read is told as missing, and the rest goes on.
///
/// # Errors
/// `dir` is no directory, or cannot be listed.
pub fn scan_tree(dir: &Path, limits: &Limits) -> io::Result<Tree> {
    let mut walk = Walk::new(dir, limits);
    let first = walk.list(Path::new(""))?;
    walk.visit(first);
    walk.take_included();
    Ok(walk.tree)
}

/// `files`, which lie in `dir`, and those below it that they include; see [`lockfile::included`].
pub fn with_included(dir: &Path, files: Vec<(String, Bytes)>, limits: &Limits) -> Tree {
    let mut walk = Walk::new(dir, limits);
    walk.tree.files = files;
    walk.take_included();
    walk.tree
}

struct Walk<'a> {
    root: &'a Path,
    limits: &'a Limits,
    entries_left: u64,
    bytes_left: u64,
    ended: bool,
    tree: Tree,
}

/// One folder of those that lead from the root to where the walk is.
struct Folder {
    below: PathBuf,
    /// Folders in it that are still to be visited, the next one last.
    folders: Vec<OsString>,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Path, limits: &'a Limits) -> Self {
        Self {
            root,
            limits,
            entries_left: limits.entries,
            bytes_left: limits.tree_bytes,
            ended: false,
            tree: Tree::default(),
        }
    }

    /// Takes the files that those taken before include; one that is not there is told by who reads
    /// them.
    fn take_included(&mut self) {
        let mut known: BTreeSet<String> =
            self.tree.files.iter().map(|(path, _)| path.clone()).collect();
        // Each time all lists are looked into again.
        for _ in 0..MAX_INCLUSIONS {
            let files = &self.tree.files;
            let files: Vec<_> =
                files.iter().map(|(path, bytes)| lockfile::File { path, bytes }).collect();
            let included = lockfile::included(&files);
            let lacking: Vec<_> =
                included.into_iter().filter(|it| known.insert(it.clone())).collect();
            if lacking.is_empty() {
                return;
            }
            for path in lacking {
                if self.entries_left == 0 {
                    return self.end_in(Path::new(&path));
                }
                self.entries_left -= 1;
                if is_below(self.root, Path::new(&path)) {
                    self.take(Path::new(&path));
                }
            }
        }
    }

    fn visit(&mut self, first: Folder) {
        let mut path = vec![first];
        while let Some(folder) = path.last_mut().filter(|_| !self.ended) {
            let Some(name) = folder.folders.pop() else {
                path.pop();
                continue;
            };
            let below = folder.below.join(name);
            match self.list(&below) {
                Ok(folder) => path.push(folder),
                Err(error) => self.miss(&below, &format!("cannot be listed: {error}")),
            }
        }
    }

    /// Takes the files of a folder, and returns the folders in it.
    fn list(&mut self, below: &Path) -> io::Result<Folder> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(self.root.join(below))? {
            if self.entries_left == 0 {
                self.end_in(below);
                break;
            }
            self.entries_left -= 1;
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.miss(below, &format!("cannot be listed to its end: {error}"));
                    break;
                }
            };
            let name = entry.file_name();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !is_passed_over(&name) => folders.push(name),
                Ok(kind) if kind.is_file() && is_wanted(&name) => files.push(name),
                Ok(_) => {}
                Err(error) => self.miss(&below.join(&name), &error.to_string()),
            }
        }
        if files.iter().any(|name| name == ENVIRONMENT) && !below.as_os_str().is_empty() {
            return Ok(Folder { below: below.to_owned(), folders: Vec::new() });
        }
        files.sort_unstable();
        for name in files.iter().filter(|name| *name != ENVIRONMENT) {
            self.take(&below.join(name));
        }
        folders.sort_unstable_by(|a, b| b.cmp(a));
        Ok(Folder { below: below.to_owned(), folders })
    }

    fn end_in(&mut self, below: &Path) {
        self.ended = true;
        let limit = self.limits.entries;
        let why = format!("the tree has more than {limit} files and folders: the walk ended here");
        self.miss(below, &why);
    }

    fn take(&mut self, below: &Path) {
        let Some(path) = below.to_str().filter(|path| path.parse::<FilePath>().is_ok()) else {
            let reason = "its path is not UTF-8, too long, or has control characters or backslashes; rename it";
            return self.miss(below, reason);
        };
        match self.read(below) {
            Ok(bytes) => self.tree.files.push((path.to_owned(), bytes)),
            Err(reason) => self.miss(below, &reason),
        }
    }

    fn read(&mut self, below: &Path) -> Result<Bytes, String> {
        let file = open_regular(&self.root.join(below)).map_err(|error| error.to_string())?;
        let size = file.metadata().map_err(|error| error.to_string())?.len();
        let limit = self.limits.file_bytes;
        if size > limit {
            return Err(format!("has {size} bytes, more than the {limit} that are read"));
        }
        let limit = limit.min(self.bytes_left);
        // Growing would copy what was read, again and again.
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or(0) + 1);
        file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        let read = bytes.len() as u64;
        if read > self.bytes_left {
            let limit = self.limits.tree_bytes;
            return Err(format!("is beyond the {limit} bytes that are read of a tree"));
        }
        self.bytes_left -= read;
        Ok(bytes.into())
    }

    fn miss(&mut self, below: &Path, reason: &str) {
        let told = self.tree.missing.len();
        if told >= MAX_MISSING {
            return;
        }
        let (path, reason) = match told + 1 == MAX_MISSING {
            true => (".".into(), "more could not be read than is told one by one"),
            false if below.as_os_str().is_empty() => (".".into(), reason),
            false => (below.to_string_lossy(), reason),
        };
        let path = path.replace(char::is_control, "\u{fffd}");
        self.tree.missing.push(Missing { path, line: None, reason: reason.to_owned() });
    }
}

/// Whether `below` is a file in `root`, and no link leads there.
fn is_below(root: &Path, below: &Path) -> bool {
    let kind = |path: &Path| root.join(path).symlink_metadata().map(|it| it.file_type());
    let mut folders = below.ancestors().skip(1).filter(|it| !it.as_os_str().is_empty());
    folders.all(|it| kind(it).is_ok_and(|kind| kind.is_dir()))
        && kind(below).is_ok_and(|it| it.is_file())
}

/// Opens `path` if it is a regular file, without waiting for whoever may write to it.
///
/// # Errors
/// It cannot be opened, or is a link, a pipe, a device or a directory.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("is not a regular file")),
    }
}

fn is_passed_over(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') || PASSED_OVER.contains(&name.as_ref())
}

/// A name that is not UTF-8 may be wanted too, so that it is told as missing.
fn is_wanted(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    name == ENVIRONMENT || lockfile::is_known(&name) || lockfile::is_companion(&name)
}
