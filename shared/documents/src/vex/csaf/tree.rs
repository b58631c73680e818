//! The product tree (3.2.2): what each Product ID means.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::fmt::Display;

use serde_json::Value;

use super::{Faults, quoted};
use crate::schema::JsonError;
use crate::schema::json::{items, text};
use crate::vex::names::Named;
use crate::vex::{Copies, Product};

const SHA256_DIGITS: usize = 64;

/// The products of a document, each found by its id.
#[derive(Default)]
pub(super) struct Tree<'a> {
    products: Vec<Entry<'a>>,
    by_id: HashMap<&'a str, usize>,
    groups: HashMap<&'a str, Vec<usize>>,
}

/// A full product name (3.1.3).
struct Entry<'a> {
    id: &'a str,
    /// What others call it (3.1.3.3), the purl first; one at least.
    names: Vec<String>,
    /// Its version, where its purl has none.
    version: Option<&'a str>,
    /// Of a relationship: the part, and what it relates to.
    parts: Option<[usize; 2]>,
}

/// Which versions the innermost branch about versions leaves (3.1.2.2).
#[derive(Clone, Copy)]
enum Versions<'a> {
    All,
    One(&'a str),
    Range,
}

impl<'a> Tree<'a> {
    pub(super) fn of(tree: &'a Value, faults: &mut Faults) -> Self {
        let mut new = Self::default();
        new.define_branches(tree, "/product_tree", Versions::All, faults);
        let listed = items(tree, "full_product_names").iter().enumerate();
        for (nth, product) in listed {
            let pointer = format_args!("/product_tree/full_product_names/{nth}");
            new.define(product, Versions::All, pointer, faults);
        }
        let relationships = items(tree, "relationships");
        for (nth, relationship) in relationships.iter().enumerate() {
            let Some(product) = relationship.get("full_product_name") else { continue };
            let pointer = format_args!("/product_tree/relationships/{nth}/full_product_name");
            new.define(product, Versions::All, pointer, faults);
        }
        // Only now is everything defined that they may refer to.
        for (nth, relationship) in relationships.iter().enumerate() {
            new.relate(relationship, nth, faults);
        }
        new.refuse_circles(relationships, faults);
        for (nth, group) in items(tree, "product_groups").iter().enumerate() {
            new.define_group(group, nth, faults);
        }
        new
    }

    /// No deeper than JSON is read.
    fn define_branches(
        &mut self,
        parent: &'a Value,
        pointer: &str,
        versions: Versions<'a>,
        faults: &mut Faults,
    ) {
        for (nth, branch) in items(parent, "branches").iter().enumerate() {
            let pointer = format!("{pointer}/branches/{nth}");
            let versions = match (text(branch, "category"), text(branch, "name")) {
                (Some("product_version"), Some(name)) => Versions::One(name),
                (Some("product_version_range"), _) => Versions::Range,
                _ => versions,
            };
            if let Some(product) = branch.get("product") {
                self.define(product, versions, format_args!("{pointer}/product"), faults);
            }
            self.define_branches(branch, &pointer, versions, faults);
        }
    }

    fn define(
        &mut self,
        product: &'a Value,
        versions: Versions<'a>,
        pointer: impl Display,
        faults: &mut Faults,
    ) {
        let id = text(product, "product_id").unwrap_or_default();
        match self.by_id.entry(id) {
            Place::Occupied(_) => faults.add(
                format_args!("{pointer}/product_id"),
                format_args!(
                    "{:?} is defined already; give each product its own id (6.1.2)",
                    quoted(id)
                ),
            ),
            Place::Vacant(place) => {
                place.insert(self.products.len());
                self.products.push(Entry::of(id, product, versions));
            }
        }
    }

    fn relate(&mut self, relationship: &Value, nth: usize, faults: &mut Faults) {
        let mut find = |key| {
            let id = text(relationship, key).unwrap_or_default();
            self.find(id, format_args!("/product_tree/relationships/{nth}/{key}"), faults)
        };
        let parts = [find("product_reference"), find("relates_to_product_reference")];
        let own = relationship.get("full_product_name").and_then(|it| text(it, "product_id"));
        let own = own.and_then(|id| self.by_id.get(id)).and_then(|&at| self.products.get_mut(at));
        if let (Some(own), [Some(part), Some(whole)]) = (own, parts) {
            own.parts = Some([part, whole]);
        }
    }

