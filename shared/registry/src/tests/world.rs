//! Streams as a broker would keep them, filled by workers that live, fail and repeat themselves.

mod suppliers;

use std::collections::BTreeMap;

use events::{
    Artifact, Attempts, BacklogMapped, BuildCompleted, BuildKind, Builder, BundleRef, Commit,
    Digest, Document, Ended, Envelope, Event, EvidenceReady, EvidenceSigned, Input, Label, Listing,
    Position, Producer, QUARANTINE_STREAM, Quarantined, Record, Role, Source, StatementRef, Uri,
    Verdict, VerdictResult, quarantine::REPLAY_OF, stage_stream, subject,
};
use jiff::Timestamp;

pub(super) use self::suppliers::{decided, decision, supplier};
use super::at;

/// All streams, in the order in which each stored its messages.
#[derive(Clone, Default)]
pub(super) struct World {
    pub(super) streams: BTreeMap<String, Vec<Record>>,
    seconds: i64,
}

/// Numbers that look random and are the same for the same seed (xorshift64).
pub(super) struct Dice(pub(super) u64);

/// How far a build goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered(VerdictResult),
    /// The generator's entry lies in quarantine.
    Quarantined,
    Dropped,
    /// Quarantined, replayed, then passed.
    Replayed,
    /// Nothing follows `build.completed`.
    Stuck,
}

pub(super) const FATES: [Fate; 6] = [
    Fate::Answered(VerdictResult::Passed),
    Fate::Answered(VerdictResult::Failed),
    Fate::Quarantined,
    Fate::Dropped,
    Fate::Replayed,
    Fate::Stuck,
];

impl Dice {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

impl World {
    pub(super) fn now(&self) -> Timestamp {
        at(self.seconds)
    }

    pub(super) fn store(
        &mut self,
        stream: &str,
        subject: &str,
        headers: BTreeMap<String, String>,
        payload: &[u8],
    ) -> Position {
        self.seconds += 1;
        let stored_at = self.now();
        let messages = self.streams.entry(stream.to_owned()).or_default();
        let record = Record {
            stream: stream.to_owned(),
            sequence: messages.last().map_or(1, |it| it.sequence + 1),
            subject: subject.to_owned(),
            stored_at,
            headers,
            payload: payload.to_vec(),
        };
        messages.push(record.clone());
        record.position()
    }

    pub(super) fn publish<E: Event>(&mut self, event: &Envelope<E>) -> Position {
        let payload = serde_json::to_vec(event).expect("encodes");
        self.store(&stage_stream::<E>(), &event.subject(), BTreeMap::new(), &payload)
    }

    pub(super) fn submit(&mut self, run: &str, kind: BuildKind) -> Envelope<BuildCompleted> {
        let build = build(run, kind, self.now());
        self.publish(&build);
        build
    }

    pub(super) fn caused<A: Event, B: Event>(
        &mut self,
        cause: &Envelope<A>,
        by: &str,
        data: B,
    ) -> Envelope<B> {
        self.caused_at(cause, by, data, self.now())
    }

    fn caused_at<A: Event, B: Event>(
        &mut self,
        cause: &Envelope<A>,
        by: &str,
        data: B,
        time: Timestamp,
    ) -> Envelope<B> {
        let source = Label::of(&format!("/attestry/{by}"));
        let event = cause.caused(source, time, data);
        self.publish(&event);
        event
    }

    /// Everything from the generator's evidence to what the mapper found, the verdict signed by now.
    pub(super) fn answer(&mut self, build: &Envelope<BuildCompleted>, result: VerdictResult) {
        // Four messages from now, a second each.
        let signed_at = at(self.seconds + 3);
        self.answer_at(build, result, signed_at);
    }

    /// Everything from the generator's evidence to what the mapper found, the verdict signed at
    /// `signed_at`.
    pub(super) fn answer_at(
        &mut self,
        build: &Envelope<BuildCompleted>,
        result: VerdictResult,
        signed_at: Timestamp,
    ) {
        let run = build.data.run.as_str().to_owned();
        let ready = self.caused(build, "generator", ready(&run, Producer::Generator, None));
        let signed = self.caused(&ready, "signer", signed(&ready.data));
        let report = of(&run, "report");
        let verdict =
            Verdict { result, policy: policy(), report, environment: None, supersedes: None };
        let judged = self::ready(&run, Producer::PolicyGate, Some(verdict));
        let judged = self.caused(&signed, "policy-gate", judged);
        let answer = self::signed(&judged.data);
        let answer = self.caused_at(&judged, "signer", answer, signed_at);
        self.map(&answer, Some(of(&run, "sbom")));
    }

