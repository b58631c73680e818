//! The graph of stages: who must handle what, and which event must follow.

use std::sync::LazyLock;

use events::{
    ATTEMPTS_STREAM, AdvisoriesUpdated, BacklogMapped, BuildCompleted, DocumentSubmitted,
    EvidenceReady, EvidenceResigned, EvidenceSigned, Priority, Producer, QUARANTINE_STREAM,
    VerdictRequested, stage_stream, subject,
};
use uuid::Uuid;

/// A kind of event, told apart as far as different workers handle it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    BuildCompleted,
    DocumentSubmitted,
    AdvisoriesUpdated,
    VerdictRequested,
    /// Of this producer; `None` when a message's subject names nobody known.
    EvidenceReady(Option<Producer>),
    EvidenceSigned(Option<Producer>),
    EvidenceResigned(Option<Producer>),
    BacklogMapped,
}

/// All that an event can be.
const STAGES: [Stage; 14] = [
    Stage::BuildCompleted,
    Stage::DocumentSubmitted,
    Stage::AdvisoriesUpdated,
    Stage::VerdictRequested,
    Stage::EvidenceReady(Some(Producer::Generator)),
    Stage::EvidenceReady(Some(Producer::PolicyGate)),
    Stage::EvidenceReady(Some(Producer::SupplierIngest)),
    Stage::EvidenceSigned(Some(Producer::Generator)),
    Stage::EvidenceSigned(Some(Producer::PolicyGate)),
    Stage::EvidenceSigned(Some(Producer::SupplierIngest)),
    Stage::EvidenceResigned(Some(Producer::Generator)),
    Stage::EvidenceResigned(Some(Producer::PolicyGate)),
    Stage::EvidenceResigned(Some(Producer::SupplierIngest)),
    Stage::BacklogMapped,
];

/// A worker, and a type of event that it must handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Handler {
    /// Without the root, for example `evidence.ready`.
    pub(crate) event_type: &'static str,
    pub(crate) worker: &'static str,
}

/// All of them, in the order of the pipeline.
///
/// That supplier-ingest delivers signed receipts is not here: no event says that one arrived.
pub(crate) const HANDLERS: [Handler; 7] = [
    Handler { event_type: "build.completed", worker: "generator" },
    Handler { event_type: "evidence.ready", worker: "signer" },
    Handler { event_type: "evidence.signed", worker: "policy-gate" },
    Handler { event_type: "verdict.requested", worker: "policy-gate" },
    Handler { event_type: "document.submitted", worker: "supplier-ingest" },
    Handler { event_type: "evidence.signed", worker: "backlog-mapper" },
    Handler { event_type: "advisories.updated", worker: "backlog-mapper" },
];

/// What a message on a stage stream is, as far as its subject tells.
pub(crate) struct Address<'a> {
    pub(crate) stage: Stage,
    pub(crate) priority: Option<Priority>,
    pub(crate) scope: &'a str,
    pub(crate) correlation: Option<Uuid>,
}

