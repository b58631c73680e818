//! Archives, programs and images, as files.
#![no_main]

use std::fs;

use artifacts::{Limits, scan_file};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // One process runs one input at a time.
    let path = std::env::temp_dir().join(format!("attestry-fuzz-{}.bin", std::process::id()));
    fs::write(&path, bytes).expect("a temporary file");
    let limits = Limits { unpacked_bytes: 64 << 20, held_bytes: 16 << 20, ..Limits::default() };
    let contents = scan_file(&path, &limits).expect("a file that can be read");
    if let Some(contents) = contents {
        let written = contents.write();
        let read = documents::inventory::ArtifactContents::read(&written);
        assert_eq!(read.as_ref(), Ok(&contents));
    }
});
