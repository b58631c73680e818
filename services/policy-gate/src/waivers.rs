//! Exceptions: a denial that somebody who may has waived is recorded, and stops nothing until the waiver ends.
//!
//! A waiver is a file `<name>.json` with a Sigstore bundle over it beside it, `<name>.json.sigstore.json`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use events::Digest;
use jiff::{SignedDuration, Timestamp};
use policy::Finding;
use serde::{Deserialize, Serialize};

mod approval;

pub use approval::{Approved, approved};
pub(crate) use approval::{active, except, judged, overrule};

/// What a bundle's name adds to the waiver's.
pub const BUNDLE_SUFFIX: &str = ".sigstore.json";
/// Longest time that an exception may last; after it somebody has to think again.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Longest time that an override may last: it is for the night on which nothing else helps.
pub const LONGEST_OVERRIDE: SignedDuration = SignedDuration::from_hours(24);
/// How often an exception may be renewed; after that somebody has to mend it.
pub const MAX_RENEWALS: u32 = 3;
/// Stands for every rule, in an override.
pub const EVERY_RULE: &str = "*";
/// Rules that say that nothing could be judged, or by whom.
pub(crate) const NEVER_WAIVED: [&str; 2] = ["INPUT-", "SIG-"];
const MAX_WAIVER_BYTES: u64 = 64 * 1024;
const MAX_WAIVERS: usize = 1_000;

/// A recorded exception.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The form of the file.
    pub schema: Schema,
    /// Who answers for what is excepted.
    pub owner: String,
    /// Who asked for it; never the one who signs.
    pub requested_by: String,
    /// Why.
    pub reason: String,
    /// What is excepted.
    pub scope: Scope,
    /// From when on.
    pub issued: Timestamp,
    /// Until when; not at that time any more.
    pub expires: Timestamp,
    /// How many exceptions of the same scope came before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub renewal: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The forms of waivers that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schema {
    /// This one.
    #[serde(rename = "attestry.waiver/v1")]
    V1,
}

/// What a waiver excepts: findings that fit all that is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Id of the rule; `*` is every rule, for one artifact and a day at most: an override.
    pub rule: String,
    /// Package URL of the component, exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Id of the vulnerability, as the finding names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vulnerability: Option<String>,
    /// The project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// An artifact of the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Digest>,
}

/// Why a file is no waiver that counts.
#[derive(Debug, thiserror::Error)]
pub enum WaiverError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It says something that no waiver may.
    #[error("{path}: {problem}")]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong, and the remedy.
        problem: String,
    },
}

/// A file and the waiver in it, or why there is none.
pub type Found = Result<(PathBuf, Waiver), WaiverError>;

/// What a build is, as far as a scope asks.
pub(crate) struct Build<'a> {
    pub(crate) project: &'a str,
    pub(crate) artifacts: Vec<Digest>,
}

/// The waivers in `directory`, by their files; one that is unreadable is a line of its own.
///
/// # Errors
/// The directory cannot be read.
pub fn read(directory: &Path) -> Result<Vec<Found>, WaiverError> {
    let failed = |source| WaiverError::File { path: directory.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".json") && !name.ends_with(BUNDLE_SUFFIX) && !name.starts_with('.') {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.len() > MAX_WAIVERS {
        let problem = format!("it has {} waivers; at most {MAX_WAIVERS} are read", paths.len());
        return Err(WaiverError::Unfit { path: directory.to_owned(), problem });
    }
    Ok(paths.into_iter().map(|path| Waiver::read(&path).map(|waiver| (path, waiver))).collect())
}

/// The bundle's place beside a waiver's.
pub fn bundle_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(BUNDLE_SUFFIX);
    name.into()
}

