//! Policies: Rego v1 that judges builds and suppliers' documents, and everything that keeps it from
//! passing one by mistake.
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
//!
//! With `"effective_on": "2027-01-01T00:00:00Z"` a `deny` is a warning until then, by `input.time`.
//!
//! Files in the folder `v0` are Rego v0, and judge a build's SBOM by `allow`, `violation` and `deny`.
//!
//! A supplier's document is judged by other rules: the sets `supplier`, which refuses it, and
//! `supplier_warn` of the package `attestry.sbom`. Neither kind of rule ever sees the other's input.

mod current;
mod error;
mod evaluate;
mod evaluator;
mod files;
mod graph;
mod heads;
mod json;
mod references;
mod report;
mod rules;
pub mod sandbox;
mod tarball;
pub mod test_runner;
mod v0;

use std::{collections::BTreeSet, fmt, num::NonZeroU32, path::Path, time::Duration};

use events::Digest;
use regorus::{Engine, unstable::Module, utils::limits::ExecutionTimerConfig};

pub use self::{
    current::{Check, CurrentPolicy},
    error::{LoadError, Position},
    evaluator::{Evaluator, Limits},
    files::{MAX_BUNDLE_BYTES, library},
    json::MAX_INPUT_BYTES,
    report::{
        AdvisoryIndex, Finding, Grant, MAX_FINDINGS, Mode, Place, Report, Severity, Shadow, Waived,
    },
    sandbox::SandboxError,
};
use self::{files::Files, rules::Rules};

/// Longest evaluation unless another limit is given.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(5);

/// What a bundle is tried on before it may judge: small, and with something in every list.
const BUILD_SAMPLE: &str = include_str!("build_sample.json");
const SUPPLIER_SAMPLE: &str = include_str!("supplier_sample.json");

/// Policies that were parsed, checked, and tried once; judging with them costs only the evaluation.
pub struct Bundle {
    engine: Engine,
    build: RuleSet,
    supplier: RuleSet,
    /// The policies in Rego v0, apart, for they see another input.
    sbom: Option<(Engine, RuleSet)>,
    digest: Digest,
    canonical: Vec<u8>,
    time_limit: Duration,
}

impl Bundle {
    /// Loads the policies in `directory` and below, with `data.json` at its top as `data`, or those in an OPA bundle,
    /// a gzipped tar file; an evaluation that takes longer than `time_limit` is FAILED.
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
        let policies = files.policies_in(Dialect::V1);
        let (mut engine, rules) = engine(Dialect::V1, policies, files.data.as_deref(), time_limit)?;
        let sbom = v0::load(files, time_limit)?;
        let (build, supplier) = (rules.judging(Subject::Build), rules.judging(Subject::Supplier));
        let modules = engine.get_modules().iter().map(|module| &**module);
        check_packages(modules, [&build, &supplier])?;
        if sbom.is_none() && !build.judges.iter().any(|judge| judge.level == Level::Deny) {
            return Err(LoadError::Empty);
        }
        rules.check_unused()?;
        rules.check_defaults()?;
        evaluate::prepare(&mut engine, &[&build, &supplier])?;

        let canonical = files.canonical();
        let digest = Digest::of(&canonical);
        let bundle = Self { engine, build, supplier, sbom, digest, canonical, time_limit };
        let mut tried = bundle.evaluate(BUILD_SAMPLE).errors;
        if !bundle.supplier.judges.is_empty() {
            tried.extend(bundle.evaluate_supplier(SUPPLIER_SAMPLE).errors);
        }
        match tried.into_iter().next() {
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

    /// Judges a build by `deny`, `warn` and `info`; `input_json` is its `attestry.policy-input/v1`.
    ///
    /// Whatever goes wrong is a FAILED report that says so. The engine looks at the clock to stop
    /// after the time limit, but between instructions only, and nothing bounds its memory. An
    /// evaluation that was stopped although it had hardly run, because the process was paused or the
    /// machine is too busy, is repeated a few times.
    pub fn evaluate(&self, input_json: &str) -> Report {
        let sbom = self.sbom.iter().map(|(engine, rules)| (engine, rules));
        let asked: Vec<_> = [(&self.engine, &self.build)].into_iter().chain(sbom).collect();
        self.ask(&asked, input_json)
    }

    /// Judges a supplier's document by `supplier` and `supplier_warn` of `attestry.sbom`, which
    /// become the report's violations and warnings; `input_json` is its
    /// `attestry.supplier-input/v1`.
    ///
    /// Fails whatever goes wrong as [`Bundle::evaluate`] does, and every document when the bundle
    /// has no rule set `supplier`.
    pub fn evaluate_supplier(&self, input_json: &str) -> Report {
        self.ask(&[(&self.engine, &self.supplier)], input_json)
    }

    fn ask(&self, asked: &[(&Engine, &RuleSet)], input_json: &str) -> Report {
        let mut report = Report::new(self.digest, asked.iter().map(|(_, set)| set.rules).sum());
        let mut judges = asked.iter().flat_map(|(_, set)| &set.judges);
        if !judges.any(|judge| judge.level == Level::Deny) {
            report.fail(NO_SUPPLIER_RULES.to_owned());
            return report;
        }
        let judged = evaluate::on_own_stack(|| match json::parse(input_json) {
            Ok(input) => {
                for (engine, set) in asked.iter().filter(|(_, set)| !set.judges.is_empty()) {
                    evaluate::judge(engine, set, &input, self.time_limit, &mut report);
                }
                report.settle();
            }
            Err(problem) => report.fail(format!("the input document {problem}")),
        });
        if let Err(reason) = judged {
            report.fail(reason);
        }
        report
    }
}

/// Why a bundle judges no supplier; one that denies nothing is not even loaded.
const NO_SUPPLIER_RULES: &str = "the policy has no rule set `data.attestry.sbom.supplier`, so it cannot judge a supplier's document; add `supplier contains … if …` to package `attestry.sbom`";

/// The rules that judge one kind of thing.
struct RuleSet {
    subject: Subject,
    judges: BTreeSet<Judge>,
    /// Number of rules, each with its own head and body.
    rules: u64,
}

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Build,
    Supplier,
    /// A build's SBOM alone, by policies in Rego v0.
    Sbom,
}

