//! What a service implements.

use bus::{Bus, UploadError};
use bytes::Bytes;
use events::{Envelope, Event, Input, Producer, SubmissionId, SupplierId};
use jiff::Timestamp;

/// One step of the pipeline: an arrow from one kind of event to another.
pub trait Handler: Send + Sync + 'static {
    /// Name of the step: its durable consumers, its metrics' `worker`, the `source` of its events.
    const NAME: &'static str;
    /// Whose input events it handles, where several services publish that type; none means all.
    const INPUT_FROM: &'static [Producer] = &[];
    /// The kind of event that the step handles.
    type Input: Event;
    /// The kind of event that the step publishes.
    type Output: Event;

    /// Decides what follows from `event`, with every effect durable before it returns.
    ///
    /// Runs at least once per event, perhaps in two replicas at once: a second run must be harmless.
    fn handle(
        &self,
        event: &Envelope<Self::Input>,
        context: &Context,
    ) -> impl Future<Output = Result<Vec<Self::Output>, HandleError>> + Send;
}

/// The world around one attempt.
#[derive(Clone)]
pub struct Context {
    /// When the attempt began.
    pub now: Timestamp,
    pub(crate) bus: Bus,
}

/// Why an event was not handled. A policy that says no is an event, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandleError {
    /// Something that every event needs is away: no attempt of this event. The worker pauses.
    Outage {
        /// What is away, for metrics and health.
        dependency: &'static str,
        /// What it says, and the remedy.
        detail: String,
    },
    /// This attempt failed, another may succeed: retried with backoff, counted, then quarantine.
    Transient {
        /// What went wrong, and the remedy.
        detail: String,
    },
    /// The event itself is at fault: quarantine at once.
    Permanent {
        /// Stable reason code in kebab-case.
        code: &'static str,
        /// What is wrong, where, and the remedy.
        detail: String,
    },
}

impl HandleError {
    /// The event is at fault.
    pub fn permanent(code: &'static str, detail: impl ToString) -> Self {
        Self::Permanent { code, detail: detail.to_string() }
    }

    /// This attempt failed.
    pub fn transient(detail: impl ToString) -> Self {
        Self::Transient { detail: detail.to_string() }
    }
}

/// Runs what computes for long on a thread where nobody else waits.
///
/// A panic there is a panic here, so that it is known for the event's fault.
pub async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HandleError> + Send + 'static,
) -> Result<T, HandleError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(HandleError::transient(error)),
        },
    }
}

impl Context {
    /// The context of an attempt that begins at `now`.
    pub fn new(bus: &Bus, now: Timestamp) -> Self {
        Self { now, bus: bus.clone() }
    }

    /// A document that was uploaded with `event`, of at most `max` bytes, checked against its digest.
    pub async fn download<E: Event>(
        &self,
        event: &Envelope<E>,
        input: &Input,
        max: u64,
    ) -> Result<Bytes, UploadError> {
        self.bus.download(&event.scope, input, max).await
    }

    /// A document that `supplier` dropped, of at most `max` bytes, checked against its digest.
    pub async fn pick_up(
        &self,
        supplier: &SupplierId,
        input: &Input,
        max: u64,
    ) -> Result<Bytes, UploadError> {
        self.bus.pick_up(supplier, input, max).await
    }

    /// Lays the signed receipt of a submission out for its supplier, once.
    pub async fn deliver_receipt(
        &self,
        supplier: &SupplierId,
        submission: &SubmissionId,
        receipt: Bytes,
    ) -> Result<(), HandleError> {
        let delivered = self.bus.deliver_receipt(supplier, submission, receipt).await;
        delivered.map(drop).map_err(|error| match error.is_outage() {
            true => HandleError::Outage { dependency: "broker", detail: error.to_string() },
            false => HandleError::transient(error),
        })
    }
}

impl From<archive::ArchiveError> for HandleError {
    fn from(error: archive::ArchiveError) -> Self {
        use archive::ArchiveError as E;
        let detail = error.to_string();
        match error {
            E::Unavailable { .. } | E::BadAddress(_) | E::OtherFormat { .. } => {
                Self::Outage { dependency: "archive", detail }
            }
            // A copy of the archive may lag behind, or come back from a backup.
            E::NotFound(_) | E::Corrupt { .. } | E::DamagedMetadata { .. } | E::NeverRemoved(_) => {
                Self::Transient { detail }
            }
            E::TooLarge { .. } => Self::Permanent { code: "document-too-large", detail },
        }
    }
}

impl From<UploadError> for HandleError {
    fn from(error: UploadError) -> Self {
        let detail = error.to_string();
        match error.code() {
            None => Self::Outage { dependency: "broker", detail },
            Some(code) => Self::Permanent { code, detail },
        }
    }
}
