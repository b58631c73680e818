//! Answers who asks what became of tickets, or for a run.

use std::time::Duration;

use bus::{Bus, Query};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tickets::Report;
use tracing::warn;

use crate::{
    Mapper,
    queries::{Asked, reply, told},
};

/// Topic of [`TicketsQuestion`].
pub const TICKETS: &str = "tickets";

/// What is asked about tickets.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketsQuestion {
    /// Begin a run now; the answer is its number.
    Begin {
        /// Only say what would be done.
        dry_run: bool,
    },
    /// What the last runs did; the answer is [`TicketsState`].
    State,
}

/// What the last runs did, and would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketsState {
    /// How many runs have ended.
    pub runs: u64,
    /// How many dry ones.
    pub plans: u64,
    /// Whether one is in hand, and is a dry one.
    pub running: Option<bool>,
    /// What the last one did, by tracker.
    pub reports: Vec<Report>,
    /// What the last dry one would do.
    pub plan: Vec<Report>,
}

/// Answers questions for as long as it is polled.
pub(crate) async fn answer(bus: &Bus, mapper: &Mapper) {
    loop {
        match bus.queries(TICKETS).await {
            Ok(queries) => {
                tokio::pin!(queries);
                while let Some(query) = queries.next().await {
                    respond(query, mapper).await;
                }
            }
            Err(error) => {
                warn!(%error, topic = TICKETS, "Failed to listen for queries; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn respond(query: Query, mapper: &Mapper) {
    let answer = told(part(query.question(), mapper));
    reply(query, answer).await;
}

fn part(question: &[u8], mapper: &Mapper) -> Result<(Option<String>, usize), String> {
    let asked: Asked<TicketsQuestion> =
        serde_json::from_slice(question).map_err(|error| error.to_string())?;
    let desk = &mapper.0.tickets;
    if desk.trackers.is_empty() {
        let remedy = "start the mapper with --tickets FILE; see docs/tickets.md";
        return Err(format!("no tracker is configured: {remedy}"));
    }
    let answer = match asked.question {
        TicketsQuestion::Begin { dry_run } => serde_json::to_string(&desk.ask(dry_run)),
        TicketsQuestion::State => serde_json::to_string(&desk.state().told),
    };
    Ok((Some(answer.map_err(|error| error.to_string())?), asked.offset))
}
