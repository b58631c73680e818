//! Policies: Rego v1 that judges a build's evidence, and everything that keeps it from passing a
//! build by mistake.
//!
//! A policy is a file `*.rego` with `package attestry.<name>` that defines any of
//!
//! ```rego
//! deny contains {
//!     "id": "ACME-001", "title": "…", "severity": "high",
//!     "message": "…", "component": "pkg:pypi/left@1.0", "remedy": "…",
//! } if { … }
//! ```
//!
//! and `warn`, `info` likewise. `severity` is `critical`, `high`, `medium`, `low` or `info`;
//! `component` is the purl it is about, or null. Every package below `attestry` judges, except
//! `attestry.lib` and its children, which only help. A build passes when every rule could be
//! evaluated and no `deny` holds anything: undefined, of another type, too slow, or an error all
//! mean FAILED.

mod error;
mod evaluate;
mod files;
mod graph;
mod heads;
mod input;
mod json;
mod references;
mod rules;
pub mod test_runner;

use std::{collections::BTreeSet, fmt, num::NonZeroU32, path::Path, time::Duration};

use events::Digest;
use regorus::{Engine, unstable::Module, utils::limits::ExecutionTimerConfig};

pub use self::{
    error::{LoadError, Position},
    files::MAX_BUNDLE_BYTES,
    input::{Config, Input, Signature},
    json::MAX_INPUT_BYTES,
};
use self::{files::Files, rules::Rules};
use crate::verdict::Report;

/// Longest evaluation unless another limit is given.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(5);

/// What a bundle is tried on before it may judge: small, and with something in every list.
const SAMPLE: &str = include_str!("policy/sample.json");

/// Policies that were parsed, checked, and tried once; judging with them costs only the evaluation.
pub struct Bundle {
    engine: Engine,
    judges: BTreeSet<Judge>,
    rules: u64,
    digest: Digest,
    canonical: Vec<u8>,
    time_limit: Duration,
}

impl Bundle {
    /// Loads the policies in `directory` and below, with `data.json` at its top as `data`; an
    /// evaluation that takes longer than `time_limit` is FAILED.
    ///
    /// # Errors
    ///
    /// Refuses the whole directory when any part of it could fail to judge: see [`LoadError`].
    pub fn load(directory: &Path, time_limit: Duration) -> Result<Self, LoadError> {
        Self::checked(&Files::read(directory)?, time_limit)
    }

    /// The policy library that ships with Attestry.
    ///
    /// # Errors
    ///
    /// As for [`Bundle::load`].
    pub fn shipped(time_limit: Duration) -> Result<Self, LoadError> {
        Self::checked(&Files::shipped(), time_limit)
    }

    fn checked(files: &Files, time_limit: Duration) -> Result<Self, LoadError> {
        evaluate::on_own_stack(|| Self::from_files(files, time_limit))
            .unwrap_or_else(|reason| Err(LoadError::Sample { reason }))
    }

    fn from_files(files: &Files, time_limit: Duration) -> Result<Self, LoadError> {
        let mut engine = engine(files.policies.iter(), files.data.as_deref(), time_limit)?;
        let modules = engine.get_modules();
        let rules = Rules::of(modules.iter().map(|module| &**module));
        rules.check_functions()?;
        rules.check_heads()?;
        rules.check_recursion()?;
        let judges = rules.judges();
        check_packages(modules.iter().map(|module| &**module), &judges)?;
        rules.check_unused()?;
        evaluate::prepare(&mut engine, &judges)?;

        let canonical = files.canonical();
        let (rules, digest) = (rules.judging(), Digest::of(&canonical));
        let bundle = Self { engine, judges, rules, digest, canonical, time_limit };
        match bundle.evaluate(SAMPLE).errors.into_iter().next() {
            None => Ok(bundle),
            Some(reason) => Err(LoadError::Sample { reason }),
        }
    }

    /// Digest of [`Bundle::canonical`]: which policy judged.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The files that judge, as one document for the archive: for each, in the order of its path,
    /// the path, NUL, its length in bytes, NUL, its bytes. Tests are no part of it.
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }

    /// Judges `input_json`, most often an [`Input`] as JSON.
    ///
    /// Whatever goes wrong is a FAILED report that says so. The engine looks at the clock to stop
    /// after the time limit, but between instructions only, and nothing bounds its memory. An
    /// evaluation that was stopped although it had hardly run, because the process was paused or the
    /// machine is too busy, is repeated a few times.
    pub fn evaluate(&self, input_json: &str) -> Report {
        let mut report = Report::new(self.digest, self.rules);
        let judged = evaluate::on_own_stack(|| {
            evaluate::judge(&self.engine, &self.judges, input_json, self.time_limit, &mut report);
        });
        if let Err(reason) = judged {
            report.fail(reason);
        }
        report
    }
}

/// A `deny`, `warn` or `info` of one package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Deny,
    Warn,
    Info,
}

/// What decides: the path of a package below `data`, and one of its rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Judge {
    package: String,
    level: Level,
}

impl Level {
    const ALL: [Self; 3] = [Self::Deny, Self::Warn, Self::Info];

    fn rule(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }
}

impl fmt::Display for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "data.{}.{}", self.package, self.level.rule())
    }
}

/// An engine with these policies, parsed, and `data`.
fn engine<'a>(
    policies: impl Iterator<Item = (&'a String, &'a String)>,
    data: Option<&str>,
    time_limit: Duration,
) -> Result<Engine, LoadError> {
    let mut engine = Engine::new();
    // An error of a builtin would otherwise be undefined, and a `deny` that asks it silent.
    engine.set_strict_builtin_errors(true);
    engine.set_execution_timer_config(ExecutionTimerConfig {
        limit: time_limit,
        check_interval: NonZeroU32::MIN,
    });
    if let Some(data) = data {
        let value = json::parse(data).map_err(|problem| LoadError::Data { problem })?;
        let shadows = value.as_object().map(|data| data.get(&"attestry".into()).is_some());
        if shadows.unwrap_or(true) {
            let problem = "must be an object without a key `attestry`, the name of the policies";
            return Err(LoadError::Data { problem: problem.to_owned() });
        }
        engine.add_data(value).map_err(|error| LoadError::Data { problem: error.to_string() })?;
    }
    for (path, text) in policies {
        engine.add_policy(path.clone(), text.clone()).map_err(rego)?;
    }
    Ok(engine)
}

fn rego(error: anyhow::Error) -> LoadError {
    LoadError::Rego { message: error.to_string().trim_start().to_owned() }
}

/// Refuses packages that would not judge, and a bundle that could never fail.
fn check_packages<'a>(
    modules: impl Iterator<Item = &'a Module>,
    judges: &BTreeSet<Judge>,
) -> Result<(), LoadError> {
    for module in modules {
        let path = references::package_path(module);
        let (position, package) = (rules::position(&module.package.span), path.join("."));
        let named = |part: &String| part.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric());
        if path.first().is_none_or(|root| root != "attestry")
            || !path.iter().all(named)
            || path.len() < 2
        {
            return Err(LoadError::ForeignPackage { position, package });
        }
        if rules::is_judged(&path) && !judges.iter().any(|judge| judge.package == package) {
            return Err(LoadError::JudgesNothing { position, package });
        }
    }
    match judges.iter().any(|judge| judge.level == Level::Deny) {
        true => Ok(()),
        false => Err(LoadError::Empty),
    }
}

#[cfg(test)]
mod tests;
