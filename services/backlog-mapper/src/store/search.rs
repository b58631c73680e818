//! Where something is: in which products, in which versions, by which documents.

use std::collections::{BTreeMap, btree_map};

use advisories::Index;
use events::Digest;
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::{
    Reader, StoreError,
    columns::{Hash, Time},
    read,
    register::Artifacts,
    term::Term,
};
use crate::{
    config::Config,
    entry::Entry,
    finding::Finding,
    register::{EntryRow, View},
    slot::Slot,
};

/// Most hits of one kind that an answer holds.
const HITS_MAX: usize = 1000;

/// What is known about a term.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hits {
    /// Products with it, by project or supplier.
    pub products: Vec<Hit>,
    /// Findings in current documents.
    pub findings: Vec<FindingHit>,
    /// Backlog entries about it, closed ones too.
    pub entries: Vec<EntryRow>,
    /// More was found than is told.
    pub truncated: bool,
}

/// A component in a product, or a document about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The product.
    #[serde(flatten)]
    pub slot: Slot,
    /// The component; none when the document itself was asked for.
    pub component: Option<ComponentHit>,
    /// Whether the product's newest document has it.
    pub current: bool,
    /// The newest document that has it.
    pub document: Digest,
    /// When that was ingested.
    pub ingested_at: Timestamp,
    /// When the first document with it was ingested.
    pub first_seen: Timestamp,
    /// How many documents have it.
    pub documents: u64,
}

/// A component that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ComponentHit {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Its package URL in its canonical form.
    pub purl: Option<String>,
    /// The package URL as the document writes it, where that is not the canonical form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
    /// Its CPE, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpe: Option<String>,
}

/// A finding that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingHit {
    /// The product.
    #[serde(flatten)]
    pub slot: Slot,
    /// The finding.
    pub finding: Finding,
}

impl Hits {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty() && self.findings.is_empty() && self.entries.is_empty()
    }
}

impl Reader {
    /// Everything about `term`: a purl in any spelling, with or without version, a CPE or its first
    /// parts, the name of a component, a product, a project or a supplier, the id of a vulnerability,
    /// or the digest of a document.
    pub fn search(
        &self,
        term: &str,
        config: &Config,
        index: Option<&Index>,
    ) -> Result<Hits, StoreError> {
        let view = View { config, index };
        let mut artifacts = Artifacts::default();
        let snapshot = self.connection.unchecked_transaction()?;
        let looked_for = Term::of(term);
        let products = match &looked_for {
            Term::Document(digest) => documents(&snapshot, *digest)?,
            Term::Purl(_) | Term::Cpe(_) => components(&snapshot, &looked_for)?,
            Term::Name(_) => {
                let mut hits = named(&snapshot, term)?;
                hits.extend(components(&snapshot, &looked_for)?);
                hits
            }
        };
        let about = Wanted { text: term, term: looked_for };
        let mut hits = Hits { products, ..Hits::default() };
        for slot in read::slots(&snapshot)? {
            for finding in read::findings(&snapshot, &slot)? {
                if about.finding(&finding) {
                    hits.findings.push(FindingHit { slot: slot.clone(), finding });
                }
            }
            for (id, entry) in read::entries(&snapshot, &slot)? {
                artifacts.add(&slot, &entry);
                if id.eq_ignore_ascii_case(term) || about.entry(&entry) {
                    hits.entries.push(EntryRow::of(id, &slot, &entry, 0, &view));
                }
            }
        }
        let Hits { products, findings, entries, truncated } = &mut hits;
        *truncated =
            [products.len(), findings.len(), entries.len()].iter().any(|it| *it > HITS_MAX);
        products.truncate(HITS_MAX);
        findings.truncate(HITS_MAX);
        entries.truncate(HITS_MAX);
        entries.iter_mut().for_each(|row| row.artifacts = artifacts.of(row));
        Ok(hits)
    }
}

/// What findings and entries are asked about.
struct Wanted<'a> {
    text: &'a str,
    term: Term,
}

