//! From a digest or an id to the stories that it is part of.

mod build;
mod evidence;
mod mapped;
mod submission;
mod trail;

use std::collections::{BTreeMap, BTreeSet};

use events::Digest;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

pub(crate) use self::submission::{of_sender, parsed, supplier_documents};
use crate::{
    columns::{Hash, Id, Time},
    story::{Explanation, Found, MAX_BUILDS, MAX_COUNTED, MAX_LISTED},
};

/// Most rows of one table that are looked at: a policy lies behind every build there ever was.
const MAX_ROWS: usize = 10 * MAX_COUNTED;

/// Where a digest is looked up: table, its column, and what else tells what the digest is.
pub(crate) const PLACES: [Place; 11] = [
    Place { table: "artifact", column: "digest", name: "name", detail: "''" },
    Place { table: "input", column: "digest", name: "path", detail: "''" },
    Place { table: "document", column: "digest", name: "name", detail: "role" },
    Place { table: "statement", column: "digest", name: "name", detail: "predicate_type" },
    Place { table: "bundle", column: "digest", name: "name", detail: "predicate_type" },
    Place { table: "verdict", column: "policy", name: "''", detail: "'policy'" },
    Place { table: "verdict", column: "report", name: "''", detail: "'report'" },
    Place { table: "submission", column: "document", name: "COALESCE(name, '')", detail: "scope" },
    Place { table: "submission", column: "bundle", name: "COALESCE(name, '')", detail: "scope" },
    Place { table: "decision", column: "policy", name: "''", detail: "'policy'" },
    Place { table: "advisory_index", column: "digest", name: "''", detail: "''" },
];

/// A column that holds digests; it has an index together with the event time.
pub(crate) struct Place {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    name: &'static str,
    detail: &'static str,
}

/// Builds and submissions that name a digest.
#[derive(Default)]
struct Candidates {
    /// When each named it last.
    builds: BTreeMap<Uuid, Timestamp>,
    found_as: BTreeSet<Found>,
}

/// Only what was known then.
#[derive(Clone, Copy)]
struct AsOf(Option<Timestamp>);

impl AsOf {
    /// For comparison with `known_at`.
    fn limit(self) -> Time {
        Time(self.0.unwrap_or(Timestamp::MAX))
    }
}

/// What a correlation is the id of.
enum Kind {
    Build,
    Submission,
    Update,
}

/// The story of `digest`.
pub(crate) fn digest(
    connection: &Connection,
    digest: Digest,
    as_of: Option<Timestamp>,
) -> rusqlite::Result<Explanation> {
    let candidates = candidates(connection, digest, AsOf(as_of))?;
    let newest = newest_first(&candidates);
    let shown = &newest[..newest.len().min(MAX_BUILDS)];
    Ok(Explanation {
        digest: Some(digest),
        found_as: candidates.found_as.into_iter().collect(),
        more_builds: newest.len().saturating_sub(MAX_BUILDS).min(MAX_COUNTED) as u64,
        ..stories(connection, shown, AsOf(as_of))?
    })
}

/// The story of what has `id`, or one of whose events has, or that its sender calls so.
pub(crate) fn id(
    connection: &Connection,
    id: Uuid,
    as_of: Option<Timestamp>,
) -> rusqlite::Result<Explanation> {
    let known = AsOf(as_of);
    let sql = "SELECT correlation FROM event WHERE id = $1 AND known_at <= $2";
    let found = connection.query_row(sql, params![Id(id), known.limit()], |row| row.get(0));
    if let Some(Id(correlation)) = found.optional()? {
        return stories(connection, &[correlation], known);
    }
    let in_quarantine = "SELECT 1 FROM quarantine WHERE correlation = $1 AND known_at <= $2";
    let mut statement = connection.prepare_cached(in_quarantine)?;
    match statement.exists(params![Id(id), known.limit()])? {
        true => stories(connection, &[id], known),
        false => submitted_as(connection, &id.to_string(), as_of),
    }
}

/// The stories of the newest submissions that their senders call `name`.
pub(crate) fn submitted_as(
    connection: &Connection,
    name: &str,
    as_of: Option<Timestamp>,
) -> rusqlite::Result<Explanation> {
    let named = submission::named(connection, name, AsOf(as_of))?;
    stories(connection, &named, AsOf(as_of))
}

