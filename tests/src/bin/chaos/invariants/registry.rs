//! The registry says what the streams say, and the archive alone makes it again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufRead, BufReader, BufWriter},
    path::Path,
};

use anyhow::Context;
use events::{Digest, VerdictResult};
use jiff::Timestamp;
use registry::{
    Reconciliation, Registry, Settled, StageAccount, SubmissionAccount, View, journal,
    story::SupplierDocument,
};
use uuid::Uuid;

use super::{Counted, DropStory, Invariant, Remains, Stories};
use crate::work::Work;

/// Everything that entered has ended, as the registry has it.
pub(super) fn accounts(remains: &Remains<'_>) -> Invariant {
    let mut accounts = Invariant::of("nothing unaccounted for", reconciled(remains));
    let broken = &mut accounts.broken;
    broken.extend_from_slice(remains.behind);
    if !remains.behind.is_empty() {
        broken
            .push(format!("the registrar's last words: {}", remains.fleet.last_words("registrar")));
    }
    accounts
}

/// The live registry, the one that the archive alone gives, and the journal between them.
pub(super) async fn rebuilt(remains: &Remains<'_>, stories: &Stories<'_>) -> Invariant {
    Invariant::of("the archive alone gives the same registry", compared(remains, stories).await)
}

/// Rows of suppliers' documents beyond one for each document and sender.
pub(super) fn duplicates(remains: &Remains<'_>) -> anyhow::Result<usize> {
    let rows = View::open(&remains.area.registry())?.supplier_documents(None)?;
    let accepted = remains.work.drops.iter().filter(|it| it.flaw.is_none());
    let documents: BTreeSet<_> = accepted.map(|it| (&it.supplier, it.document())).collect();
    Ok(rows.len().saturating_sub(documents.len()))
}

fn reconciled(remains: &Remains<'_>) -> anyhow::Result<Counted> {
    let view = View::open(&remains.area.registry())?;
    let settled = remains.settled.iter().map(|it| Settled {
        stream: it.stream.clone(),
        worker: it.worker.clone(),
        priority: it.priority,
        floor: it.floor,
    });
    let found = view.reconcile(&settled.collect::<Vec<_>>())?;
    let Work { builds, drops } = remains.work;
    let of = |result| builds.iter().filter(|it| it.expected == result).count() as u64;
    let (passed, failed) = (of(VerdictResult::Passed), of(VerdictResult::Failed));
    let rejected = drops.iter().filter(|it| it.flaw.is_some()).count() as u64;
    let counts = [
        ("builds entered", found.builds.entered, builds.len() as u64),
        ("builds passed", found.builds.passed, passed),
        ("builds failed", found.builds.failed, failed),
        ("events unaccounted", found.unaccounted_events, 0),
        ("builds unaccounted", found.builds.unaccounted, 0),
        ("builds in progress", found.builds.in_progress, 0),
        ("submissions entered", found.submissions.entered, drops.len() as u64),
        ("submissions accepted", found.submissions.accepted, drops.len() as u64 - rejected),
        ("submissions rejected", found.submissions.rejected, rejected),
        ("submissions unaccounted", found.submissions.unaccounted, 0),
        ("submissions in progress", found.submissions.in_progress, 0),
        ("messages missing", found.missing, 0),
        ("conflicts", found.conflicts, 0),
        ("foreign messages", found.foreign_messages, 0),
    ];
    let wrong = counts.iter().filter(|(_, count, expected)| count != expected);
    let mut broken: Vec<String> =
        wrong.map(|(what, count, expected)| format!("{what}: {count}, not {expected}")).collect();
    broken.extend(found.unaccounted.iter().map(|it| it.last_seen.clone()));
    broken.extend(found.stages.iter().filter_map(unfinished));
    Ok((numbers(&found), broken))
}

async fn compared(remains: &Remains<'_>, stories: &Stories<'_>) -> anyhow::Result<Counted> {
    let root = remains.area.root();
    let archive = remains.area.archive();
    let archive = archive::Archive::open(archive.to_str().context("the area is not UTF-8")?)?;
    let (live, again) = (root.join("live.jsonl"), root.join("rebuilt.jsonl"));
    let mut broken = Vec::new();

    let registry = Registry::open(&remains.area.registry())?;
    let pending = registry.pending()?.records;
    if pending > 0 {
        broken.push(format!("{pending} records lie in no segment although the registrar ended"));
    }
    let live_dump = registry.dump(&mut BufWriter::new(File::create(&live)?))?;
    let path = root.join("rebuilt.sqlite");
    let rebuilt = journal::rebuild(&archive, &path).await?;
    if rebuilt.dump != live_dump {
        Registry::open(&path)?.dump(&mut BufWriter::new(File::create(&again)?))?;
        broken.push(format!("the rebuilt registry differs: {}", first_difference(&live, &again)?));
    }
    let checked = journal::check(&archive).await?;
    broken.extend(checked.problems);
    for (what, count) in [("messages missing", checked.missing), ("conflicts", checked.conflicts)] {
        if count > 0 {
            broken.push(format!("{what} in the journal: {count}"));
        }
    }
    broken.extend(miscounts(&live, remains.work)?);
    let rows = View::open(&remains.area.registry())?.supplier_documents(None)?;
    broken.extend(misfiled(&rows, stories));
    let (records, segments) = (rebuilt.records, rebuilt.segments);
    let documents = rows.len();
    let numbers = format!(
        "{documents} supplier documents; {records} records in {segments} segments, dump {live_dump}"
    );
    Ok((numbers, broken))
}

