//! What somebody signed.

use events::{BundleRef, Label, Priority, Producer, Scope, SignedEvidence, SignedQuery};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use crate::columns::{Hash, Id, Time};

/// Most stories of one page.
pub(crate) const PAGE: usize = 200;

/// The next page of what `query` asks for; one shorter than [`PAGE`] is the last.
pub(crate) fn page(
    connection: &Connection,
    query: &SignedQuery,
) -> rusqlite::Result<Vec<SignedEvidence>> {
    let (after, producer) = match query.after {
        Some((correlation, producer)) => (correlation, producer.as_str()),
        None => (Uuid::nil(), ""),
    };
    let sql = "SELECT DISTINCT bundle.correlation, bundle.producer, event.id, event.priority,
        event.scope, event.event_time
        FROM bundle JOIN event ON event.correlation = bundle.correlation
        AND event.producer = bundle.producer AND event.event_time = bundle.event_time
        AND event.type IN ('evidence.signed', 'evidence.resigned')
        WHERE bundle.signer = $1 AND (bundle.correlation, bundle.producer) > ($2, $3)
        AND bundle.event_time >= $4
        ORDER BY bundle.correlation, bundle.producer, event.event_time";
    let mut statement = connection.prepare_cached(sql)?;
    let since = Time(query.since.unwrap_or(Timestamp::UNIX_EPOCH));
    let signer = query.signer.as_str();
    let mut rows = statement.query(params![signer, Id(after), producer, since])?;
    let mut page: Vec<SignedEvidence> = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(mut found) = read(row)? else { continue };
        // The first signature counts; another generation of the same signer tells nothing new.
        if page
            .last()
            .is_some_and(|it| (it.correlation, it.producer) == (found.correlation, found.producer))
        {
            continue;
        }
        if page.len() == PAGE {
            break;
        }
        found.bundles = bundles(connection, &found, signer)?;
        page.push(found);
    }
    Ok(page)
}

/// A row that the projector wrote; none if it is not what this release knows.
fn read(row: &Row<'_>) -> rusqlite::Result<Option<SignedEvidence>> {
    let (producer, priority): (String, String) = (row.get(1)?, row.get(3)?);
    let producer = Producer::ALL.into_iter().find(|it| it.as_str() == producer);
    let priority = Priority::ALL.into_iter().find(|it| it.as_str() == priority);
    let scope = row.get::<_, String>(4)?.parse::<Scope>().ok();
    let (Some(producer), Some(priority), Some(scope)) = (producer, priority, scope) else {
        return Ok(None);
    };
    Ok(Some(SignedEvidence {
        correlation: row.get::<_, Id>(0)?.0,
        producer,
        event: row.get::<_, Id>(2)?.0,
        priority,
        scope,
        time: row.get::<_, Time>(5)?.0,
        bundles: Vec::new(),
    }))
}

fn bundles(
    connection: &Connection,
    of: &SignedEvidence,
    signer: &str,
) -> rusqlite::Result<Vec<BundleRef>> {
    let sql = "SELECT digest, name, statement, predicate_type FROM bundle
        WHERE signer = $1 AND correlation = $2 AND producer = $3 AND event_time = $4
        ORDER BY name, digest";
    let mut statement = connection.prepare_cached(sql)?;
    let of = params![signer, Id(of.correlation), of.producer.as_str(), Time(of.time)];
    let rows = statement.query_map(of, |row| {
        let (name, predicate_type): (String, String) = (row.get(1)?, row.get(3)?);
        let (bundle, statement) = (row.get::<_, Hash>(0)?.0, row.get::<_, Hash>(2)?.0);
        let texts = (name.parse().ok(), predicate_type.parse().ok());
        Ok(match texts {
            (Some(name), Some(predicate_type)) => {
                let signer = Some(Label::of(signer));
                Some(BundleRef { bundle, name, statement, predicate_type, signer })
            }
            _ => None,
        })
    })?;
    rows.filter_map(Result::transpose).collect()
}
