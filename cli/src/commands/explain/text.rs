//! Stories for people.

mod submission;

use std::fmt::{self, Write};

use jiff::Timestamp;
use registry::{
    Explanation,
    story::{Attempt, Build, Document, Entry, Event, Found, Mapped, State, Statement, Verdict},
};

/// The explanation as text.
pub(super) fn of(explanation: &Explanation) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    write(&mut text, explanation).unwrap_or_default();
    text
}

fn write(out: &mut String, explanation: &Explanation) -> fmt::Result {
    if let Some(digest) = explanation.digest {
        let found: Vec<String> = explanation.found_as.iter().map(found).collect();
        writeln!(out, "{digest}\n  is {}", found.join("\n     "))?;
    }
    if let Some(time) = explanation.as_of {
        writeln!(out, "As known at {time}.")?;
    }
    for story in &explanation.builds {
        writeln!(out)?;
        build(out, story)?;
    }
    for story in &explanation.submissions {
        writeln!(out)?;
        submission::submission(out, story)?;
    }
    for story in &explanation.updates {
        writeln!(out)?;
        submission::update(out, story)?;
    }
    if explanation.more_builds > 0 {
        writeln!(out, "\n{} older stories name it too.", explanation.more_builds)?;
    }
    Ok(())
}

fn found(found: &Found) -> String {
    match found {
        Found::Artifact { name } => format!("the artifact {name}"),
        Found::Input { name } => format!("the lockfile {name}"),
        Found::Document { name, role } => format!("the {role} {name}"),
        Found::Statement { predicate_type, .. } => format!("a statement, {predicate_type}"),
        Found::Bundle { name, predicate_type } => format!("the bundle {name}, {predicate_type}"),
        Found::Policy => "a policy that judged".to_owned(),
        Found::Report => "the report of a judgement".to_owned(),
        Found::Submitted { name, scope } => format!("the document {name} that {scope} submitted"),
        Found::Signature { name, scope } => {
            format!("the signature that {scope} submitted with {name}")
        }
        Found::Advisories => "an index of advisories".to_owned(),
    }
}

/// Whether the story began with `verdict.requested`.
fn is_requested(build: &Build) -> bool {
    build.events.first().is_some_and(|it| it.event_type == "verdict.requested")
}

fn build(out: &mut String, build: &Build) -> fmt::Result {
    let state = state(build.state);
    match &build.submitted {
        Some(it) => {
            let version = it.version.as_ref().map(|it| format!(" {it}")).unwrap_or_default();
            writeln!(out, "{state}  {}{version}, {} of run {}", it.project, it.kind, it.run)?;
        }
        None if is_requested(build) => {
            writeln!(
                out,
                "{state}  a verdict that somebody asked for again; its report names the build"
            )?;
        }
        None => writeln!(out, "{state}  a build whose submission is not known")?,
    }
    let what = if is_requested(build) { "request" } else { "build" };
    writeln!(out, "  {what:10} {}", build.correlation)?;
    if let Some(it) = &build.submitted {
        if let Some(source) = &it.source {
            let commit = source.commit.as_deref().unwrap_or("commit not given");
            let reference = source.reference.as_deref().unwrap_or("ref not given");
            writeln!(out, "  source     {} {commit} {reference}", source.repository)?;
        }
        writeln!(out, "  builder    {}", it.builder)?;
    }
    for file in &build.artifacts {
        writeln!(out, "  artifact   {}  {}", file.digest, file.name)?;
    }
    for file in &build.inputs {
        writeln!(out, "  lockfile   {}  {}", file.digest, file.name)?;
    }
    if let Some(it) = &build.verdict {
        verdict(out, it)?;
    }
    if let Some(it) = &build.mapped {
        mapped(out, it)?;
    }
    build.documents.iter().try_for_each(|it| document(out, it))?;
    list(out, "signatures", &build.statements, statement)?;
    list(out, "events", &build.events, event)?;
    list(out, "retried", &build.attempts, attempt)?;
    list(out, "quarantine", &build.quarantine, entry)?;
    more(out, build.more)
}

fn state(state: State) -> &'static str {
    match state {
        State::Passed => "PASSED",
        State::Failed => "FAILED",
        State::Accepted => "ACCEPTED",
        State::Rejected => "REJECTED",
        State::Mapped => "MAPPED",
        State::Quarantined => "QUARANTINED",
        State::Dropped => "DROPPED",
        State::InProgress => "IN PROGRESS",
    }
}

