//! Supply-chain documents: lockfiles in, CycloneDX out, and what others wrote: SBOMs and VEX.

pub mod bom;
pub mod cyclonedx;
mod detect;
pub mod inventory;
pub mod lockfile;
pub mod metadata;
pub mod schema;
pub mod vex;

pub use detect::{Kind, detect};
