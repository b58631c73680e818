//! Events of the stages: the builds, evidence and verdicts that they speak of, and who must handle
//! each.

use events::{
    BuildCompleted, DecodeError, Digest, Envelope, Event, EvidenceReady, EvidenceResigned,
    EvidenceSigned, Producer, Record, VerdictRequested, decode,
};
use rusqlite::{OptionalExtension, params};
use uuid::Uuid;

use super::{Projector, Tally, replay_of, submission::Receipt, unfinished::Delivery};
use crate::{
    columns::{Hash, Id, Number, Time, line},
    stage::{Address, Carries, Stage},
};

/// What every fact of one event has in common.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) correlation: Id,
    pub(super) producer: Option<Producer>,
    pub(super) event_time: Time,
    pub(super) known_at: Time,
}

impl Origin {
    pub(super) fn producer_name(self) -> &'static str {
        self.producer.map_or("", Producer::as_str)
    }
}

impl Projector<'_> {
    /// Projects a message of a stage stream, whatever its bytes are.
    pub(super) fn stage_message(
        &mut self,
        carries: Carries,
        record: &Record,
    ) -> rusqlite::Result<()> {
        let projected = match carries {
            Carries::BuildCompleted => self.decoded(record, Self::build_completed)?,
            Carries::DocumentSubmitted => self.decoded(record, Self::document_submitted)?,
            Carries::AdvisoriesUpdated => self.decoded(record, Self::advisories_updated)?,
            Carries::VerdictRequested => self.decoded(record, Self::verdict_requested)?,
            Carries::EvidenceReady => self.decoded(record, Self::evidence_ready)?,
            Carries::EvidenceResigned => self.decoded(record, Self::evidence_resigned)?,
            Carries::BacklogMapped => self.decoded(record, Self::backlog_mapped)?,
            _ => self.decoded(record, Self::evidence_signed)?,
        };
        match projected {
            Ok(()) => Ok(()),
            Err(problem) => self.undecodable(record, &problem),
        }
    }

    fn decoded<E: Event>(
        &mut self,
        record: &Record,
        project: impl FnOnce(&mut Self, &Record, &Envelope<E>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<Result<(), DecodeError>> {
        match decode::<E>(&record.subject, &record.payload) {
            Ok(event) => project(self, record, &event).map(Ok),
            Err(problem) => Ok(Err(problem)),
        }
    }

    /// Somebody must handle it all the same, if only by setting it aside.
    fn undecodable(&mut self, record: &Record, problem: &DecodeError) -> rusqlite::Result<()> {
        self.foreign(record, problem.code())?;
        let Some(address) = Address::read(&record.subject) else { return Ok(()) };
        if let Some(handler) = address.stage.handler() {
            self.count(Tally::Entered(handler), 1);
        }
        self.await_handling(&Delivery {
            record,
            stage: address.stage,
            event: None,
            priority: address.priority,
            scope: &line(address.scope),
            correlation: address.correlation,
            event_time: Time(record.stored_at),
        })
    }

    fn build_completed(
        &mut self,
        record: &Record,
        event: &Envelope<BuildCompleted>,
    ) -> rusqlite::Result<()> {
        let Some(origin) = self.event(record, Stage::BuildCompleted, event)? else {
            return Ok(());
        };
        let (build, source) = (&event.data, event.data.source.as_ref());
        let sql = "INSERT INTO build
            (correlation, project, kind, run, version, source_repository, source_reference,
            source_commit, builder, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            ON CONFLICT (correlation) DO NOTHING";
        let new = self.connection.prepare_cached(sql)?.execute(params![
            origin.correlation,
            build.project.as_str(),
            build.kind.as_str(),
            build.run.as_str(),
            build.version.as_ref().map(|it| it.as_str()),
            source.map(|it| it.repository.as_str()),
            source.and_then(|it| it.reference.as_ref()).map(|it| it.as_str()),
            source.and_then(|it| it.commit.as_ref()).map(|it| it.as_str()),
            build.builder.id.as_str(),
            origin.event_time,
            origin.known_at
        ])?;
        if new == 0 {
            return Ok(());
        }
        self.count(Tally::Builds, 1);
        self.artifacts(origin, &build.artifacts)?;
        self.inputs(origin, &build.inputs)?;
        self.newest_release(event.correlation)
    }

    fn verdict_requested(
        &mut self,
        record: &Record,
        event: &Envelope<VerdictRequested>,
    ) -> rusqlite::Result<()> {
        let stage = Stage::VerdictRequested;
        let Some(origin) = self.event(record, stage, event)? else { return Ok(()) };
        self.artifacts(origin, &event.data.artifacts)
    }

    fn evidence_ready(
        &mut self,
        record: &Record,
        event: &Envelope<EvidenceReady>,
    ) -> rusqlite::Result<()> {
        let stage = Stage::EvidenceReady(Some(event.data.producer));
        let Some(origin) = self.event(record, stage, event)? else { return Ok(()) };
        self.documents(origin, &event.data.documents)?;
        self.statements(origin, &event.data.statements)?;
        self.verdict(origin, event.data.verdict.as_ref(), false)?;
        self.decision(origin, event.data.decision.as_ref(), Receipt::Unsigned)
    }

    fn evidence_signed(
        &mut self,
        record: &Record,
        event: &Envelope<EvidenceSigned>,
    ) -> rusqlite::Result<()> {
        let stage = Stage::EvidenceSigned(Some(event.data.producer));
        let Some(origin) = self.event(record, stage, event)? else { return Ok(()) };
        self.documents(origin, &event.data.documents)?;
        self.bundles(origin, &event.data.bundles)?;
        self.verdict(origin, event.data.verdict.as_ref(), true)?;
        let receipt = event.data.bundles.first().map(|it| it.bundle);
        self.decision(origin, event.data.decision.as_ref(), Receipt::Signed(receipt))
    }

    fn evidence_resigned(
        &mut self,
        record: &Record,
        event: &Envelope<EvidenceResigned>,
    ) -> rusqlite::Result<()> {
        let stage = Stage::EvidenceResigned(Some(event.data.producer));
        let Some(origin) = self.event(record, stage, event)? else { return Ok(()) };
        self.bundles(origin, &event.data.bundles)
    }

    /// Notes the event itself; nothing more is to be learned from one that was known.
    pub(super) fn event<E: Event>(
        &mut self,
        record: &Record,
        stage: Stage,
        event: &Envelope<E>,
    ) -> rusqlite::Result<Option<Origin>> {
        let payload_digest = Digest::of(&record.payload);
        let (event_time, known_at) = (Time(event.time), Time(record.stored_at));
        let sql = "INSERT INTO event
            (id, type, producer, correlation, cause, priority, scope, source, stream, sequence,
            payload_digest, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            ON CONFLICT (id) DO NOTHING";
        let new = self.connection.prepare_cached(sql)?.execute(params![
            Id(event.id),
            stage.event_type(),
            stage.producer(),
            Id(event.correlation),
            event.cause.map(Id),
            event.priority.as_str(),
            event.scope.as_str(),
            event.source.as_str(),
            record.stream,
            Number(record.sequence),
            Hash(payload_digest),
            event_time,
            known_at
        ])?;
        match (new, stage.handler(), event.cause) {
            (0, ..) => self.repeat(record, event.id, payload_digest, event_time)?,
            (_, handler, cause) => {
                if let Some(handler) = handler {
                    self.count(Tally::Entered(handler), 1);
                }
                if let Some(cause) = cause {
                    self.handled(cause, event.correlation, stage)?;
                }
            }
        }
        self.await_handling(&Delivery {
            record,
            stage,
            event: Some(event.id),
            priority: Some(event.priority),
            scope: event.scope.as_str(),
            correlation: Some(event.correlation),
            event_time,
        })?;
        let (correlation, producer) = (Id(event.correlation), event.data.producer());
        Ok((new > 0).then_some(Origin { correlation, producer, event_time, known_at }))
    }

    fn repeat(
        &mut self,
        record: &Record,
        id: Uuid,
        payload_digest: Digest,
        event_time: Time,
    ) -> rusqlite::Result<()> {
        let sql = "SELECT payload_digest FROM event WHERE id = $1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let known = statement.query_row(params![Id(id)], |row| row.get::<_, Hash>(0)).optional()?;
        let same = known.is_some_and(|it| it.0 == payload_digest);
        if !same {
            self.count(Tally::Conflicts, 1);
        }
        let sql = "INSERT INTO repeat
            (stream, sequence, event_id, replay_of, same, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (stream, sequence) DO NOTHING";
        self.connection.prepare_cached(sql)?.execute(params![
            record.stream,
            Number(record.sequence),
            Id(id),
            replay_of(record),
            i64::from(same),
            event_time,
            Time(record.stored_at)
        ])?;
        Ok(())
    }
}
