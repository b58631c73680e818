//! Readers: as many as like, while the writer runs.

use std::{collections::BTreeMap, io::Write, path::Path, time::Duration};

use events::{Digest, Sender, SignedEvidence, SignedQuery, SubmissionId, SupplierId};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use crate::{
    Explanation, Reconciliation, RegistryError, Scorecard, Settled, Summary,
    columns::Number,
    dump, explain, migrations, reconcile, retention, scorecard, seal, signed,
    story::{Submission, SupplierDocument},
};

/// A reader of a registry. What one call answers is of one moment.
pub struct View {
    connection: Connection,
}

impl View {
    /// Opens the registry at `path` for reading.
    pub fn open(path: &Path) -> Result<Self, RegistryError> {
        if !path.exists() {
            return Err(RegistryError::Missing(path.to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        migrations::check(&connection, path)?;
        Ok(Self { connection })
    }

    /// The story of `digest`: what it is, and the newest builds that name it. With `as_of`, only
    /// what was stored on a stream by then.
    pub fn explain(
        &self,
        digest: Digest,
        as_of: Option<Timestamp>,
    ) -> Result<Explanation, RegistryError> {
        let snapshot = self.connection.unchecked_transaction()?;
        Ok(explain::digest(&snapshot, digest, as_of)?)
    }

    /// The story of one build or submission, by its id or that of one of its events, or by the id
    /// that a submission's sender gave it; empty if there is none.
    pub fn explain_id(
        &self,
        id: Uuid,
        as_of: Option<Timestamp>,
    ) -> Result<Explanation, RegistryError> {
        let snapshot = self.connection.unchecked_transaction()?;
        Ok(explain::id(&snapshot, id, as_of)?)
    }

    /// The stories of the newest submissions that their senders call `name`: at most
    /// [`crate::story::MAX_BUILDS`].
    pub fn explain_submission(
        &self,
        name: &SubmissionId,
        as_of: Option<Timestamp>,
    ) -> Result<Explanation, RegistryError> {
        let snapshot = self.connection.unchecked_transaction()?;
        Ok(explain::submitted_as(&snapshot, name.as_str(), as_of)?)
    }

    /// The story of the submission that `sender` calls `name`.
    pub fn submission(
        &self,
        sender: &Sender,
        name: &SubmissionId,
    ) -> Result<Option<Submission>, RegistryError> {
        let snapshot = self.connection.unchecked_transaction()?;
        Ok(explain::of_sender(&snapshot, sender, name)?)
    }

    /// The registry of suppliers' documents, or what it has of one sender: each document that was
    /// accepted, once per sender, oldest first.
    pub fn supplier_documents(
        &self,
        sender: Option<&Sender>,
    ) -> Result<Vec<SupplierDocument>, RegistryError> {
        Ok(explain::supplier_documents(&self.connection, sender)?)
    }

    /// How suppliers do, in a line each: those after `after`, a page at a time. Only what was decided at
    /// `since` or later is counted.
    pub fn suppliers(
        &self,
        after: Option<&SupplierId>,
        since: Option<Timestamp>,
    ) -> Result<Vec<Summary>, RegistryError> {
        let snapshot = self.connection.unchecked_transaction()?;
        Ok(scorecard::summaries(&snapshot, after, since)?)
    }

    /// How `supplier` does; none if it has submitted nothing. Only what was decided at `since` or later
    /// is counted.
    pub fn scorecard(
        &self,
        supplier: &SupplierId,
        since: Option<Timestamp>,
    ) -> Result<Option<Scorecard>, RegistryError> {
        let snapshot = self.connection.unchecked_transaction()?;
        Ok(scorecard::card(&snapshot, supplier, since)?)
    }

    /// When the newest SBOM of each supplier was ingested that was accepted, for at most `limit`
    /// suppliers in the order of their ids.
    pub fn newest_sboms(&self, limit: usize) -> Result<Vec<(String, Timestamp)>, RegistryError> {
        Ok(scorecard::newest_sboms(&self.connection, limit)?)
    }

    /// What somebody signed, a page at a time; an empty one is the end.
    pub fn signed(&self, query: &SignedQuery) -> Result<Vec<SignedEvidence>, RegistryError> {
        let snapshot = self.connection.unchecked_transaction()?;
        Ok(signed::page(&snapshot, query)?)
    }

    /// What entered against what ended, given how far each consumer acknowledged.
    ///
    /// Exact if the floors in `settled` were read first, then each stream's last sequence, and the
    /// registry has recorded up to those.
    pub fn reconcile(&self, settled: &[Settled]) -> Result<Reconciliation, RegistryError> {
        let snapshot = self.connection.unchecked_transaction()?;
        Ok(reconcile::reconcile(&snapshot, settled)?)
    }

    /// The last sequence recorded of each stream.
    pub fn progress(&self) -> Result<BTreeMap<String, u64>, RegistryError> {
        let mut statement = self.connection.prepare("SELECT stream, sequence FROM progress")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Number>(1)?.0)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes every fact as one line of JSON; see [`crate::Registry::dump`].
    pub fn dump(&self, out: &mut impl Write) -> Result<Digest, RegistryError> {
        dump::dump(&self.connection, out)
    }

    /// The last segment sealed: its number and digest.
    pub fn last_segment(&self) -> Result<Option<(u64, Digest)>, RegistryError> {
        Ok(seal::sealed_end(&self.connection)?.map(|it| (it.number, it.digest)))
    }

    /// Whether a live build or submission names `digest`: one that has not ended, whose verdict or
    /// receipt was signed at `cutoff` or later, or that is its project's newest release that passed.
    pub fn needed(&self, digest: Digest, cutoff: Timestamp) -> Result<bool, RegistryError> {
        let snapshot = self.connection.unchecked_transaction()?;
        Ok(retention::needed(&snapshot, digest, cutoff)?)
    }

    /// Names of the archive's claims that hold the judgement whose statement is `digest`.
    pub fn claims_on(&self, digest: Digest) -> Result<Vec<String>, RegistryError> {
        let snapshot = self.connection.unchecked_transaction()?;
        Ok(retention::claims_on(&snapshot, digest)?)
    }

    /// The newest builds and submissions that name `digest`, live or not: at most [`crate::story::MAX_BUILDS`].
    pub fn builds_of(&self, digest: Digest) -> Result<Vec<Uuid>, RegistryError> {
        let snapshot = self.connection.unchecked_transaction()?;
        Ok(explain::builds_of(&snapshot, digest)?)
    }
}