    pub(super) fn fail(&mut self, worker: &str, position: &Position, failed: u32) {
        let attempts = Attempts { failed, reason: format!("attempt {failed} failed") };
        let payload = serde_json::to_vec(&attempts).expect("encodes");
        let subject = Attempts::subject(worker, position);
        self.store(events::ATTEMPTS_STREAM, &subject, BTreeMap::new(), &payload);
    }

    /// Sets the message at `position` aside.
    pub(super) fn set_aside(&mut self, worker: &str, position: &Position) -> Quarantined {
        let record = self.message(position);
        let mut entry = Quarantined {
            id: 0,
            reason: "lockfile-unreadable".to_owned(),
            detail: "uv.lock: line 3: no version; lock again".to_owned(),
            worker: worker.to_owned(),
            attempts: 1,
            time: self.now(),
            subject: record.subject.clone(),
            position: position.to_string(),
            traceparent: None,
            bytes: record.payload.len(),
        };
        let headers = owned(entry.headers());
        let stored =
            self.store(QUARANTINE_STREAM, &entry.entry_subject(), headers, &record.payload);
        entry.id = stored.sequence;
        entry.time = self.now();
        entry
    }

    pub(super) fn end(&mut self, entry: &Quarantined, ended: Ended) {
        let headers = owned(entry.ended_headers(ended));
        self.store(QUARANTINE_STREAM, &entry.ended_subject(), headers, b"");
    }

    /// Puts the message of `entry` back.
    pub(super) fn put_back(&mut self, entry: &Quarantined) -> Position {
        let position = entry.event_position().expect("a position");
        let record = self.message(&position);
        let headers = BTreeMap::from([(REPLAY_OF.to_owned(), entry.id.to_string())]);
        self.store(&record.stream, &record.subject, headers, &record.payload)
    }

    pub(super) fn live(&mut self, run: &str, kind: BuildKind, fate: Fate) {
        let build = self.submit(run, kind);
        let position = self.last(&stage_stream::<BuildCompleted>());
        match fate {
            Fate::Answered(result) => self.answer(&build, result),
            Fate::Quarantined | Fate::Dropped | Fate::Replayed => {
                self.fail("generator", &position, 1);
                let entry = self.set_aside("generator", &position);
                if fate == Fate::Dropped {
                    self.end(&entry, Ended::Dropped);
                }
                if fate == Fate::Replayed {
                    self.put_back(&entry);
                    self.end(&entry, Ended::Replayed);
                    self.answer(&build, VerdictResult::Passed);
                }
            }
            Fate::Stuck => {}
        }
    }

    /// Everything, in one of the many orders in which a reader of all streams may see it.
    pub(super) fn read(&self, dice: &mut Dice) -> Vec<Record> {
        let mut rest: Vec<_> = self.streams.values().map(|it| it.iter().peekable()).collect();
        let mut records = Vec::new();
        while !rest.is_empty() {
            let which = dice.below(rest.len());
            match rest[which].next() {
                Some(record) => records.push(record.clone()),
                None => drop(rest.swap_remove(which)),
            }
        }
        records
    }

    /// Everything, in the order in which it was stored.
    pub(super) fn in_order(&self) -> Vec<Record> {
        let mut records: Vec<Record> = self.streams.values().flatten().cloned().collect();
        records.sort_by_key(|it| it.stored_at);
        records
    }

    pub(super) fn last(&self, stream: &str) -> Position {
        self.streams[stream].last().expect("a message").position()
    }

