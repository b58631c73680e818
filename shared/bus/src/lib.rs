//! Events over NATS JetStream. The only crate that knows NATS exists.
//!
//! Delivery is at least once: a delivery comes back until it is settled. An event is stored once
//! per subject, for as long as its stream keeps it, whoever publishes it again.

mod access;
mod attempts;
mod connection;
mod delivery;
mod error;
mod forbidden;
mod ingest;
mod journal;
mod keepalive;
mod pauses;
mod publish;
mod pull;
mod quarantine;
mod query;
mod room;
mod strangers;
mod streams;
mod uploads;
mod user_key;
mod watch;

pub use crate::{
    access::{ACCOUNT, Access, Accounts},
    connection::{Bus, BusOptions},
    delivery::Delivery,
    error::BusError,
    ingest::MAX_MANIFEST_BYTES,
    journal::{Journal, Mark, Settled, journaled_streams},
    pauses::Pause,
    publish::Published,
    pull::{Lane, LaneGauge, Place, Waiting},
    quarantine::{QuarantineFilter, Rejection},
    query::Query,
    streams::{DoorLimits, StreamState},
    uploads::UploadError,
    user_key::{InvalidUserKey, UserKey, UserSeed},
};