impl Waiver {
    fn read(path: &Path) -> Result<Self, WaiverError> {
        Self::parse(path, &bounded(path, MAX_WAIVER_BYTES)?)
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, WaiverError> {
        let unfit = |problem: String| WaiverError::Unfit { path: path.to_owned(), problem };
        let waiver: Self =
            serde_json::from_slice(bytes).map_err(|error| unfit(error.to_string()))?;
        waiver.check().map_err(unfit)?;
        Ok(waiver)
    }

    /// Checks what it says, whoever signed it.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub fn check(&self) -> Result<(), String> {
        for (field, text) in
            [("owner", &self.owner), ("requested_by", &self.requested_by), ("reason", &self.reason)]
        {
            if text.trim().is_empty() {
                return Err(format!("`{field}` is empty: say it"));
            }
        }
        if let Some(prefix) = NEVER_WAIVED.iter().find(|it| self.scope.rule.starts_with(**it)) {
            return Err(format!(
                "rules {prefix}… are never waived: without them nothing is judged"
            ));
        }
        if self.scope.rule.trim().is_empty() {
            return Err("`scope.rule` is empty: name one rule".to_owned());
        }
        let (issued, expires) = (self.issued, self.expires);
        let lasts = expires.duration_since(issued);
        if self.is_override() {
            if self.scope.artifact.is_none() {
                return Err(
                    "an override without `scope.artifact`: name the one that it is for".to_owned()
                );
            }
            if lasts > LONGEST_OVERRIDE {
                let hours = LONGEST_OVERRIDE.as_hours();
                return Err(format!(
                    "it lasts from {issued} to {expires}: an override ends within {hours} hours"
                ));
            }
        }
        if lasts <= SignedDuration::ZERO || lasts > LONGEST {
            let days = LONGEST.as_hours() / 24;
            return Err(format!(
                "it lasts from {issued} to {expires}: give at most {days} days, and renew it then"
            ));
        }
        if self.renewal > MAX_RENEWALS {
            return Err(format!(
                "it is renewal {}: after {MAX_RENEWALS} somebody has to mend what it excepts",
                self.renewal
            ));
        }
        Ok(())
    }

    /// Whether it lets one artifact pass whatever rules say.
    pub fn is_override(&self) -> bool {
        self.scope.rule == EVERY_RULE
    }

    /// How many of `others` it renews: earlier ones of the same scope, whether they have ended or not.
    pub fn renews<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> u32 {
        let before = |it: &&&Self| it.scope == self.scope && it.issued < self.issued;
        others.into_iter().filter(|it| before(&it)).count().try_into().unwrap_or(u32::MAX)
    }

    /// Whether it counts at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.issued <= now && now < self.expires
    }

    fn covers(&self, finding: &Finding, build: &Build<'_>) -> bool {
        let Scope { rule, component, vulnerability, .. } = &self.scope;
        // Findings about vulnerabilities begin with the id.
        let names = |id: &String| finding.message.split([',', ' ']).next() == Some(id.as_str());
        *rule == finding.id
            && component.as_ref().is_none_or(|it| Some(it) == finding.component.as_ref())
            && vulnerability.as_ref().is_none_or(names)
            && self.scope.is_about(build)
    }
}

impl Scope {
    fn is_about(&self, build: &Build<'_>) -> bool {
        self.project.as_ref().is_none_or(|it| it == build.project)
            && self.artifact.is_none_or(|it| build.artifacts.contains(&it))
    }
}

pub(crate) fn bounded(path: &Path, limit: u64) -> Result<Vec<u8>, WaiverError> {
    let file = |source| WaiverError::File { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(file)?.len();
    if size > limit {
        let problem = format!("it has {size} bytes; at most {limit} are read");
        return Err(WaiverError::Unfit { path: path.to_owned(), problem });
    }
    fs::read(path).map_err(file)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn waiver() -> Waiver {
        serde_json::from_value(serde_json::json!({
            "schema": "attestry.waiver/v1", "owner": "team", "requested_by": "dev", "reason": "tried",
            "scope": { "rule": "VULN-001", "vulnerability": "CVE-2026-1" },
            "issued": "2026-12-01T00:00:00Z", "expires": "2026-12-31T00:00:00Z",
        }))
        .expect("a waiver")
    }

    #[test]
    fn a_waiver_without_end_reason_or_rule_is_none() {
        waiver().check().expect("sound");
        let long = "2027-06-01T00:00:00Z".parse().expect("valid");
        for (wrong, word) in [
            (Waiver { expires: long, ..waiver() }, "90 days"),
            (Waiver { expires: waiver().issued, ..waiver() }, "90 days"),
            (Waiver { reason: " ".to_owned(), ..waiver() }, "`reason`"),
            (
                Waiver {
                    scope: Scope { rule: "SIG-001".to_owned(), ..waiver().scope },
                    ..waiver()
                },
                "never",
            ),
            (
                Waiver { scope: Scope { rule: String::new(), ..waiver().scope }, ..waiver() },
                "`scope.rule`",
            ),
        ] {
            let problem = wrong.check().expect_err("refused");
            assert!(problem.contains(word), "{problem}");
        }
    }
}
