//! What the crate promises, checked on trees and artifacts made for it, sound ones and hostile ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of tests may panic as tests may"
)]

mod tree;
