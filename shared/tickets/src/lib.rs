//! Keeps tickets of a tracker in step with what is wanted: one ticket for each key, whatever fails in between.
//!
//! [`plan`] is pure and says what is to be done to one ticket. [`sync()`] does it: what is intended is written to
//! the [`Ledger`] before it is sent, and what became of it after. Knows no SQL, no NATS and no backlog.

mod clock;
mod error;
mod github;
mod http;
mod key;
mod known;
mod ledger;
mod pace;
mod plan;
mod remote;
mod report;
mod secret;
mod sync;
mod tracker;
mod wanted;
mod webhook;

pub mod text;

pub use crate::{
    clock::Clock,
    error::TicketError,
    github::{GitHub, GitHubSettings},
    http::{Base, InvalidBase},
    key::Key,
    known::{Closing, Intent, Known, Place, Seen, Telling},
    ledger::{Ledger, LedgerError, Memory},
    plan::{Held, Plan, Step, plan},
    remote::Remote,
    report::{Line, Outcome, Report},
    secret::{Secret, SecretError, SecretFile},
    sync::{Limits, sync},
    tracker::{Deed, Recall, Ticket, Tracker},
    wanted::{Desired, Note, Wanted},
    webhook::{Webhook, WebhookSettings, signature},
};
