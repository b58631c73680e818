//! Supply-chain documents: lockfiles in, CycloneDX out, and what others wrote: SBOMs and VEX.

mod bill;
pub mod bom;
mod both;
mod carried;
pub mod convert;
pub mod cyclonedx;
mod detect;
pub mod diff;
pub mod inventory;
pub mod licence;
pub mod lockfile;
pub mod metadata;
pub mod schema;
pub mod score;
pub mod spdx;
pub mod vex;
mod xml;

pub use both::both;
pub use carried::{CarriedError, carried};
pub use detect::{Kind, detect};