fn list<T>(
    out: &mut String,
    title: &str,
    entries: &[T],
    line: fn(&mut String, &T) -> fmt::Result,
) -> fmt::Result {
    if !entries.is_empty() {
        writeln!(out, "  {title}")?;
    }
    entries.iter().try_for_each(|entry| line(out, entry))
}

fn verdict(out: &mut String, verdict: &Verdict) -> fmt::Result {
    let signed = match verdict.signed_at {
        Some(time) => format!("signed {}", at(time)),
        None => "not signed yet".to_owned(),
    };
    writeln!(out, "  judged     {}, {signed}", at(verdict.time))?;
    writeln!(out, "  by policy  {}", verdict.policy)
}

/// What the mapper found, and what the backlog has from it.
fn mapped(out: &mut String, mapped: &Mapped) -> fmt::Result {
    let Mapped { findings, suppressed, time, .. } = mapped;
    let s = if *findings == 1 { "" } else { "s" };
    writeln!(out, "  mapped     {findings} finding{s}, {suppressed} suppressed, {}", at(*time))?;
    match &mapped.advisories {
        Some(index) => writeln!(out, "  advisories {index}")?,
        None => writeln!(out, "  advisories none were there; run attestry advisories sync")?,
    }
    mapped.opened.iter().try_for_each(|it| writeln!(out, "  opened     {it}"))?;
    mapped.closed.iter().try_for_each(|it| writeln!(out, "  closed     {it}"))
}

fn document(out: &mut String, document: &Document) -> fmt::Result {
    writeln!(out, "  {:10} {}  {}", document.role, document.digest, document.name)
}

fn more(out: &mut String, more: u64) -> fmt::Result {
    match more {
        0 => Ok(()),
        _ => writeln!(out, "  and {more} more entries; --format json has no more either"),
    }
}

fn statement(out: &mut String, statement: &Statement) -> fmt::Result {
    writeln!(out, "    {}", statement.predicate_type)?;
    writeln!(out, "      statement {}", statement.digest)?;
    match &statement.bundle {
        Some(bundle) => {
            let signer = bundle.signer.as_deref().unwrap_or("a key that the event does not name");
            writeln!(out, "      bundle    {}  {}", bundle.digest, statement.name)?;
            writeln!(out, "      signed by {signer} {}", at(bundle.time))
        }
        None => writeln!(out, "      not signed yet"),
    }
}

fn event(out: &mut String, event: &Event) -> fmt::Result {
    let stage = match &event.producer {
        Some(producer) => format!("{} of {producer}", event.event_type),
        None => event.event_type.clone(),
    };
    let (time, id) = (at(event.known_at), event.id);
    writeln!(out, "    {time}  {stage:30}  {id}  {}  {}", event.position, event.source)?;
    for repeat in &event.repeats {
        let why = match repeat.replay_of {
            Some(entry) => format!("replayed from quarantine entry {entry}"),
            None => "stored again".to_owned(),
        };
        let differs = if repeat.same { "" } else { ", WITH OTHER CONTENT" };
        writeln!(out, "    {}    {why}{differs}  {}", at(repeat.known_at), repeat.position)?;
    }
    Ok(())
}

fn attempt(out: &mut String, attempt: &Attempt) -> fmt::Result {
    let Attempt { worker, position, failed_max, reason, time, .. } = attempt;
    let times = if *failed_max == 1 { "once" } else { "times" };
    let count = if *failed_max == 1 { String::new() } else { format!("{failed_max} ") };
    writeln!(out, "    {}  {worker} failed {count}{times} on {position}: {reason}", at(*time))
}

fn entry(out: &mut String, entry: &Entry) -> fmt::Result {
    let Entry { id, worker, reason, detail, time, .. } = entry;
    writeln!(out, "    {}  entry {id}: {worker} gave up, {reason}", at(*time))?;
    writeln!(out, "      {detail}")?;
    match &entry.ended {
        Some(end) => writeln!(out, "    {}  entry {id} was {}", at(end.time), end.how.as_str()),
        None => writeln!(out, "      it lies there; attestry quarantine show {id}"),
    }
}

/// To the millisecond, and always as long: a column.
fn at(time: Timestamp) -> String {
    format!("{time:.3}")
}
