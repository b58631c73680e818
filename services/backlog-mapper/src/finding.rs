//! A known vulnerability in a component of a product, and whether it counts.

use advisories::{Confidence, Cvss, Doubt, Index, Match, MatchRule, Package, Severity};
use documents::vex::{Court, Opinion, Part, Ruling, Standing, Target};
use events::{Digest, Text};
use jiff::{SignedDuration, Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    inventory::{Component, Facts},
    places::Place,
    sla,
    waivers::{Acceptance, Waiver},
};

/// Most findings of a document: real ones have a tenth of it, and a made-up one could have a
/// million.
pub const FINDINGS_MAX: usize = 20_000;
/// Most bytes of free text from a supplier that a finding repeats.
const TEXT_BYTES: usize = 1024;
/// Most positions of one component that is listed several times.
const POSITIONS_MAX: usize = 8;
/// Most statements beside the one that suppresses it that a finding names.
const HEARD_MAX: usize = 8;

/// A known vulnerability in one component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The component.
    pub component: Component,
    /// What advisories were looked up by.
    pub package: Package,
    /// The vulnerability.
    pub vulnerability: Vulnerability,
    /// Where in the inventory the component is listed, ascending: while it is not placed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<u32>,
    /// Where the component is in the document.
    #[serde(default, skip_serializing_if = "Place::is_unknown")]
    pub place: Place,
}

/// What the advisory index says about a vulnerability, or a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vulnerability {
    /// A CVE id if there is one, else a GHSA id, else the smallest.
    pub id: String,
    /// Its other ids.
    pub aliases: Vec<String>,
    /// Ids of the vulnerabilities that a distribution's record is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upstream: Vec<String>,
    /// One line about it; may be empty.
    pub summary: String,
    /// How bad it is.
    pub severity: Severity,
    /// The vector with the highest score.
    pub cvss: Option<Cvss>,
    /// Lowest version above the one found that is not affected any more.
    pub fixed: Option<String>,
    /// How the component was found to have it; none if an older release found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<MatchRule>,
    /// How far the rule can be relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// What lessens the confidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
    /// Whether the package itself is the attack.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub malicious: bool,
    /// When a record about it was first published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
}

/// A vulnerability in a component, and whether it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What was found.
    #[serde(flatten)]
    pub found: Found,
    /// The VEX statement by which it does not count, if there is one.
    pub suppressed: Option<Suppression>,
    /// The waiver that accepts it, if nothing suppresses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Acceptance>,
    /// What else VEX says of it and is worth knowing: the statement that counts and suppresses nothing,
    /// what contradicts, and what has expired; of very many the weightiest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<Heard>,
}

/// A statement about a finding that does not suppress it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Who says so.
    pub who: String,
    /// The status, as OpenVEX writes it.
    pub status: String,
    /// What became of it: `counts`, `contradicts`, `expired`, `partial` or `no_authority`.
    pub standing: String,
    /// The document that says so.
    pub document: Digest,
    /// When it was said; none if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Timestamp>,
    /// From when on it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Who said so.
    pub who: String,
    /// `not_affected` or `fixed`.
    pub status: String,
    /// The reason in the format's own word.
    pub justification: Option<String>,
    /// The reason as text.
    pub statement: Option<String>,
    /// The document that says so.
    pub document: Digest,
    /// When it was said; none if that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Timestamp>,
    /// From when on it does not count; none if it does for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Finding {
    /// What [`Self::state`] may be.
    pub const STATES: [&str; 3] = ["open", "accepted", "suppressed"];

    /// `open`, `accepted` or `suppressed`.
    pub fn state(&self) -> &'static str {
        match (&self.suppressed, &self.accepted) {
            (Some(_), _) => "suppressed",
            (None, Some(_)) => "accepted",
            (None, None) => "open",
        }
    }

    /// Whether it counts.
    pub fn is_open(&self) -> bool {
        self.suppressed.is_none() && self.accepted.is_none()
    }

    /// What tells it from the slot's other findings beside the vulnerability.
    pub fn component(&self) -> &str {
        self.found.component.purl.as_deref().unwrap_or_default()
    }
}

