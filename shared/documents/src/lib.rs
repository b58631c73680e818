//! Supply-chain documents: lockfiles in, CycloneDX out, and the official schemas to judge them by.

pub mod cyclonedx;
pub mod lockfile;
pub mod schema;
