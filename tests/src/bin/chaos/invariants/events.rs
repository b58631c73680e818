//! Every build and every drop has its events, each once, and nobody published anything else.

use std::collections::HashMap;

use events::{
    BacklogMapped, BuildCompleted, Content, DocumentSubmitted, Envelope, Event, EvidenceReady,
    EvidenceSigned, Priority, Producer, Record, Scope, stage_stream, subject,
};
use uuid::Uuid;

use super::Invariant;
use crate::{
    builds::Build,
    drops::{Drop, Slip},
    streams::Streams,
    work::Work,
};

/// The six events of a build.
pub(crate) struct Story<'a> {
    /// What was submitted.
    pub(crate) build: &'a Build,
    /// What the generator made.
    pub(crate) ready: Envelope<EvidenceReady>,
    /// The same, signed.
    pub(crate) signed: Envelope<EvidenceSigned>,
    /// What the gate decided.
    pub(crate) judged: Envelope<EvidenceReady>,
    /// The same, signed.
    pub(crate) verdict: Envelope<EvidenceSigned>,
}

/// The four events of a drop.
pub(crate) struct DropStory<'a> {
    /// What was dropped.
    pub(crate) drop: &'a Drop,
    /// What came through the door.
    pub(crate) submitted: Envelope<DocumentSubmitted>,
    /// What was decided.
    pub(crate) ready: Envelope<EvidenceReady>,
    /// The same, signed.
    pub(crate) signed: Envelope<EvidenceSigned>,
}

/// What became of everything.
#[derive(Default)]
pub(crate) struct Stories<'a> {
    /// Of builds.
    pub(crate) builds: Vec<Story<'a>>,
    /// Of drops.
    pub(crate) drops: Vec<DropStory<'a>>,
}

/// Records by subject; what was read of an event is taken out.
struct Shelf<'a>(HashMap<&'a str, Vec<&'a Record>>);

/// Whose event is looked for, and how urgent it is.
struct Whose<'a> {
    priority: Priority,
    scope: &'a Scope,
    correlation: Uuid,
}

/// Reads the story of everything that was submitted.
pub(super) fn check<'a>(work: &'a Work, streams: &Streams) -> (Invariant, Stories<'a>) {
    let mut shelf = Shelf::of(streams);
    let mut broken = Vec::new();
    let mut stories = Stories::default();
    for build in &work.builds {
        match of_build(build, &mut shelf) {
            Ok(story) => stories.builds.push(story),
            Err(why) => {
                broken.push(format!("{} ({}): {why}", build.event.data.run, build.event.id));
            }
        }
    }
    for drop in &work.drops {
        match of_drop(drop, &mut shelf) {
            Ok(story) => stories.drops.push(story),
            Err(why) => broken.push(format!("{} ({}): {why}", drop.name(), drop.id())),
        }
    }
    broken.extend(shelf.strangers());
    broken.extend(streams.stages.iter().filter_map(|(name, records)| hole(name, records)));

    let count = |name: String| streams.stages.get(&name).map_or(0, Vec::len);
    let numbers = format!(
        "{} builds, {} drops: {} build.completed, {} document.submitted, {} evidence.ready, {} evidence.signed, {} backlog.mapped",
        work.builds.len(),
        work.drops.len(),
        count(stage_stream::<BuildCompleted>()),
        count(stage_stream::<DocumentSubmitted>()),
        count(stage_stream::<EvidenceReady>()),
        count(stage_stream::<EvidenceSigned>()),
        count(stage_stream::<BacklogMapped>()),
    );
    (Invariant { name: "six events per build, four per drop, each once", numbers, broken }, stories)
}

fn of_build<'a>(build: &'a Build, shelf: &mut Shelf<'_>) -> Result<Story<'a>, String> {
    let Envelope { priority, scope, correlation, .. } = &build.event;
    let whose = Whose { priority: *priority, scope, correlation: *correlation };
    let stored: Envelope<BuildCompleted> = shelf.take(&whose, None)?;
    if stored != build.event {
        return Err("the stored build.completed is not what was submitted".to_owned());
    }
    let ready: Envelope<EvidenceReady> = shelf.take(&whose, Some(Producer::Generator))?;
    let signed: Envelope<EvidenceSigned> = shelf.take(&whose, Some(Producer::Generator))?;
    let judged: Envelope<EvidenceReady> = shelf.take(&whose, Some(Producer::PolicyGate))?;
    let verdict: Envelope<EvidenceSigned> = shelf.take(&whose, Some(Producer::PolicyGate))?;
    let mapped: Envelope<BacklogMapped> = shelf.take(&whose, None)?;
    in_a_chain(&[
        (ready.cause, stored.id),
        (signed.cause, ready.id),
        (judged.cause, signed.id),
        (verdict.cause, judged.id),
        (mapped.cause, verdict.id),
    ])?;
    Ok(Story { build, ready, signed, judged, verdict })
}

