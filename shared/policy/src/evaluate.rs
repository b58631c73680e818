//! One judgement: what the rules say of a document, or why they could not be asked.

use std::{collections::BTreeMap, thread, time::Duration};

use jiff::Timestamp;
use regorus::{Engine, LimitError, Value};
use rustix::time::{ClockId, clock_gettime};

use super::{Judge, Level, LoadError, RuleSet, Subject, rego, v0};
use crate::report::{Finding, Report};

/// Stack of an evaluation in bytes: enough for the longest chain of rules that is accepted.
const STACK_BYTES: usize = 64 * 1024 * 1024;

const ENTRY_FILE: &str = "attestry-judgement";
/// How often an evaluation is repeated that was stopped although it had hardly run.
const RETRIES: usize = 3;

/// Runs `work` on a stack that is large enough whatever called it.
pub(super) fn on_own_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("policy".to_owned()).stack_size(STACK_BYTES);
        let handle = builder.spawn_scoped(scope, work).map_err(|error| {
            format!("no thread could be started: {error}; free some memory and judge again")
        })?;
        handle.join().map_err(|_| {
            "the policy engine broke down; report it with this policy and document".to_owned()
        })
    })
}

/// Adds for each set one rule that asks all its judges, so that a single evaluation shares its time
/// limit and what it has computed, and prepares the engine, so that its clones are ready.
pub(super) fn prepare(engine: &mut Engine, sets: &[&RuleSet]) -> Result<(), LoadError> {
    engine.set_rego_v0(false);
    let mut text = "package attestry_judgement\n\nready := true\n".to_owned();
    for set in sets {
        let entry = set.subject.entry();
        for judge in &set.judges {
            // Bound in the body, so that an undefined judge is missing and no other is lost.
            text.push_str(&format!("\n{entry} contains pair if pair := [\"{judge}\", {judge}]\n"));
        }
    }
    engine.add_policy(ENTRY_FILE.to_owned(), text).map_err(rego)?;
    engine.eval_rule("data.attestry_judgement.ready".to_owned()).map_err(rego)?;
    Ok(())
}

/// Asks every judge of `set` about `input`; `report` gets what they say.
pub(super) fn judge(
    engine: &Engine,
    set: &RuleSet,
    input: &Value,
    time_limit: Duration,
    report: &mut Report,
) {
    let input = match set.subject {
        Subject::Build | Subject::Supplier => input,
        Subject::Sbom => &input["sbom"],
    };
    if set.subject == Subject::Sbom && matches!(input, Value::Null | Value::Undefined) {
        return report.violations.extend(v0::without_sbom(set));
    }
    let now = input["time"].as_string().ok().and_then(|time| time.parse::<Timestamp>().ok());
    let found = match ask(engine, set, input, time_limit) {
        Ok(found) => found,
        Err(error) => return report.fail(reason(&error, time_limit)),
    };
    let mut found: BTreeMap<String, Value> =
        found.as_set().into_iter().flat_map(|set| set.iter()).filter_map(pair).collect();
    for judge in &set.judges {
        let value = found.remove(&judge.to_string()).unwrap_or(Value::Undefined);
        let findings = match set.subject {
            Subject::Build | Subject::Supplier => findings(judge, &value),
            Subject::Sbom => v0::findings(judge, &value),
        };
        match findings {
            Ok(findings) => match judge.level {
                Level::Deny => {
                    let (later, now): (Vec<_>, Vec<_>) =
                        findings.into_iter().partition(|finding| finding.is_deferred(now));
                    report.violations.extend(now);
                    report.warnings.extend(later.into_iter().map(Finding::deferred));
                }
                Level::Warn => report.warnings.extend(findings),
                Level::Info => report.infos.extend(findings),
            },
            Err(reason) => report.fail(reason),
        }
    }
}

/// What all judges of `set` say, each with its name.
fn ask(
    engine: &Engine,
    set: &RuleSet,
    input: &Value,
    time_limit: Duration,
) -> anyhow::Result<Value> {
    let entry = format!("data.attestry_judgement.{}", set.subject.entry());
    let ask = || {
        let mut engine = engine.clone();
        engine.set_input(input.clone());
        let began = worked();
        (engine.eval_rule(entry.clone()), worked().saturating_sub(began))
    };
    let (mut found, mut took) = ask();
    for _ in 0..RETRIES {
        // The engine's limit counts the time of a clock, which goes on while the process does not.
        if !found.as_ref().is_err_and(ran_too_long) || took >= time_limit / 2 {
            break;
        }
        (found, took) = ask();
    }
    found
}

fn pair(value: &Value) -> Option<(String, Value)> {
    match value.as_array().ok()?.as_slice() {
        [Value::String(judge), value] => Some((judge.to_string(), value.clone())),
        _ => None,
    }
}

fn findings(judge: &Judge, value: &Value) -> Result<Vec<Finding>, String> {
    let Value::Set(set) = value else {
        let rule = judge.rule;
        let kind = if *value == Value::Undefined { "undefined" } else { "not a set" };
        return Err(format!("`{judge}` is {kind}; write `{rule} contains {{…}} if {{…}}`"));
    };
    let finding = |value: &Value| {
        let text = serde_json::to_string(value)?;
        serde_json::from_str(&text)
    };
    set.iter().map(finding).collect::<Result<_, serde_json::Error>>().map_err(|error| {
        format!(
            "`{judge}` holds something that is no finding: {error}; give it id, title, severity, message, component (purl or null) and remedy; field and effective_on (RFC 3339) are optional"
        )
    })
}

/// Whether an evaluation was stopped at its time limit. Some of the engine's errors are only text.
fn ran_too_long(error: &anyhow::Error) -> bool {
    let timed_out = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(LimitError::TimeLimitExceeded { .. }))
            || cause.to_string().contains("execution exceeded time limit")
    };
    error.chain().any(timed_out)
}

/// Processor time of this thread, which does nothing else.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or(Duration::MAX)
}

/// The engine's message without anything that changes from run to run.
pub(super) fn reason(error: &anyhow::Error, time_limit: Duration) -> String {
    if ran_too_long(error) {
        return too_slow(time_limit);
    }
    error.to_string().trim_start().to_owned()
}

pub(super) fn too_slow(time_limit: Duration) -> String {
    format!(
        "the policy ran longer than {} ms and was stopped; look up keys in objects or sets instead of searching lists",
        time_limit.as_millis()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_time_limit_read_the_same() {
        let limit = Duration::from_secs(5);
        let typed = anyhow::Error::new(LimitError::TimeLimitExceeded { elapsed: limit, limit });
        let text = anyhow::anyhow!(
            "execution exceeded time limit (elapsed=5376087770ns, limit=5000000000ns)"
        );

        assert_eq!(reason(&typed, limit), reason(&text, limit));
        assert!(reason(&text, limit).starts_with("the policy ran longer than 5000 ms"));
        assert_eq!(reason(&anyhow::anyhow!(" other"), limit), "other");
    }
}
