//! The policy library of this repository: its tests pass, and they notice when a rule changes.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a test may panic and report")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    num::NonZeroUsize,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use policy::{
    Bundle, DEFAULT_TIME_LIMIT,
    test_runner::{Options, TestReport, run_tests},
};
use regex::Regex;

/// What is mutated, and the tests that must notice.
const TESTED: [(&str, &[&str]); 16] = [
    ("input.rego", &["input_test.rego"]),
    ("sbom.rego", &["sbom_test.rego", "supplier_test.rego"]),
    ("settings.rego", &["settings_test.rego"]),
    ("completeness.rego", &["completeness_test.rego"]),
    ("quality.rego", &["quality_test.rego"]),
    ("components.rego", &["components_test.rego"]),
    ("licenses.rego", &["licenses_test.rego"]),
    ("supplied.rego", &["supplied_test.rego"]),
    ("source.rego", &["source_test.rego"]),
    ("provenance.rego", &["provenance_test.rego"]),
    ("signatures.rego", &["signatures_test.rego"]),
    (
        "lib/lib.rego",
        &[
            "input_test.rego",
            "lib_test.rego",
            "provenance_test.rego",
            "sbom_test.rego",
            "signatures_test.rego",
            "source_test.rego",
            "supplied_test.rego",
            "supplier_test.rego",
        ],
    ),
    ("lib/settings.rego", &["settings_test.rego"]),
    ("vulnerabilities.rego", &["vulnerabilities_test.rego"]),
    ("lib/purl.rego", &["sbom_test.rego", "settings_test.rego", "supplier_test.rego"]),
    ("lib/versions.rego", &["components_test.rego"]),
];

fn library() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policy"))
}

/// Time for a machine that has other things to do: a test that was stopped says nothing of its rule.
fn options() -> Options {
    Options { time_limit: Duration::from_secs(120), ..Options::default() }
}

