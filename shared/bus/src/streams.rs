//! The streams: one per stage, one per supplier, and four of our own.

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType};
use events::{
    ATTEMPTS_STREAM, AdvisoriesUpdated, BacklogMapped, BuildCompleted, DocumentSubmitted, Event,
    EvidenceReady, EvidenceResigned, EvidenceSigned, Priority, QUARANTINE_STREAM, SupplierId,
    VerdictRequested, stage_stream, subject,
};
use futures::StreamExt;

use crate::{Bus, BusError, access::MAX_SUPPLIER_MESSAGE};

const MIB: i64 = 1024 * 1024;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the broker recognises a message id: a help beside the guard on the subject.
const DEDUPLICATION_WINDOW: Duration = Duration::from_secs(10 * 60);

pub(crate) const UPLOADS: &str = "ATTESTRY_UPLOADS";
/// What the names of the suppliers' streams begin with.
pub(crate) const INGEST_PREFIX: &str = "ATTESTRY_INGEST_";
/// Signed receipts, for suppliers to fetch.
pub(crate) const RECEIPTS: &str = "ATTESTRY_RECEIPTS";

/// How full a stream is.
#[derive(Clone, Debug)]
pub struct StreamState {
    /// Name of the stream.
    pub name: String,
    /// Messages it keeps.
    pub messages: u64,
    /// Bytes it keeps.
    pub bytes: u64,
    /// Bytes it may keep.
    pub max_bytes: i64,
    /// How long it keeps each.
    pub max_age: Duration,
    /// Whether it was found to take nothing, as after its disk was full, until nats-server restarts.
    pub blocked: bool,
}

/// Where an event of this type and priority travels.
pub(crate) fn lane_subject<E: Event>(priority: Priority) -> String {
    format!("{}.{priority}.>", subject::stage::<E>())
}

impl Bus {
    /// Makes sure that every stream exists and keeps what we rely on.
    ///
    /// Limits of an existing stream (bytes, age, replicas) belong to its operator and stay.
    pub async fn set_up(&self) -> Result<(), BusError> {
        for wanted in wanted_streams() {
            self.ensure_stream(wanted).await?;
        }
        Ok(())
    }

    /// How full every stream is.
    pub async fn streams(&self) -> Result<Vec<StreamState>, BusError> {
        let blocked = self.found_blocked().await?;
        // One listing, because there may be as many streams as suppliers.
        let mut listed = self.jetstream.streams();
        let mut found = BTreeMap::new();
        while let Some(info) = listed.next().await {
            let info = info.map_err(|error| BusError::from_client("list streams", &error))?;
            found.insert(info.config.name.clone(), info);
        }
        let wanted = wanted_streams().into_iter().map(|it| it.name);
        let doors = found.keys().filter(|it| it.starts_with(INGEST_PREFIX)).cloned();
        let mut states = Vec::new();
        for name in wanted.chain(doors.collect::<Vec<_>>()) {
            let info = found.remove(&name).ok_or_else(|| BusError::Away {
                action: "look at a stream",
                reason: format!("there is no stream {name}"),
            })?;
            states.push(StreamState {
                blocked: blocked.contains(&(name.clone(), info.state.last_sequence)),
                name,
                messages: info.state.messages,
                bytes: info.state.bytes,
                max_bytes: info.config.max_bytes,
                max_age: info.config.max_age,
            });
        }
        Ok(states)
    }

    pub(crate) async fn ensure_door(
        &self,
        supplier: &SupplierId,
        limits: &DoorLimits,
    ) -> Result<(), BusError> {
        let wanted = ingest_stream(supplier, limits);
        if let Ok(stream) = self.jetstream.get_stream(&wanted.name).await {
            let found = &stream.cached_info().config;
            let within = within(found, &wanted, limits);
            if within != *found {
                let updated = self.jetstream.update_stream(&within).await;
                updated.map_err(|error| BusError::from_client("update a stream", &error))?;
            }
        }
        self.ensure_stream(wanted).await
    }

