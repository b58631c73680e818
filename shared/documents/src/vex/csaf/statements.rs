//! The statements: `product_status` (3.2.3.9) with what explains it.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;

use jiff::Timestamp;
use serde_json::Value;

use super::{Faults, Profile, quoted, tree::Tree};
use crate::schema::JsonError;
use crate::schema::json::{self, items, text};
use crate::vex::{Copies, Statement, Status, VexError, owned, time};

/// The lists of `product_status`; what is recommended may be in any state.
const LISTS: [(&str, Option<Status>); 8] = [
    ("known_not_affected", Some(Status::NotAffected)),
    ("first_affected", Some(Status::Affected)),
    ("known_affected", Some(Status::Affected)),
    ("last_affected", Some(Status::Affected)),
    ("first_fixed", Some(Status::Fixed)),
    ("fixed", Some(Status::Fixed)),
    ("under_investigation", Some(Status::UnderInvestigation)),
    ("recommended", None),
];

/// What is read with.
pub(super) struct Reader<'a> {
    pub(super) tree: &'a Tree<'a>,
    pub(super) profile: Profile,
    /// When the document was released.
    pub(super) timestamp: Option<Timestamp>,
    pub(super) faults: Faults,
    pub(super) copies: Copies,
}

/// Positions in `flags`, `threats` and `remediations` of what is said of one product.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Remarks {
    flag: Option<usize>,
    impact: Option<usize>,
    action: Option<usize>,
}

type Products = HashMap<usize, Remarks>;

