//! From a digest or an id to the builds whose story it is part of.

mod build;
mod evidence;

use std::collections::{BTreeMap, BTreeSet};

use events::Digest;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::{
    columns::{Hash, Id, Time},
    story::{Explanation, Found, MAX_BUILDS, MAX_COUNTED, MAX_LISTED},
};

/// Most rows of one table that are looked at: a policy lies behind every build there ever was.
const MAX_ROWS: usize = 10 * MAX_COUNTED;

/// Where a digest is looked up: table, its column, and what else tells what the digest is.
pub(crate) const PLACES: [Place; 7] = [
    Place { table: "artifact", column: "digest", name: "name", detail: "''" },
    Place { table: "input", column: "digest", name: "path", detail: "''" },
    Place { table: "document", column: "digest", name: "name", detail: "role" },
    Place { table: "statement", column: "digest", name: "name", detail: "predicate_type" },
    Place { table: "bundle", column: "digest", name: "name", detail: "predicate_type" },
    Place { table: "verdict", column: "policy", name: "''", detail: "'policy'" },
    Place { table: "verdict", column: "report", name: "''", detail: "'report'" },
];

/// A column that holds digests; it has an index together with the event time.
pub(crate) struct Place {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    name: &'static str,
    detail: &'static str,
}

/// Builds that name a digest.
#[derive(Default)]
struct Candidates {
    /// When each build named it last.
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

/// The story of `digest`.
pub(crate) fn digest(
    connection: &Connection,
    digest: Digest,
    as_of: Option<Timestamp>,
) -> rusqlite::Result<Explanation> {
    let candidates = candidates(connection, digest, AsOf(as_of))?;
    let newest = newest_first(&candidates);
    let shown = newest.iter().take(MAX_BUILDS);
    let builds = shown.map(|it| build::read(connection, *it, AsOf(as_of)));
    Ok(Explanation {
        digest: Some(digest),
        as_of,
        builds: builds.collect::<Result<_, _>>()?,
        more_builds: newest.len().saturating_sub(MAX_BUILDS).min(MAX_COUNTED) as u64,
        found_as: candidates.found_as.into_iter().collect(),
    })
}

/// The story of the build that has `id`, or one of whose events has.
pub(crate) fn id(
    connection: &Connection,
    id: Uuid,
    as_of: Option<Timestamp>,
) -> rusqlite::Result<Explanation> {
    let known = AsOf(as_of);
    let sql = "SELECT correlation FROM event WHERE id = $1 AND known_at <= $2";
    let found = connection.query_row(sql, params![Id(id), known.limit()], |row| row.get(0));
    let correlation = found.optional()?.map_or(id, |it: Id| it.0);
    let build = build::read(connection, correlation, known)?;
    let is_known = !build.events.is_empty() || !build.quarantine.is_empty();
    Ok(Explanation {
        digest: None,
        as_of,
        found_as: Vec::new(),
        builds: if is_known { vec![build] } else { Vec::new() },
        more_builds: 0,
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
            (_, "policy") => Found::Policy,
            _ => Found::Report,
        })
    }
}
