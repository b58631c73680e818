//! Policies that run away, in the gate's own processes: each is FAILED with its reason, and the next build is judged.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and reports"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use events::VerdictResult;
use policy::{Evaluator, Limits, LoadError, Report};
use serde_json::json;

const LIMITS: Limits = Limits { time: Duration::from_secs(1), memory: 512 * 1024 * 1024 };

fn gate() -> PathBuf {
    env!("CARGO_BIN_EXE_attestry-policy-gate").into()
}

/// A policy whose only rule has this body, beside one that never objects.
fn directory(body: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let finding = r#"{"id": "T-1", "title": "t", "severity": "high", "message": "m", "component": null, "remedy": "r"}"#;
    let text = format!(
        "package attestry.tried\n\ndeny contains finding if {{\n{body}\n\tfinding := {finding}\n}}\n"
    );
    fs::write(directory.path().join("tried.rego"), text).unwrap();
    directory
}

fn load(directory: &Path) -> Result<Evaluator, LoadError> {
    Evaluator::load_apart(Some(directory), LIMITS, gate())
}

fn input(numbers: usize, text: usize) -> String {
    let numbers: Vec<usize> = (0..numbers).collect();
    json!({ "numbers": numbers, "text": "a".repeat(text) }).to_string()
}

/// What comes of a policy that runs away on a large document and not on a small one.
fn runs_away(body: &str, reason: &str) -> Report {
    let directory = directory(body);
    let evaluator = load(directory.path()).unwrap();
    assert_eq!(evaluator.build(&input(1, 1)).unwrap().result, VerdictResult::Passed);
    let began = Instant::now();
    let report = evaluator.build(&input(3_000, 2_000_000)).unwrap();
    println!("refused after {} ms: {:?}", began.elapsed().as_millis(), report.errors);
    assert_eq!(report.result, VerdictResult::Failed);
    assert!(report.errors.iter().any(|it| it.contains(reason)), "{:?}", report.errors);
    assert_eq!(report.policy_digest, evaluator.digest());
    assert_eq!(evaluator.build(&input(1, 1)).unwrap().result, VerdictResult::Passed);
    report
}

#[test]
fn a_policy_that_loops_is_stopped() {
    let body = "\tsome a in input.numbers\n\tsome b in input.numbers\n\tsome c in input.numbers\n\ta + b + c < 0";
    runs_away(body, "ran longer than 1000 ms and was stopped");
}

#[test]
fn a_policy_that_takes_all_memory_between_two_looks_at_the_timer_is_stopped() {
    runs_away("\tcount(replace(input.text, \"a\", input.text)) < 0", "more than 512 MiB of memory");
}

#[test]
fn a_policy_that_takes_memory_little_by_little_is_stopped() {
    let body = "\tpairs := {sprintf(\"%d %d %s\", [a, b, substring(input.text, 0, 200)]) | some a in input.numbers; some b in input.numbers}\n\tcount(pairs) == 0\n\tinput.numbers == []";
    let directory = directory(body);
    let limits = Limits { time: Duration::from_secs(60), ..LIMITS };
    let evaluator = Evaluator::load_apart(Some(directory.path()), limits, gate()).unwrap();
    let began = Instant::now();
    let report = evaluator.build(&input(3_000, 2_000)).unwrap();
    println!("refused after {} ms", began.elapsed().as_millis());
    assert!(report.errors.iter().any(|it| it.contains("MiB of memory")), "{:?}", report.errors);
}

#[test]
fn policies_that_cannot_judge_are_refused_with_their_reason() {
    for (text, reason) in [
        ("package attestry.x\n\ndeny contains finding if {", "x.rego:3"),
        ("package attestry.x\n\ndeny := 5", "not a set"),
        ("package attestry.x\n\ndeny contains 5 if true", "holds something that is no finding"),
        ("package attestry.x\n\ndeny := {1} if input.never", "undefined"),
        ("package attestry.x\n\nf(x) := f(x + 1)\n\ndeny contains y if y := f(1)", "recursion"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("x.rego"), text).unwrap();
        let Err(error) = load(directory.path()) else { panic!("loaded: {text}") };
        assert!(error.to_string().contains(reason), "{text}: {error}");
    }
}

#[test]
fn a_process_that_somebody_ends_is_replaced_and_the_build_is_judged() {
    let directory = directory("\tinput.numbers == \"never\"");
    let evaluator = load(directory.path()).unwrap();
    for _ in 0..3 {
        assert_eq!(evaluator.build(&input(1, 1)).unwrap().result, VerdictResult::Passed);
        // The test's own children, by their parent: pkill is not everywhere.
        for child in children() {
            let killed = Command::new("kill").args(["-9", &child]).status().unwrap();
            assert!(killed.success());
        }
    }
}

fn children() -> Vec<String> {
    let me = std::process::id().to_string();
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{me}/task")).unwrap().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().map(str::to_owned));
    }
    found
}

#[test]
fn the_library_judges_apart_as_it_does_here() {
    let apart = Evaluator::load_apart(None, Limits::default(), gate()).unwrap();
    let here = Evaluator::load(None, Limits::default()).unwrap();
    for document in [json!({}), json!({ "schema": "attestry.policy-input/v1" })] {
        let document = document.to_string();
        assert_eq!(apart.build(&document).unwrap(), here.build(&document).unwrap());
        assert_eq!(apart.supplier(&document).unwrap(), here.supplier(&document).unwrap());
    }
}

#[test]
fn a_policy_in_rego_v0_judges_apart_as_it_does_here() {
    let hotpass =
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/policy/tests/hotpass"));
    let sbom = fs::read_to_string(hotpass.join("sbom.json")).unwrap();
    let apart = load(hotpass).unwrap();
    let here = Evaluator::load(Some(hotpass), LIMITS).unwrap();
    let again = Evaluator::of_canonical(apart.canonical(), LIMITS).unwrap();
    for (sbom, result) in [(sbom.as_str(), VerdictResult::Passed), ("{}", VerdictResult::Failed)] {
        let document = format!("{{\"sbom\": {sbom}}}");
        let report = apart.build(&document).unwrap();
        assert_eq!(report.result, result, "{}", report.text());
        assert_eq!(report, here.build(&document).unwrap());
        assert_eq!(report, again.build(&document).unwrap());
    }
}

#[test]
fn a_directory_that_changes_is_read_again_and_a_broken_one_is_refused() {
    let directory = directory("\tinput.numbers == \"never\"");
    let current = policy::CurrentPolicy::load(Some(directory.path()), LIMITS).unwrap();
    let first = current.get().digest();
    let write = |text: &str| fs::write(directory.path().join("more.rego"), text).unwrap();
    let wait = |what: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !what() {
            assert!(began.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(50));
        }
    };

    write("package attestry.more\n\nthis is no rego");
    wait(&|| current.get().digest() == first && current.is_refused());
    write("package attestry.more\n\nwarn contains finding if {\n\tfinding := input.finding\n}\n");
    wait(&|| current.get().digest() != first && !current.is_refused());
    fs::remove_file(directory.path().join("more.rego")).unwrap();
    wait(&|| current.get().digest() == first && !current.is_refused());
}
