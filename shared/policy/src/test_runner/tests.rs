use std::fs;

use super::*;

const POLICY: &str =
    "package attestry.a\n\nadd(x, y) := x + y\n\nnever if {\n\tinput.never\n\tadd(1, 1) == 2\n}\n";

/// What becomes of these tests, by name without the package.
fn run(tests: &str, options: &Options) -> TestReport {
    let directory = tempfile::tempdir().expect("made");
    let write = |name: &str, text: &str| {
        fs::write(directory.path().join(name), text).expect("written");
    };
    write("a.rego", POLICY);
    write(
        "a_test.rego",
        &format!("package attestry.a_test\n\nimport data.attestry.a\n\n{tests}\n"),
    );
    run_tests(directory.path(), options).unwrap_or_else(|error| panic!("{error}"))
}

fn told(tests: &str) -> String {
    run(tests, &Options::default()).to_string()
}

#[test]
fn a_failing_test_names_the_first_expression_that_does_not_hold() {
    for (tests, at) in [
        (
            "test_x if {\n\tx := a.add(1, 2)\n\tx == 3\n\tx == 4 # not so\n\tx == 5\n}",
            "8:5: x == 4",
        ),
        ("test_x if {\n\tx := a.add(1, 2); x == 4; true\n}", "6:23: x == 4"),
        ("test_x if { some y in [1, 2]; y > 2 }", "5:31: y > 2"),
        ("test_x if a.never with input as {}", "5:11: a.never with input as {}"),
        ("test_x if {\n\tevery y in [1] {\n\t\ty == 2\n\t}\n}", "6:5: every y in [1] {"),
        ("test_x if not true", "5:11: not true"),
    ] {
        let expected = format!(
            "a_test.rego:5:1: data.attestry.a_test.test_x: is not true\n  a_test.rego:{at}\n0 of 1 tests passed"
        );
        assert_eq!(told(tests), expected, "{tests}");
    }
    let value = told("test_x := 3 if true");
    assert!(
        value.starts_with("a_test.rego:5:1: data.attestry.a_test.test_x: is not true\n0 of"),
        "{value}"
    );
}

#[test]
fn each_case_of_a_test_counts() {
    let cases = |cases: &str| {
        told(&format!(
            "test_add[note] if {{\n\tsome note, tc in {{{cases}}}\n\tsum := a.add(tc.x, tc.y)\n\tsum == tc.sum\n}}"
        ))
    };

    let good = r#""one": {"x": 1, "y": 0, "sum": 1}, "two": {"x": 1, "y": 1, "sum": 2}"#;
    assert_eq!(cases(good), "1 of 1 tests passed");
    let failed =
        cases(&format!(r#"{good}, "bad": {{"x": 1, "y": 1, "sum": 3}}, "none": {{"x": 1}}"#));
    assert_eq!(
        failed,
        "a_test.rego:5:1: data.attestry.a_test.test_add[\"bad\"]: is not true\n  a_test.rego:8:5: sum == tc.sum\n\
         a_test.rego:5:1: data.attestry.a_test.test_add[\"none\"]: is not true\n  a_test.rego:7:5: sum := a.add(tc.x, tc.y)\n\
         0 of 1 tests passed"
    );
    assert!(cases("").contains("has no case"), "{}", cases(""));
    let value = told(
        "test_x[n] := v if {\n\tsome n, v in {\"a\": true, \"b\": {\"c\": true}, \"d\": {\"e\": false}}\n}",
    );
    assert!(
        value.starts_with("a_test.rego:5:1: data.attestry.a_test.test_x[\"d\"]: is not true\n0"),
        "{value}"
    );
}

#[test]
fn cases_of_cases_are_refused() {
    let told = told("test_x[m][n] if {\n\tsome m in [1]\n\tsome n in [2]\n}");
    assert!(told.contains("it has several keys; name each case by one"), "{told}");
}

#[test]
fn a_set_of_cases_is_no_test_as_in_opa() {
    assert!(told("test_x contains n if some n in [1, 2]").contains("0 of 1 tests passed"));
}

#[test]
fn tests_that_are_to_be_done_are_skipped_and_counted() {
    let report = run("todo_test_x if false\n\ntest_y if true", &Options::default());

    assert!(report.passed());
    assert_eq!(report.to_string(), "1 of 1 tests passed, 1 skipped");
}

#[test]
fn a_name_that_stands_twice_hides_no_failure() {
    assert!(told("test_x if true\n\ntest_x if false").contains("stands twice"));
}

#[test]
fn only_tests_that_are_asked_for_run() {
    let run_option = Some(Regex::new("a_test.test_y$").expect("a pattern"));
    let options = Options { run: run_option, ..Options::default() };
    let report = run("test_x if false\n\ntest_y if true\n\ntest_yz if false", &options);

    assert_eq!(report.to_string(), "1 of 1 tests passed");
}

#[test]
fn lines_are_covered_when_a_test_evaluates_them() {
    let options = Options { coverage: true, ..Options::default() };
    let coverage = |tests: &str| run(tests, &options).coverage.expect("was asked");

    let some = coverage("test_x if a.add(1, 2) == 3");
    let text = "a.rego: 33.33% covered, without lines 6-7\n33.33% of 3 lines covered";
    assert_eq!(some.to_string(), text);
    assert_eq!(
        serde_json::to_value(&some).expect("writes"),
        serde_json::json!({
            "files": { "a.rego": {
                "covered": [{ "start": { "row": 3 }, "end": { "row": 3 } }],
                "not_covered": [{ "start": { "row": 6 }, "end": { "row": 7 } }],
                "covered_lines": 1, "not_covered_lines": 2, "coverage": 33.33,
            } },
            "covered_lines": 1, "not_covered_lines": 2, "coverage": 33.33,
        })
    );
    assert_eq!(coverage("test_x if true").coverage, 0.0, "nothing of the policy was evaluated");
    let all = coverage("test_x if a.never with input as {\"never\": true}");
    assert_eq!((all.coverage, all.not_covered_lines), (100.0, 0), "{all}");
}

#[test]
fn policies_in_rego_v0_are_tested_in_rego_v0() {
    let directory = tempfile::tempdir().expect("made");
    let old = directory.path().join("v0");
    fs::create_dir(&old).expect("made");
    fs::write(old.join("old.rego"), "package old\n\nallow { input.good }\n").expect("written");
    let tests = "package old\n\ntest_good { allow with input as {\"good\": true} }\n\ntest_bad {\n\tallow with input as {}\n}\n";
    fs::write(old.join("old_test.rego"), tests).expect("written");
    let options = Options { coverage: true, ..Options::default() };
    let report = run_tests(directory.path(), &options).unwrap_or_else(|error| panic!("{error}"));

    let text = "v0/old_test.rego:5:1: data.old.test_bad: is not true\n  v0/old_test.rego:6:5: allow with input as {}\n1 of 2 tests passed";
    assert_eq!(report.to_string(), text);
    assert_eq!(report.coverage.expect("was asked").coverage, 100.0);
}
