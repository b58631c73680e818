//! CycloneDX `vulnerabilities` as VEX: those that have been analysed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::Value;

use super::{
    Copies, Document, Edition, Format, Product, Statement, Status, Version, VexError, owned, time,
};
use crate::bom::{Bom, BomError, Component, Problems};
use crate::schema::CycloneDxVersion;
use crate::schema::json::{items, text};

/// The version that brought `vulnerabilities`.
pub(crate) const FIRST: CycloneDxVersion = CycloneDxVersion::V1_4;

/// The document as VEX.
pub(super) fn document(bom: Bom, document: &Value) -> Result<Document, VexError> {
    if bom.statements.is_empty() {
        return Err(VexError::NoStatements);
    }
    let authors = document.get("metadata").map_or(&[][..], |it| items(it, "authors"));
    Ok(Document {
        format: Format::CycloneDx,
        id: link(&bom).unwrap_or_default(),
        edition: Edition::of(
            bom.serial.as_deref().map(str::to_ascii_lowercase),
            Some(Version([bom.bom_version, 0, 0])),
        ),
        author: bom.supplier.or_else(|| authors.iter().find_map(|it| owned(it, "name"))),
        timestamp: bom.timestamp,
        tlp: None,
        statements: bom.statements,
    })
}

/// What the document says about its own components, or those of others.
pub(crate) fn statements(
    document: &Value,
    bom: &Bom,
    problems: &mut Problems,
) -> Result<Vec<Statement>, BomError> {
    let mut reader =
        Reader { own: own_components(bom), link: link(bom), copies: Copies::default() };
    let mut statements = Vec::new();
    for (index, vulnerability) in items(document, "vulnerabilities").iter().enumerate() {
        let Some(analysis) = vulnerability.get("analysis") else { continue };
        let Some(status) = status(analysis) else { continue };
        let Some(id) = text(vulnerability, "id").filter(|id| !id.is_empty()) else {
            let place = format_args!("/vulnerabilities/{index}");
            let message = format_args!("has an analysis, but no `id` that it could be about");
            problems.add("vulnerability-without-id", place, message);
            continue;
        };
        let affects = items(vulnerability, "affects").iter();
        let updated = time(analysis, "lastUpdated").or_else(|| time(analysis, "firstIssued"));
        statements.push(Statement {
            vulnerability: id.to_owned(),
            aliases: items(vulnerability, "references")
                .iter()
                .filter_map(|it| owned(it, "id"))
                .collect(),
            status,
            justification: owned(analysis, "justification"),
            statement: owned(analysis, "detail").filter(|text| !text.is_empty()),
            products: affects.map(|it| reader.product(it, status)).collect::<Result<_, _>>()?,
            timestamp: updated.or(bom.timestamp),
        });
    }
    Ok(statements)
}

/// The BOM-Link of a document: `urn:cdx:<serial>/<version>`.
pub(crate) fn link(bom: &Bom) -> Option<String> {
    let serial = bom.serial.as_deref()?;
    let uuid = serial.strip_prefix("urn:uuid:").unwrap_or(serial);
    Some(format!("urn:cdx:{uuid}/{}", bom.bom_version))
}

/// Each bom-ref with what it names; with nothing if it names several.
fn own_components(bom: &Bom) -> HashMap<&str, Option<&Component>> {
    let mut own = HashMap::new();
    for component in bom.subject.iter().chain(&bom.components) {
        let Some(name) = component.bom_ref.as_deref() else { continue };
        match own.entry(name) {
            Entry::Vacant(entry) => drop(entry.insert(Some(component))),
            Entry::Occupied(mut entry) => drop(entry.insert(None)),
        }
    }
    own
}

pub(crate) fn status(analysis: &Value) -> Option<Status> {
    match text(analysis, "state")? {
        "resolved" | "resolved_with_pedigree" => Some(Status::Fixed),
        "exploitable" => Some(Status::Affected),
        "in_triage" => Some(Status::UnderInvestigation),
        "false_positive" | "not_affected" => Some(Status::NotAffected),
        _ => None,
    }
}

struct Reader<'a> {
    own: HashMap<&'a str, Option<&'a Component>>,
    /// BOM-Link of the document.
    link: Option<String>,
    copies: Copies,
}

impl Reader<'_> {
    /// A bom-ref means something only within its document. Where the document can be named, the
    /// product gets its full name, so that the same bom-ref elsewhere is another product.
    fn product(&mut self, affected: &Value, status: Status) -> Result<Product, BomError> {
        let name = text(affected, "ref").unwrap_or_default();
        let (mut id, mut aliases) = (name.to_owned(), Vec::new());
        if let Some(own) = self.own.get(name) {
            let (link, purl) = (self.link.as_deref(), own.and_then(|it| it.purl.as_deref()));
            self.copies.add(link.into_iter().chain(purl))?;
            if let Some(link) = link {
                id = format!("{link}#{name}");
            }
            aliases.extend(purl.map(str::to_owned));
        }
        let versions = affected.get("versions").map(|_| {
            let listed = items(affected, "versions").iter();
            listed.filter(|it| agrees(it, status)).filter_map(|it| owned(it, "version")).collect()
        });
        Ok(Product { id, aliases, subcomponents: Vec::new(), versions })
    }
}

/// Whether the status of one version is that of the statement. The schema's default is `affected`,
/// but where a version has no status, its author meant that of the statement.
fn agrees(version: &Value, status: Status) -> bool {
    match text(version, "status") {
        None => true,
        Some("affected") => matches!(status, Status::Affected | Status::UnderInvestigation),
        Some("unaffected") => matches!(status, Status::NotAffected | Status::Fixed),
        Some(_) => status == Status::UnderInvestigation,
    }
}
