//! The `attestry` program as people and CI run it: commands, exit codes, messages, files.
//!
//! One program for all of them, so that they link once; each test has a directory, and most a running
//! `attestry up`, of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test may panic"
)]

mod advisories;
mod again;
mod books;
mod doors;
mod events;
mod feeds;
mod lifecycle;
mod offline;
mod outages;
mod place;
mod policies;
mod quarantine;
mod recipes;
mod scorecard;
mod suppliers;
mod tickets;
mod traces;
mod verdicts;
mod verify;
