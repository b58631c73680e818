//! Exceptions that the gate makes: what a waiver accepts is in the backlog as accepted, while it counts.

use events::{Digest, Label, Scope, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    finding::Found,
    inventory::canonical,
    slot::{Slot, SlotKind},
};

/// Rules that name a component and a vulnerability: severe, not looked at in time, malicious. Other rules are
/// not about one finding, and a waiver of theirs accepts none.
const RULES: [&str; 3] = ["VULN-001", "VULN-004", "VULN-005"];
/// Most bytes of a reason that is repeated.
const REASON_BYTES: usize = 1024;

/// A waiver, as far as it is about findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// Digest of its file.
    pub id: Digest,
    /// Who signed it.
    pub approver: Label,
    /// Why.
    pub reason: Text<REASON_BYTES>,
    /// The project; all of them, if none is named.
    pub project: Option<Scope>,
    /// Package URL of the component, in its canonical form.
    pub component: Option<String>,
    /// Id of the vulnerability.
    pub vulnerability: Option<String>,
    /// From when on it counts.
    pub from: Timestamp,
    /// Until when; not at that time any more.
    pub until: Timestamp,
}

/// That a waiver accepts a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Digest of the waiver.
    pub waiver: Digest,
    /// Who signed it.
    pub approver: Label,
    /// Why.
    pub reason: Text<REASON_BYTES>,
    /// Until when.
    pub until: Timestamp,
}

/// What the gate answers about one waiver, as far as it matters here.
#[derive(Deserialize)]
struct Standing {
    id: Digest,
    waiver: Option<Wire>,
    approver: Option<String>,
    #[serde(default)]
    states: Vec<String>,
}

#[derive(Deserialize)]
struct Wire {
    reason: String,
    scope: WireScope,
    issued: Timestamp,
    expires: Timestamp,
}

#[derive(Deserialize)]
struct WireScope {
    rule: String,
    component: Option<String>,
    vulnerability: Option<String>,
    project: Option<String>,
    artifact: Option<Digest>,
}

/// The waivers of a gate's answer that are about findings; none if it could not say.
pub(crate) fn heard(answer: &[u8]) -> Option<Vec<Waiver>> {
    let standings: Vec<Standing> = serde_json::from_slice(answer).ok()?;
    Some(standings.into_iter().filter_map(Waiver::of).collect())
}

impl Waiver {
    /// One that somebody signed who may, about findings of whole products.
    fn of(standing: Standing) -> Option<Self> {
        let Standing { id, waiver, approver, states } = standing;
        let Wire { reason, scope, issued, expires } = waiver?;
        let WireScope { rule, component, vulnerability, project, artifact } = scope;
        let is_about_findings = component.is_some() || vulnerability.is_some();
        let counts = !states.iter().any(|it| it == "invalid") && RULES.contains(&rule.as_str());
        // Which artifact a product is in is not known here: an exception for one excepts no other.
        if !is_about_findings || !counts || artifact.is_some() || issued >= expires {
            return None;
        }
        Some(Self {
            id,
            approver: Label::of(&approver?),
            reason: Text::of(&reason),
            project: project.map(|it| it.parse()).transpose().ok()?,
            component: component.map(|it| canonical(it).0),
            vulnerability,
            from: issued,
            until: expires,
        })
    }

    /// Whether it may be about something in `slot`: what suppliers make was not judged by the gate.
    pub fn concerns(&self, slot: &Slot) -> bool {
        slot.kind == SlotKind::Project && self.project.as_ref().is_none_or(|it| *it == slot.scope)
    }

    /// Whether it is about what was found in a slot that it concerns.
    pub fn covers(&self, found: &Found) -> bool {
        let component = self.component.as_deref();
        let mut ids = std::iter::once(&found.vulnerability.id).chain(&found.vulnerability.aliases);
        component.is_none_or(|it| found.component.purl.as_deref() == Some(it))
            && self
                .vulnerability
                .as_ref()
                .is_none_or(|it| ids.any(|id| id.eq_ignore_ascii_case(it)))
    }

