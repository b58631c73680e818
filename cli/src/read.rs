//! Files from outside, read in bounded memory.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The file at `path`; of one with more than `limit` bytes, one more than that, which tells it.
pub(crate) fn up_to(limit: usize, path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(limit);
    // Growing would copy what was read, again and again.
    let mut bytes = Vec::with_capacity(size.min(limit) + 1);
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::up_to;

    #[test]
    fn what_is_too_large_is_read_only_as_far_as_tells_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(up_to(5, &path).unwrap(), b"12345");
        assert_eq!(up_to(9, &path).unwrap(), b"12345");
        assert_eq!(up_to(3, &path).unwrap(), b"1234");
    }
}