    pub(crate) async fn ensure_stream(&self, wanted: stream::Config) -> Result<(), BusError> {
        // Two workers may do this at once: creating twice with one configuration is harmless.
        let found = match self.jetstream.get_stream(&wanted.name).await {
            Ok(stream) => self.add_subjects(stream.cached_info().config.clone(), &wanted).await?,
            Err(_) => {
                let created = self.jetstream.create_stream(wanted.clone()).await;
                let created =
                    created.map_err(|error| BusError::from_client("create a stream", &error))?;
                created.cached_info().config.clone()
            }
        };
        match difference(&wanted, &found) {
            None => Ok(()),
            Some(field) => Err(BusError::Refused {
                action: "set up a stream",
                reason: format!(
                    "stream {} has another `{field}` than Attestry relies on; edit or remove it",
                    wanted.name
                ),
            }),
        }
    }

    /// An older release made the stream without subjects that this one needs.
    async fn add_subjects(
        &self,
        mut found: stream::Config,
        wanted: &stream::Config,
    ) -> Result<stream::Config, BusError> {
        let known = found.subjects.iter().all(|it| wanted.subjects.contains(it));
        if !known || found.subjects.len() == wanted.subjects.len() {
            return Ok(found);
        }
        found.subjects.clone_from(&wanted.subjects);
        let updated = self.jetstream.update_stream(&found).await;
        let updated = updated.map_err(|error| BusError::from_client("update a stream", &error))?;
        Ok(updated.config)
    }
}

/// The first setting that events depend on and that is not as wanted. An old server drops settings
/// that it does not know without an error, so what it echoes is compared too.
fn difference(wanted: &stream::Config, found: &stream::Config) -> Option<&'static str> {
    let checks = [
        ("subjects", wanted.subjects == found.subjects),
        ("retention", wanted.retention == found.retention),
        ("storage", wanted.storage == found.storage),
        ("discard", wanted.discard == found.discard),
        ("max_msgs_per_subject", wanted.max_messages_per_subject == found.max_messages_per_subject),
        ("duplicate_window", wanted.duplicate_window <= found.duplicate_window),
        ("allow_direct", found.allow_direct),
        ("allow_rollup_hdrs", !found.allow_rollup),
        ("deny_delete", wanted.deny_delete == found.deny_delete),
        ("deny_purge", wanted.deny_purge == found.deny_purge),
    ];
    checks.into_iter().find(|(_, holds)| !holds).map(|(field, _)| field)
}

fn wanted_streams() -> Vec<stream::Config> {
    vec![
        stage_config::<BuildCompleted>(1024),
        stage_config::<DocumentSubmitted>(256),
        stage_config::<EvidenceReady>(1024),
        stage_config::<EvidenceSigned>(1024),
        stage_config::<EvidenceResigned>(1024),
        stage_config::<AdvisoriesUpdated>(16),
        stage_config::<BacklogMapped>(256),
        stage_config::<VerdictRequested>(64),
        stream::Config {
            max_bytes: 256 * MIB,
            max_age: 365 * DAY,
            ..base(RECEIPTS, vec!["receipts.*.*".to_owned()])
        },
        stream::Config {
            max_bytes: 512 * MIB,
            max_age: 365 * DAY,
            // An entry leaves when somebody replays or drops it.
            deny_delete: false,
            deny_purge: false,
            ..base(
                QUARANTINE_STREAM,
                vec![
                    format!("{}.quarantine.>", subject::ROOT),
                    format!("{}.quarantine-ended.>", subject::ROOT),
                ],
            )
        },
        stream::Config {
            max_bytes: 64 * MIB,
            max_messages_per_subject: 1,
            discard: DiscardPolicy::Old,
            ..base(ATTEMPTS_STREAM, vec![format!("{}.attempts.>", subject::ROOT)])
        },
        stream::Config {
            max_bytes: 2048 * MIB,
            max_age: 7 * DAY,
            max_messages_per_subject: 1,
            ..base(UPLOADS, vec![format!("{}.upload.chunk.>", subject::ROOT)])
        },
    ]
}

