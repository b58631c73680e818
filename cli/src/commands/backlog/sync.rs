//! `attestry backlog sync`: has the mapper bring tickets up to date now, and tells what it did.

use std::time::Duration;

use backlog_mapper::tickets::{TICKETS, TicketsQuestion, TicketsState};
use bus::Bus;
use jiff::Timestamp;
use tickets::{Line, Outcome, Report};
use tokio::time::{Instant, sleep, timeout_at};

use super::{ask, parsed};
use crate::{
    client::ClientArgs,
    failure::Failure,
    output::{self, Format, note},
};

/// How often it is asked whether the run has ended.
const ASK_EVERY: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
pub(crate) struct Sync {
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for the run, in seconds; it goes on without us
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
    #[command(flatten)]
    client: ClientArgs,
}

impl Sync {
    pub(super) async fn run(self, format: Format) -> Result<(), Failure> {
        let bus = self.client.connect().await?;
        let until = Instant::now() + Duration::from_secs(self.timeout);
        let Ok(reports) = timeout_at(until, self.reports(&bus)).await else {
            let remedy = "wait longer with --timeout, or see `attestry backlog show`";
            return Err(Failure::Unknown(format!("the run goes on still; {remedy}")));
        };
        tell(&reports?, format)
    }

    /// What a run did that began after it was asked for.
    async fn reports(&self, bus: &Bus) -> Result<Vec<Report>, Failure> {
        let dry_run = self.dry_run;
        let begun = ask(bus, TICKETS, &TicketsQuestion::Begin { dry_run }).await?;
        let number: u64 = parsed(&begun)?;
        loop {
            let state = ask(bus, TICKETS, &TicketsQuestion::State).await?;
            let state: TicketsState = parsed(&state)?;
            let (ended, reports) = match dry_run {
                true => (state.plans, state.plan),
                false => (state.runs, state.reports),
            };
            if ended >= number {
                return Ok(reports);
            }
            sleep(ASK_EVERY).await;
        }
    }
}

fn tell(reports: &[Report], format: Format) -> Result<(), Failure> {
    for report in reports {
        output::result(format, &output::plain(&text(report)), report)?;
    }
    if let Some(report) = reports.iter().find(|it| it.stopped.is_some()) {
        let why = report.stopped.clone().unwrap_or_default();
        return Err(Failure::Unknown(format!("{}: {why}", report.tracker)));
    }
    match reports.iter().map(|it| it.failures).sum() {
        0 => Ok(()),
        1 => Err(Failure::No("one change was not made".to_owned())),
        failures => Err(Failure::No(format!("{failures} changes were not made"))),
    }
}

fn text(report: &Report) -> String {
    let Report { tracker, steps, held, open, too_many, .. } = report;
    let mut lines = vec![tracker.clone()];
    lines.extend(report.lines.iter().map(line));
    let is_plan = report.lines.iter().any(|it| it.outcome == Outcome::Planned);
    let changes = match (*steps, is_plan) {
        (0, _) => "nothing to change".to_owned(),
        (steps, true) => format!("{steps} changes to make"),
        (steps, false) => format!("{steps} changes made"),
    };
    let mut sum = format!("  {changes}; {open} tickets open");
    if *held > 0 {
        sum.push_str(&format!("; {held} entries wait"));
    }
    if *too_many > 0 {
        sum.push_str(&format!("; {too_many} entries have none, for as many as may be are open"));
    }
    lines.push(sum);
    if let Some(until) = report.wait_until {
        note(&format!("{tracker} may be asked again {}", shown(until)));
    }
    lines.join("\n")
}

fn line(line: &Line) -> String {
    let Line { entry, ticket, what, outcome } = line;
    let ticket = ticket.as_deref().unwrap_or("-");
    let outcome = match outcome {
        Outcome::Planned | Outcome::Held | Outcome::Done => String::new(),
        Outcome::Failed(why) => format!(": FAILED: {why}"),
    };
    format!("  {entry}  {ticket}  {what}{outcome}")
}

fn shown(time: Timestamp) -> String {
    format!("at {time:.0}")
}