    /// Takes away, again and again, what is made of nothing that is left. What stays is made of
    /// itself.
    fn refuse_circles(&self, relationships: &[Value], faults: &mut Faults) {
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); self.products.len()];
        let mut missing = vec![0_usize; self.products.len()];
        for (at, entry) in self.products.iter().enumerate() {
            for part in entry.parts.into_iter().flatten() {
                users[part].push(at);
                missing[at] += 1;
            }
        }
        let mut known: Vec<usize> = (0..missing.len()).filter(|&at| missing[at] == 0).collect();
        while let Some(at) = known.pop() {
            for &user in &users[at] {
                missing[user] -= 1;
                if missing[user] == 0 {
                    known.push(user);
                }
            }
        }
        for (nth, relationship) in relationships.iter().enumerate() {
            let id = relationship.pointer("/full_product_name/product_id").and_then(Value::as_str);
            let Some(&at) = id.and_then(|id| self.by_id.get(id)) else { continue };
            if missing[at] > 0 {
                let pointer = format_args!("/product_tree/relationships/{nth}/full_product_name");
                faults.add(pointer, "ends up in a circle; relate it to other products (6.1.3)");
            }
        }
    }

    fn define_group(&mut self, group: &'a Value, nth: usize, faults: &mut Faults) {
        let pointer = format!("/product_tree/product_groups/{nth}");
        let members = self.find_all(group, "product_ids", &pointer, faults);
        let id = text(group, "group_id").unwrap_or_default();
        if self.groups.insert(id, members).is_some() {
            faults.add(
                format_args!("{pointer}/group_id"),
                format_args!(
                    "{:?} is defined already; give each group its own id (6.1.5)",
                    quoted(id)
                ),
            );
        }
    }

    /// The product with an id that is used at `pointer`.
    pub(super) fn find(
        &self,
        id: &str,
        pointer: impl Display,
        faults: &mut Faults,
    ) -> Option<usize> {
        let found = self.by_id.get(id).copied();
        if found.is_none() {
            let id = quoted(id);
            let message = format_args!("{id:?} is no product of the tree; define it there (6.1.1)");
            faults.add(pointer, message);
        }
        found
    }

    /// The products whose ids are listed under `key`.
    pub(super) fn find_all(
        &self,
        object: &Value,
        key: &str,
        pointer: &str,
        faults: &mut Faults,
    ) -> Vec<usize> {
        let ids = items(object, key).iter().enumerate();
        let found = ids.filter_map(|(nth, id)| {
            self.find(id.as_str()?, format_args!("{pointer}/{key}/{nth}"), faults)
        });
        found.collect()
    }

    /// The members of the groups that are listed in `group_ids`, counted before they are copied.
    pub(super) fn find_members(
        &self,
        object: &Value,
        pointer: &str,
        faults: &mut Faults,
        copies: &mut Copies,
    ) -> Result<Vec<usize>, JsonError> {
        let mut members = Vec::new();
        for (nth, id) in items(object, "group_ids").iter().enumerate() {
            let id = id.as_str().unwrap_or_default();
            let Some(group) = self.groups.get(id) else {
                let id = quoted(id);
                let message =
                    format_args!("{id:?} is no group of the tree; define it there (6.1.4)");
                faults.add(format_args!("{pointer}/group_ids/{nth}"), message);
                continue;
            };
            copies.add(group.iter().map(|_| ""))?;
            members.extend(group);
        }
        Ok(members)
    }

    /// The product as VEX names it, its texts counted before they are copied.
    ///
    /// Of a relationship (3.2.2.4) this is a part within a whole. What is made of more than two
    /// products cannot be said that way, and to leave one out would say more than the document
    /// does: it goes by a name that nothing is compared with.
    pub(super) fn product(&self, at: usize, copies: &mut Copies) -> Result<Product, JsonError> {
        let entry = &self.products[at];
        let Some([part, whole]) = entry.parts.map(|parts| parts.map(|at| &self.products[at]))
        else {
            return entry.product(&[], copies);
        };
        match part.parts.or(whole.parts) {
            None => whole.product(&part.names_as_part(), copies),
            Some(_) => Entry { names: vec![entry.local_name()], ..*entry }.product(&[], copies),
        }
    }
}

impl<'a> Entry<'a> {
    fn of(id: &'a str, product: &Value, versions: Versions<'a>) -> Self {
        let helper = product.get("product_identification_helper").unwrap_or(&Value::Null);
        let mut new = Self { id, names: Vec::new(), version: None, parts: None };
        if let Some(purl) = text(helper, "purl") {
            // Without a version it would be every version, which is more than the branch says.
            let limit = if Named::of(purl).version().is_some() { Versions::All } else { versions };
            if let Versions::One(version) = limit {
                new.version = Some(version);
            }
            if !matches!(limit, Versions::Range) {
                new.names.push(purl.to_owned());
            }
        }
        let files = items(helper, "hashes").iter().flat_map(|it| items(it, "file_hashes"));
        new.names.extend(files.filter_map(sha256));
        let uris = items(helper, "x_generic_uris").iter().filter_map(|it| text(it, "uri"));
        new.names.extend(uris.filter(|it| it.starts_with("urn:cdx:")).map(str::to_owned));
        new.names.extend(text(helper, "cpe").map(str::to_owned));
        if new.names.is_empty() {
            new.names.push(new.local_name());
        }
        new
    }

    fn product(&self, subcomponents: &[String], copies: &mut Copies) -> Result<Product, JsonError> {
        copies.add(self.names.iter().chain(subcomponents).map(String::as_str))?;
        copies.add(self.version)?;
        let mut names = self.names.iter().cloned();
        Ok(Product {
            id: names.next().unwrap_or_default(),
            aliases: names.collect(),
            subcomponents: subcomponents.to_vec(),
            versions: self.version.map(|it| vec![it.to_owned()]),
        })
    }

    /// The names that need no version beside them: a subcomponent has nowhere to say one.
    fn names_as_part(&self) -> Cow<'_, [String]> {
        match (self.version, &self.names[..]) {
            (Some(_), [_]) => Cow::Owned(vec![self.local_name()]),
            (Some(_), [_, rest @ ..]) => Cow::Borrowed(rest),
            (_, names) => Cow::Borrowed(names),
        }
    }

    /// A Product ID means something only within its document, and must not be taken for a bom-ref.
    fn local_name(&self) -> String {
        format!("csaf:{}", self.id)
    }
}

fn sha256(hash: &Value) -> Option<String> {
    let algorithm = text(hash, "algorithm")?;
    let hex = text(hash, "value").filter(|it| it.len() == SHA256_DIGITS)?;
    algorithm.eq_ignore_ascii_case("sha256").then(|| format!("sha256:{}", hex.to_ascii_lowercase()))
}
