//! Package URLs: what was read is written, and read again as the same.
#![no_main]

use purl::Purl;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(purl) = Purl::canonicalize(text) else { return };
    let canonical = purl.to_string();
    assert_eq!(canonical.parse(), Ok(purl), "{canonical:?}");
});