/// What `index` knows about `components`, in a fixed order, each vulnerability of a component once.
///
/// A record that only informs, such as `unmaintained`, is no vulnerability, and one that names only commits
/// decides nothing about a version. Of a document that would have more than [`FINDINGS_MAX`] those of later
/// names are left out.
pub fn find(components: &[Component], index: &Index) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for (position, component) in (0..).zip(components) {
        let room = FINDINGS_MAX - all.len();
        if room == 0 {
            break;
        }
        let Some(package) = component.package() else { continue };
        let matches = index.matches(&package).into_iter();
        let counts = |it: &Match| it.informational.is_none() && it.rule != MatchRule::GitRange;
        for it in matches.filter(counts).take(room) {
            let (component, package) = (component.clone(), package.clone());
            let (positions, place) = (vec![position], Place::default());
            all.push(Found { component, package, vulnerability: it.into(), positions, place });
        }
    }
    all.sort_by(|a, b| order(a).cmp(&order(b)));
    all.dedup_by(|next, kept| {
        let is_same = next.component.purl == kept.component.purl
            && next.vulnerability.id == kept.vulnerability.id;
        if is_same && kept.positions.len() < POSITIONS_MAX {
            kept.positions.append(&mut next.positions);
        }
        is_same
    });
    all.iter_mut().for_each(|it| it.positions.sort_unstable());
    all
}

/// What findings of one document are sorted by.
pub(crate) fn order(it: &Found) -> (&Package, Option<&str>, &str, &Component) {
    (&it.package, it.component.purl.as_deref(), &it.vulnerability.id, &it.component)
}

/// Whether what was found in `document` counts at `now`, given what is said about it, and the waivers of its
/// slot.
pub fn judge(
    found: &[Found],
    facts: &Facts,
    document: Digest,
    (court, own): (&Court, &Court),
    waivers: &[Waiver],
    now: Timestamp,
) -> Vec<Finding> {
    let digests = [document];
    let judged = found.iter().map(|it| {
        let ruling = rule(it, facts, &digests, (court, own), Some(now));
        let suppressing = ruling.counts().filter(|it| it.statement.status.suppresses());
        let suppressed = suppressing.map(Suppression::of);
        let mut covering =
            waivers.iter().filter(|waiver| waiver.is_active(now) && waiver.covers(it));
        let accepted =
            suppressed.is_none().then(|| covering.next().map(Waiver::acceptance)).flatten();
        let heard = heard(&ruling, suppressed.is_some());
        Finding { found: it.clone(), heard, suppressed, accepted }
    });
    judged.collect()
}

/// What is said about what was found in the document that `facts` are about; without a time as if
/// nothing ended.
pub(crate) fn rule<'a>(
    found: &Found,
    facts: &Facts,
    digests: &[Digest],
    (court, own): (&'a Court, &'a Court),
    now: Option<Timestamp>,
) -> Ruling<'a> {
    let nothing = Part { purl: None, version: None, bom_ref: None };
    let target = Target {
        vulnerability: &found.vulnerability.id,
        aliases: &found.vulnerability.aliases,
        component: found.component.part(),
        subject: facts.subject.as_ref().map_or(nothing, Component::part),
        serial: facts.serial.as_deref(),
        bom_version: facts.bom_version,
        digests,
    };
    court.rule(own, &target, now.unwrap_or(Timestamp::MIN))
}

fn heard(ruling: &Ruling<'_>, is_suppressed: bool) -> Vec<Heard> {
    let telling = ruling.opinions.iter().filter(|it| match it.standing {
        Standing::Counts => !is_suppressed,
        Standing::Contradicts | Standing::Expired | Standing::Partial => true,
        Standing::Agrees | Standing::Superseded | Standing::Withdrawn | Standing::NoAuthority => {
            false
        }
    });
    telling.take(HEARD_MAX).map(Heard::of).collect()
}

