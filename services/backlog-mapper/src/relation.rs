//! What relying on a supplier risks: that it does not mend in time, that somebody else speaks for it, and
//! that what it told is out of date. What is in its products is the risk of each product.

use events::{Decision, DecisionResult, Digest, Label, Scope, Sender, SupplierId};
use jiff::Timestamp;

use crate::{
    config::Config,
    entry::Status,
    register::{EntryRow, counted},
    risk::{RiskRow, SEVERAL, Treatment, by_count, impact, is_used},
    routing::About,
    sla,
    slot::{Slot, SlotKind},
};

/// Beginning of the ids of these risks, which no other has.
pub const PREFIX: &str = "RS";
/// Most refusals of one supplier that are counted, the newest.
pub const REFUSALS_MAX: u64 = 1_000;
/// Most entries, products or rules that a row names.
const NAMED_MAX: usize = 10;
/// How bad it is not to know what is in a product: as what nobody rated.
const NOT_KNOWN: u8 = 3;
/// How bad it is that somebody else may speak for a supplier.
const NOT_THEIRS: u8 = 4;
/// How bad a component is that is itself the attack.
const ATTACK: u8 = 5;

/// Refusals that say nothing of a supplier: nobody is known by that name, or the policy could not judge.
const OURS: [&str; 2] = ["supplier-unknown", "policy-failed"];
/// Rules of the rule set `supplier` that refuse what is not signed by the supplier, or about products of others.
const IDENTITY: [&str; 6] = ["SUP-002", "SUP-003", "SUP-004", "SUP-005", "SUP-008", "SUP-009"];
/// Those that refuse banned components and malware.
const MALICE: [&str; 2] = ["SUP-021", "SUP-025"];

/// A submission of a supplier that was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Who submitted it.
    pub supplier: SupplierId,
    /// The document, as far as its digest is known.
    pub document: Option<Digest>,
    /// The rule that weighed most against it; none if it is not told.
    pub rule: Option<Label>,
}

/// What is known of a supplier.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Id of the risk.
    pub id: String,
    /// The supplier.
    pub supplier: Scope,
    /// Its products.
    pub deliveries: Vec<Delivery>,
    /// What was refused since something was accepted last.
    pub refused: Vec<Refused>,
    /// When something was refused last.
    pub last_refused: Option<Timestamp>,
    /// Whether a register has told of the risk.
    pub was_told: bool,
}

/// The newest SBOM of a supplier's product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The product.
    pub product: String,
    /// When it was made, as it says, but no later than it was ingested.
    pub made: Timestamp,
}

/// How many submissions a rule has refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The rule; none if it is not told.
    pub rule: Option<String>,
    /// At most [`REFUSALS_MAX`] of all rules.
    pub count: u64,
}

/// Something that is wrong with a supplier.
struct Ground {
    impact: u8,
    likelihood: u8,
    what: String,
    remedy: String,
}

impl Refusal {
    /// What `decision` says against a supplier; none if it says nothing.
    pub fn of(decision: &Decision) -> Option<Self> {
        let Decision { from, document, result, rule, .. } = decision;
        let (Sender::Supplier(supplier), DecisionResult::Rejected) = (from, result) else {
            return None;
        };
        if rule.as_ref().is_some_and(|it| OURS.contains(&it.as_str())) {
            return None;
        }
        Some(Self { supplier: supplier.clone(), document: *document, rule: rule.clone() })
    }
}

impl Relation {
    /// The risk at `now`, where `entries` are those about the supplier's products, in their order; none if there
    /// never was anything to say. Time alone changes it when an entry is overdue, and when an SBOM is old.
    pub fn risk(&self, entries: &[&EntryRow], config: &Config, now: Timestamp) -> Option<RiskRow> {
        let grounds = [overdue(entries, now), self.refused(), self.old(config, now)];
        let grounds: Vec<Ground> = grounds.into_iter().flatten().collect();
        if grounds.is_empty() && self.last_refused.is_none() && !self.was_told {
            return None;
        }
        let impact = grounds.iter().map(|it| it.impact).max().unwrap_or(NOT_KNOWN);
        let several = u8::from(grounds.len() > 1);
        let highest = grounds.iter().map(|it| it.likelihood).max().unwrap_or(1);
        let likelihood = (highest + several).min(5);
        let is_begun = |it: &&EntryRow| is_overdue(it, now) && it.status == Status::InProgress;
        let status = match (grounds.is_empty(), entries.iter().any(is_begun)) {
            (true, _) => Treatment::Mitigated,
            (false, true) => Treatment::InProgress,
            (false, false) => Treatment::Open,
        };
        Some(RiskRow {
            id: self.id.clone(),
            description: self.description(&grounds),
            surface: self.surface(),
            impact,
            likelihood,
            exposure: impact * likelihood,
            owner: self.owner(config),
            status,
            mitigation: self.mitigation(&grounds),
            edited: Vec::new(),
        })
    }

    /// When time alone changes the risk next, as of `now`.
    pub fn turns(
        &self,
        entries: &[&EntryRow],
        config: &Config,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let open = entries.iter().filter(|it| it.status.is_open());
        let renewals = self.deliveries.iter().flat_map(|it| config.sla.renewals(it.made));
        let renewals = renewals.map(|it| config.sla.overdue_from(it));
        open.map(|it| it.overdue_from).chain(renewals).filter(|it| *it > now).min()
    }