impl Stage {
    /// The event's type without its root, for example `evidence.ready`.
    pub(crate) fn event_type(self) -> &'static str {
        match self {
            Self::BuildCompleted => "build.completed",
            Self::DocumentSubmitted => "document.submitted",
            Self::AdvisoriesUpdated => "advisories.updated",
            Self::VerdictRequested => "verdict.requested",
            Self::EvidenceReady(_) => "evidence.ready",
            Self::EvidenceSigned(_) => "evidence.signed",
            Self::EvidenceResigned(_) => "evidence.resigned",
            Self::BacklogMapped => "backlog.mapped",
        }
    }

    pub(crate) fn producer(self) -> Option<&'static str> {
        match self {
            Self::EvidenceReady(producer)
            | Self::EvidenceSigned(producer)
            | Self::EvidenceResigned(producer) => producer.map(Producer::as_str),
            _ => None,
        }
    }

    /// The worker that must handle it; none at the end of the pipeline.
    pub(crate) fn worker(self) -> Option<&'static str> {
        match self {
            Self::BuildCompleted => Some("generator"),
            Self::DocumentSubmitted => Some("supplier-ingest"),
            Self::EvidenceReady(_) => Some("signer"),
            Self::EvidenceSigned(Some(Producer::Generator)) | Self::VerdictRequested => {
                Some("policy-gate")
            }
            Self::EvidenceSigned(Some(Producer::PolicyGate | Producer::SupplierIngest))
            | Self::AdvisoriesUpdated => Some("backlog-mapper"),
            Self::EvidenceSigned(None) | Self::EvidenceResigned(_) | Self::BacklogMapped => None,
        }
    }

    /// The worker that must handle it, as one of [`HANDLERS`].
    pub(crate) fn handler(self) -> Option<Handler> {
        self.worker().map(|worker| Handler { event_type: self.event_type(), worker })
    }

    /// What follows once it was handled.
    pub(crate) fn successor(self) -> Option<Self> {
        match self {
            Self::BuildCompleted => Some(Self::EvidenceReady(Some(Producer::Generator))),
            Self::DocumentSubmitted => Some(Self::EvidenceReady(Some(Producer::SupplierIngest))),
            Self::EvidenceReady(producer) => Some(Self::EvidenceSigned(producer)),
            Self::EvidenceSigned(Some(Producer::Generator)) | Self::VerdictRequested => {
                Some(Self::EvidenceReady(Some(Producer::PolicyGate)))
            }
            Self::EvidenceSigned(Some(Producer::PolicyGate | Producer::SupplierIngest))
            | Self::AdvisoriesUpdated => Some(Self::BacklogMapped),
            Self::EvidenceSigned(None) | Self::EvidenceResigned(_) | Self::BacklogMapped => None,
        }
    }

    /// What it may follow.
    pub(crate) fn predecessors(self) -> impl Iterator<Item = Self> {
        STAGES.into_iter().filter(move |it| it.successor() == Some(self))
    }

    /// Its place in a story: after everything that it may follow.
    pub(crate) fn rank(self) -> u8 {
        match self {
            // Nobody owes it: it follows when somebody asks for it.
            Self::EvidenceResigned(producer) => Self::EvidenceSigned(producer).rank() + 1,
            _ => self.predecessors().map(|before| before.rank() + 1).max().unwrap_or_default(),
        }
    }

    /// Reads what [`Self::event_type`] and [`Self::producer`] wrote.
    pub(crate) fn parse(event_type: &str, producer: Option<&str>) -> Option<Self> {
        let named = |name| Producer::ALL.into_iter().find(|it| it.as_str() == name);
        let producer = producer.and_then(named);
        match event_type {
            "build.completed" => Some(Self::BuildCompleted),
            "document.submitted" => Some(Self::DocumentSubmitted),
            "advisories.updated" => Some(Self::AdvisoriesUpdated),
            "verdict.requested" => Some(Self::VerdictRequested),
            "evidence.ready" => Some(Self::EvidenceReady(producer)),
            "evidence.signed" => Some(Self::EvidenceSigned(producer)),
            "evidence.resigned" => Some(Self::EvidenceResigned(producer)),
            "backlog.mapped" => Some(Self::BacklogMapped),
            _ => None,
        }
    }
}

impl<'a> Address<'a> {
    /// Reads `attestry.v1.<noun>.<verb>.<priority>.<scope>.[<producer>.]<correlation>`.
    pub(crate) fn read(subject: &'a str) -> Option<Self> {
        let rest = subject.strip_prefix(subject::ROOT)?.strip_prefix('.')?;
        let mut tokens = rest.split('.');
        let event_type = format!("{}.{}", tokens.next()?, tokens.next()?);
        let priority = tokens.next().unwrap_or_default();
        let scope = tokens.next().unwrap_or_default();
        let stage = Stage::parse(&event_type, tokens.next())?;
        let priority = Priority::ALL.into_iter().find(|it| it.as_str() == priority);
        let correlation = rest.rsplit('.').next().and_then(|it| it.parse().ok());
        Some(Self { stage, priority, scope, correlation })
    }
}

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carries {
    BuildCompleted,
    DocumentSubmitted,
    AdvisoriesUpdated,
    VerdictRequested,
    EvidenceReady,
    EvidenceSigned,
    EvidenceResigned,
    BacklogMapped,
    Quarantine,
    Attempts,
    /// Nothing that this release knows.
    Unknown,
}