fn numbers(found: &Reconciliation) -> String {
    let builds = &found.builds;
    let stage = |it: &StageAccount| format!("{} {} of {}", it.name, it.followed, it.entered);
    let stages: Vec<String> = found.stages.iter().map(stage).collect();
    let (passed, failed, entered) = (builds.passed, builds.failed, builds.entered);
    let SubmissionAccount { entered: drops, accepted, rejected, .. } = found.submissions;
    format!(
        "{entered} builds: {passed} passed, {failed} failed; {drops} drops: {accepted} accepted, {rejected} rejected; {}",
        stages.join(", ")
    )
}

fn unfinished(stage: &StageAccount) -> Option<String> {
    (stage.followed != stage.entered)
        .then(|| format!("{}: {} entered, {} followed", stage.name, stage.entered, stage.followed))
}

/// Rows that a run without replays must have: each event known once.
fn miscounts(dump: &Path, work: &Work) -> anyhow::Result<Vec<String>> {
    let (builds, drops) = (work.builds.len(), work.drops.len());
    let expected = [
        ("event", 6 * builds + 4 * drops),
        ("repeat", 0),
        ("build", builds),
        ("submission", drops),
        // As decided, and as signed.
        ("verdict", 2 * builds),
        ("decision", 2 * drops),
        ("bundle", 3 * builds + drops),
        ("mapping", builds + drops),
        ("unfinished", 0),
    ];
    let mut counts = [0; 9];
    for line in BufReader::new(File::open(dump)?).lines() {
        let row: serde_json::Value = serde_json::from_str(&line?)?;
        if let Some(index) = expected.iter().position(|(table, _)| row["table"] == *table) {
            counts[index] += 1;
        }
    }
    let wrong = expected.iter().zip(counts).filter(|((_, expected), count)| expected != count);
    Ok(wrong
        .map(|((table, expected), count)| format!("{count} rows of {table}, not {expected}"))
        .collect())
}

/// Rows of the suppliers' documents that should not be there, or not so, and documents without a row.
fn misfiled(rows: &[SupplierDocument], stories: &Stories<'_>) -> Vec<String> {
    let mut accepted: BTreeMap<(&str, Digest), &DropStory<'_>> = BTreeMap::new();
    for story in stories.drops.iter().filter(|it| it.drop.flaw.is_none()) {
        let Some(document) = story.drop.document() else { continue };
        let first = accepted.entry((story.drop.supplier.as_str(), document)).or_insert(story);
        if ingested(story) < ingested(first) {
            *first = story;
        }
    }
    let mut wrong = Vec::new();
    for row in rows {
        let SupplierDocument { sender, scope, digest, submission, .. } = row;
        let what = || format!("the row of {digest} of {sender} {scope}");
        match accepted.remove(&(scope.as_str(), *digest)) {
            Some(first) if *submission != first.drop.submission.as_str() => {
                let first = first.drop.name();
                wrong.push(format!("{} says {submission}, and {first} was first", what()));
            }
            Some(_) if sender == "supplier" => {}
            _ => wrong.push(format!("{} is one too many", what())),
        }
    }
    wrong.extend(accepted.values().map(|it| format!("{} has no row", it.drop.name())));
    wrong
}

/// What orders the submissions of one document.
fn ingested(story: &DropStory<'_>) -> (Option<Timestamp>, Uuid) {
    (story.signed.data.decision.as_ref().map(|it| it.ingested_at), story.signed.correlation)
}

fn first_difference(live: &Path, rebuilt: &Path) -> anyhow::Result<String> {
    let lines = |path: &Path| anyhow::Ok(BufReader::new(File::open(path)?).lines());
    let (mut live, mut rebuilt) = (lines(live)?, lines(rebuilt)?);
    loop {
        match (live.next().transpose()?, rebuilt.next().transpose()?) {
            (None, None) => return Ok("nowhere".to_owned()),
            (one, other) if one == other => {}
            (one, other) => {
                let shown =
                    |line: Option<String>| line.unwrap_or_else(|| "nothing more".to_owned());
                return Ok(format!("live {}, rebuilt {}", shown(one), shown(other)));
            }
        }
    }
}
