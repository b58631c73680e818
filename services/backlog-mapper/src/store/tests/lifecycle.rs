//! The life of an entry in a store: each row plainly, with everything delivered twice, and with a process that
//! dies while it writes, wherever that is.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Stdio},
};

use events::Sender;
use rustix::process::{Resource, Rlimit, setrlimit};
use serde_json::json;

use super::*;
use crate::{lifecycle::Cause, testing::operator, waivers::Waiver};

/// Signal of a process that writes beyond the limit of a file.
const SIGXFSZ: i32 = 25;
/// How long a supplier's word counts here, in days.
const TERMS: Terms = Terms { supplier_days: Some(30) };

/// What happens to a store, one step a day.
#[derive(Clone)]
enum Step {
    /// A build of the project, or a document of the supplier, has these components.
    Has(&'static [&'static str]),
    /// The supplier says that no known vulnerability of jinja2 matters.
    Says(&'static str),
    /// A gate names this many waivers about jinja2, the last of which ends on that day.
    Waived(usize, i64),
    /// There are these advisories.
    Knows(&'static [&'static str]),
    /// Nothing, until that day.
    Passes(i64),
}
use Step::{Has, Knows, Passes, Says, Waived};

const V: &[&str] = &[JINJA];
const F: &[&str] = &[JINJA_FIXED];
const ALL: &[&str] = &["first", "second"];

/// A row: its name, its steps, and the life of jinja2's entry, with days.
type Row = (&'static str, Vec<Step>, &'static str);

fn rows() -> Vec<Row> {
    vec![
        ("found", vec![Has(V)], "open Found@1"),
        ("found again", vec![Has(V), Has(V)], "open Found@1"),
        ("alias", vec![Has(V), Knows(&["first", "second", "alias"])], "open Found@1"),
        ("fixed", vec![Has(V), Has(F)], "open Found@1, fixed Upgraded@2"),
        (
            "returned",
            vec![Has(V), Has(F), Has(V)],
            "open Found@1, fixed Upgraded@2, reopened Returned@3",
        ),
        ("removed", vec![Has(V), Has(&[TORCH])], "open Found@1, fixed Removed@2"),
        ("VEX in", vec![Has(V), Says("not_affected")], "open Found@1, suppressed Suppressed@2"),
        (
            "VEX out",
            vec![Has(V), Says("not_affected"), Says("affected")],
            "open Found@1, suppressed Suppressed@2, reopened Unsuppressed@3",
        ),
        (
            "VEX expired",
            vec![Has(V), Says("not_affected"), Passes(40)],
            "open Found@1, suppressed Suppressed@2, reopened Unsuppressed@32",
        ),
        ("waiver in", vec![Has(V), Waived(1, 20)], "open Found@1, accepted Accepted@2"),
        (
            "waiver expired",
            vec![Has(V), Waived(1, 20), Passes(40)],
            "open Found@1, accepted Accepted@2, reopened WaiverEnded@20",
        ),
        (
            "waiver revoked",
            vec![Has(V), Waived(1, 20), Waived(0, 0), Waived(0, 0), Waived(0, 0)],
            "open Found@1, accepted Accepted@2, reopened WaiverEnded@5",
        ),
        (
            "waiver, then fixed",
            vec![Has(V), Waived(1, 20), Has(F), Passes(40)],
            "open Found@1, accepted Accepted@2, fixed Upgraded@3",
        ),
        (
            "waiver under VEX",
            vec![Has(V), Waived(1, 20), Says("not_affected"), Says("affected"), Passes(40)],
            "open Found@1, accepted Accepted@2, suppressed Suppressed@3, accepted Accepted@4, reopened WaiverEnded@20",
        ),
        ("withdrawn", vec![Has(V), Knows(&[])], "open Found@1, withdrawn Withdrawn@2"),
        ("one of two withdrawn", vec![Has(V), Knows(&["second"])], "open Found@1"),
        (
            "withdrawn and named again",
            vec![Has(V), Knows(&[]), Knows(ALL)],
            "open Found@1, withdrawn Withdrawn@2, reopened Restored@3",
        ),
        (
            "withdrawn, fixed, named again",
            vec![Has(V), Knows(&[]), Has(F), Knows(ALL)],
            "open Found@1, withdrawn Withdrawn@2, fixed Upgraded@4",
        ),
        ("fixed, withdrawn", vec![Has(V), Has(F), Knows(&[])], "open Found@1, fixed Upgraded@2"),
    ]
}

