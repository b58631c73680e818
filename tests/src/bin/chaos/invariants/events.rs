//! Every build has five events, each once, and nobody published anything else.

use std::collections::HashMap;

use events::{
    BuildCompleted, Envelope, Event, EvidenceReady, EvidenceSigned, Producer, Record, stage_stream,
    subject,
};

use super::Invariant;
use crate::{builds::Build, streams::Streams};

/// The five events of a build.
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

/// Records by subject; what was read of an event is taken out.
type Shelf<'a> = HashMap<&'a str, Vec<&'a Record>>;

/// Reads the story of every build.
pub(super) fn check<'a>(builds: &'a [Build], streams: &Streams) -> (Invariant, Vec<Story<'a>>) {
    let mut shelf = Shelf::new();
    for record in streams.stages.values().flatten() {
        shelf.entry(record.subject.as_str()).or_default().push(record);
    }
    let mut broken = Vec::new();
    let mut stories = Vec::new();
    for build in builds {
        match story(build, &mut shelf) {
            Ok(story) => stories.push(story),
            Err(why) => {
                broken.push(format!("{} ({}): {why}", build.event.data.run, build.event.id))
            }
        }
    }
    let mut strangers: Vec<&Record> = shelf.into_values().flatten().collect();
    strangers.sort_by_key(|it| (&it.stream, it.sequence));
    let stranger =
        |it: &Record| format!("{} lies on {}: nobody's event", it.position(), it.subject);
    broken.extend(strangers.into_iter().map(stranger));
    broken.extend(streams.stages.iter().filter_map(|(name, records)| hole(name, records)));

    let count = |name: String| streams.stages.get(&name).map_or(0, Vec::len);
    let numbers = format!(
        "{} builds: {} build.completed, {} evidence.ready, {} evidence.signed",
        builds.len(),
        count(stage_stream::<BuildCompleted>()),
        count(stage_stream::<EvidenceReady>()),
        count(stage_stream::<EvidenceSigned>()),
    );
    (Invariant { name: "five events per build, each once", numbers, broken }, stories)
}

fn story<'a>(build: &'a Build, shelf: &mut Shelf<'_>) -> Result<Story<'a>, String> {
    let stored: Envelope<BuildCompleted> = take(build, None, shelf)?;
    if stored != build.event {
        return Err("the stored build.completed is not what was submitted".to_owned());
    }
    let ready: Envelope<EvidenceReady> = take(build, Some(Producer::Generator), shelf)?;
    let signed: Envelope<EvidenceSigned> = take(build, Some(Producer::Generator), shelf)?;
    let judged: Envelope<EvidenceReady> = take(build, Some(Producer::PolicyGate), shelf)?;
    let verdict: Envelope<EvidenceSigned> = take(build, Some(Producer::PolicyGate), shelf)?;
    let chain = [
        (ready.cause, stored.id),
        (signed.cause, ready.id),
        (judged.cause, signed.id),
        (verdict.cause, judged.id),
    ];
    match chain.iter().find(|(cause, id)| *cause != Some(*id)) {
        None => Ok(Story { build, ready, signed, judged, verdict }),
        Some((cause, id)) => Err(format!("an event names {cause:?} as its cause instead of {id}")),
    }
}

/// The one event of its type and producer.
fn take<E: Event>(
    build: &Build,
    producer: Option<Producer>,
    shelf: &mut Shelf<'_>,
) -> Result<Envelope<E>, String> {
    let event = &build.event;
    let stage = subject::stage::<E>();
    let lane = format!("{stage}.{}.{}", event.priority, subject::token(event.scope.as_str()));
    let subject = match producer {
        Some(producer) => format!("{lane}.{}.{}", producer.as_str(), event.correlation),
        None => format!("{lane}.{}", event.correlation),
    };
    let what = || format!("{stage} of {}", producer.map_or("CI", Producer::as_str));
    match shelf.remove(subject.as_str()).as_deref() {
        None => Err(format!("no {}", what())),
        Some([record]) => events::decode(&subject, &record.payload)
            .map_err(|error| format!("{} at {}: {error}", what(), record.position())),
        Some(records) => {
            let positions: Vec<String> =
                records.iter().map(|it| it.position().to_string()).collect();
            Err(format!("{} is stored {} times: {}", what(), records.len(), positions.join(", ")))
        }
    }
}

/// Stage streams forget nothing, so their numbers have no holes.
fn hole(name: &str, records: &[Record]) -> Option<String> {
    let expected = (1..).zip(records).find(|(number, record)| *number != record.sequence);
    expected.map(|(number, _)| format!("{name} has no message {number}"))
}
