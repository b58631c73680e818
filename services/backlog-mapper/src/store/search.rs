//! Where something is: in which products, in which versions, by which documents.

use std::collections::BTreeMap;

use events::Digest;
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::{
    Reader, StoreError,
    columns::{Hash, Time},
    read,
};
use crate::{config::Config, entry::Entry, finding::Finding, register::EntryRow, slot::Slot};

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
    /// Its package URL.
    pub purl: Option<String>,
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
    /// Everything about `term`: a purl, with or without version, the name of a component, a product, a
    /// project or a supplier, the id of a vulnerability, or the digest of a document.
    pub fn search(&self, term: &str, config: &Config) -> Result<Hits, StoreError> {
        let snapshot = self.connection.unchecked_transaction()?;
        let products = match term.parse::<Digest>() {
            Ok(digest) => documents(&snapshot, digest)?,
            Err(_) => {
                let mut hits = named(&snapshot, term)?;
                hits.extend(components(&snapshot, term)?);
                hits
            }
        };
        let mut hits = Hits { products, ..Hits::default() };
        for slot in read::slots(&snapshot)? {
            for finding in read::findings(&snapshot, &slot)? {
                if about(&finding, term) {
                    hits.findings.push(FindingHit { slot: slot.clone(), finding });
                }
            }
            for (id, entry) in read::entries(&snapshot, &slot)? {
                if id.eq_ignore_ascii_case(term) || entry_about(&entry, term) {
                    hits.entries.push(EntryRow::of(id, &slot, &entry, config));
                }
            }
        }
        let Hits { products, findings, entries, truncated } = &mut hits;
        *truncated =
            [products.len(), findings.len(), entries.len()].iter().any(|it| *it > HITS_MAX);
        products.truncate(HITS_MAX);
        findings.truncate(HITS_MAX);
        entries.truncate(HITS_MAX);
        Ok(hits)
    }
}

fn entry_about(entry: &Entry, term: &str) -> bool {
    entry.action.package.eq_ignore_ascii_case(term)
        || entry.evidence.document.to_string() == term
        || entry.findings.iter().any(|finding| about(finding, term))
}

fn about(finding: &Finding, term: &str) -> bool {
    let (component, vulnerability) = (&finding.found.component, &finding.found.vulnerability);
    let mut ids = std::iter::once(&vulnerability.id).chain(&vulnerability.aliases);
    ids.any(|id| id.eq_ignore_ascii_case(term))
        || component.name.eq_ignore_ascii_case(term)
        || finding.found.package.name.eq_ignore_ascii_case(term)
        || component.purl.as_deref().is_some_and(|purl| purl_fits(purl, term))
        || finding.suppressed.as_ref().is_some_and(|it| it.document.to_string() == term)
        || finding.heard.iter().any(|it| it.document.to_string() == term)
}

/// Whether `purl` is `term`, or would be with a version, qualifiers or a subpath.
fn purl_fits(purl: &str, term: &str) -> bool {
    let rest = purl.strip_prefix(term);
    term.starts_with("pkg:")
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['@', '?', '#']))
}

/// Columns of a hit, of an observation `o` of a slot `s`.
const HIT: &str = "s.kind, s.scope, s.product, o.document, o.time, o.document = (SELECT n.document FROM observation n WHERE n.slot = o.slot ORDER BY n.time DESC, n.document DESC, n.event DESC LIMIT 1)";

/// Products whose documents have components of that name or purl.
fn components(connection: &Connection, term: &str) -> Result<Vec<Hit>, StoreError> {
    let is_purl = term.starts_with("pkg:");
    let (filter, second) = match is_purl {
        true => ("c.purl >= $1 AND c.purl <= $2", format!("{term}\u{10ffff}")),
        false => {
            let like = term.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            ("c.name = $1 COLLATE NOCASE OR c.name LIKE '%/' || $2 ESCAPE '\\'", like)
        }
    };
    let sql = format!(
        "SELECT {HIT}, c.name, c.version, c.purl FROM component c JOIN document d ON d.inventory = c.inventory JOIN observation o ON o.document = d.digest JOIN slot s ON s.id = o.slot WHERE {filter} ORDER BY o.time, o.document"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![term, second], |row| {
        let component = ComponentHit { name: row.get(6)?, version: row.get(7)?, purl: row.get(8)? };
        hit(row, Some(component))
    })?;
    let mut hits = Vec::new();
    for row in rows {
        let hit = row?;
        let purl = hit.component.as_ref().and_then(|it| it.purl.as_deref());
        if !is_purl || purl.is_some_and(|purl| purl_fits(purl, term)) {
            hits.push(hit);
        }
    }
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

/// Hits in the order of their times as one for each product and component.
fn joined(hits: Vec<Hit>) -> Vec<Hit> {
    let mut joined: BTreeMap<(Slot, Option<ComponentHit>), Hit> = BTreeMap::new();
    for hit in hits {
        let key = (hit.slot.clone(), hit.component.clone());
        let first = joined.get(&key).map(|it| (it.first_seen, it.documents + 1));
        let (first_seen, documents) = first.unwrap_or((hit.first_seen, 1));
        joined.insert(key, Hit { first_seen, documents, ..hit });
    }
    joined.into_values().collect()
}
