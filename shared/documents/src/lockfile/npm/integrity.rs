//! Digests as npm writes them: Subresource Integrity (W3C), `algorithm-base64` one or more times.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::lockfile::error::Problem;
use crate::lockfile::{Hash, MAX_LOCATION_BYTES, text};

/// The strongest digest; unknown hash functions are passed over.
pub(super) fn strongest(integrity: &str) -> Result<Option<Hash>, Problem> {
    let bytes = integrity.len();
    if bytes > MAX_LOCATION_BYTES {
        return Err(Problem::TooLong { field: "integrity", bytes, limit: MAX_LOCATION_BYTES });
    }
    let mut strongest = None;
    for entry in integrity.split_ascii_whitespace() {
        let Some((algorithm, digest)) = entry.split_once('-') else {
            return Err(text::invalid("integrity", entry, "a digest such as sha512-…"));
        };
        let Some((algorithm, digits)) = text::hash_algorithm(algorithm) else { continue };
        // What follows a question mark is an option.
        let digest = digest.split('?').next().unwrap_or(digest);
        let digest = STANDARD
            .decode(digest)
            .map_err(|_| text::invalid("integrity", entry, "a digest in Base64"))?;
        if digest.len() * 2 != digits {
            let expected = "a digest of as many bytes as its algorithm yields";
            return Err(text::invalid("integrity", entry, expected));
        }
        strongest = strongest.max(Some(Hash { algorithm, hex: hex_of(&digest) }));
    }
    Ok(strongest)
}

fn hex_of(digest: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = vec![0; digest.len() * 2];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(digest) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    // Digits are text.
    String::from_utf8(hex).unwrap_or_default()
}
