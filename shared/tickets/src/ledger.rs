//! Where it is on record which ticket is whose.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{Key, Known};

/// What is on record about one tracker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Up to when, by the tracker's clock, its changes were seen; none if never.
    pub cursor: Option<Timestamp>,
    /// Every ticket.
    pub known: BTreeMap<Key, Known>,
}

/// The record could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record of tickets failed: {0}")]
pub struct LedgerError(pub String);

/// Where it is on record which ticket is whose. What was kept must survive the end of the process, however it ends,
/// from the moment on at which `keep` completes.
pub trait Ledger: Sync {
    /// All that is on record.
    fn load(&self) -> impl Future<Output = Result<Memory, LedgerError>> + Send;
    /// Puts `known` on record.
    fn keep(&self, key: Key, known: &Known)
    -> impl Future<Output = Result<(), LedgerError>> + Send;
    /// Puts on record up to when the tracker's changes were seen.
    fn keep_cursor(
        &self,
        cursor: Timestamp,
    ) -> impl Future<Output = Result<(), LedgerError>> + Send;
}
