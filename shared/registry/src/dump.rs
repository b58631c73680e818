//! Every fact as text, always in the same order: what two registries are compared by.

use std::io::{self, Write};

use events::{Digest, Digester};
use rusqlite::{Connection, Row, types::ValueRef};
use serde_json::{Map, Value};

use crate::RegistryError;

/// Tables of facts, each with what orders its rows. What is pending, planned or about the schema
/// is no fact.
pub(crate) const TABLES: [(&str, &str); 24] = [
    ("event", "id"),
    ("repeat", "stream, sequence"),
    ("foreign_message", "stream, sequence"),
    ("build", "correlation"),
    ("artifact", "correlation, name"),
    ("input", "correlation, path"),
    ("document", "correlation, producer, role, name, digest"),
    ("statement", "correlation, producer, digest, name"),
    ("bundle", "correlation, producer, digest, name"),
    ("verdict", "correlation, signed"),
    ("newest_release", "project"),
    ("submission", "correlation"),
    ("decision", "correlation, signed"),
    ("supplier_document", "sender, scope, digest"),
    ("advisory_index", "correlation"),
    ("mapping", "correlation"),
    ("mapped_entry", "correlation, change, entry"),
    ("attempt", "number"),
    ("quarantine", "id"),
    ("unfinished", "stream, sequence"),
    ("tally", "name"),
    ("progress", "stream"),
    ("gap", "stream, first_missing"),
    ("segment", "number"),
];

/// Writes every fact to `out` and returns the digest of what was written.
pub(crate) fn dump(connection: &Connection, out: &mut impl Write) -> Result<Digest, RegistryError> {
    let snapshot = connection.unchecked_transaction()?;
    let mut digester = Digester::default();
    for (table, order) in TABLES {
        let mut statement = snapshot.prepare(&format!("SELECT * FROM {table} ORDER BY {order}"))?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut line = line(table, &columns, row)?.to_string();
            line.push('\n');
            digester.update(line.as_bytes());
            out.write_all(line.as_bytes()).map_err(failed)?;
        }
    }
    out.flush().map_err(failed)?;
    Ok(digester.finish())
}

fn line(table: &str, columns: &[String], row: &Row<'_>) -> rusqlite::Result<Value> {
    let mut values = Map::new();
    values.insert("table".to_owned(), table.into());
    for (index, column) in columns.iter().enumerate() {
        let value = match row.get_ref(index)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
            ValueRef::Blob(bytes) => hex::encode(bytes).into(),
        };
        values.insert(column.clone(), value);
    }
    Ok(Value::Object(values))
}

fn failed(reason: io::Error) -> RegistryError {
    RegistryError::File { action: "write the dump to", path: "its output".into(), reason }
}
