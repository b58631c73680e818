//! The risk register: what a product's known vulnerabilities mean, on scales from 1 to 5. What relying on a
//! supplier means says [`crate::relation`].

use advisories::Severity;
use events::{Digest, Label};
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    entry::Status,
    register::{EntryRow, VulnerabilityRow, counted, rating},
    routing::About,
    sla,
    slot::{Slot, SlotKind},
};

/// Most backlog entries that a row names.
const NAMED_MAX: usize = 10;
/// From so many open vulnerabilities on, one of them is used sooner.
pub(crate) const SEVERAL: usize = 5;
/// From so many on, sooner still.
const MANY: usize = 20;

/// One risk: the known vulnerabilities of one product, a supplier, or what the operator says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskRow {
    /// Its name, the same for good.
    pub id: String,
    /// The risk.
    pub description: String,
    /// What is exposed.
    pub surface: String,
    /// 1 to 5: how bad it would be.
    pub impact: u8,
    /// 1 to 5: how likely it is.
    pub likelihood: u8,
    /// Impact × likelihood.
    pub exposure: u8,
    /// Who owns it.
    pub owner: Label,
    /// Where its treatment stands.
    pub status: Treatment,
    /// What is done about it.
    pub mitigation: String,
    /// What people say otherwise than it is derived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edited: Vec<Edited>,
}

/// A field that says what somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// The field.
    pub field: String,
    /// What it would say otherwise.
    pub derived: String,
}

/// Where the treatment of a risk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Treatment {
    /// Nothing was closed yet.
    Open,
    /// Something was closed, something is open.
    #[serde(rename = "In progress")]
    InProgress,
    /// Nothing is open.
    Mitigated,
}

/// What a row is made from.
pub struct Product<'a> {
    /// Name of the row.
    pub id: String,
    /// The product.
    pub slot: &'a Slot,
    /// Components in its current document.
    pub components: u64,
    /// Its current document.
    pub document: Digest,
    /// Its backlog entries, in their order.
    pub entries: &'a [EntryRow],
}

impl RiskRow {
    /// The risk of a product that has or had findings; none for one that never had.
    pub fn of(product: Product<'_>, config: &Config) -> Option<Self> {
        let Product { id, slot, components, document, entries } = product;
        let worst = entries.iter().max_by_key(|it| (it.status.is_open(), it.severity))?;
        let open: Vec<&EntryRow> = entries.iter().filter(|it| it.status.is_open()).collect();
        let is_begun =
            open.len() < entries.len() || open.iter().any(|it| it.status == Status::InProgress);
        let status = match (open.is_empty(), is_begun) {
            (true, _) => Treatment::Mitigated,
            (false, true) => Treatment::InProgress,
            (false, false) => Treatment::Open,
        };
        let (impact, likelihood) = (impact(worst.severity), likelihood(&open));
        let owner = match open.is_empty() {
            true => {
                let about = About { slot, ecosystem: None, lock: None, purls: &[] };
                config.routing.owner(&about).clone()
            }
            false => worst.owner.clone(),
        };
        let count = counted(components as usize, "component", "components");
        Some(Self {
            id,
            description: description(slot, &open),
            surface: format!("{}, {count}, document {}.", slot_name(slot), short(document)),
            impact,
            likelihood,
            exposure: impact * likelihood,
            owner,
            status,
            mitigation: mitigation(entries, &open),
            edited: Vec::new(),
        })
    }

    /// The greatest exposure first.
    pub fn sort(rows: &mut [Self]) {
        rows.sort_by(|a, b| b.exposure.cmp(&a.exposure).then_with(|| a.id.cmp(&b.id)));
    }
}

impl Treatment {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::InProgress => "In progress",
            Self::Mitigated => "Mitigated",
        }
    }
}

/// Identity of a slot's risk as hex digits, of which its id takes as many as it needs.
pub fn fingerprint(slot: &Slot) -> Digest {
    Digest::of(format!("risk\0{}", slot.id()).as_bytes())
}

