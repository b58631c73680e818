//! How waivers stand: which count, which end soon, and which nobody needs any more.

use std::time::Duration;

use archive::Archive;
use bus::Bus;
use bytes::Bytes;
use events::{Digest, Scope};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::warn;
use uuid::Uuid;
use worker::{HandleError, metrics, off_thread};

use crate::{
    PolicyGate,
    settings::Waivers,
    waivers::{Waiver, judged},
};

/// Topic of the question how waivers stand, which a list of [`Standing`] answers.
pub const WAIVERS: &str = "waivers";
/// One that ends within this time wants somebody's attention.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);
/// One that excepted nothing for this long is not needed.
const IDLE: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How often they are counted.
const COUNT_EVERY: Duration = Duration::from_secs(30);

/// A waiver and how it stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// Digest of its file.
    pub id: Digest,
    /// What it says, if it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Waiver>,
    /// Who signed it, as the approvers' list calls them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// All that is so of it.
    pub states: Vec<State>,
    /// When it excepted something last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Used>,
    /// Why it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What can be so of a waiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It counts.
    Active,
    /// It counts, for 14 days at most.
    Expiring,
    /// Its time is over, or has not begun.
    Expired,
    /// It counts, and has excepted nothing for 14 days.
    Unused,
    /// No rule of the policy has the id that it names.
    Orphan,
    /// Nobody who may has signed it, or it says what no waiver may.
    Invalid,
}

/// When and where a waiver excepted something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// When.
    pub time: Timestamp,
    /// Whose build.
    pub project: Scope,
    /// The story of the verdict.
    pub story: Uuid,
}

impl State {
    const ALL: [Self; 6] =
        [Self::Active, Self::Expiring, Self::Expired, Self::Unused, Self::Orphan, Self::Invalid];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Unused => "unused",
            Self::Orphan => "orphan",
            Self::Invalid => "invalid",
        }
    }

    /// Whether somebody should look at it.
    pub fn wants_attention(self) -> bool {
        matches!(self, Self::Expiring | Self::Unused | Self::Orphan | Self::Invalid)
    }
}

/// Notes that these waivers excepted something, at most once a day.
pub(crate) async fn used(
    archive: &Archive,
    waivers: &[Digest],
    used: &Used,
) -> Result<(), HandleError> {
    for waiver in waivers {
        let before = last_used(archive, *waiver).await?;
        let day = SignedDuration::from_hours(24);
        if before.is_some_and(|it| used.time.duration_since(it.time) < day) {
            continue;
        }
        let value = serde_json::to_vec(used).map_err(HandleError::transient)?;
        archive.point(&place(*waiver), value.into()).await?;
    }
    Ok(())
}

/// How all waivers of the gate stand at `now`.
///
/// # Errors
/// The directory or the archive is away.
pub(crate) async fn all(gate: &PolicyGate, now: Timestamp) -> Result<Vec<Standing>, HandleError> {
    let settings = gate.settings.clone();
    let found = off_thread(move || {
        let policy = settings.policy.get();
        let text = String::from_utf8_lossy(policy.canonical()).into_owned();
        let Some(Waivers { directory, approvers }) = &settings.waivers else {
            return Ok((text, vec![]));
        };
        let (approvers, signers) = (approvers.at(now), settings.trust.at(now));
        let judged = judged(directory, &approvers, &signers);
        Ok((
            text,
            judged.map_err(|error| HandleError::Outage {
                dependency: "waivers",
                detail: error.to_string(),
            })?,
        ))
    });
    let (policy, found) = found.await?;
    let mut standings = Vec::new();
    for (id, waiver, approved) in found {
        let last_used = last_used(&gate.archive, id).await?;
        let (approver, problem) = match approved {
            Ok(approver) => (Some(approver), None),
            Err(problem) => (None, Some(problem)),
        };
        let states = match (&waiver, &problem) {
            (Some(waiver), None) => states(waiver, last_used.as_ref(), &policy, now),
            _ => vec![State::Invalid],
        };
        standings.push(Standing { id, waiver, approver, states, last_used, problem });
    }
    Ok(standings)
}

