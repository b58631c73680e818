//! Lockfiles in JSON: read, and written as an SBOM if they can be.
#![no_main]

#[path = "shared/sbom.rs"]
mod sbom;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sbom::of_lockfile(&["package-lock.json", "Pipfile.lock", "composer.lock", "packages.lock.json", "app.deps.json"], bytes));
