//! The graph of stages: who must handle what, and which event must follow.

use std::sync::LazyLock;

use events::{
    ATTEMPTS_STREAM, BuildCompleted, EvidenceReady, EvidenceSigned, Priority, Producer,
    QUARANTINE_STREAM, stage_stream, subject,
};
use uuid::Uuid;

/// A kind of event, told apart as far as different workers handle it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    BuildCompleted,
    /// Of this producer; `None` when a message's subject names nobody known.
    EvidenceReady(Option<Producer>),
    EvidenceSigned(Option<Producer>),
}

/// Workers that must handle something, in the order of the pipeline, with what each handles.
pub(crate) const HANDLERS: [(&str, &str); 3] = [
    ("generator", "build.completed"),
    ("signer", "evidence.ready"),
    ("policy-gate", "evidence.signed"),
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
            Self::EvidenceReady(_) => "evidence.ready",
            Self::EvidenceSigned(_) => "evidence.signed",
        }
    }

    pub(crate) fn producer(self) -> Option<&'static str> {
        match self {
            Self::BuildCompleted => None,
            Self::EvidenceReady(producer) | Self::EvidenceSigned(producer) => {
                producer.map(Producer::as_str)
            }
        }
    }

    /// The worker that must handle it; none at the end of the pipeline.
    pub(crate) fn worker(self) -> Option<&'static str> {
        match self {
            Self::BuildCompleted => Some("generator"),
            Self::EvidenceReady(_) => Some("signer"),
            Self::EvidenceSigned(Some(Producer::Generator)) => Some("policy-gate"),
            Self::EvidenceSigned(_) => None,
        }
    }

    /// What follows once it was handled.
    pub(crate) fn successor(self) -> Option<Self> {
        match self {
            Self::BuildCompleted => Some(Self::EvidenceReady(Some(Producer::Generator))),
            Self::EvidenceReady(producer) => Some(Self::EvidenceSigned(producer)),
            Self::EvidenceSigned(Some(Producer::Generator)) => {
                Some(Self::EvidenceReady(Some(Producer::PolicyGate)))
            }
            Self::EvidenceSigned(_) => None,
        }
    }

    /// What it follows.
    pub(crate) fn predecessor(self) -> Option<Self> {
        match self {
            Self::BuildCompleted => None,
            Self::EvidenceReady(Some(Producer::Generator)) => Some(Self::BuildCompleted),
            Self::EvidenceReady(Some(Producer::PolicyGate)) => {
                Some(Self::EvidenceSigned(Some(Producer::Generator)))
            }
            Self::EvidenceReady(None) => None,
            Self::EvidenceSigned(producer) => Some(Self::EvidenceReady(producer)),
        }
    }

    /// Its place in a build's story.
    pub(crate) fn rank(self) -> u8 {
        self.predecessor().map_or(0, |before| before.rank() + 1)
    }

    /// Reads what [`Self::event_type`] and [`Self::producer`] wrote.
    pub(crate) fn parse(event_type: &str, producer: Option<&str>) -> Option<Self> {
        let producer = producer.and_then(producer_named);
        match event_type {
            "build.completed" => Some(Self::BuildCompleted),
            "evidence.ready" => Some(Self::EvidenceReady(producer)),
            "evidence.signed" => Some(Self::EvidenceSigned(producer)),
            _ => None,
        }
    }
}

impl<'a> Address<'a> {
    /// Reads `attestry.v1.<noun>.<verb>.<priority>.<scope>.[<producer>.]<correlation>`.
    pub(crate) fn read(subject: &'a str) -> Option<Self> {
        let rest = subject.strip_prefix(subject::ROOT)?.strip_prefix('.')?;
        let mut tokens = rest.split('.');
        let (noun, verb) = (tokens.next()?, tokens.next()?);
        let priority = tokens.next().unwrap_or_default();
        let scope = tokens.next().unwrap_or_default();
        let stage = match (noun, verb) {
            ("build", "completed") => Stage::BuildCompleted,
            ("evidence", "ready") => Stage::EvidenceReady(tokens.next().and_then(producer_named)),
            ("evidence", "signed") => Stage::EvidenceSigned(tokens.next().and_then(producer_named)),
            _ => return None,
        };
        let priority = Priority::ALL.into_iter().find(|it| it.as_str() == priority);
        let correlation = rest.rsplit('.').next().and_then(|it| it.parse().ok());
        Some(Self { stage, priority, scope, correlation })
    }
}

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carries {
    BuildCompleted,
    EvidenceReady,
    EvidenceSigned,
    Quarantine,
    Attempts,
    /// Nothing that this release knows.
    Unknown,
}

impl Carries {
    /// What `stream` carries.
    pub(crate) fn on(stream: &str) -> Self {
        static STAGES: LazyLock<[String; 3]> = LazyLock::new(|| {
            [
                stage_stream::<BuildCompleted>(),
                stage_stream::<EvidenceReady>(),
                stage_stream::<EvidenceSigned>(),
            ]
        });
        let [build_completed, evidence_ready, evidence_signed] = &*STAGES;
        match stream {
            QUARANTINE_STREAM => Self::Quarantine,
            ATTEMPTS_STREAM => Self::Attempts,
            _ if stream == build_completed => Self::BuildCompleted,
            _ if stream == evidence_ready => Self::EvidenceReady,
            _ if stream == evidence_signed => Self::EvidenceSigned,
            _ => Self::Unknown,
        }
    }

    /// Whether the stream numbers its messages without holes: a hole is a loss.
    pub(crate) fn is_contiguous(self) -> bool {
        matches!(self, Self::BuildCompleted | Self::EvidenceReady | Self::EvidenceSigned)
    }
}

fn producer_named(name: &str) -> Option<Producer> {
    [Producer::Generator, Producer::PolicyGate].into_iter().find(|it| it.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_build_ends_with_the_signed_verdict_after_four_steps() {
        let mut stage = Stage::BuildCompleted;
        let mut workers = Vec::new();
        while let Some(next) = stage.successor() {
            workers.extend(stage.worker());
            assert_eq!(next.predecessor(), Some(stage));
            assert_eq!(next.rank(), stage.rank() + 1);
            stage = next;
        }
        assert_eq!(workers, ["generator", "signer", "policy-gate", "signer"]);
        assert_eq!(stage, Stage::EvidenceSigned(Some(Producer::PolicyGate)));
        assert_eq!(stage.worker(), None);
    }

    #[test]
    fn address_names_stage_priority_and_build() {
        let subject = "attestry.v1.evidence.signed.pr.acme%2Fx.generator.67e55044-10b1-426f-9247-bb680e5fe0c8";
        let address = Address::read(subject).expect("an address");
        assert_eq!(address.stage, Stage::EvidenceSigned(Some(Producer::Generator)));
        assert_eq!(address.priority, Some(Priority::Pr));
        assert_eq!(address.scope, "acme%2Fx");
        assert!(address.correlation.is_some());
        assert!(Address::read("attestry.v1.quarantine.x").is_none());
        assert!(Address::read("attestry.v1.build.completed").is_some_and(|it| it.scope.is_empty()));
    }
}