fn states(waiver: &Waiver, last: Option<&Used>, policy: &str, now: Timestamp) -> Vec<State> {
    if !waiver.is_active(now) {
        return vec![State::Expired];
    }
    let mut states = vec![State::Active];
    if waiver.expires.duration_since(now) <= SOON {
        states.push(State::Expiring);
    }
    let idle_since = last.map_or(waiver.issued, |it| it.time);
    if now.duration_since(idle_since) > IDLE {
        states.push(State::Unused);
    }
    // Rules write their id as a text.
    if !waiver.is_override() && !policy.contains(&format!("\"{}\"", waiver.scope.rule)) {
        states.push(State::Orphan);
    }
    states
}

/// Counts waivers, and answers how they stand. Does not end.
pub async fn answer(bus: &Bus, gate: &PolicyGate) {
    let counting = async {
        let mut ticks = tokio::time::interval(COUNT_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // A directory that is away is told by whoever judges.
            let Ok(standings) = all(gate, worker::now()).await else { continue };
            for state in State::ALL {
                let count = standings.iter().filter(|it| it.states.contains(&state)).count();
                metrics::waivers(state.as_str(), count);
            }
        }
    };
    let answering = async {
        loop {
            match bus.queries(WAIVERS).await {
                Ok(queries) => {
                    let answer = async |query: bus::Query| {
                        let answer: Bytes = match all(gate, worker::now()).await {
                            Ok(standings) => {
                                serde_json::to_vec(&standings).unwrap_or_default().into()
                            }
                            Err(_) => Bytes::new(),
                        };
                        if let Err(error) = query.answer(answer).await {
                            warn!(%error, "Failed to answer a query");
                        }
                    };
                    queries.for_each(answer).await;
                }
                Err(error) => warn!(%error, "Failed to listen for queries; trying again"),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let ((), ()) = futures::join!(counting, answering);
}

async fn last_used(archive: &Archive, waiver: Digest) -> Result<Option<Used>, HandleError> {
    let held = archive.pointed(&place(waiver)).await?;
    Ok(held.and_then(|it| serde_json::from_slice(&it).ok()))
}

fn place(waiver: Digest) -> String {
    format!("waivers/{}", waiver.hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wants_attention_is_told() {
        let waiver: Waiver = serde_json::from_value(serde_json::json!({
            "schema": "attestry.waiver/v1", "owner": "team", "requested_by": "dev", "reason": "tried",
            "scope": { "rule": "VULN-001" },
            "issued": "2026-12-01T00:00:00Z", "expires": "2027-02-01T00:00:00Z",
        }))
        .expect("a waiver");
        let policy = "rules := {\"VULN-001\": {}}";
        let of = |now: &str, used: Option<&str>, policy: &str| {
            let used = used.map(|time| Used {
                time: time.parse().expect("valid"),
                project: "app".parse().expect("valid"),
                story: Uuid::nil(),
            });
            states(&waiver, used.as_ref(), policy, now.parse().expect("valid"))
        };
        use State::{Active, Expired, Expiring, Orphan, Unused};

        assert_eq!(of("2026-12-02T00:00:00Z", None, policy), [Active]);
        assert_eq!(of("2026-12-02T00:00:00Z", None, "VULN-001"), [Active, Orphan]);
        assert_eq!(of("2026-12-20T00:00:00Z", None, policy), [Active, Unused]);
        let used = Some("2026-12-19T00:00:00Z");
        assert_eq!(of("2026-12-20T00:00:00Z", used, policy), [Active]);
        assert_eq!(of("2027-01-20T00:00:00Z", used, policy), [Active, Expiring, Unused]);
        assert_eq!(of("2027-02-01T00:00:00Z", used, policy), [Expired]);
        assert_eq!(of("2026-11-30T00:00:00Z", None, policy), [Expired]);
    }
}
