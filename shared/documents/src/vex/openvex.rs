//! OpenVEX, read after its schema was applied.

use std::iter;

use serde_json::Value;

use super::{
    Copies, Document, Edition, Format, Product, Statement, Status, Version, VexError, owned, time,
};
use crate::schema::json::{self, items, text};
use crate::schema::validator;

const MAX_QUOTED_CHARS: usize = 80;

pub(super) fn read(bytes: &[u8]) -> Result<Document, VexError> {
    let (document, weight) = json::read(bytes)?;
    let format = format(&document)?;
    let validator = match format {
        Format::OpenVex0_0_1 => validator::openvex_0_0_1(),
        _ => validator::openvex_0_2_0(),
    };
    let validator =
        validator.map_err(|message| VexError::BrokenSchema { format: format.name(), message })?;
    let violations = validator.violations(&document, weight);
    if !violations.is_empty() {
        return Err(VexError::Invalid { format: format.name(), violations });
    }
    let mut copies = Copies::default();
    let statements =
        items(&document, "statements").iter().map(|it| statement(it, &document, &mut copies));
    Ok(Document {
        format,
        id: owned(&document, "@id").unwrap_or_default(),
        author: owned(&document, "author"),
        timestamp: time(&document, "last_updated").or_else(|| time(&document, "timestamp")),
        edition: Edition::of(owned(&document, "@id"), Version::of(document.get("version"))),
        tlp: None,
        statements: statements.collect::<Result<_, _>>()?,
    })
}

fn format(document: &Value) -> Result<Format, VexError> {
    let context = text(document, "@context").unwrap_or_default();
    let version = context.strip_prefix("https://openvex.dev/ns").ok_or(VexError::NotVex)?;
    match version {
        "" | "/v0.0.1" => Ok(Format::OpenVex0_0_1),
        "/v0.2.0" => Ok(Format::OpenVex0_2_0),
        _ => Err(VexError::UnsupportedVersion {
            found: context.chars().take(MAX_QUOTED_CHARS).collect(),
        }),
    }
}

fn statement(value: &Value, document: &Value, copies: &mut Copies) -> Result<Statement, VexError> {
    let vulnerability = value.get("vulnerability").unwrap_or(&Value::Null);
    let (name, aliases) = match vulnerability.as_str() {
        Some(name) => (name, &[][..]),
        None => (text(vulnerability, "name").unwrap_or_default(), items(vulnerability, "aliases")),
    };
    // In 0.0.1 they are the statement's, not the product's.
    let shared: Vec<String> = items(value, "subcomponents").iter().flat_map(names).collect();
    let products =
        items(value, "products").iter().filter_map(|it| product(it, &shared, copies).transpose());
    Ok(Statement {
        vulnerability: name.to_owned(),
        aliases: aliases.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        status: status(value),
        justification: owned(value, "justification"),
        statement: ["impact_statement", "action_statement", "status_notes"]
            .into_iter()
            .find_map(|key| owned(value, key).filter(|text| !text.is_empty())),
        products: products.collect::<Result<_, _>>()?,
        timestamp: time(value, "timestamp").or_else(|| time(document, "timestamp")),
    })
}

/// The schema admits no status but these.
fn status(value: &Value) -> Status {
    match text(value, "status") {
        Some("not_affected") => Status::NotAffected,
        Some("affected") => Status::Affected,
        Some("fixed") => Status::Fixed,
        _ => Status::UnderInvestigation,
    }
}

fn product(
    value: &Value,
    shared: &[String],
    copies: &mut Copies,
) -> Result<Option<Product>, VexError> {
    // A product of four bytes becomes one of a hundred.
    copies.add(iter::once("").chain(shared.iter().map(String::as_str)))?;
    let mut names = names(value).into_iter();
    let Some(id) = names.next() else { return Ok(None) };
    let own = items(value, "subcomponents").iter().flat_map(self::names);
    let subcomponents = own.chain(shared.iter().cloned()).collect();
    Ok(Some(Product { id, aliases: names.collect(), subcomponents, versions: None }))
}

/// Every name of a product or subcomponent: a text in 0.0.1, an object in 0.2.0.
fn names(value: &Value) -> Vec<String> {
    if let Some(name) = value.as_str() {
        return vec![name.to_owned()];
    }
    let identifiers = value.get("identifiers").unwrap_or(&Value::Null);
    let digest = value.get("hashes").and_then(|it| text(it, "sha-256"));
    let mut names: Vec<_> = [
        owned(value, "@id"),
        owned(identifiers, "purl"),
        digest.map(|hex| format!("sha256:{hex}")),
        owned(identifiers, "cpe23"),
        owned(identifiers, "cpe22"),
    ]
    .into_iter()
    .flatten()
    .collect();
    names.dedup();
    names
}