/// Waivers are about projects. What suppliers say of their own products ends, what operators say does not.
fn slot(steps: &[Step]) -> (Slot, Sender) {
    match steps.iter().any(|it| matches!(it, Waived(..))) {
        true => (project("widget"), operator("widget")),
        false => (supplier("acme", "widget"), acme()),
    }
}

/// An index of records of our own about jinja2, kept where stores look for those of before.
fn known(directory: &Path, names: &[&str]) -> Index {
    let sources = directory.join("sources");
    fs::create_dir_all(&sources).expect("makes");
    for entry in fs::read_dir(&sources).expect("reads") {
        fs::remove_file(entry.expect("reads").path()).expect("removes");
    }
    for name in names {
        let (id, aliases) = match *name {
            "first" => ("PYSEC-2019-217", json!(["CVE-2019-10906"])),
            "second" => ("PYSEC-2021-66", json!(["CVE-2020-28493"])),
            _ => ("GHSA-462w-v97r-4m45", json!(["CVE-2019-10906"])),
        };
        let record = json!({
            "id": id, "modified": "2026-01-01T00:00:00Z", "aliases": aliases,
            "affected": [{
                "package": { "ecosystem": "PyPI", "name": "jinja2" },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "2.11.3" }] }],
            }],
        });
        fs::write(sources.join(format!("{name}.json")), record.to_string()).expect("writes");
    }
    let (index, _) = Index::build(&[sources]).expect("builds");
    index.save(&directory.join("advisories")).expect("saves");
    index
}

fn waiver(number: usize, from: Timestamp, until: Timestamp) -> Waiver {
    Waiver {
        id: Digest::of(format!("waiver {number}").as_bytes()),
        approver: Label::of("boss"),
        reason: events::Text::of("not reachable"),
        project: Some(project("widget").scope),
        component: Some(JINJA.to_owned()),
        vulnerability: None,
        from,
        until,
    }
}

fn open(directory: &Path) -> Store {
    let store = Store::open(&directory.join("backlog.db")).expect("opens");
    store.with_terms(TERMS).with_advisories(&directory.join("advisories"))
}

/// Does everything in order, each thing so many times.
fn live(directory: &Path, steps: &[Step], times: usize) {
    let (store, (slot, sender)) = (open(directory), slot(steps));
    let mut index = known(directory, ALL);
    for (number, step) in (1..).zip(steps) {
        let (time, id) = (day(number), number.cast_unsigned().into());
        if let Knows(names) = step {
            index = known(directory, names);
        }
        for _ in 0..times {
            match step {
                Has(purls) => {
                    let arrival = sbom(id, time, &slot, purls);
                    store.record(&arrival, Some(&index), time).expect("records");
                }
                Says(status) => {
                    let ids = ["CVE-2019-10906", "CVE-2020-28493"];
                    let said = says(sender.clone(), time, status, &ids, JINJA);
                    store.record(&vex(id, said), Some(&index), time).expect("records");
                }
                Knows(_) => {
                    store.record(&advisories(id, time), Some(&index), time).expect("records");
                }
                Waived(..) | Passes(_) => {}
            }
        }
        match step {
            Waived(count, end) => {
                let named: Vec<_> = (0..*count).map(|it| waiver(it, time, day(*end))).collect();
                store.hear_waivers(&named, time).expect("hears");
                store.pass_time(Some(&index), time).expect("passes");
            }
            Passes(until) => {
                for passed in number..=*until {
                    store.pass_time(Some(&index), day(passed)).expect("passes");
                }
            }
            _ => {}
        }
    }
}

