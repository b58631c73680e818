//! Judges a build's evidence by policy.

pub mod policy;
pub mod verdict;