    fn refused(&self) -> Option<Ground> {
        let impact = self.refused.iter().map(|it| refusal_impact(it.rule.as_deref())).max()?;
        let count: u64 = self.refused.iter().map(|it| it.count).sum();
        let most = if count >= REFUSALS_MAX { "at least " } else { "" };
        let were = counted(count as usize, "submission was", "submissions were");
        let by_rule = self.refused.iter().map(|Refused { rule, count }| {
            format!("{} ({count})", rule.as_deref().unwrap_or("a rule that is not told"))
        });
        let last = self.last_refused.map(sla::date);
        let last = last.map(|day| format!(", last on {day}")).unwrap_or_default();
        Some(Ground {
            impact,
            likelihood: by_count(count as usize),
            what: format!("{most}{were} refused, and none accepted since"),
            remedy: format!("Refused: {}{last}.", named(&by_rule.collect::<Vec<_>>())),
        })
    }

    fn old(&self, config: &Config, now: Timestamp) -> Option<Ground> {
        let sla = &config.sla;
        let (mut due, mut is_very_old) = (Vec::new(), false);
        for Delivery { product, made } in &self.deliveries {
            let [old, very_old] = sla.renewals(*made);
            if sla.overdue_from(old) <= now {
                due.push(format!("{product} by {old}"));
                is_very_old |= sla.overdue_from(very_old) <= now;
            }
        }
        if due.is_empty() {
            return None;
        }
        let are = counted(due.len(), "SBOM is", "SBOMs are");
        Some(Ground {
            impact: NOT_KNOWN,
            likelihood: if is_very_old { 3 } else { 2 },
            what: format!("{are} older than {} days", sla.supplier_sbom),
            remedy: format!("New SBOM due: {}.", named(&due)),
        })
    }

    fn description(&self, grounds: &[Ground]) -> String {
        if grounds.is_empty() {
            return format!(
                "Supplier {}: nothing is overdue, refused or out of date.",
                self.supplier
            );
        }
        let what: Vec<&str> = grounds.iter().map(|it| it.what.as_str()).collect();
        format!("Supplier {} may fail us: {}.", self.supplier, what.join("; "))
    }

    fn surface(&self) -> String {
        let products: Vec<&str> = self.deliveries.iter().map(|it| it.product.as_str()).collect();
        if products.is_empty() {
            return format!("Supplier {}, of which no SBOM was accepted.", self.supplier);
        }
        let count = counted(products.len(), "product", "products");
        format!("{count} of supplier {}: {}.", self.supplier, named(&products))
    }

    fn mitigation(&self, grounds: &[Ground]) -> String {
        let remedies: Vec<&str> = grounds.iter().map(|it| it.remedy.as_str()).collect();
        match (remedies.as_slice(), self.last_refused) {
            ([], Some(last)) => {
                format!("Refused last on {}; something was accepted since.", sla::date(last))
            }
            ([], None) => "Nothing is to be done.".to_owned(),
            (remedies, _) => remedies.join(" "),
        }
    }

    fn owner(&self, config: &Config) -> Label {
        let (scope, product) = (self.supplier.clone(), Label::of(self.supplier.as_str()));
        let slot = Slot { kind: SlotKind::Supplier, scope, product };
        let about = About { slot: &slot, ecosystem: None, lock: None, purls: &[] };
        config.routing.owner(&about).clone()
    }
}

/// Identity of the risk of relying on a supplier as hex digits, of which its id takes as many as it needs.
pub fn fingerprint(supplier: &str) -> Digest {
    Digest::of(format!("supplier risk\0{supplier}").as_bytes())
}

fn overdue(entries: &[&EntryRow], now: Timestamp) -> Option<Ground> {
    let overdue: Vec<&EntryRow> =
        entries.iter().copied().filter(|it| is_overdue(it, now)).collect();
    let impact = overdue.iter().map(|it| impact(it.severity)).max()?;
    let due = overdue.iter().map(|it| it.due).min()?;
    let likelihood = match overdue.len() {
        _ if overdue.iter().any(|it| is_used(it)) => 5,
        SEVERAL.. => 4,
        _ => 3,
    };
    let ids: Vec<&str> = overdue.iter().map(|it| it.id.as_str()).collect();
    let are = counted(ids.len(), "backlog entry is", "backlog entries are");
    Some(Ground {
        impact,
        likelihood,
        what: format!("{are} overdue"),
        remedy: format!("Overdue: {}; first due {due}.", named(&ids)),
    })
}

fn is_overdue(entry: &EntryRow, now: Timestamp) -> bool {
    entry.status.is_open() && entry.overdue_from <= now
}

fn refusal_impact(rule: Option<&str>) -> u8 {
    match rule {
        Some(rule) if MALICE.contains(&rule) => ATTACK,
        Some(rule) if IDENTITY.contains(&rule) => NOT_THEIRS,
        _ => NOT_KNOWN,
    }
}

/// The first names, and how many more there are.
fn named(names: &[impl AsRef<str>]) -> String {
    let first: Vec<&str> = names.iter().take(NAMED_MAX).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(NAMED_MAX) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