fn tests_of(directory: &Path) -> TestReport {
    run_tests(directory, &options()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_library_loads() {
    let bundle =
        Bundle::load(library(), DEFAULT_TIME_LIMIT).unwrap_or_else(|error| panic!("{error}"));

    assert_eq!(bundle.digest(), events::Digest::of(bundle.canonical()));
}

#[test]
fn the_shipped_library_is_this_one() {
    let load = Bundle::load(library(), DEFAULT_TIME_LIMIT);
    let shipped = Bundle::shipped(DEFAULT_TIME_LIMIT);

    let digest = |bundle: Result<Bundle, _>| bundle.map(|it| it.digest()).expect("loads");
    assert_eq!(digest(shipped), digest(load), "list every policy file in `SHIPPED`");
}

#[test]
fn every_test_of_the_library_passes() {
    let report = tests_of(library());

    assert!(report.passed(), "{report}");
    println!("{report}");
}

/// Drops each rule, drops and negates each line of each rule's body, of every policy file in turn.
#[test]
fn a_rule_without_one_of_its_lines_or_with_its_opposite_fails_a_test() {
    let (mut made, mut survivors) = (0, Vec::new());
    for (file, tests) in TESTED {
        let original = fs::read_to_string(library().join(file)).expect("reads");
        let mutants = mutants_of(&original);
        made += mutants.len();
        let lines = surviving(file, &mutants, tests);
        survivors.extend(lines.into_iter().map(|line| format!("{file}:{line}")));
    }

    println!("{made} mutants");
    assert!(made > 1_000, "only {made} mutants were made");
    assert!(survivors.is_empty(), "no test noticed the loss of {survivors:?}");
}

#[test]
fn every_rule_is_in_the_readme_with_its_severity_and_remedy() {
    let readme = fs::read_to_string(library().join("README.md")).expect("reads");
    let mut rules = 0;
    for file in [
        "input.rego",
        "settings.rego",
        "sbom_rules.rego",
        "completeness.rego",
        "quality.rego",
        "components.rego",
        "licenses.rego",
        "supplied.rego",
        "source.rego",
        "provenance.rego",
        "signatures.rego",
        "vulnerabilities.rego",
    ] {
        let policy = fs::read_to_string(library().join(file)).expect("reads");
        let values = |key: &str| -> Vec<String> {
            let prefix = format!("\t\t\"{key}\": \"");
            let lines = policy.lines().filter_map(|line| line.strip_prefix(&prefix));
            lines.filter_map(|line| line.strip_suffix("\",")).map(str::to_owned).collect()
        };
        let ids =
            policy.lines().filter_map(|line| line.strip_prefix("\t\"")?.strip_suffix("\": {"));
        let titles = values("title");
        for ((id, title), (severity, remedy)) in
            ids.zip(titles).zip(values("severity").into_iter().zip(values("remedy")))
        {
            rules += 1;
            let row = format!("| {id} | {severity} | {title} | {remedy} |");
            assert!(readme.contains(&row), "policy/README.md lacks:\n{row}");
        }
    }
    assert!(rules > 40, "only {rules} rules were found");
}

/// As `opa check --strict` asks: every variable and every import is used.
#[test]
fn nothing_is_declared_and_not_used() {
    let mut unused = Vec::new();
    for directory in ["", "lib"] {
        for entry in fs::read_dir(library().join(directory)).expect("reads").flatten() {
            if entry.path().extension().is_none_or(|it| it != "rego") {
                continue;
            }
            let text = fs::read_to_string(entry.path()).expect("reads");
            for block in text.split("\n\n") {
                let words: Vec<&str> = words(block).collect();
                let used = |name: &str| words.iter().filter(|it| **it == name).count() > 1;
                let lost = declared(block).into_iter().filter(|name| *name != "_" && !used(name));
                unused.extend(lost.map(|it| format!("{}: {it}", entry.path().display())));
            }
            for import in text.lines().filter_map(|it| it.strip_prefix("import data.")) {
                let alias = import.rsplit(['.', ' ']).next().unwrap_or_default();
                if words(&text).filter(|it| *it == alias).count() < 2 {
                    unused.push(format!("{}: {import}", entry.path().display()));
                }
            }
        }
    }
    assert!(unused.is_empty(), "{unused:?}");
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// Variables that a rule declares: `x := …` and `some x, y in …`.
fn declared(block: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for line in block.lines().filter(|it| it.starts_with('\t')) {
        if let Some((before, _)) = line.split_once(" := ") {
            names.extend(words(before).last());
        }
        for (_, after) in line.match_indices("some ").map(|(at, it)| line.split_at(at + it.len())) {
            names.extend(
                after.split(" in ").next().into_iter().flat_map(words).filter(|it| !it.is_empty()),
            );
        }
    }
    names
}

/// Lines of the mutants with which all of `tests` pass.
fn surviving(file: &str, mutants: &[(usize, String)], tests: &[&str]) -> Vec<usize> {
    let next = AtomicUsize::new(0);
    let work = || {
        let scratch = copy_of_library(tests);
        assert!(tests_of(scratch.path()).passed(), "{tests:?} fail anyway");
        let (mut survivors, mut last) = (Vec::new(), None);
        while let Some((line, mutant)) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
            fs::write(scratch.path().join(file), mutant).expect("writes");
            if !is_noticed(scratch.path(), &mut last) {
                survivors.push(*line);
            }
        }
        survivors
    };
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|it| it.join().expect("does not panic")).collect()
    })
}

/// Whether a test fails. Lines beside each other are often noticed by the same one: the `last` is asked first.
fn is_noticed(place: &Path, last: &mut Option<Regex>) -> bool {
    let failing = |run: Option<Regex>| {
        let options = Options { run, stops_at_failure: true, ..options() };
        let report = run_tests(place, &options).ok()?;
        Some(report.failures().next().map(|(name, _)| name.clone()))
    };
    // A mutant that cannot be loaded is noticed, too.
    if last.is_some() && failing(last.clone()) != Some(None) {
        return true;
    }
    match failing(None) {
        Some(Some(name)) => {
            *last = Some(Regex::new(&format!("^{}$", regex::escape(&name))).expect("escaped"));
            true
        }
        Some(None) => false,
        None => true,
    }
}

