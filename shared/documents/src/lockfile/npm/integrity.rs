//! Digests as npm writes them: Subresource Integrity (W3C), `algorithm-base64` one or more times.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::lockfile::error::Problem;
use crate::lockfile::{Hash, MAX_LOCATION_BYTES, text};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The strongest digest; unknown hash functions are passed over.
pub(super) fn strongest(integrity: &str) -> Result<Option<Hash>, Problem> {
    let bytes = integrity.len();
    if bytes > MAX_LOCATION_BYTES {
        return Err(Problem::TooLong { field: "integrity", bytes, limit: MAX_LOCATION_BYTES });
    }
    let mut strongest = None;
    for entry in integrity.split_whitespace() {
        let Some((algorithm, digest)) = entry.split_once('-') else {
            return Err(text::invalid("integrity", entry, "a digest such as sha512-…"));
        };
        if text::hash_algorithm(algorithm).is_none() {
            continue;
        }
        // What follows a question mark is an option.
        let digest = digest.split('?').next().unwrap_or(digest);
        let digest = STANDARD
            .decode(digest)
            .map_err(|_| text::invalid("integrity", entry, "a digest in Base64"))?;
        let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex: String = digits.map(|digit| char::from(HEX[usize::from(digit)])).collect();
        strongest = strongest.max(Some(text::hash("integrity", &format!("{algorithm}:{hex}"))?));
    }
    Ok(strongest)
}
