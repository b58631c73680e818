//! Digests of files of any size.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use events::{Digest, Digester};

const BUFFER_BYTES: usize = 256 * 1024;

/// Digest and size in bytes of the file at `path`.
pub(crate) fn file(path: &Path) -> io::Result<(Digest, u64)> {
    let mut file = File::open(path)?;
    let mut digester = Digester::default();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut size = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((digester.finish(), size)),
            read => {
                digester.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
}
