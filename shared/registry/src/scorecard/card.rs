//! The scorecard of one supplier, with its lists.

use events::SupplierId;
use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, Row, params, types::ToSql};

use super::{Graded, MAX_LISTED, Product, Rejections, SUPPLIER, Scorecard, summary};
use crate::{
    columns::{Hash, Number, Time},
    explain::parsed,
};

/// How `supplier` does; none if it has submitted nothing. Only what was decided at `since` or later is
/// counted.
pub(crate) fn card(
    connection: &Connection,
    supplier: &SupplierId,
    since: Option<Timestamp>,
) -> rusqlite::Result<Option<Scorecard>> {
    let supplier = supplier.as_str();
    if !is_known(connection, supplier)? {
        return Ok(None);
    }
    let mut more = 0;
    let since_then = Time(since.unwrap_or(Timestamp::MIN));
    let of = params![SUPPLIER, supplier, since_then];
    let rejections = listed(connection.prepare_cached(REJECTIONS)?, of, rejections, &mut more)?;
    let grades = listed(connection.prepare_cached(GRADES)?, of, graded, &mut more)?;
    let of = params![SUPPLIER, supplier];
    let products = listed(connection.prepare_cached(PRODUCTS)?, of, product, &mut more)?;
    let summary = summary(connection, supplier, since)?;
    Ok(Some(Scorecard { summary, rejections, grades, products, more }))
}

const REJECTIONS: &str = "SELECT COALESCE(rule, 'unknown'), COUNT(*) FROM decision
    WHERE sender = $1 AND scope = $2 AND signed = 1 AND ingested_at >= $3 AND result = 'rejected'
    GROUP BY rule ORDER BY COUNT(*) DESC, rule";

const GRADES: &str = "SELECT ingested_at, product, grade, result, document FROM decision
    WHERE sender = $1 AND scope = $2 AND signed = 1 AND ingested_at >= $3 AND grade IS NOT NULL
    ORDER BY ingested_at DESC, correlation";

/// A document is as new as it says, and no newer than its ingestion: an old one that comes late is old.
const PRODUCTS: &str = "SELECT digest, ingested_at, product, format, made_at, signer, grade, documents
    FROM (SELECT *, COUNT(*) OVER (PARTITION BY product) AS documents,
        ROW_NUMBER() OVER (PARTITION BY product ORDER BY made DESC, ingested_at DESC, digest) AS place
        FROM (SELECT *, CASE WHEN made_at < ingested_at THEN made_at ELSE ingested_at END AS made
            FROM supplier_document WHERE sender = $1 AND scope = $2 AND kind = 'sbom') AS sbom) AS placed
    WHERE place = 1 ORDER BY made, product";

/// The first rows, read; those that are left out are counted.
fn listed<T>(
    mut statement: CachedStatement<'_>,
    of: &[&dyn ToSql],
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
    more: &mut u64,
) -> rusqlite::Result<Vec<T>> {
    let mut rows = statement.query(of)?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        match listed.len() < MAX_LISTED {
            true => listed.push(read(row)?),
            false => *more += 1,
        }
    }
    Ok(listed)
}

fn is_known(connection: &Connection, supplier: &str) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM submission WHERE sender = $1 AND scope = $2)
        OR EXISTS (SELECT 1 FROM decision WHERE sender = $1 AND scope = $2)",
    )?;
    statement.query_row(params![SUPPLIER, supplier], |row| row.get(0))
}

fn rejections(row: &Row<'_>) -> rusqlite::Result<Rejections> {
    Ok(Rejections { rule: row.get(0)?, documents: row.get::<_, Number>(1)?.0 })
}

fn graded(row: &Row<'_>) -> rusqlite::Result<Graded> {
    Ok(Graded {
        ingested_at: row.get::<_, Time>(0)?.0,
        product: row.get(1)?,
        grade: row.get(2)?,
        result: row.get(3)?,
        document: row.get::<_, Option<Hash>>(4)?.map(|it| it.0),
    })
}

fn product(row: &Row<'_>) -> rusqlite::Result<Product> {
    Ok(Product {
        document: row.get::<_, Hash>(0)?.0,
        ingested_at: row.get::<_, Time>(1)?.0,
        parsed: parsed(row, 2)?,
        documents: row.get::<_, Number>(7)?.0,
    })
}
