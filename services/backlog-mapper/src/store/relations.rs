//! What is known of suppliers themselves, whatever their products contain.

use std::{collections::HashMap, sync::PoisonError};

use events::{Label, Scope, Sender};
use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};
use uuid::Uuid;

use super::{
    Store, StoreError,
    columns::{Id, Number, Time},
    ids::{self, RISK_DIGITS},
    open::parse,
};
use crate::relation::{self, Delivery, REFUSALS_MAX, Refusal, Refused, Relation};

impl Store {
    /// Notes a refusal that a release answered which did not keep it; whether it was not known.
    pub fn note_refusal(
        &self,
        event: Uuid,
        time: Timestamp,
        refusal: &Refusal,
    ) -> Result<bool, StoreError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        let is_new = refuse(&transaction, event, time, refusal)?;
        transaction.commit()?;
        Ok(is_new)
    }
}

/// Notes that something came from a supplier.
pub(super) fn meet(transaction: &Transaction<'_>, supplier: &str) -> Result<(), StoreError> {
    let mut known = transaction.prepare_cached("SELECT 1 FROM supplier WHERE name = $1")?;
    if known.exists(params![supplier])? {
        return Ok(());
    }
    let fingerprint = relation::fingerprint(supplier);
    let id = ids::free(transaction, "supplier", relation::PREFIX, fingerprint, RISK_DIGITS)?;
    let sql = "INSERT INTO supplier (id, name) VALUES ($1, $2)";
    transaction.execute(sql, params![id, supplier])?;
    Ok(())
}

/// Notes a refusal, once for each event; whether it was not known.
pub(super) fn refuse(
    transaction: &Transaction<'_>,
    event: Uuid,
    time: Timestamp,
    refusal: &Refusal,
) -> Result<bool, StoreError> {
    let Refusal { supplier, rule, .. } = refusal;
    meet(transaction, supplier.as_str())?;
    let sql = "INSERT INTO refusal (event, supplier, time, rule) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let mut insert = transaction.prepare_cached(sql)?;
    let rule = rule.as_ref().map(Label::as_str);
    Ok(insert.execute(params![Id(event), supplier.as_str(), Time(time), rule])? > 0)
}

/// Every supplier that has sent something, in order.
pub(super) fn all(connection: &Connection) -> Result<Vec<Relation>, StoreError> {
    let (mut deliveries, accepted) = (deliveries(connection)?, accepted(connection)?);
    let sql = "SELECT s.id, s.name, EXISTS (SELECT 1 FROM version v WHERE v.kind = 'risk' AND v.id = s.id AND v.body IS NOT NULL) FROM supplier s ORDER BY s.name";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, bool>(2)?))
    })?;
    let mut relations = Vec::new();
    for row in rows {
        let (id, name, was_told) = row?;
        let accepted = accepted.get(&name).copied();
        relations.push(Relation {
            id,
            deliveries: deliveries.remove(&name).unwrap_or_default(),
            refused: refused(connection, &name, accepted)?,
            last_refused: last_refused(connection, &name)?,
            supplier: Scope::of(&name),
            was_told,
        });
    }
    Ok(relations)
}

/// Each supplier's products with the time of their current document: what it says of itself, but no later
/// than it was ingested.
fn deliveries(connection: &Connection) -> Result<HashMap<String, Vec<Delivery>>, StoreError> {
    let sql = "SELECT s.scope, s.product, json_extract(d.facts, '$.timestamp'), (SELECT MIN(o.time) FROM observation o WHERE o.document = s.current AND o.slot = s.id) FROM slot s JOIN document d ON d.digest = s.current WHERE s.kind = 'supplier' ORDER BY s.scope, s.product";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        let names = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
        Ok((names, row.get::<_, Option<String>>(2)?, row.get::<_, Option<Time>>(3)?))
    })?;
    let mut deliveries: HashMap<String, Vec<Delivery>> = HashMap::new();
    for row in rows {
        let ((supplier, product), said, ingested) = row?;
        let Some(Time(ingested)) = ingested else { continue };
        let said: Option<Timestamp> = said.and_then(|it| it.parse().ok());
        let made = said.map_or(ingested, |it| it.min(ingested));
        deliveries.entry(supplier).or_default().push(Delivery { product, made });
    }
    Ok(deliveries)
}

/// When something of each supplier was accepted last.
fn accepted(connection: &Connection) -> Result<HashMap<String, Timestamp>, StoreError> {
    let mut accepted: HashMap<String, Timestamp> = HashMap::new();
    let mut add = |supplier: String, time: Timestamp| {
        let last = accepted.entry(supplier).or_insert(time);
        *last = time.max(*last);
    };
    let sql = "SELECT s.scope, MAX(o.time) FROM slot s JOIN observation o ON o.slot = s.id WHERE s.kind = 'supplier' GROUP BY s.scope";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        add(row.get(0)?, row.get::<_, Time>(1)?.0);
    }
    let sql = "SELECT sender, MAX(time) FROM vex GROUP BY sender";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Sender::Supplier(supplier) = parse(&row.get::<_, String>(0)?)? {
            add(supplier.as_str().to_owned(), row.get::<_, Time>(1)?.0);
        }
    }
    Ok(accepted)
}

/// What was refused after `accepted`, by rule.
fn refused(
    connection: &Connection,
    supplier: &str,
    accepted: Option<Timestamp>,
) -> Result<Vec<Refused>, StoreError> {
    let sql = "SELECT rule, COUNT(*) FROM (SELECT rule FROM refusal WHERE supplier = $1 AND time > $2 ORDER BY time DESC, rule DESC LIMIT $3) GROUP BY rule ORDER BY rule";
    let mut statement = connection.prepare_cached(sql)?;
    let since = Time(accepted.unwrap_or(Timestamp::MIN));
    let rows = statement.query_map(params![supplier, since, Number(REFUSALS_MAX)], |row| {
        Ok(Refused { rule: row.get(0)?, count: row.get::<_, Number>(1)?.0 })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn last_refused(connection: &Connection, supplier: &str) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT MAX(time) FROM refusal WHERE supplier = $1";
    let mut statement = connection.prepare_cached(sql)?;
    let last = statement.query_row(params![supplier], |row| row.get::<_, Option<Time>>(0))?;
    Ok(last.map(|it| it.0))
}
