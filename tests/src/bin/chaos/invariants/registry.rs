//! The registry says what the streams say, and the archive alone makes it again.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter},
    path::Path,
};

use anyhow::Context;
use events::VerdictResult;
use registry::{Reconciliation, Registry, Settled, StageAccount, View, journal};

use super::{Invariant, Remains};

/// Everything that entered has ended, as the registry has it.
pub(super) fn accounts(remains: &Remains<'_>) -> Invariant {
    let name = "nothing unaccounted for";
    let (numbers, mut broken) = reconciled(remains).unwrap_or_else(unasked);
    broken.extend_from_slice(remains.behind);
    if !remains.behind.is_empty() {
        broken
            .push(format!("the registrar's last words: {}", remains.fleet.last_words("registrar")));
    }
    Invariant { name, numbers, broken }
}

/// The live registry, the one that the archive alone gives, and the journal between them.
pub(super) async fn rebuilt(remains: &Remains<'_>) -> Invariant {
    let name = "the archive alone gives the same registry";
    let (numbers, broken) = compared(remains).await.unwrap_or_else(unasked);
    Invariant { name, numbers, broken }
}

/// Numbers, and what they break.
type Counted = (String, Vec<String>);

/// What cannot be asked cannot be relied on.
fn unasked(error: anyhow::Error) -> Counted {
    ("not known".to_owned(), vec![format!("{error:#}")])
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
    let builds = remains.builds.len() as u64;
    let of = |result| remains.builds.iter().filter(|it| it.expected == result).count() as u64;
    let (passed, failed) = (of(VerdictResult::Passed), of(VerdictResult::Failed));
    let counts = [
        ("builds entered", found.builds.entered, builds),
        ("builds passed", found.builds.passed, passed),
        ("builds failed", found.builds.failed, failed),
        ("events unaccounted", found.unaccounted_events, 0),
        ("builds unaccounted", found.builds.unaccounted, 0),
        ("builds in progress", found.builds.in_progress, 0),
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

async fn compared(remains: &Remains<'_>) -> anyhow::Result<Counted> {
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
    broken.extend(miscounts(&live, remains.builds.len())?);
    let (records, segments) = (rebuilt.records, rebuilt.segments);
    Ok((format!("{records} records in {segments} segments, dump {live_dump}"), broken))
}

fn numbers(found: &Reconciliation) -> String {
    let builds = &found.builds;
    let stage = |it: &StageAccount| format!("{} {} of {}", it.name, it.followed, it.entered);
    let stages: Vec<String> = found.stages.iter().map(stage).collect();
    let (passed, failed, entered) = (builds.passed, builds.failed, builds.entered);
    format!("{entered} builds: {passed} passed, {failed} failed; {}", stages.join(", "))
}

fn unfinished(stage: &StageAccount) -> Option<String> {
    (stage.followed != stage.entered)
        .then(|| format!("{}: {} entered, {} followed", stage.name, stage.entered, stage.followed))
}

/// Rows that a run without replays must have: five events per build, each known once.
fn miscounts(dump: &Path, builds: usize) -> anyhow::Result<Vec<String>> {
    let expected = [
        ("event", 5 * builds),
        ("repeat", 0),
        ("build", builds),
        // As decided, and as signed.
        ("verdict", 2 * builds),
        ("bundle", 3 * builds),
        ("unfinished", 0),
    ];
    let mut counts = [0; 6];
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
