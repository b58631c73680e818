//! SPDX 2.3 (ISO/IEC 5962), written from CycloneDX.

mod write;

pub use write::write;
