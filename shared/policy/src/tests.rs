#![allow(clippy::print_stdout, reason = "measurements are reported, not asserted")]

use std::{fmt::Write as _, fs, time::Instant};

use events::VerdictResult::{Failed, Passed};

use super::*;

mod supplier;
mod time;
mod v0;

const FINDING: &str = r#"{"id": "T-1", "title": "t", "severity": "low", "message": "m", "component": null, "remedy": "r"}"#;

fn write(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("makes a directory");
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("makes a directory");
        fs::write(path, text).expect("writes");
    }
    directory
}

fn load(files: &[(&str, &str)]) -> Result<Bundle, LoadError> {
    Bundle::load(write(files).path(), Duration::from_millis(300))
}

fn load_rules(rules: &str) -> Result<Bundle, LoadError> {
    load(&[("a.rego", &format!("package attestry.a\n\n{rules}\n"))])
}

fn refusal(rules: &str) -> String {
    load_rules(rules).err().expect("is refused").to_string()
}

/// A bundle that denies when the `rules` say so.
fn denying(rules: &str) -> Bundle {
    let rules = format!("deny contains {FINDING} if bad\n\n{rules}");
    load_rules(&rules).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_deny_that_holds_nothing_passes_and_one_that_holds_something_fails() {
    let bundle = denying("bad if input.bad");

    let passed = bundle.evaluate(r#"{"bad": false}"#);
    assert_eq!((passed.result, passed.rules_evaluated), (Passed, 1));
    let failed = bundle.evaluate(r#"{"bad": true}"#);
    assert_eq!((failed.result, failed.violations.len()), (Failed, 1));
}

#[test]
fn warnings_and_infos_do_not_fail() {
    let rules = format!(
        "deny contains {FINDING} if input.bad\nwarn contains {FINDING} if true\ninfo contains {FINDING} if true"
    );
    let report = load_rules(&rules).unwrap_or_else(|error| panic!("{error}")).evaluate("{}");

    assert_eq!(report.result, Passed);
    assert_eq!((report.warnings.len(), report.infos.len(), report.rules_evaluated), (1, 1, 3));
}

#[test]
fn an_empty_directory_is_refused() {
    assert!(matches!(load(&[]), Err(LoadError::Empty)));
    let test_only = format!("package attestry.a\ndeny contains {FINDING} if true\n");
    assert!(matches!(load(&[("a_test.rego", &test_only)]), Err(LoadError::Empty)));
}

#[test]
fn a_missing_directory_is_refused() {
    let error = Bundle::load(Path::new("/nowhere/at/all"), DEFAULT_TIME_LIMIT).err();

    assert!(error.expect("is refused").to_string().contains("/nowhere/at/all"));
}

#[test]
fn a_bundle_that_only_warns_is_refused() {
    let rules = format!("warn contains {FINDING} if input.bad");

    assert!(matches!(load_rules(&rules), Err(LoadError::Empty)));
}

#[test]
fn a_syntax_error_names_file_line_and_column() {
    let error = refusal("deny contains {{ if true");

    assert!(error.contains("a.rego:3:"), "{error}");
}

#[test]
fn the_old_syntax_is_refused() {
    let error = refusal("deny[msg] { msg := \"no\" }");

    assert!(error.contains("a.rego:3:") && error.contains("Rego v1"), "{error}");
}

#[test]
fn packages_that_would_not_judge_are_refused() {
    let deny = format!("deny contains {FINDING} if true");
    for package in ["atestry.a", "attestry", "hotpass", "attestry[\"a.b\"]"] {
        let text = format!("package {package}\n{deny}\n");
        let error = load(&[("a.rego", &text)]).err().expect("is refused");
        assert!(matches!(error, LoadError::ForeignPackage { .. }), "{package}: {error}");
    }
    assert!(matches!(load_rules("a := 1"), Err(LoadError::JudgesNothing { .. })));
}

#[test]
fn a_misspelt_deny_is_refused() {
    let rules = format!("deny contains {FINDING} if input.bad\ndney contains {FINDING} if true");
    let error = refusal(&rules);

    assert!(error.starts_with("a.rego:4:1: rule `attestry.a.dney`"), "{error}");
}

#[test]
fn an_undefined_deny_is_refused_at_load() {
    let error = refusal("deny := set() if input.nothing");

    assert!(error.contains("`data.attestry.a.deny` is undefined"), "{error}");
}

#[test]
fn a_deny_that_becomes_undefined_or_another_type_is_failed() {
    let undefined = load_rules("deny := set() if input.schema").unwrap_or_else(|e| panic!("{e}"));
    let report = undefined.evaluate("{}");
    assert_eq!(report.result, Failed);
    assert!(report.errors[0].contains("is undefined"), "{report:?}");

    let rules = "deny := set() if input.schema\ndeny := true if not input.schema";
    let report = load_rules(rules).unwrap_or_else(|error| panic!("{error}")).evaluate("{}");
    assert_eq!(report.result, Failed);
    assert!(report.errors[0].contains("is not a set"), "{report:?}");
}

#[test]
fn a_finding_of_another_form_is_failed() {
    let bundle = load_rules("deny contains \"no\" if not input.schema").expect("loads");
    let report = bundle.evaluate("{}");

    assert_eq!(report.result, Failed);
    assert!(report.errors[0].contains("holds something that is no finding"), "{report:?}");
}

#[test]
fn an_error_while_judging_is_failed_with_its_place() {
    let report = denying("bad if to_number(input.schema2) > 1").evaluate(r#"{"schema2": "x"}"#);

    assert_eq!(report.result, Failed);
    assert!(report.errors[0].contains("a.rego:5:"), "{report:?}");
}

#[test]
fn an_unknown_function_is_refused_wherever_it_stands() {
    let deny = format!("deny contains {FINDING} if {{ input.never\n input.x == frobnicate(1) }}");
    let error = refusal(&deny);

    assert!(error.contains("a.rego:4:") && error.contains("`frobnicate` is no known"), "{error}");
}

#[test]
fn clock_network_and_chance_are_refused() {
    for call in
        ["time.now_ns()", "http.send({})", "rand.intn(\"a\", 5)", "numbers.range(1, 20000000)"]
    {
        let error = refusal(&format!("deny contains {FINDING} if input.x == {call}"));
        assert!(error.contains("may not be used"), "{call}: {error}");
    }
}

#[test]
fn recursion_is_refused() {
    let deny = format!("deny contains {FINDING} if f(1)");
    for rules in [
        "f(x) if f(x + 1)",
        "f(x) if g(x)\ng(x) if f(x)",
        "f(x) if data.attestry.a.f(x)",
        "f(x) if data.attestry[x]",
        "f(x) if data[x]",
        "f(x) if { y := {z | z := f(x)}\n y }",
        "f(x) if h with input as f(x)\nh if input",
        "f(x) if count(x) with count as f",
        "f(x) if every y in [x] { f(y) }",
        "default f(_) := true\nf(x) if { not f(x) }",
    ] {
        let error = load_rules(&format!("{deny}\n{rules}")).err().expect("is refused");
        assert!(matches!(error, LoadError::Recursion { .. }), "{rules}: {error}");
    }
}

#[test]
fn recursion_through_an_import_is_refused() {
    let deny = format!(
        "package attestry.a\nimport data.attestry.lib as l\ndeny contains {FINDING} if l.f(1)\ng(x) if l.f(x)\n"
    );
    let lib = "package attestry.lib\nimport data.attestry.a\nf(x) if a.g(x)\n";
    let error = load(&[("a.rego", &deny), ("lib.rego", lib)]).err().expect("is refused");

    assert!(matches!(error, LoadError::Recursion { .. }), "{error}");
    assert!(error.to_string().contains("attestry.lib.f"), "{error}");
}

#[test]
fn a_chain_of_the_longest_length_is_judged_and_a_longer_one_refused() {
    let chain = |length: usize| {
        let mut rules = format!("deny contains {FINDING} if f1(input.x)\n");
        for index in 1..length {
            let next = index + 1;
            writeln!(rules, "f{index}(x) if {{ some y in [x]\n every z in [y] {{ count([w | w := z; f{next}(w)]) > 0 }} }}")
                .expect("writes");
        }
        writeln!(rules, "f{length}(x) if x").expect("writes");
        load_rules(&rules)
    };

    let report = chain(63).unwrap_or_else(|error| panic!("{error}")).evaluate(r#"{"x": true}"#);
    assert_eq!(report.violations.len(), 1, "{report:?}");
    assert!(matches!(chain(65), Err(LoadError::TooDeep { .. })));
}

#[test]
fn a_runaway_policy_is_stopped_and_the_report_is_the_same_each_time() {
    let bundle = denying(
        "bad if { some a in input.l; some b in input.l; some c in input.l; a + b + c == 7000 }",
    );
    let numbers: Vec<u32> = (0..2000).collect();
    let input = format!("{{\"l\": {numbers:?}}}");
    let begun = Instant::now();
    let report = bundle.evaluate(&input);

    println!("stopped after {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(report.result, Failed);
    assert!(report.errors[0].contains("longer than 300 ms"), "{report:?}");
    assert_eq!(report, bundle.evaluate(&input));
}

#[test]
fn heads_that_make_the_engine_forget_findings_are_refused() {
    let deny = format!("deny contains {FINDING} if count(purls) == 0");
    for rules in [
        "purls contains c.purl if some c in input.components",
        "purls contains upper(c.purl) if some c in input.components",
        "purls contains [c.purl] if some c in input.components",
        "purls contains r if some c in input.components\nr := input.r",
        "purls[c.purl] := 1 if some c in input.components",
        "purls[k] := c.purl if some k, c in input.components",
        "purls := c.purl if some c in input.components",
        "purls := input.components[_].purl if input.components[_].purl",
    ] {
        let error = load_rules(&format!("{deny}\n{rules}")).err().expect("is refused");
        assert!(matches!(error, LoadError::UndefinableHead { .. }), "{rules}: {error}");
    }
}

#[test]
fn variables_that_nothing_binds_are_refused() {
    for body in ["x > 3", "input.a == x + 1", "not x", "y := x"] {
        let error = refusal(&format!("deny contains {FINDING} if {{ {body} }}"));
        assert!(error.contains("is unsafe"), "{body}: {error}");
    }
}

#[test]
fn names_bound_in_the_body_may_be_in_the_head() {
    let bundle = denying(
        "bad if count(purls) > 1\npurls contains p if { some c in input.components\n p := c.purl }",
    );
    let report = bundle.evaluate(r#"{"components": [{"purl": "a"}, {"purl": "b"}, {}]}"#);

    assert_eq!(report.violations.len(), 1, "{report:?}");
}

#[test]
fn an_input_that_is_no_json_or_has_a_name_twice_is_failed() {
    let bundle = denying("bad if input.bad");
    for (input, problem) in [
        ("", "is no JSON"),
        ("{} {}", "is no JSON"),
        (r#"{"a": {"x": 1, "x": 2}}"#, "\"x\" stands twice"),
        (r#"{"a": {"x": 1, "\u0078": 2}}"#, "\"x\" stands twice"),
        (&"[".repeat(100_000), "recursion limit"),
    ] {
        let report = bundle.evaluate(input);
        assert_eq!(report.result, Failed);
        assert!(report.errors[0].contains(problem), "{report:?}");
    }
}

#[test]
fn an_input_that_is_too_large_is_failed() {
    let report = denying("bad if input.bad").evaluate(&" ".repeat(MAX_INPUT_BYTES + 1));

    assert!(report.errors[0].contains("at most 67108864 are judged"), "{report:?}");
}

#[test]
fn data_is_checked() {
    let deny = format!("package attestry.a\ndeny contains {FINDING} if data.bad[input.x]\n");
    let with = |name, data| load(&[("a.rego", &deny), (name, data)]).err().map(|e| e.to_string());

    assert_eq!(with("data.json", r#"{"bad": {"1": true}}"#), None);
    for data in ["[]", "{", r#"{"a": 1, "a": 2}"#, r#"{"attestry": {}}"#] {
        assert!(with("data.json", data).expect("is refused").starts_with("data.json: "), "{data}");
    }
    assert!(with("lists/data.json", "{}").expect("is refused").contains("move it there"));
}

#[test]
fn a_directory_that_is_too_large_is_refused() {
    let file = "#".repeat(1000).repeat(900) + "\n";
    let names: Vec<String> = (0..10).map(|index| format!("{index}.rego")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().map(|name| (name.as_str(), file.as_str())).collect();

    assert!(matches!(load(&files), Err(LoadError::TooLarge { .. })));
}

#[test]
fn the_digest_is_that_of_what_judges() {
    let deny = format!("package attestry.a\ndeny contains {FINDING} if input.bad\n");
    let digest = |files: &[(&str, &str)]| load(files).unwrap_or_else(|e| panic!("{e}")).digest();
    let plain = digest(&[("a.rego", &deny)]);

    assert_eq!(plain, digest(&[("a.rego", &deny), ("a_test.rego", "x"), ("README.md", "x")]));
    assert_ne!(plain, digest(&[("b.rego", &deny)]));
    assert_ne!(plain, digest(&[("a.rego", &format!("{deny}\n"))]));
    assert_ne!(plain, digest(&[("a.rego", &deny), ("data.json", "{}")]));
}

#[test]
fn a_bundle_judges_on_many_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let bundle = denying("bad if input.bad");

    shared(&bundle);
}

#[test]
fn a_default_that_another_file_asks_for_is_refused() {
    let deny = format!(
        "package attestry.a\nimport data.attestry.lib as l\ndeny contains {FINDING} if l.x == 1\n"
    );
    let with = |lib: &str| load(&[("a.rego", &deny), ("lib.rego", lib)]).err();
    let refused = with("package attestry.lib\ndefault x := 0\nx := 1 if input.y\n");
    assert!(matches!(refused, Some(LoadError::DefaultElsewhere { .. })), "{refused:?}");
    let text = refused.map(|it| it.to_string()).unwrap_or_default();
    assert!(text.starts_with("lib.rego:2:1: `x`") && text.contains("a.rego"), "{text}");
    assert!(with("package attestry.lib\nx := 1 if input.y\n\nelse := 0\n").is_none());
}