fn stories(
    connection: &Connection,
    correlations: &[Uuid],
    as_of: AsOf,
) -> rusqlite::Result<Explanation> {
    let mut told = Explanation {
        digest: None,
        as_of: as_of.0,
        found_as: Vec::new(),
        builds: Vec::new(),
        submissions: Vec::new(),
        updates: Vec::new(),
        more_builds: 0,
    };
    for correlation in correlations.iter().copied() {
        match kind(connection, correlation, as_of)? {
            Kind::Build => told.builds.push(build::read(connection, correlation, as_of)?),
            Kind::Submission => {
                told.submissions.push(submission::read(connection, correlation, as_of)?);
            }
            Kind::Update => told.updates.push(submission::update(connection, correlation, as_of)?),
        }
    }
    Ok(told)
}

/// By what is known of it, its own first event or not; whatever else has a correlation is a build.
fn kind(connection: &Connection, correlation: Uuid, as_of: AsOf) -> rusqlite::Result<Kind> {
    let id = params![Id(correlation), as_of.limit()];
    let exists = |sql: &str| connection.prepare_cached(sql)?.exists(id);
    let submission = "SELECT 1 FROM event WHERE correlation = $1 AND known_at <= $2
        AND (type = 'document.submitted' OR producer = 'supplier-ingest')";
    let set_aside = "SELECT 1 FROM quarantine WHERE correlation = $1 AND known_at <= $2
        AND subject LIKE 'attestry.v1.document.submitted.%'";
    let update = "SELECT 1 FROM event WHERE correlation = $1 AND known_at <= $2
        AND type = 'advisories.updated'";
    Ok(match () {
        () if exists(submission)? || exists(set_aside)? => Kind::Submission,
        () if exists(update)? => Kind::Update,
        () => Kind::Build,
    })
}

/// The newest builds that name `digest`.
pub(crate) fn builds_of(connection: &Connection, digest: Digest) -> rusqlite::Result<Vec<Uuid>> {
    let candidates = candidates(connection, digest, AsOf(None))?;
    Ok(newest_first(&candidates).into_iter().take(MAX_BUILDS).collect())
}

fn newest_first(candidates: &Candidates) -> Vec<Uuid> {
    let mut builds: Vec<_> = candidates.builds.iter().collect();
    builds.sort_by(|(a, a_time), (b, b_time)| b_time.cmp(a_time).then(a.cmp(b)));
    builds.into_iter().map(|(correlation, _)| *correlation).collect()
}

fn candidates(
    connection: &Connection,
    digest: Digest,
    as_of: AsOf,
) -> rusqlite::Result<Candidates> {
    let mut candidates = Candidates::default();
    for place in &PLACES {
        let Place { table, column, name, detail } = place;
        let mut statement = connection.prepare_cached(&format!(
            "SELECT correlation, event_time, {name}, {detail} FROM {table}
            WHERE {column} = $1 AND known_at <= $2 ORDER BY event_time DESC"
        ))?;
        let mut rows = statement.query(params![Hash(digest), as_of.limit()])?;
        let (mut looked_at, mut builds) = (0, BTreeSet::new());
        while let Some(row) = rows.next()? {
            looked_at += 1;
            let (correlation, time) = (row.get::<_, Id>(0)?.0, row.get::<_, Time>(1)?.0);
            builds.insert(correlation);
            if looked_at > MAX_ROWS || builds.len() > MAX_BUILDS + MAX_COUNTED {
                break;
            }
            candidates.add(correlation, time);
            if candidates.found_as.len() < MAX_LISTED {
                candidates.found_as.insert(place.found(row)?);
            }
        }
    }
    Ok(candidates)
}

impl Candidates {
    fn add(&mut self, correlation: Uuid, time: Timestamp) {
        let known = self.builds.entry(correlation).or_insert(time);
        *known = time.max(*known);
    }
}

impl Place {
    fn found(&self, row: &Row<'_>) -> rusqlite::Result<Found> {
        let (name, detail): (String, String) = (row.get(2)?, row.get(3)?);
        Ok(match (self.table, self.column) {
            ("artifact", _) => Found::Artifact { name },
            ("input", _) => Found::Input { name },
            ("document", _) => Found::Document { name, role: detail },
            ("statement", _) => Found::Statement { name, predicate_type: detail },
            ("bundle", _) => Found::Bundle { name, predicate_type: detail },
            ("submission", "document") => Found::Submitted { name, scope: detail },
            ("submission", _) => Found::Signature { name, scope: detail },
            ("advisory_index", _) => Found::Advisories,
            (_, "policy") => Found::Policy,
            _ => Found::Report,
        })
    }
}