impl Wanted<'_> {
    fn entry(&self, entry: &Entry) -> bool {
        entry.action.package.eq_ignore_ascii_case(self.text)
            || entry.evidence.document.to_string() == self.text
            || entry.findings.iter().any(|finding| self.finding(finding))
    }

    fn finding(&self, finding: &Finding) -> bool {
        let (component, vulnerability) = (&finding.found.component, &finding.found.vulnerability);
        let mut ids = std::iter::once(&vulnerability.id).chain(&vulnerability.aliases);
        ids.any(|id| id.eq_ignore_ascii_case(self.text))
            || self.term.fits(&component.name, component.purl.as_deref(), component.cpe.as_deref())
            || finding.found.package.name.eq_ignore_ascii_case(self.text)
            || finding.suppressed.as_ref().is_some_and(|it| it.document.to_string() == self.text)
            || finding.heard.iter().any(|it| it.document.to_string() == self.text)
    }
}

/// Columns of a hit, of an observation `o` of a slot `s`.
const HIT: &str = "s.kind, s.scope, s.product, o.document, o.time, o.document IS s.current";

/// Hits of components between two values of a column that has an index.
pub(super) fn components_sql(column: &str) -> String {
    format!(
        "SELECT {HIT}, c.name, c.version, c.purl, c.written, c.cpe FROM component c JOIN document d ON d.inventory = c.inventory JOIN observation o ON o.document = d.digest JOIN slot s ON s.id = o.slot WHERE c.{column} >= $1 AND c.{column} <= $2"
    )
}

/// Products whose documents have components that `term` fits.
fn components(connection: &Connection, term: &Term) -> Result<Vec<Hit>, StoreError> {
    let sql = components_sql(term.column());
    let mut statement = connection.prepare_cached(&sql)?;
    let mut hits = Vec::new();
    for (first, last) in term.ranges() {
        let rows = statement.query_map(params![first, last], |row| {
            let (name, version, purl) = (row.get(6)?, row.get(7)?, row.get(8)?);
            let (written, cpe) = (row.get(9)?, row.get(10)?);
            hit(row, Some(ComponentHit { name, version, purl, written, cpe }))
        })?;
        for row in rows {
            let hit = row?;
            let fits =
                |it: &ComponentHit| term.fits(&it.name, it.purl.as_deref(), it.cpe.as_deref());
            if hit.component.as_ref().is_some_and(fits) {
                hits.push(hit);
            }
        }
    }
    hits.sort_by_key(|it| (it.ingested_at, it.document));
    Ok(joined(hits))
}

/// Products of that name, or of the project or supplier of that name.
fn named(connection: &Connection, name: &str) -> Result<Vec<Hit>, StoreError> {
    let sql = format!(
        "SELECT {HIT} FROM observation o JOIN slot s ON s.id = o.slot WHERE s.product = $1 COLLATE NOCASE OR s.scope = $1 COLLATE NOCASE ORDER BY o.time, o.document"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![name], |row| hit(row, None))?;
    Ok(joined(rows.collect::<Result<_, _>>()?))
}

/// Products that a document is about; those that a VEX document suppresses findings of are among
/// the findings.
fn documents(connection: &Connection, digest: Digest) -> Result<Vec<Hit>, StoreError> {
    let sql = format!(
        "SELECT {HIT} FROM observation o JOIN slot s ON s.id = o.slot WHERE o.document = $1 ORDER BY o.time"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![Hash(digest)], |row| hit(row, None))?;
    Ok(joined(rows.collect::<Result<_, _>>()?))
}

fn hit(row: &Row<'_>, component: Option<ComponentHit>) -> rusqlite::Result<Hit> {
    let (document, time): (Hash, Time) = (row.get(3)?, row.get(4)?);
    Ok(Hit {
        slot: read::slot(row)?,
        component,
        current: row.get(5)?,
        document: document.0,
        ingested_at: time.0,
        first_seen: time.0,
        documents: 1,
    })
}

/// Hits in the order of their times as one for each product and component: the current document's, else
/// that of the last.
fn joined(hits: Vec<Hit>) -> Vec<Hit> {
    let mut joined: BTreeMap<(Slot, Option<ComponentHit>), Hit> = BTreeMap::new();
    for hit in hits {
        let key = (hit.slot.clone(), hit.component.clone());
        match joined.entry(key) {
            btree_map::Entry::Vacant(entry) => drop(entry.insert(hit)),
            btree_map::Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                known.documents += 1;
                if hit.current || !known.current {
                    *known =
                        Hit { first_seen: known.first_seen, documents: known.documents, ..hit };
                }
            }
        }
    }
    joined.into_values().collect()
}
