//! `attestry doctor`: what is missing or wrong, and how to mend it.

use bus::{Bus, QuarantineFilter, StreamState};
use events::Digest;
use registrar::queries::{RECONCILE, Reconciled};
use registry::{Absent, BuildAccount, Reconciliation, SubmissionAccount};
use serde::Serialize;

use crate::{
    client::{self, ClientArgs},
    failure::Failure,
    output::{self, Format},
};

/// Percentage of a stream's bytes from which on it wants attention.
const STREAM_ALERT_PERCENT: u64 = 70;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  attestry doctor --nats-url nats://127.0.0.1:4222")]
pub(crate) struct Args {
    #[command(flatten)]
    client: ClientArgs,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    name: String,
    ok: bool,
    detail: String,
    /// What to do, when it is not well.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

pub(crate) async fn run(args: Args, format: Format) -> Result<(), Failure> {
    let bus = args.client.connect().await?;
    let mut checks = vec![Check {
        name: "broker".to_owned(),
        ok: true,
        detail: format!("nats-server {} at {}", bus.server_version(), bus.url()),
        remedy: None,
    }];
    checks.extend(streams(&bus).await);
    checks.extend(pauses(&bus).await);
    checks.push(gate(&bus).await);
    checks.push(quarantine(&bus).await);
    checks.extend(books(&bus).await);
    for check in &checks {
        let mark = if check.ok { "ok  " } else { "WRONG" };
        let mut text = format!("{mark:5} {:12} {}", check.name, check.detail);
        if let Some(remedy) = &check.remedy {
            text.push_str(&format!("\n      to mend it: {remedy}"));
        }
        output::result(format, &text, check)?;
    }
    let wrong = checks.iter().filter(|check| !check.ok).count();
    match wrong {
        0 => Ok(()),
        1 => Err(Failure::No("1 thing is wrong".to_owned())),
        _ => Err(Failure::No(format!("{wrong} things are wrong"))),
    }
}

/// Workers that wait for something that is away.
async fn pauses(bus: &Bus) -> Vec<Check> {
    let paused = bus.pauses().await.unwrap_or_default();
    let check = |(worker, pause): (String, bus::Pause)| Check {
        name: "paused".to_owned(),
        ok: false,
        detail: client::paused_text(&worker, &pause),
        remedy: Some(format!(
            "see that {} is there; the worker tries again by itself and loses nothing",
            pause.dependency
        )),
    };
    paused.into_iter().map(check).collect()
}

async fn streams(bus: &Bus) -> Vec<Check> {
    let states = match bus.streams().await {
        Ok(states) => states,
        Err(error) => {
            return vec![Check {
                name: "streams".to_owned(),
                ok: false,
                detail: error.to_string(),
                remedy: Some("start a worker or `attestry up`: they create the streams".to_owned()),
            }];
        }
    };
    states.into_iter().map(stream).collect()
}

fn stream(state: StreamState) -> Check {
    let StreamState { name, messages, bytes, max_bytes, blocked, .. } = state;
    let max = u64::try_from(max_bytes).unwrap_or(u64::MAX).max(1);
    let percent = bytes.saturating_mul(100) / max;
    let (detail, remedy) = if blocked {
        let detail = format!("{name}: takes nothing: its disk was full when a message came");
        let remedy = "free the disk, then restart nats-server (2.14 does not recover by itself); nothing that was acknowledged is lost";
        (detail, Some(remedy))
    } else {
        let remedy = "raise the stream's max_bytes or lower its max_age; a full stream holds CI up";
        let detail = format!("{name}: {messages} messages, {percent} % full");
        (detail, (percent >= STREAM_ALERT_PERCENT).then_some(remedy))
    };
    Check {
        name: "stream".to_owned(),
        ok: remedy.is_none(),
        detail,
        remedy: remedy.map(str::to_owned),
    }
}

async fn gate(bus: &Bus) -> Check {
    // Nobody built an artifact with this digest; whether somebody answers is the question.
    let asked = client::judged(bus, Digest::of(b"attestry doctor")).await;
    let ok = asked.is_ok();
    Check {
        name: "policy-gate".to_owned(),
        ok,
        detail: asked.map_or_else(|failure| failure.to_string(), |_| "answers".to_owned()),
        remedy: (!ok).then(|| "start attestry-policy-gate, or `attestry up`".to_owned()),
    }
}

async fn quarantine(bus: &Bus) -> Check {
    let (ok, detail) = match bus.quarantined(&QuarantineFilter::default()).await {
        Ok(entries) if entries.is_empty() => (true, "empty".to_owned()),
        Ok(entries) if entries.len() == 1 => (false, "1 entry".to_owned()),
        Ok(entries) => (false, format!("{} entries", entries.len())),
        Err(error) => (false, error.to_string()),
    };
    let remedy = "attestry quarantine list; mend the cause, then replay or drop";
    Check { name: "quarantine".to_owned(), ok, detail, remedy: (!ok).then(|| remedy.to_owned()) }
}

/// What entered against what ended, as the registrar counts it.
async fn books(bus: &Bus) -> Vec<Check> {
    let name = || "registrar".to_owned();
    let Reconciled { reconciliation, behind } = match client::ask(bus, RECONCILE, &()).await {
        Ok(reconciled) => reconciled,
        Err(failure) => {
            let remedy = Some("start attestry-registrar, or `attestry up`".to_owned());
            return vec![Check { name: name(), ok: false, detail: failure.to_string(), remedy }];
        }
    };
    let BuildAccount { entered, passed, failed, quarantined, dropped, in_progress, .. } =
        reconciliation.builds;
    let mut checks = vec![
        Check {
            name: name(),
            ok: behind == 0,
            detail: match behind {
                0 => "keeps the books, and has recorded everything".to_owned(),
                _ => format!("{behind} messages behind; what follows is of before"),
            },
            remedy: (behind > 0).then(|| "wait; if it does not catch up, see its log".to_owned()),
        },
        Check {
            name: "builds".to_owned(),
            ok: true,
            detail: format!(
                "{entered} entered: {passed} passed, {failed} failed, {quarantined} in quarantine, {dropped} dropped, {in_progress} in progress"
            ),
            remedy: None,
        },
    ];
    checks.push(submissions(&reconciliation.submissions));
    checks.extend(reconciliation.absent.iter().map(absent));
    checks.extend(losses(&reconciliation));
    checks
}

fn submissions(account: &SubmissionAccount) -> Check {
    let SubmissionAccount {
        entered, accepted, rejected, quarantined, dropped, in_progress, ..
    } = account;
    Check {
        name: "submissions".to_owned(),
        ok: true,
        detail: format!(
            "{entered} entered: {accepted} accepted, {rejected} rejected, {quarantined} in quarantine, {dropped} dropped, {in_progress} in progress"
        ),
        remedy: None,
    }
}

/// A worker that never came for what waits for it.
fn absent(absent: &Absent) -> Check {
    let Absent { worker, stream, waiting, oldest } = absent;
    Check {
        name: worker.clone(),
        ok: false,
        detail: format!("{waiting} messages of {stream} wait for it, since {oldest}; it never ran"),
        remedy: Some(format!("start attestry-{worker}, or `attestry up`")),
    }
}

/// Everything that entered and of which nobody knows where it went: most often one line that says
/// that there is none.
fn losses(reconciliation: &Reconciliation) -> Vec<Check> {
    let name = || "accounted".to_owned();
    let wrong = |detail, remedy: &str| Check {
        name: name(),
        ok: false,
        detail,
        remedy: Some(remedy.to_owned()),
    };
    let mut checks: Vec<Check> = reconciliation
        .unaccounted
        .iter()
        .map(|it| {
            let event = it.event.map_or_else(|| "no event id".to_owned(), |id| id.to_string());
            let build = it.correlation.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
            let detail = format!("{} {event} of build {build}: {}", it.event_type, it.last_seen);
            wrong(
                detail,
                "report it with the worker's log of that time, and submit the build again",
            )
        })
        .collect();
    checks.extend(reconciliation.gaps.iter().map(|gap| {
        let detail = format!(
            "{} {} to {} were stored and never recorded; the next one came at {}",
            gap.stream, gap.first, gap.last, gap.known_at
        );
        wrong(detail, "restore the stream from a backup, or submit the builds of that time again")
    }));
    if reconciliation.conflicts > 0 {
        let detail =
            format!("{} messages contradict an event with the same id", reconciliation.conflicts);
        checks.push(wrong(detail, "find out who published them: attestry explain BUILD"));
    }
    let listed = checks.len() as u64;
    if reconciliation.unaccounted_events > listed {
        let more = reconciliation.unaccounted_events - listed;
        checks.push(wrong(format!("{more} more events are unaccounted for"), "see above"));
    }
    if checks.is_empty() {
        let detail = "0 events are unaccounted for".to_owned();
        checks.push(Check { name: name(), ok: true, detail, remedy: None });
    }
    checks
}