/// What nobody rated counts as medium.
pub(crate) fn impact(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 5,
        Severity::High => 4,
        Severity::Medium | Severity::Unknown => 3,
        Severity::Low => 2,
    }
}

/// 1 if nothing is open; else 2, 3 from 5 open vulnerabilities on, 4 from 20 on; and 1 more if one
/// of them has no fix, because then updating does not end it. At least 4 if one is exploited, 5 if it is by
/// ransomware, or a package itself is the attack.
fn likelihood(open: &[&EntryRow]) -> u8 {
    if open.is_empty() {
        return 1;
    }
    let vulnerabilities: usize = open.iter().map(|it| it.vulnerabilities.len()).sum();
    let any =
        |is: fn(&VulnerabilityRow) -> bool| open.iter().flat_map(|it| &it.vulnerabilities).any(is);
    let unfixed = any(|it| it.fixed.is_none());
    let likelihood = by_count(vulnerabilities) + u8::from(unfixed);
    if any(|it| it.malicious || it.kev.is_some_and(|it| it.ransomware)) {
        5
    } else if any(|it| it.kev.is_some()) {
        likelihood.max(4)
    } else {
        likelihood
    }
}

/// 2, 3 from 5 on, 4 from 20 on.
pub(crate) fn by_count(count: usize) -> u8 {
    match count {
        MANY.. => 4,
        SEVERAL.. => 3,
        _ => 2,
    }
}

/// Whether somebody exploits one of the entry's vulnerabilities, or the package itself is the attack.
pub(crate) fn is_used(entry: &EntryRow) -> bool {
    entry.vulnerabilities.iter().any(|it| it.malicious || it.kev.is_some())
}

fn slot_name(slot: &Slot) -> String {
    match slot.kind {
        SlotKind::Project if slot.product.as_str() == slot.scope.as_str() => {
            format!("project {}", slot.scope)
        }
        SlotKind::Project => format!("{} of project {}", slot.product, slot.scope),
        SlotKind::Supplier => format!("{} from supplier {}", slot.product, slot.scope),
    }
}

fn description(slot: &Slot, open: &[&EntryRow]) -> String {
    let name = slot_name(slot);
    let Some(worst) = open.iter().max_by_key(|it| it.severity) else {
        return format!("Known vulnerabilities in components of {name}: none is open.");
    };
    let vulnerabilities: usize = open.iter().map(|it| it.vulnerabilities.len()).sum();
    let count = counted(vulnerabilities, "known vulnerability", "known vulnerabilities");
    let packages = counted(open.len(), "package", "packages");
    format!(
        "{count} in {packages} of {name}, the worst one {} in {}, could be exploited.",
        rating(worst.severity),
        worst.package
    )
}

fn mitigation(entries: &[EntryRow], open: &[&EntryRow]) -> String {
    let mut notes = Vec::new();
    if let Some(due) = open.iter().map(|it| it.due).min() {
        let mut named: Vec<&str> = open.iter().take(NAMED_MAX).map(|it| it.id.as_str()).collect();
        let more = open.len().saturating_sub(NAMED_MAX);
        let more_text = format!("{more} more");
        if more > 0 {
            named.push(&more_text);
        }
        notes.push(format!("Backlog: {}; first due {due}", named.join(", ")));
    }
    let closed: Vec<&str> =
        entries.iter().filter(|it| !it.status.is_open()).map(|it| it.id.as_str()).collect();
    if !closed.is_empty() {
        let named = closed.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
        let more = closed.len().saturating_sub(NAMED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        notes.push(format!("closed: {named}{more}"));
    }
    let accepted = entries.iter().flat_map(|it| &it.accepted).map(|it| it.acceptance.until);
    if let Some(until) = accepted.min() {
        notes.push(format!("accepted by waivers, the first until {}", sla::date(until)));
    }
    format!("{}.", notes.join("; "))
}

fn short(digest: Digest) -> String {
    format!("sha256:{}…", &digest.hex()[..12])
}
