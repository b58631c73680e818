//! The least that a document costs: parsed, held against its schema, and its components in a database.
//! A process of its own, as services are.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, ensure};
use events::Digest;
use jsonschema::{Registry, Validator};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::processes::peak_memory;

const BOM: &str = include_str!("../../../../../shared/documents/schemas/bom-1.6.schema.json");
const REFERRED: [(&str, &str); 2] = [
    (
        "http://cyclonedx.org/schema/spdx.schema.json",
        include_str!("../../../../../shared/documents/schemas/spdx.schema.json"),
    ),
    (
        "http://cyclonedx.org/schema/jsf-0.82.schema.json",
        include_str!("../../../../../shared/documents/schemas/jsf-0.82.schema.json"),
    ),
];
/// The tables of the mapper, which the pipeline fills.
const TABLES: &str = include_str!("../../../../../services/backlog-mapper/schema/0001.sql");
/// The schema's validator and the database are warm after it, as those of services are.
const WARM_UP: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}"#;

/// What the process of the floor is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directory of the documents
    documents: PathBuf,
    /// Database to make
    #[arg(long)]
    database: PathBuf,
}

/// What the floor took.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Floor {
    /// Each document's, by the names of their files.
    pub(crate) documents: Vec<Times>,
    /// Most memory that the process ever had (`VmHWM`).
    pub(crate) peak_memory_bytes: u64,
}

/// What one document took, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Times {
    /// To parse it, by serde_json.
    pub(crate) parse_ms: f64,
    /// To hold it against the official schema.
    pub(crate) validate_ms: f64,
    /// To insert its components, in one transaction that is on disk at its end.
    pub(crate) transaction_ms: f64,
}

impl Times {
    pub(crate) fn total_ms(&self) -> f64 {
        self.parse_ms + self.validate_ms + self.transaction_ms
    }
}

/// Measures every document in `documents` in a process of its own.
pub(crate) fn measure(documents: &Path, database: &Path) -> anyhow::Result<Floor> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("ingest-floor").arg(documents).arg("--database").arg(database);
    let output = command.output().context("cannot start the floor")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the floor ended ({}): {said}", output.status);
    serde_json::from_slice(&output.stdout).context("the floor's numbers cannot be read")
}

/// The process: prints a [`Floor`] as JSON.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let validator = validator()?;
    let mut connection = open(&args.database)?;
    take(WARM_UP.as_bytes(), &validator, &mut connection)?;
    let entries = fs::read_dir(&args.documents)
        .with_context(|| format!("cannot read {}", args.documents.display()))?;
    let mut files: Vec<_> =
        entries.map(|entry| entry.map(|it| it.path())).collect::<Result<_, _>>()?;
    files.sort_unstable();
    let mut documents = Vec::with_capacity(files.len());
    for file in files {
        documents.push(take(&fs::read(&file)?, &validator, &mut connection)?);
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let peak_memory_bytes = peak_memory(&status).context("/proc names no VmHWM")?;
    println!("{}", serde_json::to_string(&Floor { documents, peak_memory_bytes })?);
    Ok(())
}

fn take(bytes: &[u8], validator: &Validator, connection: &mut Connection) -> anyhow::Result<Times> {
    let (document, parse_ms) = timed(|| Ok(serde_json::from_slice::<Value>(bytes)?))?;
    let (is_valid, validate_ms) = timed(|| Ok(validator.is_valid(&document)))?;
    ensure!(is_valid, "a document of the benchmark is not valid CycloneDX");
    let (_, transaction_ms) = timed(|| insert(connection, Digest::of(bytes), &document))?;
    Ok(Times { parse_ms, validate_ms, transaction_ms })
}

fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, f64)> {
    let began = Instant::now();
    let done = work()?;
    Ok((done, began.elapsed().as_secs_f64() * 1_000.0))
}

/// Formats are asserted, as the pipeline does.
fn validator() -> anyhow::Result<Validator> {
    let mut registry = Registry::new();
    for (uri, text) in REFERRED {
        registry = registry.add(uri, serde_json::from_str::<Value>(text)?)?;
    }
    let registry = registry.prepare()?;
    let options = jsonschema::options().with_registry(&registry).should_validate_formats(true);
    options.build(&serde_json::from_str(BOM)?).context("the schema of CycloneDX 1.6")
}

/// As durable as the mapper's.
fn open(path: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

fn insert(connection: &mut Connection, digest: Digest, document: &Value) -> anyhow::Result<()> {
    let components = document["components"].as_array().context("a document without components")?;
    let id = &digest.as_bytes()[..];
    let transaction = connection.transaction()?;
    let sql = "INSERT INTO inventory (id, components, found) VALUES ($1, $2, '[]')";
    transaction.execute(sql, params![id, i64::try_from(components.len())?])?;
    let sql = "INSERT INTO document (digest, inventory, facts) VALUES ($1, $1, '{}')";
    transaction.execute(sql, params![id])?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO component (inventory, position, name, version, purl, bom_ref) VALUES ($1, $2, $3, $4, $5, $6)",
    )?;
    for (position, component) in (0_i64..).zip(components) {
        let text = |key: &str| component[key].as_str();
        let row =
            params![id, position, text("name"), text("version"), text("purl"), text("bom-ref")];
        insert.execute(row)?;
    }
    drop(insert);
    Ok(transaction.commit()?)
}
