//! Exceptions: a denial that somebody who may has waived is recorded, and stops nothing until the waiver ends.
//!
//! A waiver is a file `<name>.json` with a Sigstore bundle over it beside it, `<name>.json.sigstore.json`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use attestation::{
    Artifact, SignedArtifact, Trust, VerifyError, verify::MAX_BUNDLE_BYTES, verify_artifact,
};
use events::Digest;
use jiff::{SignedDuration, Timestamp};
use policy::{Finding, Grant, Report};
use serde::{Deserialize, Serialize};

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

/// A waiver that somebody who may has signed.
#[derive(Clone, Debug, PartialEq)]
pub struct Approved {
    /// What it says.
    pub waiver: Waiver,
    /// Digest of its file.
    pub id: Digest,
    /// Who signed, as the approvers' list calls them.
    pub approver: String,
}

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

/// The waivers of `directory` that somebody in `approvers` signed and that count at `now`. Others are told in the log:
/// whoever is in `signers`, and so may sign evidence, approves nothing, and nobody approves what they asked for.
pub(crate) fn active(
    directory: &Path,
    approvers: &Trust,
    signers: &Trust,
    now: Timestamp,
) -> Result<Vec<Approved>, WaiverError> {
    let mut active = Vec::new();
    for (_, approved) in all(directory, approvers, signers)? {
        match approved {
            Ok(approved) if approved.waiver.is_active(now) => active.push(approved),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "A waiver does not count"),
        }
    }
    Ok(active)
}

/// A waiver's digest, what it says if it can be read, and who approved it or why nobody did.
pub(crate) type Judged = (Digest, Option<Waiver>, Result<String, String>);

/// Every waiver of `directory`, and whether somebody who may has signed it.
pub(crate) fn judged(
    directory: &Path,
    approvers: &Trust,
    signers: &Trust,
) -> Result<Vec<Judged>, WaiverError> {
    let all = all(directory, approvers, signers)?.into_iter();
    Ok(all
        .map(|((path, waiver), approved)| match approved {
            Ok(it) => (it.id, Some(it.waiver), Ok(it.approver)),
            Err(error) => {
                let bytes = path.and_then(|it| bounded(&it, MAX_WAIVER_BYTES).ok());
                (Digest::of(&bytes.unwrap_or_default()), waiver, Err(error.to_string()))
            }
        })
        .collect())
}

/// A waiver's file and what it says, as far as there are any.
type Named = (Option<PathBuf>, Option<Waiver>);

fn all(
    directory: &Path,
    approvers: &Trust,
    signers: &Trust,
) -> Result<Vec<(Named, Result<Approved, WaiverError>)>, WaiverError> {
    let found = read(directory)?;
    let others: Vec<Waiver> = found.iter().flatten().map(|(_, it)| it.clone()).collect();
    let judge = |found: Found| match found {
        Ok((path, waiver)) => {
            let approved = approved(&path, approvers, signers)
                .and_then(|it| it.renewed_honestly(&path, &others));
            ((Some(path), Some(waiver)), approved)
        }
        Err(error) => ((None, None), Err(error)),
    };
    Ok(found.into_iter().map(judge).collect())
}

/// The waiver at `path`, if its bundle is of somebody who may. It is read from the very bytes that the signature was
/// checked over: the file may be exchanged at any time.
///
/// # Errors
/// Who signed instead, or that nobody did.
pub fn approved(path: &Path, approvers: &Trust, signers: &Trust) -> Result<Approved, WaiverError> {
    let unfit = |problem: String| WaiverError::Unfit { path: path.to_owned(), problem };
    let bytes = bounded(path, MAX_WAIVER_BYTES)?;
    let bundle = bounded(&bundle_of(path), MAX_BUNDLE_BYTES as u64)?;
    let artifact = Artifact::of(&bytes);
    let signed =
        verify_artifact(&bundle, &artifact, approvers).map_err(|error| unfit(error.to_string()))?;
    if signed.predicate_type.is_some() {
        return Err(unfit("a statement names it: sign the file itself".to_owned()));
    }
    let waiver = Waiver::parse(path, &bytes)?;
    if is_known(verify_artifact(&bundle, &artifact, signers)) {
        return Err(unfit("who signs evidence approved it: let somebody else".to_owned()));
    }
    if signed.signer.label == waiver.requested_by || signed.signer.name() == waiver.requested_by {
        return Err(unfit("who asked for it approved it: let somebody else".to_owned()));
    }
    Ok(Approved { waiver, id: Digest::of(&bytes), approver: signed.signer.label })
}

