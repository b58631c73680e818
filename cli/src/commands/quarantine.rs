//! `attestry quarantine`: what could not be handled, why, and what to do about it.

use bus::{Bus, QuarantineFilter};
use events::{Quarantined, Record};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    client::ClientArgs,
    failure::Failure,
    output::{self, Format},
};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List entries, oldest first
    List(Selection),
    /// Show one entry with its event
    #[command(after_help = "Example:\n  attestry quarantine show 7")]
    Show {
        /// Number of the entry
        id: u64,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Hand events to their worker again, under the same event id
    Replay(Selection),
    /// Remove entries for good
    Drop(Selection),
}

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  attestry quarantine list --reason lockfile-unreadable\n  attestry quarantine replay 7\n  attestry quarantine replay --reason upload-missing-chunk --since 2026-11-22T00:00:00Z\n  attestry quarantine drop 7"
)]
pub(crate) struct Selection {
    /// Number of the entry
    id: Option<u64>,
    /// Only entries with this reason
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// Only entries since this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Every entry; replay and drop ask for it when nothing else is given
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    client: ClientArgs,
}

impl Selection {
    fn filter(&self) -> QuarantineFilter {
        QuarantineFilter { id: self.id, reason: self.reason.clone(), since: self.since }
    }

    fn narrowed(&self) -> Result<(), Failure> {
        if self.all || self.id.is_some() || self.reason.is_some() || self.since.is_some() {
            return Ok(());
        }
        Err(Failure::input("say which entries: a number, --reason, --since, or --all"))
    }
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::List(selection) => list(&selection, format).await,
        Command::Show { id, client } => show(id, &client, format).await,
        Command::Replay(selection) => {
            let replay = async |bus: &Bus, entry: &Quarantined, record: &Record| {
                bus.replay(entry, record).await
            };
            act(&selection, format, "Replayed", replay).await
        }
        Command::Drop(selection) => {
            let drop = async |bus: &Bus, entry: &Quarantined, _: &Record| {
                bus.drop_quarantined(entry).await
            };
            act(&selection, format, "Dropped", drop).await
        }
    }
}

async fn list(selection: &Selection, format: Format) -> Result<(), Failure> {
    let bus = selection.client.connect().await?;
    let entries = bus.quarantined(&selection.filter()).await?;
    if entries.is_empty() && format == Format::Text {
        return output::result(format, "Nothing is in quarantine.", &());
    }
    for (entry, _) in &entries {
        let text = format!(
            "{}  {}  {}  {}\n    {}",
            entry.id, entry.time, entry.worker, entry.reason, entry.detail
        );
        output::result(format, &text, entry)?;
    }
    Ok(())
}

async fn show(id: u64, client: &ClientArgs, format: Format) -> Result<(), Failure> {
    let bus = client.connect().await?;
    let filter = QuarantineFilter { id: Some(id), ..Default::default() };
    let entries = bus.quarantined(&filter).await?;
    let Some((entry, record)) = entries.first() else { return Err(no_such(id)) };
    let event = event_of(record);
    let pretty = match &event {
        Value::String(text) => text.clone(),
        event => serde_json::to_string_pretty(event).map_err(Failure::unknown)?,
    };
    let Quarantined { time, worker, reason, detail, attempts, subject, position, .. } = entry;
    let text = format!(
        "Entry {id}\n  time      {time}\n  worker    {worker}\n  reason    {reason}\n  detail    {detail}\n  attempts  {attempts}\n  subject   {subject}\n  position  {position}\n  trace     {}\n\n{pretty}",
        entry.traceparent.as_deref().unwrap_or("-"),
    );
    output::result(format, &text, &json!({ "entry": entry, "event": event }))
}

/// The event as JSON if it is some, else as text without what could steer a terminal.
fn event_of(record: &Record) -> Value {
    serde_json::from_slice(&record.payload).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(&record.payload);
        let safe = |c: char| if c.is_control() && c != '\n' { '\u{fffd}' } else { c };
        Value::String(text.chars().take(10_000).map(safe).collect())
    })
}

async fn act(
    selection: &Selection,
    format: Format,
    done: &str,
    action: impl AsyncFn(&Bus, &Quarantined, &Record) -> Result<(), bus::BusError>,
) -> Result<(), Failure> {
    selection.narrowed()?;
    let bus = selection.client.connect().await?;
    let entries = bus.quarantined(&selection.filter()).await?;
    if let (true, Some(id)) = (entries.is_empty(), selection.id) {
        return Err(no_such(id));
    }
    for (entry, record) in &entries {
        action(&bus, entry, record).await?;
        let text = format!("{done} {} ({}, {})", entry.id, entry.worker, entry.reason);
        output::result(format, &text, &json!({ "done": done.to_lowercase(), "entry": entry }))?;
    }
    if entries.is_empty() {
        output::result(format, "No entry matches.", &json!({ "done": Value::Null }))?;
    }
    Ok(())
}

fn no_such(id: u64) -> Failure {
    Failure::Input(format!("no entry {id} in quarantine; see `attestry quarantine list`"))
}