impl Reader<'_> {
    pub(super) fn statements(&mut self, document: &Value) -> Result<Vec<Statement>, VexError> {
        let mut statements = Vec::new();
        for (nth, vulnerability) in items(document, "vulnerabilities").iter().enumerate() {
            let pointer = format!("/vulnerabilities/{nth}");
            let remarks = self.remarks(vulnerability, &pointer)?;
            for (nth, score) in items(vulnerability, "scores").iter().enumerate() {
                let pointer = format!("{pointer}/scores/{nth}");
                self.tree.find_all(score, "products", &pointer, &mut self.faults);
            }
            self.judge(vulnerability, &pointer, &remarks, &mut statements)?;
        }
        Ok(statements)
    }

    /// What is said of which product: of impact and action the first counts.
    fn remarks(&mut self, vulnerability: &Value, pointer: &str) -> Result<Products, JsonError> {
        let mut remarks = Products::new();
        for (key, category) in
            [("flags", None), ("threats", Some("impact")), ("remediations", None)]
        {
            for (nth, remark) in items(vulnerability, key).iter().enumerate() {
                let pointer = format!("{pointer}/{key}/{nth}");
                for product in self.products(remark, &pointer)? {
                    let known = remarks.entry(product).or_default();
                    match key {
                        "flags" if known.flag.is_some_and(|it| it != nth) => self.faults.add(
                            &pointer,
                            "is the second flag of one of its products; keep one (6.1.33)",
                        ),
                        "flags" => known.flag = Some(nth),
                        "threats" if text(remark, "category") != category => {}
                        "threats" => drop(known.impact.get_or_insert(nth)),
                        _ => drop(known.action.get_or_insert(nth)),
                    }
                }
            }
        }
        Ok(remarks)
    }

    /// The products that a remark names, itself or by their groups.
    fn products(&mut self, remark: &Value, pointer: &str) -> Result<Vec<usize>, JsonError> {
        let (faults, copies) = (&mut self.faults, &mut self.copies);
        let mut products = self.tree.find_all(remark, "product_ids", pointer, faults);
        products.extend(self.tree.find_members(remark, pointer, faults, copies)?);
        Ok(products)
    }

    /// Adds one statement for all products of one status of which the same is said.
    fn judge(
        &mut self,
        vulnerability: &Value,
        pointer: &str,
        remarks: &Products,
        statements: &mut Vec<Statement>,
    ) -> Result<(), VexError> {
        let standings = self.standings(vulnerability, pointer);
        let ids = ids(vulnerability);
        if ids.is_empty() {
            // An advisory may be of something without a name; nothing can be compared with it.
            if self.profile == Profile::Vex && !standings.is_empty() {
                self.faults.add(pointer, "has neither `cve` nor `ids`; name it (6.1.27.8)");
            }
            return Ok(());
        }
        let mut alike = HashMap::new();
        for Standing { product, status, list, nth } in standings {
            let remarks = relevant(status, remarks.get(&product).copied().unwrap_or_default());
            let needs_impact = self.profile == Profile::Vex && status == Status::NotAffected;
            if needs_impact && remarks == Remarks::default() {
                let message =
                    "says nowhere why; add a flag, or a threat of category impact (6.1.27.9)";
                self.faults.add(format_args!("{pointer}/product_status/{list}/{nth}"), message);
            }
            let at = match alike.entry((status.as_str(), remarks)) {
                Place::Occupied(at) => *at.get(),
                Place::Vacant(place) => {
                    statements.push(self.statement(vulnerability, &ids, status, remarks)?);
                    *place.insert(statements.len() - 1)
                }
            };
            statements[at].products.push(self.tree.product(product, &mut self.copies)?);
        }
        Ok(())
    }

    /// Where each product stands; in one status only, though perhaps in several lists of it.
    fn standings(&mut self, vulnerability: &Value, pointer: &str) -> Vec<Standing> {
        let Some(said) = vulnerability.get("product_status") else { return Vec::new() };
        let (mut standings, mut known) = (Vec::new(), HashMap::new());
        for (list, status) in LISTS {
            for (nth, id) in items(said, list).iter().enumerate() {
                let place = format_args!("{pointer}/product_status/{list}/{nth}");
                let id = id.as_str().unwrap_or_default();
                let Some(product) = self.tree.find(id, place, &mut self.faults) else { continue };
                let Some(status) = status else { continue };
                match *known.entry(product).or_insert((status, list)) {
                    (other, there) if other != status => {
                        let id = quoted(id);
                        let message =
                            format_args!("{id:?} stands in `{there}` too; keep one (6.1.6)");
                        self.faults.add(place, message);
                    }
                    (_, there) if there != list => {}
                    _ => standings.push(Standing { product, status, list, nth }),
                }
            }
        }
        standings
    }

    /// What is said, so far of no product.
    fn statement(
        &mut self,
        vulnerability: &Value,
        ids: &[&str],
        status: Status,
        remarks: Remarks,
    ) -> Result<Statement, JsonError> {
        let remark =
            |key, nth: Option<usize>| nth.and_then(|nth| items(vulnerability, key).get(nth));
        let flag = remark("flags", remarks.flag);
        let text = remark("threats", remarks.impact).or(remark("remediations", remarks.action));
        let texts = [text.and_then(|it| json::text(it, "details"))];
        self.copies.add(ids.iter().copied().chain(texts.into_iter().flatten()))?;
        let mut ids = ids.iter().map(ToString::to_string);
        Ok(Statement {
            vulnerability: ids.next().unwrap_or_default(),
            aliases: ids.collect(),
            status,
            justification: flag.and_then(|it| owned(it, "label")),
            statement: texts[0].map(str::to_owned),
            products: Vec::new(),
            timestamp: flag.and_then(|it| time(it, "date")).or(self.timestamp),
        })
    }
}

/// One product in one list of `product_status`.
struct Standing {
    product: usize,
    status: Status,
    list: &'static str,
    nth: usize,
}

/// The CVE first, then what others call it (3.2.3.2, 3.2.3.6).
fn ids(vulnerability: &Value) -> Vec<&str> {
    let others = items(vulnerability, "ids").iter().filter_map(|it| text(it, "text"));
    text(vulnerability, "cve").into_iter().chain(others).collect()
}

/// Flag and impact say why a product is not affected, an action what to do where it is.
fn relevant(status: Status, remarks: Remarks) -> Remarks {
    match status {
        Status::NotAffected => Remarks { action: None, ..remarks },
        Status::Affected => Remarks { action: remarks.action, ..Remarks::default() },
        Status::Fixed | Status::UnderInvestigation => Remarks::default(),
    }
}
