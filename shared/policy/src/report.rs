//! What a policy says of what it judged, for people and for machines.

mod render;
mod sarif;

use std::collections::BTreeSet;

use events::{Digest, VerdictResult};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most findings that each list of a report keeps.
pub const MAX_FINDINGS: usize = 1000;
/// Most characters of each text of a finding; names in an SBOM may be of any length.
const MAX_TEXT_CHARS: usize = 2000;

/// The answer to one judgement, with everything that led to it. The same policy and input give
/// the same report, byte for byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "schema", rename = "attestry.policy-report/v1")]
pub struct Report {
    /// PASSED when there are neither violations nor errors.
    pub result: VerdictResult,
    /// Digest of the policy bundle that judged.
    pub policy_digest: Digest,
    /// How much a denial counts where it was judged.
    #[serde(default, skip_serializing_if = "Mode::is_enforce")]
    pub mode: Mode,
    /// Who let it pass whatever was found, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Grant>,
    /// The build's story, when it was judged before and this verdict supersedes that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Uuid>,
    /// What another policy would say, which decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
    /// The advisory index that components were matched with; none if none was at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisories: Option<AdvisoryIndex>,
    /// Number of rules that were asked.
    pub rules_evaluated: u64,
    /// What `deny` holds; the worst first.
    pub violations: Vec<Finding>,
    /// What `deny` holds and a waiver excepts; it stops nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waived: Vec<Waived>,
    /// What `warn` holds; the worst first.
    pub warnings: Vec<Finding>,
    /// What `info` holds; the worst first.
    pub infos: Vec<Finding>,
    /// Number of findings left out, because a list holds at most 1,000.
    pub omitted: u64,
    /// Why the policy could not be evaluated, or not all of it.
    pub errors: Vec<String>,
}

/// How much a denial counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It stops the build.
    #[default]
    Enforce,
    /// It is a warning.
    Warn,
    /// The build is FAILED, but whoever waits for the verdict is told to go on.
    DryRun,
}

/// What a policy that decides nothing would say of the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shadow {
    /// Digest of that policy.
    pub policy_digest: Digest,
    /// What it would decide, waivers counted.
    pub result: VerdictResult,
    /// Denials that the policy that decides does not have; 100 at most.
    pub new: Vec<Finding>,
    /// Denials that it has not; 100 at most.
    pub gone: Vec<Finding>,
    /// Why it could not be evaluated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// A violation that somebody who may has excepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Waived {
    /// What a rule found.
    pub finding: Finding,
    /// By which waiver.
    #[serde(flatten)]
    pub grant: Grant,
}

/// A waiver, as far as a report tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Grant {
    /// Digest of the waiver.
    pub waiver: Digest,
    /// Who signed it.
    pub approver: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub expires: Timestamp,
}

/// Which advisories were known when a build was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdvisoryIndex {
    /// Digest of the index.
    pub digest: Digest,
    /// Number of advisories in it.
    pub records: u64,
    /// Vulnerabilities that CISA's catalogue of known exploited ones has; 0 without the catalogue.
    #[serde(default)]
    pub kev: u64,
    /// Vulnerabilities that have an EPSS; 0 without the list.
    #[serde(default)]
    pub epss: u64,
}

/// One objection of a rule. The order is that of a report: by severity, rule, component and place.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Id of the rule, such as `SBOM-004`.
    pub id: String,
    /// The package URL of the component that it is about.
    #[serde(default)]
    pub component: Option<String>,
    /// Where it is wrong: a JSON pointer into the document that was judged (RFC 6901), or the path
    /// of a field of the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What the rule asks for.
    pub title: String,
    /// What to do about it.
    pub remedy: String,
    /// From when on a denial denies; until then it is a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_on: Option<Timestamp>,
    /// Where the component was found; the gate knows, not the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The shortest way to the component in the dependency graph: the product first, the component last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
}

/// A line of a file.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The file, below the build's source: mostly a lockfile.
    pub file: String,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// How bad a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Stop everything.
    Critical,
    /// Must be mended before promotion.
    High,
    /// Should be mended soon.
    Medium,
    /// Should be mended some day.
    Low,
    /// Good to know.
    Info,
}

impl Finding {
    /// Whether it denies only after `now`; where no time is known it denies.
    pub(crate) fn is_deferred(&self, now: Option<Timestamp>) -> bool {
        now.zip(self.effective_on).is_some_and(|(now, from)| now < from)
    }

    /// As a warning, which says from when on it denies.
    pub(crate) fn deferred(mut self) -> Self {
        if let Some(from) = self.effective_on {
            self.message.push_str(&format!(" (denies from {from})"));
        }
        self
    }
}