/// The last day, in UTC, on which something counts that ends at `until`.
fn last_day(until: Timestamp) -> Date {
    sla::date(until.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(until))
}

impl Suppression {
    fn of(opinion: &Opinion<'_>) -> Self {
        let Opinion { source, statement, said, ends, .. } = opinion;
        Self {
            who: source.who.clone(),
            status: statement.status.as_str().to_owned(),
            justification: statement.justification.as_deref().map(line),
            statement: statement.statement.as_deref().map(line),
            document: source.document,
            said: *said,
            until: *ends,
        }
    }
}

impl Heard {
    pub(crate) fn of(opinion: &Opinion<'_>) -> Self {
        let Opinion { source, statement, said, ends, standing, .. } = opinion;
        Self {
            who: source.who.clone(),
            status: statement.status.as_str().to_owned(),
            standing: standing.as_str().to_owned(),
            document: source.document,
            said: *said,
            until: *ends,
        }
    }

    /// Whether it says something else than the statement that counts.
    pub fn contradicts(&self) -> bool {
        self.standing == Standing::Contradicts.as_str()
    }

    /// Whether it was said too long ago.
    pub fn is_expired(&self) -> bool {
        self.standing == Standing::Expired.as_str()
    }
}

fn line(text: &str) -> String {
    Text::<TEXT_BYTES>::of(text).into()
}

impl Vulnerability {
    /// Every id that it is known by, and those of what it is about.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        [&self.id].into_iter().chain(&self.aliases).chain(&self.upstream).map(String::as_str)
    }
}

impl From<Match> for Vulnerability {
    fn from(found: Match) -> Self {
        let Match { id, aliases, upstream, severity, cvss, fixed, rule, confidence, .. } = found;
        let Match { summary, doubts, malicious, published, .. } = found;
        Self {
            id,
            aliases,
            upstream,
            summary: if summary.is_empty() { summary } else { line(&summary) },
            severity,
            cvss,
            fixed,
            rule: Some(rule),
            confidence: Some(confidence),
            doubts,
            malicious,
            published,
        }
    }
}

impl std::fmt::Display for Suppression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VEX of {}: {}", self.who, self.status)?;
        if let Some(justification) = &self.justification {
            write!(f, ", {justification}")?;
        }
        if let Some(until) = self.until {
            write!(f, ", until {}", last_day(until))?;
        }
        match &self.statement {
            Some(statement) => write!(f, ": {statement}"),
            None => Ok(()),
        }
    }
}

impl std::fmt::Display for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VEX of {}: {}", self.who, self.status)?;
        match self.until.filter(|_| self.is_expired()) {
            Some(until) => write!(f, ", expired after {}", last_day(until)),
            None if self.contradicts() => f.write_str(", contradicts"),
            None if self.standing == Standing::NoAuthority.as_str() => {
                f.write_str(", has no say in this product")
            }
            None if self.standing == Standing::Partial.as_str() => {
                f.write_str(", names only some of its CVEs")
            }
            None => f.write_str(", counts"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{full_index, inventory};

    #[test]
    fn made_up_versions_do_not_fill_the_memory() {
        let purls: Vec<String> =
            (0..FINDINGS_MAX / 2).map(|it| format!("pkg:pypi/torch@2.1.0.dev{it}")).collect();
        let purls: Vec<&str> = purls.iter().map(String::as_str).collect();
        let components = inventory("widget", &purls).components;
        let found = find(&components, &full_index());
        assert_eq!(found.len(), FINDINGS_MAX, "which ends within the findings of a component");
        assert_eq!(find(&components, &full_index()), found);
    }

    #[test]
    fn component_that_is_listed_twice_is_found_once() {
        let mut components = inventory("widget", &["pkg:pypi/jinja2@2.11"]).components;
        let mut other = components[0].clone();
        other.bom_ref = Some("again".to_owned());
        components.push(other);
        let found = find(&components, &full_index());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].positions, [0, 1], "and is in both places");
    }
}