fn stage_config<E: Event>(mebibytes: i64) -> stream::Config {
    stream::Config {
        max_bytes: mebibytes * MIB,
        ..base(&stage_stream::<E>(), Priority::ALL.map(lane_subject::<E>).to_vec())
    }
}

/// Limits of a supplier's stream that its passport gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DoorLimits {
    /// Bytes that it keeps.
    pub max_bytes: Option<i64>,
    /// Messages that it keeps.
    pub max_messages: Option<i64>,
}

pub(crate) fn ingest_stream_name(supplier: &SupplierId) -> String {
    format!("{INGEST_PREFIX}{}", supplier.as_str().to_uppercase())
}

/// The stream that `supplier` drops into. It takes the two kinds of message that somebody looks at,
/// so that anything else is refused and not kept in silence.
fn ingest_stream(supplier: &SupplierId, limits: &DoorLimits) -> stream::Config {
    let subjects = ["chunk.*.*", "manifest.*"].map(|it| format!("ingest.{supplier}.{it}"));
    stream::Config {
        max_bytes: limits.max_bytes.unwrap_or(256 * MIB),
        // Each manifest costs an event in the streams that all share.
        max_messages: limits.max_messages.unwrap_or(10_000),
        max_message_size: i32::try_from(MAX_SUPPLIER_MESSAGE).unwrap_or(i32::MAX),
        // Uploads that nobody finished leave with the rest.
        max_age: 7 * DAY,
        max_messages_per_subject: 1,
        ..base(&ingest_stream_name(supplier), subjects.to_vec())
    }
}

/// `found` within `limits`, and with messages no larger than we take; older releases had no such limit.
fn within(found: &stream::Config, wanted: &stream::Config, limits: &DoorLimits) -> stream::Config {
    let larger = found.max_message_size < 0 || found.max_message_size > wanted.max_message_size;
    stream::Config {
        max_bytes: limits.max_bytes.unwrap_or(found.max_bytes),
        max_messages: limits.max_messages.unwrap_or(found.max_messages),
        max_message_size: if larger { wanted.max_message_size } else { found.max_message_size },
        ..found.clone()
    }
}

fn base(name: &str, subjects: Vec<String>) -> stream::Config {
    stream::Config {
        name: name.to_owned(),
        subjects,
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        max_age: 30 * DAY,
        max_messages_per_subject: -1,
        duplicate_window: DEDUPLICATION_WINDOW,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_keeps_what_its_operator_set_unless_the_passport_says_otherwise() {
        let supplier = "acme".parse().expect("valid");
        let wanted = ingest_stream(&supplier, &DoorLimits::default());
        let older = stream::Config { max_bytes: 7, max_message_size: -1, ..wanted.clone() };
        let kept = within(&older, &wanted, &DoorLimits::default());
        assert_eq!((kept.max_bytes, kept.max_messages), (7, 10_000));
        assert_eq!(kept.max_message_size, 528_384, "a chunk with its headers");

        let limits = DoorLimits { max_bytes: Some(9), max_messages: Some(3) };
        let changed = within(&older, &wanted, &limits);
        assert_eq!((changed.max_bytes, changed.max_messages), (9, 3));
        assert_eq!(changed.subjects, older.subjects);
        let stricter = stream::Config { max_message_size: 1000, ..wanted.clone() };
        assert_eq!(within(&stricter, &wanted, &limits).max_message_size, 1000);
    }

    #[test]
    fn what_nobody_finished_to_upload_leaves_after_a_week_and_a_full_stream_refuses() {
        let stream = ingest_stream(&"acme".parse().expect("valid"), &DoorLimits::default());
        assert_eq!(stream.max_age, 7 * DAY);
        assert_eq!((stream.discard, stream.max_messages_per_subject), (DiscardPolicy::New, 1));
        assert!(stream.deny_delete && stream.deny_purge && !stream.allow_rollup);
    }
}