impl Approved {
    /// A waiver that conceals how often its exception was made already is none.
    fn renewed_honestly(self, path: &Path, all: &[Waiver]) -> Result<Self, WaiverError> {
        let renews = self.waiver.renews(all);
        if self.waiver.renewal >= renews {
            return Ok(self);
        }
        let problem = format!(
            "`renewal` is {}, but {renews} of the same scope came before: say so",
            self.waiver.renewal
        );
        Err(WaiverError::Unfit { path: path.to_owned(), problem })
    }

    fn grant(&self) -> Grant {
        Grant {
            waiver: self.id,
            approver: self.approver.clone(),
            reason: self.waiver.reason.clone(),
            expires: self.waiver.expires,
        }
    }
}

/// Whether the signature is of somebody who is trusted, be it without the log entry or time that is asked for.
fn is_known(verified: Result<SignedArtifact, VerifyError>) -> bool {
    use VerifyError as E;
    let strange = |error: &E| {
        matches!(
            error,
            E::UnknownKey { .. }
                | E::UntrustedIdentity { .. }
                | E::SignedWithCertificate
                | E::SignedWithKey
                | E::NoTrustedRoot { .. }
        )
    };
    !verified.err().as_ref().is_some_and(strange)
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

/// Takes what is waived out of the violations, and decides anew.
pub(crate) fn apply(report: &mut Report, waivers: &[Approved], build: &Build<'_>) {
    let of =
        |is_override: bool| waivers.iter().filter(move |it| it.waiver.is_override() == is_override);
    report.waive(|finding| {
        of(false).find(|it| it.waiver.covers(finding, build)).map(Approved::grant)
    });
    if report.violations.is_empty() {
        return;
    }
    if let Some(overriding) = of(true).find(|it| it.waiver.scope.is_about(build)) {
        report.overrule(&overriding.grant());
    }
}

#[cfg(test)]
mod tests {
    use attestation::{SigningKey, TrustedKey};

    use super::*;

    fn waiver() -> Waiver {
        serde_json::from_value(serde_json::json!({
            "schema": "attestry.waiver/v1", "owner": "team", "requested_by": "dev", "reason": "tried",
            "scope": { "rule": "VULN-001", "vulnerability": "CVE-2026-1" },
            "issued": "2026-12-01T00:00:00Z", "expires": "2026-12-31T00:00:00Z",
        }))
        .expect("a waiver")
    }

    fn believing(label: &str, key: &SigningKey) -> Trust {
        let mut trust = Trust::new();
        trust.add(TrustedKey::new(label, key.public_key().clone())).expect("new");
        trust
    }

    #[test]
    fn only_what_an_approver_signed_counts_and_for_nobody_who_asked() {
        let directory = tempfile::tempdir().expect("made");
        let path = directory.path().join("w.json");
        let text = serde_json::to_string(&waiver()).expect("writes");
        fs::write(&path, &text).expect("written");
        let [boss, signer] = [(); 2].map(|()| SigningKey::generate().expect("a key"));
        let sign = |key: &SigningKey, text: &str| {
            let bundle = key.sign_file(text.as_bytes()).expect("signs");
            fs::write(bundle_of(&path), bundle).expect("written");
        };
        let now = "2026-12-02T00:00:00Z".parse().expect("valid");
        let active = |approvers: &Trust, signers: &Trust| {
            active(directory.path(), approvers, signers, now).expect("reads").len()
        };
        let signers = believing("signer", &signer);

        assert_eq!(active(&believing("boss", &boss), &signers), 0, "nobody signed");
        sign(&boss, &text);
        assert_eq!(active(&believing("boss", &boss), &signers), 1);
        assert_eq!(active(&believing("dev", &boss), &signers), 0, "who asked for it signed");
        assert_eq!(active(&signers, &Trust::new()), 0, "somebody else signed");
        sign(&boss, "another text");
        assert_eq!(active(&believing("boss", &boss), &signers), 0, "another text was signed");
        sign(&signer, &text);
        assert_eq!(active(&signers, &signers), 0, "who signs evidence signed");
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
