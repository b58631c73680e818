//! What is known about every digest: facts projected from the streams' messages, the journal of
//! those messages in the archive, and the questions that both answer.
//!
//! [`Registry`] is the only writer of its database, [`View`] reads beside it. Everything in the
//! database is a function of the messages in the order of the journal, so [`journal::rebuild`]
//! makes the same database from the archive alone.

mod columns;
mod dump;
mod error;
mod explain;
pub mod journal;
mod migrations;
mod project;
mod reconcile;
mod registry;
mod retention;
pub mod scorecard;
mod seal;
pub mod segment;
mod signed;
mod stage;
pub mod story;
pub mod sweep;
mod view;

pub use crate::{
    error::RegistryError,
    reconcile::{
        Absent, BuildAccount, Gap, Reconciliation, Settled, StageAccount, SubmissionAccount,
        Unaccounted,
    },
    registry::{Closed, Pending, Registry},
    scorecard::{Scorecard, Summary},
    story::Explanation,
    view::View,
};

#[cfg(test)]
mod tests;
