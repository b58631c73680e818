//! What artifacts say of themselves: one kind of file for each first byte.
#![no_main]

use documents::metadata::{self, Context, Kind};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let kind = Kind::ALL[usize::from(*first) % Kind::ALL.len()];
    let _ = metadata::read(kind, "app-1.0.jar!/file", rest, &Context::default());
    let _ = documents::inventory::ArtifactContents::read(rest);
});
