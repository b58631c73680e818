//! What every event carries, whatever its data: the CloudEvents attributes and our own four.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{Scope, evidence::Producer, subject, text::Label};

/// A fact that crosses the bus: one data type, one stage, one stream.
pub trait Event: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// What the fact is about, for example `build`.
    const NOUN: &'static str;
    /// What happened to it, for example `completed`.
    const VERB: &'static str;

    /// What makes two events of this type in one correlation the same event. Derived from the
    /// fact, never from an index or a clock: a retry, a replay and a second replica must agree.
    fn natural_key(&self) -> String;

    /// The service that states the fact, where several may.
    fn producer(&self) -> Option<Producer>;
}

/// Namespace of the ids of events that enter at the edge (UUID version 5, RFC 9562).
const EDGE: Uuid = Uuid::from_u128(0x6a1d_3b52_0f0e_5c7d_9a64_7c0f_51c5_a7e1);

/// An event in CloudEvents 1.0 JSON format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Envelope<E> {
    /// CloudEvents version: `1.0`.
    pub specversion: Label,
    /// Identity of the event, derived from correlation, type and natural key.
    pub id: Uuid,
    /// Who states the fact, for example `/attestry/generator`.
    pub source: Label,
    /// `attestry.v1.<noun>.<verb>`.
    #[serde(rename = "type")]
    pub event_type: Label,
    /// When the fact came to be.
    pub time: Timestamp,
    /// Id of the event that started this story; one build, one correlation.
    pub correlation: Uuid,
    /// Id of the event that caused this one; none at the edge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Uuid>,
    /// How urgent this is; inherited from the cause.
    pub priority: Priority,
    /// Whose event it is; inherited from the cause.
    pub scope: Scope,
    /// The fact itself.
    pub data: E,
}

/// How urgent an event is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Somebody waits to ship.
    Release,
    /// Somebody waits to merge.
    Pr,
    /// Nobody waits.
    Background,
}

impl Priority {
    /// All of them, most urgent first.
    pub const ALL: [Self; 3] = [Self::Release, Self::Pr, Self::Background];

    /// As it is written, in subjects and metrics too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Pr => "pr",
            Self::Background => "background",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of an event by whoever draws a consequence from it.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Its id.
    pub event: Uuid,
    /// Id of the event that started the story.
    pub correlation: Uuid,
    /// How urgent it is.
    pub priority: Priority,
    /// Whose event it is.
    pub scope: Scope,
}

impl Cause {
    /// The event `data` that follows. The same consequence always gets the same id.
    pub fn leads_to<E: Event>(self, source: Label, time: Timestamp, data: E) -> Envelope<E> {
        let id = derive_id::<E>(self.correlation, &data);
        Envelope {
            correlation: self.correlation,
            cause: Some(self.event),
            ..Envelope::new(id, source, time, self.priority, self.scope, data)
        }
    }
}

impl<E: Event> Envelope<E> {
    /// A new event at the edge of the pipeline. The same fact always gets the same id.
    pub fn root(source: Label, time: Timestamp, priority: Priority, scope: Scope, data: E) -> Self {
        let id = derive_id::<E>(EDGE, &data);
        Self { correlation: id, cause: None, ..Self::new(id, source, time, priority, scope, data) }
    }

    /// The event `data` that follows from `self`. The same consequence always gets the same id.
    pub fn caused<Out: Event>(&self, source: Label, time: Timestamp, data: Out) -> Envelope<Out> {
        let cause = Cause {
            event: self.id,
            correlation: self.correlation,
            priority: self.priority,
            scope: self.scope.clone(),
        };
        cause.leads_to(source, time, data)
    }

    /// The NATS subject that this event belongs on.
    pub fn subject(&self) -> String {
        subject::subject(&self.data, self.priority, &self.scope, self.correlation)
    }

    /// Whether id, correlation and data belong together: nobody may claim another event's id.
    pub fn id_is_derived(&self) -> bool {
        match self.cause {
            None => self.id == self.correlation && self.id == derive_id::<E>(EDGE, &self.data),
            Some(_) => self.id == derive_id::<E>(self.correlation, &self.data),
        }
    }

    fn new(
        id: Uuid,
        source: Label,
        time: Timestamp,
        priority: Priority,
        scope: Scope,
        data: E,
    ) -> Self {
        Self {
            specversion: Label::of("1.0"),
            id,
            source,
            event_type: Label::of(&subject::stage::<E>()),
            time,
            correlation: id,
            cause: None,
            priority,
            scope,
            data,
        }
    }
}

fn derive_id<E: Event>(namespace: Uuid, data: &E) -> Uuid {
    let name = format!("{}\0{}", subject::stage::<E>(), data.natural_key());
    Uuid::new_v5(&namespace, name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{build_completed, evidence_ready};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn same_consequence_has_the_same_id_whenever_it_is_drawn() {
        let build = build_completed("run-1");
        let source = || Label::of("/attestry/generator");
        let first = build.caused(source(), at(1), evidence_ready(Producer::Generator));
        let again = build.caused(source(), at(2), evidence_ready(Producer::Generator));
        let other = build.caused(source(), at(1), evidence_ready(Producer::PolicyGate));

        assert_eq!(first.id, again.id);
        assert_ne!(first.id, other.id);
        assert_eq!(first.correlation, build.id);
        assert_eq!(first.cause, Some(build.id));
        assert_eq!(first.priority, build.priority);
    }

    #[test]
    fn different_runs_are_different_builds() {
        assert_ne!(build_completed("run-1").id, build_completed("run-2").id);
    }

    #[test]
    fn claimed_id_is_noticed() {
        let mut build = build_completed("run-1");
        assert!(build.id_is_derived());
        build.id = build_completed("run-2").id;
        assert!(!build.id_is_derived());
    }

    #[test]
    fn subject_names_stage_priority_scope_producer_and_correlation() {
        let build = build_completed("run-1");
        let ready = build.caused(Label::of("/x"), at(1), evidence_ready(Producer::Generator));

        let id = build.id;
        assert_eq!(build.subject(), format!("attestry.v1.build.completed.pr.acme%2Fhotpass.{id}"));
        assert_eq!(
            ready.subject(),
            format!("attestry.v1.evidence.ready.pr.acme%2Fhotpass.generator.{id}")
        );
    }
}
