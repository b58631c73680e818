//! Any of the trackers.

use jiff::Timestamp;

use crate::{Deed, GitHub, Note, Place, Recall, Ticket, TicketError, Tracker, Webhook};

/// Any of the trackers.
pub enum Remote {
    /// GitHub Issues.
    GitHub(Box<GitHub>),
    /// Whoever receives webhooks.
    Webhook(Box<Webhook>),
}

impl Tracker for Remote {
    fn recall(&self) -> Recall {
        match self {
            Self::GitHub(it) => it.recall(),
            Self::Webhook(it) => it.recall(),
        }
    }

    async fn changes(&self, since: Option<Timestamp>) -> Result<Vec<Ticket>, TicketError> {
        match self {
            Self::GitHub(it) => it.changes(since).await,
            Self::Webhook(it) => it.changes(since).await,
        }
    }

    async fn perform(&self, deed: &Deed<'_>) -> Result<Option<Ticket>, TicketError> {
        match self {
            Self::GitHub(it) => it.perform(deed).await,
            Self::Webhook(it) => it.perform(deed).await,
        }
    }

    async fn has_told(&self, place: &Place, note: &Note) -> Result<bool, TicketError> {
        match self {
            Self::GitHub(it) => it.has_told(place, note).await,
            Self::Webhook(it) => it.has_told(place, note).await,
        }
    }
}
