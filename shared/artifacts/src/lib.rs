//! What trees of source files and artifacts are made of, found without running anything.

mod limits;
mod tree;

pub use limits::Limits;
pub use tree::{Tree, scan_tree};