/// How a policy is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    V0,
    V1,
}

impl Dialect {
    /// That of the file at `path` below the policy directory.
    fn of(path: &str) -> Self {
        if path.starts_with("v0/") { Self::V0 } else { Self::V1 }
    }
}

/// What a finding means for the verdict.
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
    rule: &'static str,
}

impl Subject {
    /// The names of rules that judge it.
    fn rules(self) -> &'static [(&'static str, Level)] {
        match self {
            Self::Build => &[("deny", Level::Deny), ("warn", Level::Warn), ("info", Level::Info)],
            Self::Supplier => &[("supplier", Level::Deny), ("supplier_warn", Level::Warn)],
            Self::Sbom => {
                &[("allow", Level::Deny), ("deny", Level::Deny), ("violation", Level::Deny)]
            }
        }
    }

    /// Whether rules of `package` may judge it: those of a build stand in `attestry.<name>`, those
    /// of a supplier in one package alone.
    fn is_judged_in(self, package: &[String]) -> bool {
        match self {
            Self::Build => rules::is_judged(package),
            Self::Supplier => package == ["attestry", "sbom"],
            Self::Sbom => true,
        }
    }

    /// The set that holds what all judges of it say.
    fn entry(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Supplier => "supplier",
            Self::Sbom => "sbom",
        }
    }
}

impl fmt::Display for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "data.{}.{}", self.package, self.rule)
    }
}

/// An engine with these policies and `data`, and their rules, checked.
fn engine<'a>(
    dialect: Dialect,
    policies: impl Iterator<Item = (&'a String, &'a String)>,
    data: Option<&str>,
    time_limit: Duration,
) -> Result<(Engine, Rules), LoadError> {
    let mut engine = Engine::new();
    engine.set_rego_v0(dialect == Dialect::V0);
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
        engine.add_policy(path.clone(), text.clone()).map_err(|error| match dialect {
            Dialect::V0 => LoadError::RegoV0 { message: error.to_string().trim_start().to_owned() },
            Dialect::V1 => rego(error),
        })?;
    }
    let rules = Rules::of(engine.get_modules().iter().map(|module| &**module));
    rules.check_functions()?;
    rules.check_heads()?;
    rules.check_recursion()?;
    Ok((engine, rules))
}

fn rego(error: anyhow::Error) -> LoadError {
    LoadError::Rego { message: error.to_string().trim_start().to_owned() }
}

/// Refuses packages that would not judge.
fn check_packages<'a>(
    modules: impl Iterator<Item = &'a Module>,
    sets: [&RuleSet; 2],
) -> Result<(), LoadError> {
    let judges = sets.iter().flat_map(|set| &set.judges);
    for module in modules {
        let path = references::package_path(module);
        let (position, package) = (rules::position(&module.package.span), path.join("."));
        if path.first().is_none_or(|root| root != "attestry") || !is_named(&path) || path.len() < 2
        {
            return Err(LoadError::ForeignPackage { position, package });
        }
        if rules::is_judged(&path) && !judges.clone().any(|judge| judge.package == package) {
            return Err(LoadError::JudgesNothing { position, package });
        }
    }
    Ok(())
}

/// Whether every part of a package's path is a plain name.
fn is_named(package: &[String]) -> bool {
    let is_plain = |part: &String| part.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric());
    package.iter().all(is_plain)
}

#[cfg(test)]
mod tests;
