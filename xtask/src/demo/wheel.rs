//! A wheel (a zip archive, PEP 427) that stands in for what a real build would make. The same bytes every time.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use events::Digest;

/// Writes `<name>-<version>-py3-none-any.whl` into `directory`.
pub(crate) fn write(directory: &Path, name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let path = directory.join(format!("{name}-{version}-py3-none-any.whl"));
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(&path, zip(&files(name, version))))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// A file of the archive: path and content.
type File = (String, String);

fn files(name: &str, version: &str) -> Vec<File> {
    let info = format!("{name}-{version}.dist-info");
    let mut files = vec![
        (
            format!("{name}/__init__.py"),
            format!("\"\"\"Stands in for {name}.\"\"\"\n\n__version__ = \"{version}\"\n"),
        ),
        (
            format!("{info}/METADATA"),
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"),
        ),
        (
            format!("{info}/WHEEL"),
            "Wheel-Version: 1.0\nGenerator: xtask\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                .into(),
        ),
    ];
    let line = |(path, content): &File| {
        let digest = Digest::of(content.as_bytes());
        let digest = BASE64_URL_SAFE_NO_PAD.encode(digest.as_bytes());
        format!("{path},sha256={digest},{}\n", content.len())
    };
    let mut record: String = files.iter().map(line).collect();
    record += &format!("{info}/RECORD,,\n");
    files.push((format!("{info}/RECORD"), record));
    files
}

/// Nothing compressed, every file from 1980-01-01 (APPNOTE.TXT, section 4.3).
fn zip(files: &[File]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (path, content) in files {
        let offset = u32_of(archive.len());
        // Version 2.0, no flags, stored, time, date, sums, sizes, lengths of path and extra field.
        let mut header = Vec::new();
        header.extend([20_u16, 0, 0, 0, 0x21].map(u16::to_le_bytes).concat());
        let sums = [crc32(content.as_bytes()), u32_of(content.len()), u32_of(content.len())];
        header.extend(sums.map(u32::to_le_bytes).concat());
        header.extend([u16_of(path.len()), 0].map(u16::to_le_bytes).concat());

        archive.extend(b"PK\x03\x04");
        archive.extend(&header);
        archive.extend(path.as_bytes());
        archive.extend(content.as_bytes());

        // Made by version 2.0; no comment, disk 0, no attributes.
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&header);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(path.as_bytes());
    }
    let offset = u32_of(archive.len());
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\x00\x00\x00\x00");
    archive.extend([u16_of(files.len()); 2].map(u16::to_le_bytes).concat());
    archive.extend([u32_of(directory.len()), offset].map(u32::to_le_bytes).concat());
    archive.extend([0; 2]);
    archive
}

/// CRC-32 (ISO 3309), bit by bit: the files are small.
fn crc32(bytes: &[u8]) -> u32 {
    let shift = |crc: u32| (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
    let step = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shift(crc));
    !bytes.iter().fold(!0, step)
}

/// Our files are far smaller than what does not fit.
fn u32_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn u16_of(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn wheel_is_an_archive_that_python_reads_and_checks() {
        let directory = tempfile::tempdir().expect("a directory");
        let wheel = write(directory.path(), "hotpass", "0.1.0").expect("written");

        let read = "import sys, zipfile; wheel = zipfile.ZipFile(sys.argv[1]); \
                    assert wheel.testzip() is None; print(*wheel.namelist())";
        let output = Command::new("python3").args(["-c", read]).arg(&wheel).output();
        let output = output.expect("python3 runs");

        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let names = "hotpass/__init__.py hotpass-0.1.0.dist-info/METADATA \
                     hotpass-0.1.0.dist-info/WHEEL hotpass-0.1.0.dist-info/RECORD\n";
        assert_eq!(String::from_utf8_lossy(&output.stdout), names);
    }

    #[test]
    fn wheel_has_the_same_bytes_every_time() {
        let bytes = || Digest::of(&zip(&files("hotpass", "0.1.0")));
        assert_eq!(bytes(), bytes());
    }
}