fn of_drop<'a>(drop: &'a Drop, shelf: &mut Shelf<'_>) -> Result<DropStory<'a>, String> {
    let scope = drop.sender().scope();
    let whose = Whose { priority: Priority::Background, scope: &scope, correlation: drop.id() };
    let submitted: Envelope<DocumentSubmitted> = shelf.take(&whose, None)?;
    let DocumentSubmitted { from, submission, content } = &submitted.data;
    let is_same = match (content, &drop.slip) {
        (Content::Named(stored), Slip::Manifest(dropped)) => stored == dropped,
        (Content::Unreadable { .. }, Slip::Text(_)) => true,
        _ => false,
    };
    if *from != drop.sender() || *submission != drop.submission || !is_same {
        return Err("the stored document.submitted is not what was dropped".to_owned());
    }
    let ready: Envelope<EvidenceReady> = shelf.take(&whose, Some(Producer::SupplierIngest))?;
    let signed: Envelope<EvidenceSigned> = shelf.take(&whose, Some(Producer::SupplierIngest))?;
    let mapped: Envelope<BacklogMapped> = shelf.take(&whose, None)?;
    in_a_chain(&[
        (ready.cause, submitted.id),
        (signed.cause, ready.id),
        (mapped.cause, signed.id),
    ])?;
    if mapped.data.document != drop.document() {
        let document = mapped.data.document;
        return Err(format!("its backlog.mapped is about another document: {document:?}"));
    }
    Ok(DropStory { drop, submitted, ready, signed })
}

/// Each event names the one before it as its cause.
fn in_a_chain(chain: &[(Option<Uuid>, Uuid)]) -> Result<(), String> {
    match chain.iter().find(|(cause, id)| *cause != Some(*id)) {
        None => Ok(()),
        Some((cause, id)) => Err(format!("an event names {cause:?} as its cause instead of {id}")),
    }
}

impl<'a> Shelf<'a> {
    fn of(streams: &'a Streams) -> Self {
        let mut shelf: HashMap<&str, Vec<&Record>> = HashMap::new();
        for record in streams.stages.values().flatten() {
            shelf.entry(record.subject.as_str()).or_default().push(record);
        }
        Self(shelf)
    }

    /// The one event of its type and producer.
    fn take<E: Event>(
        &mut self,
        whose: &Whose<'_>,
        producer: Option<Producer>,
    ) -> Result<Envelope<E>, String> {
        let Whose { priority, scope, correlation } = whose;
        let stage = subject::stage::<E>();
        let lane = format!("{stage}.{priority}.{}", subject::token(scope.as_str()));
        let subject = match producer {
            Some(producer) => format!("{lane}.{}.{correlation}", producer.as_str()),
            None => format!("{lane}.{correlation}"),
        };
        let what = || match producer {
            Some(producer) => format!("{stage} of {}", producer.as_str()),
            None => stage.clone(),
        };
        match self.0.remove(subject.as_str()).as_deref() {
            None => Err(format!("no {}", what())),
            Some([record]) => events::decode(&subject, &record.payload)
                .map_err(|error| format!("{} at {}: {error}", what(), record.position())),
            Some(records) => {
                let positions: Vec<String> =
                    records.iter().map(|it| it.position().to_string()).collect();
                Err(format!(
                    "{} is stored {} times: {}",
                    what(),
                    records.len(),
                    positions.join(", ")
                ))
            }
        }
    }

    /// What nobody took.
    fn strangers(self) -> impl Iterator<Item = String> {
        let mut strangers: Vec<&Record> = self.0.into_values().flatten().collect();
        strangers.sort_by_key(|it| (&it.stream, it.sequence));
        strangers
            .into_iter()
            .map(|it| format!("{} lies on {}: nobody's event", it.position(), it.subject))
    }
}

/// Stage streams forget nothing, so their numbers have no holes.
fn hole(name: &str, records: &[Record]) -> Option<String> {
    let expected = (1..).zip(records).find(|(number, record)| *number != record.sequence);
    expected.map(|(number, _)| format!("{name} has no message {number}"))
}