/// The life of jinja2's entry, of which there must be one.
fn trail(directory: &Path) -> String {
    let reader = Reader::open(&directory.join("backlog.db")).expect("opens");
    let register = reader.register(&Config::default(), None, now()).expect("reads");
    let mut entries = register.entries.iter().filter(|it| it.package == "jinja2");
    let entry = entries.next().expect("an entry");
    assert_eq!(entries.next(), None, "a second entry");
    let told = entry.history.iter().map(|it| {
        let days = (it.time.as_second() - day(0).as_second()) / 86_400;
        format!("{} {:?}@{days}", it.to.as_str(), it.cause)
    });
    assert_eq!(entry.history.last().map(|it| it.to), Some(entry.status));
    assert!(entry.history.iter().all(|it| it.cause != Cause::Untold));
    told.collect::<Vec<_>>().join(", ")
}

#[test]
fn every_row_lives_as_it_is_written_however_often_things_are_delivered() {
    for (name, steps, expected) in rows() {
        for times in [1, 2] {
            let place = tempfile::tempdir().expect("temporary");
            live(place.path(), &steps, times);
            assert_eq!(trail(place.path()), expected, "{name}, delivered {times} times");
            // All of it once more, as after a crash before anything was acknowledged.
            if !steps.iter().any(|it| matches!(it, Knows(_) | Waived(..) | Passes(_))) {
                live(place.path(), &steps, 1);
                assert_eq!(trail(place.path()), expected, "{name}, all of it again");
            }
        }
    }
}

/// The process that dies. It is told its row, the most bytes of a file, and its directory.
#[test]
#[ignore = "run by another test, in a process of its own"]
#[allow(clippy::disallowed_methods, reason = "what the other test tells it")]
fn a_life_that_ends_when_a_file_is_too_large() {
    let told = std::env::var("LIFECYCLE").expect("told by the other test");
    let mut parts = told.splitn(3, ' ');
    let mut next = || parts.next().expect("three parts");
    let (row, limit, directory) = (next(), next(), next());
    let limit = limit.parse().expect("a number");
    let limit = Rlimit { current: Some(limit), maximum: Some(limit) };
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).expect("sets");
    setrlimit(Resource::Fsize, limit).expect("sets");
    let row: usize = row.parse().expect("a number");
    live(Path::new(directory), &rows()[row].1, 1);
}

/// Whether the process of a row died of its limit; another end is a failure.
fn dies(row: usize, limit: usize, directory: &Path) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("there"));
    command.args(["--ignored", "--exact", "--test-threads=1"]);
    command.arg("store::tests::lifecycle::a_life_that_ends_when_a_file_is_too_large");
    command.env("LIFECYCLE", format!("{row} {limit} {}", directory.display()));
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("runs");
    let died = status.signal() == Some(SIGXFSZ);
    assert!(died || status.success(), "row {row} with {limit}: {status}");
    died
}

#[test]
fn every_row_lives_as_it_is_written_wherever_the_process_dies() {
    let mut deaths: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, (name, steps, expected)) in rows().into_iter().enumerate() {
        for limit in (24 * 1024..).step_by(96 * 1024) {
            let place = tempfile::tempdir().expect("temporary");
            let died = dies(row, limit, place.path());
            live(place.path(), &steps, 1);
            assert_eq!(trail(place.path()), expected, "{name}, after a death at {limit} bytes");
            *deaths.entry(name).or_default() += usize::from(died);
            if !died {
                break;
            }
        }
    }
    assert_eq!(deaths.len(), rows().len());
    assert!(deaths.values().all(|it| *it > 2), "{deaths:?}");
}