impl Carries {
    /// What `stream` carries.
    pub(crate) fn on(stream: &str) -> Self {
        static STREAMS: LazyLock<[(String, Carries); 10]> = LazyLock::new(|| {
            [
                (stage_stream::<BuildCompleted>(), Carries::BuildCompleted),
                (stage_stream::<DocumentSubmitted>(), Carries::DocumentSubmitted),
                (stage_stream::<AdvisoriesUpdated>(), Carries::AdvisoriesUpdated),
                (stage_stream::<VerdictRequested>(), Carries::VerdictRequested),
                (stage_stream::<EvidenceReady>(), Carries::EvidenceReady),
                (stage_stream::<EvidenceSigned>(), Carries::EvidenceSigned),
                (stage_stream::<EvidenceResigned>(), Carries::EvidenceResigned),
                (stage_stream::<BacklogMapped>(), Carries::BacklogMapped),
                (QUARANTINE_STREAM.to_owned(), Carries::Quarantine),
                (ATTEMPTS_STREAM.to_owned(), Carries::Attempts),
            ]
        });
        STREAMS.iter().find(|(name, _)| name == stream).map_or(Self::Unknown, |(_, it)| *it)
    }

    /// Whether the stream numbers its messages without holes: a hole is a loss.
    pub(crate) fn is_contiguous(self) -> bool {
        !matches!(self, Self::Quarantine | Self::Attempts | Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The workers from `stage` to the end, and what is there.
    fn walk(mut stage: Stage) -> (Vec<&'static str>, Stage) {
        let mut workers = Vec::new();
        while let Some(next) = stage.successor() {
            workers.extend(stage.worker());
            assert!(next.predecessors().any(|it| it == stage));
            assert!(next.rank() > stage.rank());
            stage = next;
        }
        assert_eq!(stage.worker(), None);
        (workers, stage)
    }

    #[test]
    fn every_story_ends_with_what_the_mapper_found() {
        let build = ["generator", "signer", "policy-gate", "signer", "backlog-mapper"];
        let document = ["supplier-ingest", "signer", "backlog-mapper"];
        assert_eq!(walk(Stage::BuildCompleted), (build.to_vec(), Stage::BacklogMapped));
        assert_eq!(walk(Stage::DocumentSubmitted), (document.to_vec(), Stage::BacklogMapped));
        let update = vec!["backlog-mapper"];
        assert_eq!(walk(Stage::AdvisoriesUpdated), (update, Stage::BacklogMapped));
        let again = vec!["policy-gate", "signer", "backlog-mapper"];
        assert_eq!(walk(Stage::VerdictRequested), (again, Stage::BacklogMapped));
    }

    #[test]
    fn whoever_must_handle_a_stage_has_an_account() {
        for stage in STAGES {
            assert!(stage.handler().is_none_or(|it| HANDLERS.contains(&it)), "{stage:?}");
            assert_eq!(Stage::parse(stage.event_type(), stage.producer()), Some(stage));
        }
        for handler in HANDLERS {
            assert!(STAGES.iter().any(|it| it.handler() == Some(handler)), "{handler:?}");
        }
    }

    #[test]
    fn address_names_stage_priority_and_build() {
        let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        let subject = format!("attestry.v1.evidence.signed.pr.acme%2Fx.generator.{id}");
        let address = Address::read(&subject).expect("an address");
        assert_eq!(address.stage, Stage::EvidenceSigned(Some(Producer::Generator)));
        assert_eq!(address.priority, Some(Priority::Pr));
        assert_eq!(address.scope, "acme%2Fx");
        assert!(address.correlation.is_some());
        assert!(Address::read("attestry.v1.quarantine.x").is_none());
        assert!(Address::read("attestry.v1.build.completed").is_some_and(|it| it.scope.is_empty()));
        let submitted = format!("attestry.v1.document.submitted.background.acme.{id}");
        let submitted = Address::read(&submitted).expect("an address");
        assert_eq!(submitted.stage, Stage::DocumentSubmitted);
    }
}
