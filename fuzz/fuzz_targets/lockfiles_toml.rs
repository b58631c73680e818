//! Lockfiles in TOML: read, and written as an SBOM if they can be.
#![no_main]

#[path = "shared/sbom.rs"]
mod sbom;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sbom::of_lockfile(&["uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Cargo.lock"], bytes));
