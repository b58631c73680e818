//! Policies in Rego v0, of before OPA 1.0: those in the folder `v0`. They see the SBOM alone, as `opa eval --input
//! sbom.json` shows it to them.

use std::{collections::BTreeSet, time::Duration};

use regorus::{
    Engine, Value,
    unstable::{Rule, RuleHead},
};

use super::{
    Dialect, Judge, LoadError, RuleSet, Severity, Subject, engine, evaluate,
    files::Files,
    is_named, json,
    references::{package_path, rule_path},
    report::Finding,
    rules,
};

/// The policies of `files` that are in Rego v0, if there are any, and what of them judges.
pub(super) fn load(
    files: &Files,
    time_limit: Duration,
) -> Result<Option<(Engine, RuleSet)>, LoadError> {
    let mut policies = files.policies_in(Dialect::V0).peekable();
    if policies.peek().is_none() {
        return Ok(None);
    }
    let (mut engine, rules) = engine(Dialect::V0, policies, files.data.as_deref(), time_limit)?;
    let judging = rules.judging(Subject::Sbom);
    check_packages(&mut engine, &judging, files.data.as_deref())?;
    evaluate::prepare(&mut engine, &[&judging])?;
    Ok(Some((engine, judging)))
}

fn check_packages(
    engine: &mut Engine,
    judging: &RuleSet,
    data: Option<&str>,
) -> Result<(), LoadError> {
    let data = data.and_then(|text| json::parse(text).ok());
    for module in engine.get_modules() {
        let path = package_path(module);
        let (position, package) = (rules::position(&module.package.span), path.join("."));
        let root = path.first().map_or("", String::as_str);
        if root.starts_with("attestry") || !is_named(&path) {
            return Err(LoadError::V0Package { position, package });
        }
        if data.as_ref().is_some_and(|data| data[root] != Value::Undefined) {
            let problem = format!("its key `{root}` is the name of a package in `v0/`; rename it");
            return Err(LoadError::Data { problem });
        }
        if judging.judges.is_empty() {
            return Err(LoadError::V0JudgesNothing { position });
        }
        if let Some(rule) = module.policy.iter().find(|rule| is_v1(rule)) {
            let (place, rule) = (rules::position(rule.span()), rule.span().text());
            let message = format!("{place}: `{rule}` is no rule");
            return Err(LoadError::RegoV0 { message });
        }
    }
    Ok(())
}

/// Whether a rule is a part of one in Rego v1. The engine reads `allow if { … }` as two rules: `allow`, which is true, and
/// one of the name `if`. OPA refuses both.
fn is_v1(rule: &Rule) -> bool {
    let is_name_alone = match rule {
        Rule::Spec {
            head: RuleHead::Compr { assign: None, .. } | RuleHead::Func { assign: None, .. },
            bodies,
            ..
        } => bodies.is_empty(),
        _ => false,
    };
    is_name_alone || rule_path(rule) == ["if"]
}

/// What a judge says by its `value`.
pub(super) fn findings(judge: &Judge, value: &Value) -> Result<Vec<Finding>, String> {
    let messages = match (judge.rule, value) {
        ("allow", Value::Bool(true)) => vec![],
        ("allow", _) => vec![format!("{judge} is not true")],
        (_, Value::Set(set)) => {
            let messages: Option<Vec<String>> = set.iter().map(message).collect();
            messages.ok_or_else(|| {
                format!(
                    "`{judge}` holds something that is no text and has no text `msg`; give it one"
                )
            })?
        }
        (rule, _) => return Err(format!("`{judge}` is not a set; write `{rule}[msg] {{ … }}`")),
    };
    Ok(messages.into_iter().map(|message| finding(&judge.package, message)).collect())
}

/// What all packages say where there is no SBOM.
pub(super) fn without_sbom(judging: &RuleSet) -> impl Iterator<Item = Finding> {
    let packages: BTreeSet<&str> = judging.judges.iter().map(|it| it.package.as_str()).collect();
    packages.into_iter().map(|package| finding(package, "there is no SBOM to judge".to_owned()))
}

fn message(value: &Value) -> Option<String> {
    let text = match value {
        Value::Object(_) => &value["msg"],
        other => other,
    };
    text.as_string().ok().map(|text| text.to_string())
}

fn finding(package: &str, message: String) -> Finding {
    Finding {
        severity: Severity::High,
        id: format!("V0-{}", package.replace('.', "-").to_uppercase()),
        component: None,
        field: None,
        message,
        title: "Policies written in Rego v0".to_owned(),
        remedy: format!("See the policy data.{package}, or rewrite it in Rego v1"),
        effective_on: None,
        place: None,
        path: vec![],
    }
}
