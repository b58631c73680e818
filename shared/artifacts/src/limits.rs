//! How much is read before what remains is told as missing.

use documents::{inventory::ArtifactContents, lockfile::MAX_LOCKFILE_BYTES};

const MIB: u64 = 1024 * 1024;

/// How much of a tree or an artifact is read; beyond, what remains is told as missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files and folders of a tree; entries of an artifact and all that lies in it.
    pub entries: u64,
    /// Files of an artifact, and of all that lies in it, that say what it is made of.
    pub findings: u64,
    /// Bytes of one file that is read as text.
    pub file_bytes: u64,
    /// Bytes of all files of a tree that are read.
    pub tree_bytes: u64,
    /// Bytes that an artifact unpacks to, all that lies in it included.
    pub unpacked_bytes: u64,
    /// Bytes held in memory at a time: binaries and archives within others, and texts.
    pub held_bytes: u64,
    /// How often the size of compressed data it may unpack to, from 64 MiB on.
    pub ratio: u64,
    /// How deep archives may lie in others.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 4_000_000,
            findings: ArtifactContents::MAX_INVENTORIES as u64,
            file_bytes: MAX_LOCKFILE_BYTES as u64,
            tree_bytes: 512 * MIB,
            unpacked_bytes: 8 * 1024 * MIB,
            held_bytes: 192 * MIB,
            ratio: 250,
            depth: 5,
        }
    }
}