    /// Whether it counts at `time`.
    pub fn is_active(&self, time: Timestamp) -> bool {
        self.from <= time && time < self.until
    }

    /// When it begins and ends to count.
    pub(crate) fn turns(&self) -> [Timestamp; 2] {
        [self.from, self.until]
    }

    /// That it accepts something.
    pub fn acceptance(&self) -> Acceptance {
        let Self { id, approver, reason, until, .. } = self;
        Acceptance {
            waiver: *id,
            approver: approver.clone(),
            reason: reason.clone(),
            until: *until,
        }
    }
}

impl std::fmt::Display for Acceptance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { waiver, approver, reason, until } = self;
        write!(f, "accepted by {approver} until {until}: {reason} (waiver {waiver})")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{JINJA, found, project, supplier};

    fn standing(rule: &str, scope: Value) -> Value {
        let mut scope = scope;
        scope["rule"] = json!(rule);
        json!({
            "id": Digest::of(b"waiver"), "approver": "boss", "states": ["active", "unused"],
            "waiver": {
                "schema": "attestry.waiver/v1", "owner": "team", "requested_by": "dev", "reason": "not reachable",
                "scope": scope, "issued": "2026-11-01T00:00:00Z", "expires": "2026-12-01T00:00:00Z",
            },
        })
    }

    fn one(standing: &Value) -> Option<Waiver> {
        heard(json!([standing]).to_string().as_bytes()).expect("an answer").pop()
    }

    #[test]
    fn waiver_is_about_findings_if_it_names_any_and_somebody_signed_it_who_may() {
        let named = json!({ "vulnerability": "CVE-2019-10906" });
        assert!(one(&standing("VULN-001", named.clone())).is_some());
        assert!(one(&standing("LIC-001", named.clone())).is_none());
        assert!(one(&standing("*", named.clone())).is_none(), "an override is for one artifact");
        assert!(one(&standing("VULN-001", json!({}))).is_none(), "all findings of all products");
        let artifact = json!({ "vulnerability": "CVE-1", "artifact": Digest::of(b"x") });
        assert!(one(&standing("VULN-001", artifact)).is_none());
        let mut invalid = standing("VULN-001", named.clone());
        invalid["states"] = json!(["invalid"]);
        assert!(one(&invalid).is_none());
        let mut unsigned = standing("VULN-001", named);
        unsigned["approver"] = Value::Null;
        assert!(one(&unsigned).is_none());
        assert_eq!(heard(b""), None, "the gate could not say");
        assert_eq!(heard(b"[]"), Some(vec![]));
    }

    #[test]
    fn waiver_covers_what_its_scope_says_under_any_name() {
        let found = found(&[JINJA]).remove(0);
        let covers = |scope: Value| one(&standing("VULN-001", scope)).expect("one").covers(&found);
        for (scope, expected) in [
            (json!({ "vulnerability": "cve-2019-10906" }), true),
            (json!({ "vulnerability": "GHSA-462w-v97r-4m45" }), true),
            (json!({ "vulnerability": "CVE-2019-10907" }), false),
            (json!({ "component": "pkg:PyPI/Jinja2@2.10" }), true),
            (json!({ "component": "pkg:pypi/jinja2@2.11" }), false),
            (json!({ "component": JINJA, "vulnerability": "CVE-2019-10907" }), false),
        ] {
            assert_eq!(covers(scope.clone()), expected, "{scope}");
        }
        let waiver = one(&standing("VULN-001", json!({ "component": JINJA, "project": "app" })));
        let waiver = waiver.expect("one");
        assert!(waiver.concerns(&project("app")));
        assert!(!waiver.concerns(&project("other")));
        assert!(!waiver.concerns(&supplier("app", "app")));
        let at = |text: &str| waiver.is_active(text.parse().expect("a time"));
        assert!(!at("2026-10-31T23:59:59Z") && at("2026-11-01T00:00:00Z"));
        assert!(at("2026-11-30T23:59:59Z") && !at("2026-12-01T00:00:00Z"));
    }
}
