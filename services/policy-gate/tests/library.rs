//! The policy library of this repository: its tests pass, and they notice when a rule changes.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a test may panic and report")]

use std::{fs, path::Path};

use policy_gate::policy::{
    Bundle, DEFAULT_TIME_LIMIT,
    test_runner::{TestReport, run_tests},
};

fn library() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policy"))
}

fn tests_of(directory: &Path) -> TestReport {
    run_tests(directory, DEFAULT_TIME_LIMIT).unwrap_or_else(|error| panic!("{error}"))
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

/// Drops each rule, and each line of each rule's body, of every policy file in turn.
#[test]
fn a_rule_without_one_of_its_lines_fails_a_test() {
    let scratch = copy_of_library();
    let (mut mutants, mut survivors) = (0, Vec::new());
    for file in ["input.rego", "sbom.rego", "provenance.rego", "signatures.rego", "lib/lib.rego"] {
        let path = scratch.path().join(file);
        let original = fs::read_to_string(&path).expect("reads");
        for (line, mutant) in mutants_of(&original) {
            fs::write(&path, mutant).expect("writes");
            mutants += 1;
            // A mutant that cannot be loaded is noticed, too.
            if run_tests(scratch.path(), DEFAULT_TIME_LIMIT).is_ok_and(|report| report.passed()) {
                survivors.push(format!("{file}:{line}"));
            }
        }
        fs::write(&path, original).expect("writes");
    }

    println!("{mutants} mutants");
    assert!(mutants > 100, "only {mutants} mutants were made");
    assert!(survivors.is_empty(), "no test noticed the loss of {survivors:?}");
}

#[test]
fn every_rule_is_in_the_readme_with_its_severity_and_remedy() {
    let readme = fs::read_to_string(library().join("README.md")).expect("reads");
    let mut rules = 0;
    for file in ["input.rego", "sbom.rego", "provenance.rego", "signatures.rego"] {
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
    assert!(rules > 20, "only {rules} rules were found");
}

fn copy_of_library() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().expect("makes a directory");
    fs::create_dir(scratch.path().join("lib")).expect("makes a directory");
    for directory in ["", "lib"] {
        for entry in fs::read_dir(library().join(directory)).expect("reads").flatten() {
            if entry.path().is_file() {
                let copy = scratch.path().join(directory).join(entry.file_name());
                fs::copy(entry.path(), copy).expect("copies");
            }
        }
    }
    scratch
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
        mutants.extend(body.map(|line| (line + 1, without(&lines, line..line + 1))));
    }
    mutants
}

fn without(lines: &[&str], dropped: std::ops::Range<usize>) -> String {
    let kept = lines.iter().enumerate().filter(|(index, _)| !dropped.contains(index));
    kept.map(|(_, line)| format!("{line}\n")).collect()
}
