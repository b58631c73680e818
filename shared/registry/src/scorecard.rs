//! How suppliers do: what became of their documents, why some were rejected, how good and how fresh
//! they are.

mod card;

use events::{Digest, SupplierId};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

pub(crate) use self::card::card;
use crate::{
    columns::{Number, Time},
    story::Parsed,
};

/// Most suppliers of one page.
pub const PAGE: usize = 200;
/// Most entries of each list of a [`Scorecard`]; what is left out is counted.
pub const MAX_LISTED: usize = 100;
/// The column `sender` of what suppliers submit.
const SUPPLIER: &str = "supplier";

/// How a supplier does, in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The supplier.
    pub supplier: String,
    /// Submissions that got their answer.
    pub documents: u64,
    /// Those that were accepted, a document that was submitted again included.
    pub accepted: u64,
    /// Those that were rejected.
    pub rejected: u64,
    /// Submissions without an answer: on their way, or in quarantine.
    pub unanswered: u64,
    /// When the newest SBOM was ingested that was accepted; of a document that was submitted again the
    /// first time counts. Whatever `since` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_sbom: Option<Timestamp>,
    /// The grade that was given last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_grade: Option<String>,
}

/// How a supplier does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scorecard {
    /// In one line.
    #[serde(flatten)]
    pub summary: Summary,
    /// Why documents were rejected, the most frequent rule first.
    pub rejections: Vec<Rejections>,
    /// Grades that were given, the newest first.
    pub grades: Vec<Graded>,
    /// The newest accepted SBOM of each product, whatever `since` is; the stalest first.
    pub products: Vec<Product>,
    /// How many entries the lists above leave out, all together.
    pub more: u64,
}

/// How many documents a rule rejected: the one that weighed most against each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejections {
    /// The rule; `unknown` where an older release did not say.
    pub rule: String,
    /// Documents.
    pub documents: u64,
}

/// A grade that an SBOM was given, accepted or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graded {
    /// When.
    pub ingested_at: Timestamp,
    /// The product that the SBOM is about, where it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// `A` to `F`.
    pub grade: String,
    /// `accepted` or `rejected`.
    pub result: String,
    /// The SBOM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Digest>,
}

/// The newest SBOM of a product that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The SBOM.
    pub document: Digest,
    /// When it was ingested first.
    pub ingested_at: Timestamp,
    /// What it says of itself, who signed it and how good it is.
    #[serde(flatten)]
    pub parsed: Parsed,
    /// How many different SBOMs of the product were accepted.
    pub documents: u64,
}

/// The suppliers after `after`, in the order of their ids, [`PAGE`] at most: one page shorter than that
/// is the last. Only what was decided at `since` or later is counted.
pub(crate) fn summaries(
    connection: &Connection,
    after: Option<&SupplierId>,
    since: Option<Timestamp>,
) -> rusqlite::Result<Vec<Summary>> {
    let mut last = after.map_or_else(String::new, |it| it.as_str().to_owned());
    let mut summaries = Vec::new();
    while summaries.len() < PAGE {
        let Some(supplier) = next(connection, &last)? else { break };
        summaries.push(summary(connection, &supplier, since)?);
        last = supplier;
    }
    Ok(summaries)
}

/// When the newest SBOM of each supplier was ingested that was accepted, for at most `limit` suppliers
/// in the order of their ids.
pub(crate) fn newest_sboms(
    connection: &Connection,
    limit: usize,
) -> rusqlite::Result<Vec<(String, Timestamp)>> {
    let mut newest = Vec::new();
    let mut last = String::new();
    while newest.len() < limit {
        let Some(supplier) = next(connection, &last)? else { break };
        newest.extend(newest_sbom(connection, &supplier)?.map(|at| (supplier.clone(), at)));
        last = supplier;
    }
    Ok(newest)
}

/// The next supplier that submitted something: one look into the index, however much it submitted.
fn next(connection: &Connection, after: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT MIN(scope) FROM (
        SELECT MIN(scope) AS scope FROM submission WHERE sender = $1 AND scope > $2
        UNION ALL SELECT MIN(scope) AS scope FROM decision WHERE sender = $1 AND scope > $2)";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![SUPPLIER, after], |row| row.get(0))
}

fn summary(
    connection: &Connection,
    supplier: &str,
    since: Option<Timestamp>,
) -> rusqlite::Result<Summary> {
    let since = Time(since.unwrap_or(Timestamp::MIN));
    let sql = "SELECT COUNT(*), COUNT(CASE WHEN result = 'accepted' THEN 1 END) FROM decision
        WHERE sender = $1 AND scope = $2 AND signed = 1 AND ingested_at >= $3";
    let mut statement = connection.prepare_cached(sql)?;
    let of = params![SUPPLIER, supplier, since];
    let (documents, accepted) = statement
        .query_row(of, |row| Ok((row.get::<_, Number>(0)?.0, row.get::<_, Number>(1)?.0)))?;
    let sql =
        "SELECT COUNT(*) FROM submission WHERE sender = $1 AND scope = $2 AND event_time >= $3
        AND NOT EXISTS (SELECT 1 FROM decision
        WHERE decision.correlation = submission.correlation AND signed = 1)";
    let unanswered =
        connection.prepare_cached(sql)?.query_row(of, |row| row.get::<_, Number>(0))?.0;
    let sql = "SELECT grade FROM decision
        WHERE sender = $1 AND scope = $2 AND signed = 1 AND ingested_at >= $3
        AND grade IS NOT NULL ORDER BY ingested_at DESC, correlation LIMIT 1";
    let last_grade = connection.prepare_cached(sql)?.query_row(of, |row| row.get(0)).optional()?;
    Ok(Summary {
        supplier: supplier.to_owned(),
        documents,
        accepted,
        rejected: documents.saturating_sub(accepted),
        unanswered,
        newest_sbom: newest_sbom(connection, supplier)?,
        last_grade,
    })
}

fn newest_sbom(connection: &Connection, supplier: &str) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT MAX(ingested_at) FROM supplier_document
        WHERE sender = $1 AND scope = $2 AND kind = 'sbom'";
    let mut statement = connection.prepare_cached(sql)?;
    let newest =
        statement.query_row(params![SUPPLIER, supplier], |row| row.get::<_, Option<Time>>(0))?;
    Ok(newest.map(|it| it.0))
}