impl Report {
    /// FAILED for `reason`: nothing was judged.
    pub fn unjudged(policy_digest: Digest, reason: String) -> Self {
        let mut report = Self::new(policy_digest, 0);
        report.fail(reason);
        report
    }

    /// FAILED until [`Report::settle`] finds nothing against it.
    pub(crate) fn new(policy_digest: Digest, rules_evaluated: u64) -> Self {
        Self {
            result: VerdictResult::Failed,
            policy_digest,
            mode: Mode::Enforce,
            overridden: None,
            supersedes: None,
            shadow: None,
            advisories: None,
            rules_evaluated,
            violations: vec![],
            waived: vec![],
            warnings: vec![],
            infos: vec![],
            omitted: 0,
            errors: vec![],
        }
    }

    /// Takes out of the violations what `by` excepts, and decides anew. What could not be judged stays FAILED, and so does
    /// a list that was cut: nobody knows what it left out.
    pub fn waive(&mut self, by: impl Fn(&Finding) -> Option<Grant>) {
        let was_cut = self.violations.len() >= MAX_FINDINGS && self.omitted > 0;
        for finding in std::mem::take(&mut self.violations) {
            match by(&finding) {
                Some(grant) => self.waived.push(Waived { finding, grant }),
                None => self.violations.push(finding),
            }
        }
        let clean = self.violations.is_empty() && self.errors.is_empty() && !was_cut;
        if clean && self.rules_evaluated > 0 {
            self.result = VerdictResult::Passed;
        }
    }

    /// Lets it pass whatever was found. What could not be judged stays FAILED.
    pub fn overrule(&mut self, grant: &Grant) {
        let all = std::mem::take(&mut self.violations);
        self.waived.extend(all.into_iter().map(|finding| Waived { finding, grant: grant.clone() }));
        self.overridden = Some(grant.clone());
        if self.errors.is_empty() && self.rules_evaluated > 0 {
            self.result = VerdictResult::Passed;
        }
    }

    /// Makes warnings of the violations that may be softened, and decides anew. A list that was cut stays: nobody knows
    /// what it left out.
    pub fn soften(&mut self, may: impl Fn(&Finding) -> bool) {
        if self.violations.len() + self.waived.len() >= MAX_FINDINGS && self.omitted > 0 {
            return;
        }
        let all = std::mem::take(&mut self.violations);
        let (soft, hard) = all.into_iter().partition(may);
        self.violations = hard;
        self.warnings.extend::<Vec<_>>(soft);
        self.settle();
    }

    /// What `shadow` says otherwise of the same build.
    pub fn compare(&mut self, shadow: Self) {
        const MAX_LISTED: usize = 100;
        let denials = |report: &Self| -> BTreeSet<Finding> {
            let waived = report.waived.iter().map(|it| &it.finding);
            report.violations.iter().chain(waived).cloned().collect()
        };
        let (ours, theirs) = (denials(self), denials(&shadow));
        self.shadow = Some(Shadow {
            policy_digest: shadow.policy_digest,
            result: shadow.result,
            new: theirs.difference(&ours).take(MAX_LISTED).cloned().collect(),
            gone: ours.difference(&theirs).take(MAX_LISTED).cloned().collect(),
            errors: shadow.errors,
        });
    }

    /// Every finding, to be completed.
    pub fn findings_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
        self.violations.iter_mut().chain(&mut self.warnings).chain(&mut self.infos)
    }

    pub(crate) fn fail(&mut self, reason: String) {
        self.result = VerdictResult::Failed;
        self.errors.push(reason);
    }

    /// Decides, and brings the findings into order, each list cut to [`MAX_FINDINGS`].
    pub(crate) fn settle(&mut self) {
        let clean = self.violations.is_empty() && self.errors.is_empty();
        if clean && self.rules_evaluated > 0 {
            self.result = VerdictResult::Passed;
        }
        for findings in [&mut self.violations, &mut self.warnings, &mut self.infos] {
            findings.sort();
            findings.dedup();
            self.omitted += findings.len().saturating_sub(MAX_FINDINGS) as u64;
            findings.truncate(MAX_FINDINGS);
            for finding in findings {
                let texts = [
                    &mut finding.id,
                    &mut finding.message,
                    &mut finding.title,
                    &mut finding.remedy,
                ];
                let optional = finding.component.iter_mut().chain(&mut finding.field);
                texts.into_iter().chain(optional).for_each(shorten);
            }
        }
    }
}

impl Mode {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Warn => "warn",
            Self::DryRun => "dry-run",
        }
    }

    fn is_enforce(&self) -> bool {
        *self == Self::Enforce
    }
}

fn shorten(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(MAX_TEXT_CHARS) {
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests;
