//! Whether the journal in the archive is whole.

use std::collections::BTreeMap;

use archive::{Archive, ArchiveError};

use super::{JournalError, claim_name, claimed_digest, fetch};
use crate::{
    Gap, Registry, RegistryError,
    project::Projector,
    seal::{self, SealedEnd},
    segment::Segment,
};

/// Most problems that are listed.
const MAX_PROBLEMS: usize = 100;

/// What a check of the journal found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Segments that are named, damaged ones included.
    pub segments: u64,
    /// Records read.
    pub records: u64,
    /// First and last sequence of each stream.
    pub streams: BTreeMap<String, (u64, u64)>,
    /// The first holes in stage streams.
    pub gaps: Vec<Gap>,
    /// How many messages those and all other holes miss.
    pub missing: u64,
    /// Messages that contradict an event with the same id.
    pub conflicts: u64,
    /// What is damaged, missing or out of place: sentences. Empty when the journal is whole in
    /// itself.
    pub problems: Vec<String>,
}

/// Reads the whole journal and checks that every segment is there, undamaged, bound to the one
/// before, and goes on where that one ended. Projects it too, beside every registry, to find holes
/// and contradictions. Fails only if the archive cannot be asked.
pub async fn check(archive: &Archive) -> Result<Checked, JournalError> {
    let mut checked = Checked::default();
    let mut scratch = Registry::scratch()?;
    let named = archive.claims_below("segments").await?.len() as u64;
    let mut before: Option<SealedEnd> = None;
    let mut number = 0;
    while checked.segments < named && checked.problems.len() < MAX_PROBLEMS {
        number += 1;
        let name = claim_name(number);
        let Some(claim) = archive.claimed(&name).await? else {
            checked.problems.push(format!(
                "segment {number} has no claim `{name}`, though later ones have; restore it from a backup"
            ));
            before = None;
            continue;
        };
        checked.segments += 1;
        let segment = match claimed_digest(&name, &claim) {
            Ok(digest) => fetch(archive, number, digest).await.map(|it| (digest, it)),
            Err(error) => Err(error),
        };
        let (digest, segment) = match segment {
            Ok(found) => found,
            Err(JournalError::Archive(error @ ArchiveError::Unavailable { .. })) => {
                return Err(error.into());
            }
            Err(error) => {
                checked.problems.push(format!("segment {number}: {error}"));
                before = None;
                continue;
            }
        };
        let header = &segment.header;
        // After a segment that could not be read, only what follows it can be judged.
        if (number == 1 || before.is_some())
            && let Err(problem) = seal::continues(before, header)
        {
            checked.problems.push(format!("segment {number}: {problem}"));
        }
        before = Some(SealedEnd { number, digest, last: header.last });
        checked.project(&mut scratch, number, &segment)?;
    }
    let (gaps, missing, conflicts) = scratch.losses()?;
    Ok(Checked { gaps, missing, conflicts, ..checked })
}

impl Checked {
    fn project(
        &mut self,
        scratch: &mut Registry,
        number: u64,
        segment: &Segment,
    ) -> Result<(), RegistryError> {
        let transaction = scratch.connection.transaction()?;
        let mut projector = Projector::new(&transaction);
        for record in &segment.records {
            self.records += 1;
            let range = self.streams.entry(record.stream.clone());
            let range = range.or_insert((record.sequence, record.sequence));
            range.1 = range.1.max(record.sequence);
            if !projector.project(record)? && self.problems.len() < MAX_PROBLEMS {
                let position = record.position();
                self.problems.push(format!("segment {number}: {position} comes after a later one"));
            }
        }
        projector.finish()?;
        transaction.commit()?;
        Ok(())
    }
}
