//! What every tracker must be able to do.

use std::future::Future;

use jiff::Timestamp;
use uuid::Uuid;

use crate::{Key, Note, Place, Seen, Step, TicketError, Wanted};

/// A tracker, as far as it matters here.
pub trait Tracker: Sync {
    /// How it is made sure that there is one ticket for each key.
    fn recall(&self) -> Recall;
    /// Our tickets that have changed since `since`, by the tracker's clock; all of them without. Of others' tickets
    /// none, whatever they say.
    fn changes(
        &self,
        since: Option<Timestamp>,
    ) -> impl Future<Output = Result<Vec<Ticket>, TicketError>> + Send;
    /// Does `deed`, and tells how the ticket looks then.
    fn perform(
        &self,
        deed: &Deed<'_>,
    ) -> impl Future<Output = Result<Option<Ticket>, TicketError>> + Send;
    /// Whether we have told `note` at that place.
    fn has_told(
        &self,
        place: &Place,
        note: &Note,
    ) -> impl Future<Output = Result<bool, TicketError>> + Send;
}

/// How it is made sure that there is one ticket for each key, although answers are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recall {
    /// What there is can be listed: it is looked for before it is asked for again.
    Lists,
    /// A repeated request is recognised by its id, and can be sent at once.
    Recognises,
}

/// One thing to do to a ticket.
#[derive(Debug)]
pub struct Deed<'a> {
    /// What.
    pub step: &'a Step,
    /// To which ticket; none when it is made.
    pub place: Option<&'a Place>,
    /// What the ticket should be.
    pub wanted: &'a Wanted,
    /// Name of this attempt, the same when it is repeated.
    pub attempt: Uuid,
}

/// A ticket of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Where it is.
    pub place: Place,
    /// The key in its text.
    pub key: Option<Key>,
    /// How it looks.
    pub seen: Seen,
}
