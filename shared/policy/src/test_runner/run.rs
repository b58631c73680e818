//! Finds tests and asks them.

use std::collections::BTreeMap;

use regorus::{
    Engine, Value,
    unstable::{Module, Ref, Rule},
};

use super::{
    Coverage, Options, Outcome, Test, TestReport,
    cases::{Body, keys_of},
    coverage,
};
use crate::{
    Dialect, LoadError, Position, engine, evaluate,
    files::Files,
    references::{package_path, rule_path},
    rules::position,
};

/// A rule that is a test.
struct Found {
    position: Position,
    module: Ref<Module>,
    rules: Vec<Ref<Rule>>,
}

/// Runs the tests of the policies in `dialect`.
pub(super) fn run(
    files: &Files,
    dialect: Dialect,
    options: &Options,
    report: &mut TestReport,
) -> Result<(), LoadError> {
    let is_of = |path: &&String| Dialect::of(path) == dialect;
    let mut texts: BTreeMap<String, String> =
        files.policies_in(dialect).map(|(path, text)| (path.clone(), text.clone())).collect();
    if options.coverage {
        texts.values_mut().for_each(|text| coverage::mark(text, dialect));
    }
    let tests = files.tests.iter().filter(|(path, _)| is_of(path));
    let policies = texts.iter().chain(tests);
    let (mut engine, _) = engine(dialect, policies, files.data.as_deref(), options.time_limit)?;
    let found = find(&mut engine, files);
    engine.set_enable_coverage(options.coverage);
    for (name, test) in found {
        if options.run.as_ref().is_some_and(|run| !run.is_match(&name)) {
            continue;
        }
        let outcome = ask(&mut engine, &name, &test, dialect, options);
        let is_last =
            options.stops_at_failure && matches!(outcome, Outcome::Failed(_) | Outcome::Error(_));
        report.tests.insert(name, Test { position: test.position, outcome });
        if is_last {
            break;
        }
    }
    if options.coverage {
        let found = Coverage::of(&mut engine, &texts)?;
        report.coverage.get_or_insert_default().add(found);
    }
    Ok(())
}

fn find(engine: &mut Engine, files: &Files) -> BTreeMap<String, Found> {
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    for module in engine.get_modules() {
        for rule in &module.policy {
            let (position, path) = (position(rule.span()), rule_path(rule));
            if let [name] = path.as_slice()
                && name.strip_prefix("todo_").unwrap_or(name).starts_with("test_")
                && files.tests.contains_key(&position.file)
            {
                let name = format!("data.{}.{name}", package_path(module).join("."));
                let new = || Found { position, module: module.clone(), rules: vec![] };
                found.entry(name).or_insert_with(new).rules.push(rule.clone());
            }
        }
    }
    found
}

fn ask(
    engine: &mut Engine,
    name: &str,
    test: &Found,
    dialect: Dialect,
    options: &Options,
) -> Outcome {
    if name.rsplit('.').next().is_some_and(|rule| rule.starts_with("todo_")) {
        return Outcome::Skipped;
    }
    let [rule] = test.rules.as_slice() else {
        // OPA runs each by itself; the engine would pass all if one of them is true.
        return Outcome::Error("the name stands twice; give each test its own".to_owned());
    };
    if keys_of(rule).len() > 1 {
        return Outcome::Error("it has several keys; name each case by one".to_owned());
    }
    let value = match engine.eval_rule(name.to_owned()) {
        Ok(value) => value,
        Err(error) => return Outcome::Error(evaluate::reason(&error, options.time_limit)),
    };
    let body = Body::of(engine, &test.module, rule, dialect);
    if body.has_cases() {
        return body.cases(&value);
    }
    match value {
        Value::Bool(true) => Outcome::Passed,
        _ if options.stops_at_failure => Outcome::Failed(vec![]),
        _ => Outcome::Failed(vec![body.untrue(&[])]),
    }
}
