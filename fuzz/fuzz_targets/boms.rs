//! Others' SBOMs and VEX documents, as CycloneDX, OpenVEX and CSAF.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = documents::detect(bytes);
    let _ = documents::bom::read(bytes);
    let _ = documents::vex::read(bytes);
});
