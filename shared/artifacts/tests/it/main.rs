//! What the crate promises, checked on trees and artifacts made for it, sound ones and hostile ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of tests may panic as tests may"
)]

mod binary;
mod hostile;
mod image;
mod packages;
mod tree;

use std::{
    io::{Cursor, Write},
    path::PathBuf,
};

use artifacts::{Limits, scan_file};
use documents::inventory::ArtifactContents;
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

/// `dpkg` and `base` as a `status` has them, and a package that is gone.
const DPKG_STATUS: &str = "\
Package: base-files
Status: install ok installed
Version: 12.4
Architecture: amd64

Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc
Version: 2.36-9

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
";
const DEBIAN: &str = "ID=debian\nVERSION_ID=\"12\"\n";
const CARGO_LOCK: &str = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\n";

fn metadata(name: &str, version: &str) -> Vec<u8> {
    format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n").into_bytes()
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 1).unwrap()
}

struct Artifact {
    dir: TempDir,
    path: PathBuf,
}

fn artifact(name: &str, bytes: &[u8]) -> Artifact {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    Artifact { dir, path }
}

/// What the artifact holds; what would be sent of it can be read again.
fn scan_with(name: &str, bytes: &[u8], limits: &Limits) -> ArtifactContents {
    let artifact = artifact(name, bytes);
    let contents = scan_file(&artifact.path, limits).unwrap().expect(name);
    assert_eq!(ArtifactContents::read(&contents.write()).as_ref(), Ok(&contents));
    let left: Vec<_> = artifact.dir.path().read_dir().unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is unpacked beside the artifact");
    contents
}

fn scan(name: &str, bytes: &[u8]) -> ArtifactContents {
    scan_with(name, bytes, &Limits::default())
}

/// Every package URL with the path of the file that tells it, without the artifact's name.
fn told(contents: &ArtifactContents) -> Vec<String> {
    let inventories = contents.inventories().iter();
    let told = inventories.flat_map(|it| it.packages.iter().map(move |package| (it, package)));
    told.map(|(inventory, package)| {
        let path = inventory.path.strip_prefix(contents.artifact()).unwrap();
        let root = if package.root { " (root)" } else { "" };
        format!("{}{root} {}", package.purl, path.trim_start_matches("!/")).trim_end().to_owned()
    })
    .collect()
}

fn gaps(contents: &ArtifactContents) -> Vec<String> {
    contents.missing().iter().map(|gap| format!("{}: {}", gap.path, gap.reason)).collect()
}
