//! What builds take in and make, and the evidence about it: by digest.

use events::{Artifact, BundleRef, Document, Input, Role, StatementRef};
use rusqlite::params;

use super::{Projector, stage_event::Origin};
use crate::columns::{Hash, Number};

impl Projector<'_> {
    pub(super) fn artifacts(
        &mut self,
        origin: Origin,
        artifacts: &[Artifact],
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO artifact (correlation, name, digest, size, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (correlation, name) DO NOTHING";
        let mut statement = self.connection.prepare_cached(sql)?;
        for artifact in artifacts {
            statement.execute(params![
                origin.correlation,
                artifact.name.as_str(),
                Hash(artifact.digest),
                artifact.size.map(Number),
                origin.event_time,
                origin.known_at
            ])?;
        }
        Ok(())
    }

    pub(super) fn inputs(&mut self, origin: Origin, inputs: &[Input]) -> rusqlite::Result<()> {
        let sql = "INSERT INTO input (correlation, path, digest, size, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (correlation, path) DO NOTHING";
        let mut statement = self.connection.prepare_cached(sql)?;
        for input in inputs {
            statement.execute(params![
                origin.correlation,
                input.path.as_str(),
                Hash(input.digest),
                Number(input.size),
                origin.event_time,
                origin.known_at
            ])?;
        }
        Ok(())
    }

    /// `evidence.ready` and `evidence.signed` name the same documents, and may be read in either
    /// order: a document is known since the earlier of the two was stored.
    pub(super) fn documents(
        &mut self,
        origin: Origin,
        documents: &[Document],
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO document
            (correlation, producer, role, name, digest, size, media_type, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (correlation, producer, role, name, digest) DO UPDATE
            SET event_time = excluded.event_time, known_at = excluded.known_at
            WHERE excluded.known_at < document.known_at";
        let mut statement = self.connection.prepare_cached(sql)?;
        for document in documents {
            statement.execute(params![
                origin.correlation,
                origin.producer_name(),
                role_name(document.role),
                document.name.as_str(),
                Hash(document.digest),
                Number(document.size),
                document.media_type.as_str(),
                origin.event_time,
                origin.known_at
            ])?;
        }
        Ok(())
    }

    pub(super) fn statements(
        &mut self,
        origin: Origin,
        statements: &[StatementRef],
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO statement
            (correlation, producer, digest, predicate_type, name, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (correlation, producer, digest, name) DO NOTHING";
        let mut prepared = self.connection.prepare_cached(sql)?;
        for statement in statements {
            prepared.execute(params![
                origin.correlation,
                origin.producer_name(),
                Hash(statement.digest),
                statement.predicate_type.as_str(),
                statement.bundle_name.as_str(),
                origin.event_time,
                origin.known_at
            ])?;
        }
        Ok(())
    }

    pub(super) fn bundles(
        &mut self,
        origin: Origin,
        bundles: &[BundleRef],
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO bundle
            (correlation, producer, digest, statement, predicate_type, name, signer, event_time,
            known_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (correlation, producer, digest, name) DO NOTHING";
        let mut prepared = self.connection.prepare_cached(sql)?;
        for bundle in bundles {
            prepared.execute(params![
                origin.correlation,
                origin.producer_name(),
                Hash(bundle.bundle),
                Hash(bundle.statement),
                bundle.predicate_type.as_str(),
                bundle.name.as_str(),
                bundle.signer.as_ref().map(|it| it.as_str()),
                origin.event_time,
                origin.known_at
            ])?;
        }
        Ok(())
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Build => "build",
        Role::Sbom => "sbom",
        Role::SuppliedSbom => "supplied-sbom",
        Role::SbomComparison => "sbom-comparison",
        Role::Provenance => "provenance",
        Role::Checksums => "checksums",
        Role::Report => "report",
        Role::Policy => "policy",
        Role::Decision => "decision",
        Role::Vex => "vex",
        Role::Signature => "signature",
    }
}