    fn message(&self, position: &Position) -> Record {
        let messages = &self.streams[&position.stream];
        messages.iter().find(|it| it.sequence == position.sequence).expect("a message").clone()
    }
}

/// Builds of every fate, with documents of suppliers and garbage in between.
pub(super) fn eventful(builds: usize, dice: &mut Dice) -> World {
    let mut world = World::default();
    for number in 0..builds {
        let kind = if dice.below(2) == 0 { BuildKind::Pr } else { BuildKind::Release };
        let fate = FATES[dice.below(FATES.len())];
        world.live(&format!("run-{number}"), kind, fate);
        if dice.below(2) == 0 {
            world.drop_something(number, dice);
        }
        if dice.below(5) == 0 {
            garbage(&mut world, number, dice);
        }
    }
    world
}

fn garbage(world: &mut World, number: usize, dice: &mut Dice) {
    let id = uuid::Uuid::from_u128(number as u128);
    let (stream, subject) = match dice.below(5) {
        0 => (stage_stream::<BuildCompleted>(), format!("build.completed.pr.acme.{id}")),
        1 => (stage_stream::<EvidenceReady>(), format!("evidence.ready.pr.acme.nobody.{id}")),
        2 => (stage_stream::<EvidenceSigned>(), format!("evidence.signed.pr.acme.generator.{id}")),
        3 => (stage_stream::<BacklogMapped>(), format!("backlog.mapped.pr.acme.{id}")),
        _ => (QUARANTINE_STREAM.to_owned(), "quarantine.x".to_owned()),
    };
    let subject = format!("{}.{subject}", subject::ROOT);
    let position = world.store(&stream, &subject, BTreeMap::new(), b"{\"not\": \xff");
    if dice.below(2) == 0 && stream != QUARANTINE_STREAM {
        let worker = match stream {
            it if it == stage_stream::<BuildCompleted>() => "generator",
            it if it == stage_stream::<EvidenceReady>() => "signer",
            _ => "policy-gate",
        };
        let entry = world.set_aside(worker, &position);
        world.put_back(&entry);
        world.end(&entry, Ended::Replayed);
    }
}

pub(super) fn build(run: &str, kind: BuildKind, time: Timestamp) -> Envelope<BuildCompleted> {
    let artifact = Artifact {
        name: "dist/hotpass.whl".parse().expect("valid"),
        digest: artifact(),
        size: Some(5),
    };
    let input = Input {
        path: "uv.lock".parse().expect("valid"),
        digest: of(run, "lock"),
        size: 7,
        chunks: 1,
    };
    let data = BuildCompleted {
        environment: None,
        project: "acme/hotpass".parse().expect("valid"),
        kind,
        run: run.parse().expect("valid"),
        version: Some(Label::of("1.2.3")),
        source: Some(Source {
            repository: Uri::of("https://example.org/acme/hotpass"),
            reference: Some(Label::of("refs/heads/main")),
            commit: Some(Commit::try_from("a".repeat(40)).expect("valid")),
        }),
        builder: Builder::new(Uri::of("urn:ci")),
        started_at: None,
        finished_at: None,
        parameters: BTreeMap::default(),
        internal_parameters: Default::default(),
        dependencies: Default::default(),
        artifacts: vec![artifact].try_into().expect("valid"),
        inputs: Listing::try_from(vec![input]).expect("valid"),
        sboms: Default::default(),
    };
    let scope = data.project.clone();
    Envelope::root(Label::of("/ci"), time, kind.priority(), scope, data)
}

pub(super) fn ready(run: &str, producer: Producer, verdict: Option<Verdict>) -> EvidenceReady {
    let by = producer.as_str();
    let document = |role, name: &str, digest| Document {
        role,
        name: name.parse().expect("valid"),
        digest,
        size: 9,
        media_type: Label::of("application/json"),
    };
    let documents = match &verdict {
        None => vec![document(Role::Sbom, "sbom.cdx.json", of(run, "sbom"))],
        Some(verdict) => vec![
            document(Role::Report, "verdict/report.json", verdict.report),
            document(Role::Policy, "verdict/policy.bundle", verdict.policy),
        ],
    };
    let statement = StatementRef {
        digest: of(run, &format!("{by}-statement")),
        predicate_type: Uri::of("https://slsa.dev/provenance/v1"),
        bundle_name: format!("{by}.sigstore.json").parse().expect("valid"),
    };
    EvidenceReady {
        producer,
        project: "acme/hotpass".parse().expect("valid"),
        documents,
        statements: vec![statement],
        verdict,
        decision: None,
    }
}

pub(super) fn signed(ready: &EvidenceReady) -> EvidenceSigned {
    let bundles = ready.statements.iter().map(|it| BundleRef {
        bundle: Digest::of(it.digest.as_bytes()),
        name: it.bundle_name.clone(),
        statement: it.digest,
        predicate_type: it.predicate_type.clone(),
        signer: Some(Label::of("sha256:key")),
    });
    EvidenceSigned {
        producer: ready.producer,
        project: ready.project.clone(),
        documents: ready.documents.clone(),
        bundles: bundles.collect(),
        verdict: ready.verdict.clone(),
        decision: ready.decision.clone(),
    }
}

/// The artifact that every build here makes.
pub(super) fn artifact() -> Digest {
    Digest::of(b"wheel")
}

pub(super) fn policy() -> Digest {
    Digest::of(b"policy")
}

/// Digest of what `run` made under this name.
pub(super) fn of(run: &str, what: &str) -> Digest {
    Digest::of(format!("{run} {what}").as_bytes())
}

fn owned(headers: BTreeMap<&'static str, String>) -> BTreeMap<String, String> {
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
