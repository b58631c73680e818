//! Trees of source files.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
};

use artifacts::{Limits, Tree, scan_tree};
use tempfile::TempDir;

const LOCK: &str = "version = 4\n";

fn tree_of(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        put(&dir.path().join(file), LOCK);
    }
    dir
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn scan(dir: &TempDir, limits: &Limits) -> Tree {
    scan_tree(dir.path(), limits).unwrap()
}

fn names(tree: &Tree) -> Vec<&str> {
    tree.files.iter().map(|(path, _)| path.as_str()).collect()
}

fn gaps(tree: &Tree) -> Vec<String> {
    tree.missing.iter().map(|gap| format!("{}: {}", gap.path, gap.reason)).collect()
}

#[test]
fn lockfiles_are_found_in_the_order_of_folders_and_those_of_others_are_not() {
    let dir = tree_of(&[
        "b/uv.lock",
        "Cargo.lock",
        "a/c/Cargo.lock",
        "a/package-lock.json",
        "a/readme.md",
        "node_modules/left-pad/package-lock.json",
        "a/vendor/x/Cargo.lock",
        ".git/Cargo.lock",
        ".cache/Cargo.lock",
        "venv-of-mine/pyvenv.cfg",
        "venv-of-mine/uv.lock",
        "venv-of-mine/lib/uv.lock",
    ]);

    let tree = scan(&dir, &Limits::default());

    assert_eq!(names(&tree), ["Cargo.lock", "a/package-lock.json", "a/c/Cargo.lock", "b/uv.lock"]);
    assert_eq!(tree.files[0].1, LOCK);
    assert_eq!(gaps(&tree), [""; 0]);
    assert_eq!(tree, scan(&dir, &Limits::default()));
}

#[test]
fn what_lists_include_is_taken_by_whatever_name_and_no_link_is_followed_to_it() {
    let dir = tree_of(&["deps/pins", "outside", "linked/secret"]);
    symlink(dir.path().join("linked"), dir.path().join("link")).unwrap();
    symlink(dir.path().join("outside"), dir.path().join("deps/file-link")).unwrap();
    let list = "-r deps/base.in\n-r link/secret\n-r deps/file-link\n-r gone\n-r deps\n";
    put(&dir.path().join("requirements.txt"), list);
    put(&dir.path().join("deps/base.in"), "-c pins\n-r ../requirements.txt\n");

    let tree = scan(&dir, &Limits::default());
    assert_eq!(names(&tree), ["requirements.txt", "deps/base.in", "deps/pins"]);
    assert_eq!(gaps(&tree), [""; 0]);

    for at in 0..300 {
        put(&dir.path().join(format!("chain/{at}")), &format!("-r {}", at + 1));
    }
    put(&dir.path().join("requirements.txt"), "-r chain/0");
    assert_eq!(names(&scan(&dir, &Limits::default())).len(), 1 + 100);

    let small = Limits { file_bytes: LOCK.len() as u64 - 1, ..Limits::default() };
    put(&dir.path().join("requirements.txt"), "-c outside");
    let small = scan(&dir, &small);
    assert_eq!(gaps(&small), ["outside: has 12 bytes, more than the 11 that are read"]);
}

#[test]
fn links_are_not_followed() {
    let (dir, outside) = (tree_of(&["a/Cargo.lock"]), tree_of(&["uv.lock", "b/Cargo.lock"]));
    symlink(dir.path(), dir.path().join("a/loop")).unwrap();
    symlink(outside.path(), dir.path().join("out")).unwrap();
    symlink(outside.path().join("uv.lock"), dir.path().join("uv.lock")).unwrap();
    symlink("a/Cargo.lock", dir.path().join("Cargo.lock")).unwrap();

    assert_eq!(names(&scan(&dir, &Limits::default())), ["a/Cargo.lock"]);
}

#[test]
fn pipe_that_is_named_like_a_lockfile_is_not_opened() {
    let dir = tree_of(&["a/uv.lock"]);
    let pipe = dir.path().join("Cargo.lock");
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();

    assert_eq!(names(&scan(&dir, &Limits::default())), ["a/uv.lock"]);
}

#[test]
fn names_that_cannot_be_told_are_missing_and_the_rest_goes_on() {
    let dir = tree_of(&["z/uv.lock", "line\nbreak/uv.lock"]);
    put(&dir.path().join(OsStr::from_bytes(b"\xff/Cargo.lock")), LOCK);

    let tree = scan(&dir, &Limits::default());

    assert_eq!(names(&tree), ["z/uv.lock"]);
    let gaps = gaps(&tree);
    assert!(gaps[0].starts_with("line\u{fffd}break/uv.lock: its path is not UTF-8"), "{gaps:?}");
    assert!(gaps[1].starts_with("\u{fffd}/Cargo.lock: its path is not UTF-8"), "{gaps:?}");
    assert_eq!(gaps.len(), 2);
}

#[test]
fn what_is_too_large_is_missing_and_the_rest_goes_on() {
    let dir = tree_of(&["a/uv.lock", "b/uv.lock", "c/uv.lock", "d/uv.lock"]);
    put(&dir.path().join("b/uv.lock"), &"#".repeat(21));

    let limits = Limits { file_bytes: 20, tree_bytes: 30, ..Limits::default() };
    let tree = scan(&dir, &limits);

    assert_eq!(names(&tree), ["a/uv.lock", "c/uv.lock"]);
    assert_eq!(
        gaps(&tree),
        [
            "b/uv.lock: has 21 bytes, more than the 20 that are read",
            "d/uv.lock: is beyond the 30 bytes that are read of a tree"
        ]
    );
}

#[test]
fn tree_of_more_entries_than_the_limit_tells_where_the_walk_ended() {
    let dir = tree_of(&["Cargo.lock", "a/1/uv.lock", "b/2", "b/3", "c/uv.lock"]);

    let limits = Limits { entries: 7, ..Limits::default() };
    let tree = scan(&dir, &limits);

    assert_eq!(names(&tree), ["Cargo.lock", "a/1/uv.lock"]);
    assert_eq!(gaps(&tree), ["b: the tree has more than 7 files and folders: the walk ended here"]);
    let whole = scan(&dir, &Limits { entries: 9, ..Limits::default() });
    assert_eq!((names(&whole).len(), gaps(&whole).len()), (3, 0));
}

#[test]
fn deep_tree_needs_no_stack() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("d/".repeat(500));
    put(&deep.join("uv.lock"), LOCK);

    assert_eq!(names(&scan(&dir, &Limits::default())).len(), 1);
}

#[test]
fn what_is_no_folder_is_an_error() {
    let dir = tree_of(&["uv.lock"]);
    assert!(scan_tree(&dir.path().join("uv.lock"), &Limits::default()).is_err());
    assert!(scan_tree(&dir.path().join("none"), &Limits::default()).is_err());
}
