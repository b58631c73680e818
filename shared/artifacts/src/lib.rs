//! What trees of source files and artifacts are made of, found without running anything.

mod binary;
mod budget;
mod contents;
mod file;
mod finish;
mod image;
mod interest;
mod limits;
mod packed;
mod rpm;
mod tar;
mod tree;
mod zip;

pub use file::scan_file;
pub use limits::Limits;
pub use tree::{Tree, scan_tree, with_included};
