//! `attestry doctor`: what is missing or wrong, and how to mend it.

use bus::{Bus, QuarantineFilter};
use events::Digest;
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
    checks.push(gate(&bus).await);
    checks.push(quarantine(&bus).await);
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
    let check = |state: bus::StreamState| {
        let max = u64::try_from(state.max_bytes).unwrap_or(u64::MAX).max(1);
        let percent = state.bytes.saturating_mul(100) / max;
        let ok = percent < STREAM_ALERT_PERCENT;
        let remedy = "raise the stream's max_bytes or lower its max_age; a full stream holds CI up";
        Check {
            name: "stream".to_owned(),
            ok,
            detail: format!("{}: {} messages, {percent} % full", state.name, state.messages),
            remedy: (!ok).then(|| remedy.to_owned()),
        }
    };
    states.into_iter().map(check).collect()
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