/// Some of the tests with what they ask for, and what that asks for in turn: each mutant is parsed with all of it.
fn copy_of_library(tests: &[&str]) -> tempfile::TempDir {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for directory in ["", "lib/"] {
        for entry in fs::read_dir(library().join(directory)).expect("reads").flatten() {
            let name = format!("{directory}{}", entry.file_name().to_string_lossy());
            let is_test = name.ends_with("_test.rego") && name != "lib/fixtures_test.rego";
            if entry.path().is_file() && (!is_test || is_wanted(&name, tests)) {
                files.insert(name, fs::read_to_string(entry.path()).expect("reads"));
            }
        }
    }
    let package = |text: &str| -> Option<String> {
        text.lines().find_map(|it| it.strip_prefix("package ")).map(str::to_owned)
    };
    let mut wanted: BTreeSet<String> =
        files.keys().filter(|it| is_wanted(it, tests) || *it == "data.json").cloned().collect();
    loop {
        let asked: BTreeSet<String> = wanted
            .iter()
            .flat_map(|name| files[name].lines())
            .filter_map(|line| line.strip_prefix("import data."))
            .filter_map(|it| it.split(' ').next().map(str::to_owned))
            .collect();
        let is_asked = |text: &str| package(text).is_some_and(|it| asked.contains(&it));
        let more = files.iter().filter(|(_, text)| is_asked(text)).map(|(name, _)| name.clone());
        let more: BTreeSet<String> = more.filter(|it| !wanted.contains(it)).collect();
        if more.is_empty() {
            break;
        }
        wanted.extend(more);
    }
    let scratch = tempfile::tempdir().expect("makes a directory");
    fs::create_dir(scratch.path().join("lib")).expect("makes a directory");
    for name in wanted {
        fs::write(scratch.path().join(&name), &files[&name]).expect("copies");
    }
    scratch
}

fn is_wanted(name: &str, tests: &[&str]) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    tests.contains(&file)
}

/// The policy without one rule, and without one line of a body; with the line's number.
fn mutants_of(policy: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = policy.lines().collect();
    let mut mutants = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let starts_rule = line.contains(" if ") && !line.starts_with(['\t', '#']);
        let end = if starts_rule && line.ends_with('{') {
            lines[index..].iter().position(|line| line.starts_with('}')).map(|end| index + end)
        } else {
            Some(index)
        };
        let Some(end) = end.filter(|_| starts_rule) else { continue };
        mutants.push((index + 1, without(&lines, index..end + 1)));
        let body = (index + 1)..end;
        mutants.extend(body.clone().map(|line| (line + 1, without(&lines, line..line + 1))));
        mutants.extend(body.filter_map(|line| Some((line + 1, negated(&lines, line)?))));
    }
    mutants
}

/// The policy with a condition turned into its opposite, if the line is a condition.
fn negated(lines: &[&str], index: usize) -> Option<String> {
    let condition = lines[index].strip_prefix('\t')?;
    let is_part =
        condition.starts_with(['\t', ']', '}', ')']) || condition.ends_with(['[', '{', '(']);
    let declares = condition.contains(":=") || condition.starts_with("some ");
    if is_part || declares {
        return None;
    }
    let opposite = match condition.strip_prefix("not ") {
        Some(positive) => format!("\t{positive}"),
        None => format!("\tnot {condition}"),
    };
    let mut mutant = lines.to_vec();
    mutant[index] = &opposite;
    Some(mutant.iter().map(|line| format!("{line}\n")).collect())
}

fn without(lines: &[&str], dropped: std::ops::Range<usize>) -> String {
    let kept = lines.iter().enumerate().filter(|(index, _)| !dropped.contains(index));
    kept.map(|(_, line)| format!("{line}\n")).collect()
}
