//! What suppliers drop: small SBOMs, some large, some again, and some broken in ten ways.

mod flaw;
mod sbom;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context;
use attestation::SigningKey;
use bytes::Bytes;
use events::{
    CHUNK_BYTES, Digest, DocumentSubmitted, FilePath, Input, Label, Manifest, Sender, SubmissionId,
    SupplierId,
};
use fastrand::Rng;
use jiff::Timestamp;
use supplier_ingest::{Passport, passport::Key};
use uuid::Uuid;

pub(crate) use self::flaw::Flaw;
use self::sbom::Sbom;

const SUPPLIERS: [&str; 5] = ["acme", "globex", "initech", "stark-industries", "x"];
/// One in so many drops is broken; in a short run more are, so that each flaw has its turn.
const BROKEN_EVERY: usize = 10;
/// Every so many sound drops one has several chunks.
const LARGE_EVERY: usize = 20;
/// Every so many sound drops one brings a document that its supplier has dropped before.
const AGAIN_EVERY: usize = 10;
/// Every so many drops one is submitted twice, under one name.
const TWICE_EVERY: usize = 8;
/// Versions that come of one product: each replaces the one before.
const VERSIONS: usize = 4;
const LARGE_BYTES: usize = 2 * CHUNK_BYTES + 17;

/// Somebody who drops documents.
pub(crate) struct Supplier {
    id: SupplierId,
    key: SigningKey,
}

/// One submission, and what must become of it.
pub(crate) struct Drop {
    /// Who submits.
    pub(crate) supplier: SupplierId,
    /// The name that it has from its sender.
    pub(crate) submission: SubmissionId,
    /// What is uploaded before its manifest, and as what.
    pub(crate) uploads: Vec<(Digest, Bytes)>,
    /// What is dropped then.
    pub(crate) slip: Slip,
    /// What is wrong with it.
    pub(crate) flaw: Option<Flaw>,
    /// How often it is submitted.
    pub(crate) times: usize,
}

/// The message that makes a submission of what was uploaded.
pub(crate) enum Slip {
    /// As it should be.
    Manifest(Manifest),
    /// Something else.
    Text(&'static str),
}

impl Supplier {
    /// Suppliers with keys of their own, and a passport each in `directory`.
    pub(crate) fn with_passports(directory: &Path) -> anyhow::Result<Vec<Self>> {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        SUPPLIERS.iter().map(|name| Self::with_passport(name, directory)).collect()
    }

    fn with_passport(name: &str, directory: &Path) -> anyhow::Result<Self> {
        let supplier = Self { id: name.parse()?, key: SigningKey::generate()? };
        let key = Key {
            label: Label::of("release"),
            key: supplier.key.public_key().clone(),
            development: false,
            not_before: None,
            not_after: None,
        };
        let passport = Passport::new(supplier.id.clone(), Label::of(name), vec![key]);
        fs::write(directory.join(format!("{name}.toml")), passport.to_toml())?;
        Ok(supplier)
    }
}

/// `count` submissions of documents that came to be at `now`; but for keys and signatures the same
/// ones for the same seed.
pub(crate) fn plan(
    count: usize,
    seed: u64,
    suppliers: &[Supplier],
    now: Timestamp,
) -> anyhow::Result<Vec<Drop>> {
    let mut rng = Rng::with_seed(seed);
    let broken = (count / BROKEN_EVERY).max(Flaw::ALL.len().min(count / 2));
    let flaws = Flaw::ALL.into_iter().cycle().take(broken).map(Some);
    let mut flaws: Vec<Option<Flaw>> = flaws.chain(std::iter::repeat(None)).take(count).collect();
    rng.shuffle(&mut flaws);
    let stranger = SigningKey::generate()?;
    let mut planner = Planner { suppliers, stranger, now, rng, sound: 0, known: BTreeMap::new() };
    (0..).zip(flaws).map(|(index, flaw)| planner.drop(index, flaw)).collect()
}

struct Planner<'a> {
    suppliers: &'a [Supplier],
    stranger: SigningKey,
    now: Timestamp,
    rng: Rng,
    /// Sound drops up to now.
    sound: usize,
    /// Sound documents of each supplier.
    known: BTreeMap<SupplierId, Vec<Bytes>>,
}

impl Planner<'_> {
    fn drop(&mut self, index: usize, flaw: Option<Flaw>) -> anyhow::Result<Drop> {
        let supplier = &self.suppliers[self.rng.usize(..self.suppliers.len())];
        let document = match flaw {
            None => self.sound(index, &supplier.id),
            Some(flaw) => flaw.spoil(self.sbom(index)),
        };
        let (bundle, slip) = self.packed(index, supplier, &document, flaw)?;
        let mut uploads = vec![match (flaw, &slip) {
            // Whoever uploads names what it uploads.
            (Some(Flaw::MissingChunk), _) => (Digest::of(&document), document.slice(..CHUNK_BYTES)),
            (_, Slip::Manifest(manifest)) => (manifest.document.digest, document),
            (_, Slip::Text(_)) => (Digest::of(&document), document),
        }];
        uploads.extend(bundle.map(|bytes| (Digest::of(&bytes), bytes)));
        Ok(Drop {
            supplier: supplier.id.clone(),
            submission: format!("drop-{index}").parse()?,
            uploads,
            slip,
            flaw,
            times: if self.rng.usize(..TWICE_EVERY) == 0 { 2 } else { 1 },
        })
    }

    /// A document that must be accepted.
    fn sound(&mut self, index: usize, supplier: &SupplierId) -> Bytes {
        self.sound += 1;
        let known = self.known.entry(supplier.clone()).or_default();
        if self.sound.is_multiple_of(AGAIN_EVERY) && !known.is_empty() {
            return known[self.rng.usize(..known.len())].clone();
        }
        let sbom = self.sbom(index);
        let large = self.sound % LARGE_EVERY == 1;
        let document = if large { sbom.padded(LARGE_BYTES).bytes() } else { sbom.bytes() };
        self.known.entry(supplier.clone()).or_default().push(document.clone());
        document
    }

    fn sbom(&mut self, index: usize) -> Sbom {
        Sbom::new(
            &format!("widget-{}", index / (SUPPLIERS.len() * VERSIONS)),
            index,
            self.now,
            &mut self.rng,
        )
    }

    /// The bundle that goes with `document`, and what is dropped after both.
    fn packed(
        &self,
        index: usize,
        supplier: &Supplier,
        document: &Bytes,
        flaw: Option<Flaw>,
    ) -> anyhow::Result<(Option<Bytes>, Slip)> {
        let bundle = match flaw {
            Some(Flaw::Unsigned) => None,
            Some(Flaw::StrangersKey) => Some(self.stranger.sign_file(document)?),
            Some(Flaw::OtherDocumentSigned) => Some(flaw::sign_another(&supplier.key)?),
            _ => Some(supplier.key.sign_file(document)?),
        };
        let bundle = bundle.map(Bytes::from);
        if flaw == Some(Flaw::ManifestUnreadable) {
            return Ok((bundle, Slip::Text(r#"{"document": "by courier"}"#)));
        }
        let mut input = uploaded(format!("widget-{index}.cdx.json"), document)?;
        if flaw == Some(Flaw::WrongDigest) {
            input.digest = Digest::of(format!("not drop {index}").as_bytes());
        }
        let signature =
            bundle.as_ref().map(|it| uploaded(format!("widget-{index}.sigstore.json"), it));
        Ok((bundle, Slip::Manifest(Manifest { document: input, bundle: signature.transpose()? })))
    }
}

impl Drop {
    /// Its sender.
    pub(crate) fn sender(&self) -> Sender {
        Sender::Supplier(self.supplier.clone())
    }

    /// Correlation of all its events.
    pub(crate) fn id(&self) -> Uuid {
        DocumentSubmitted::id_of(&self.sender(), &self.submission)
    }

    /// For people: `<supplier>/<submission>`.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.supplier, self.submission)
    }

    /// Where its receipt is laid out.
    pub(crate) fn receipt_subject(&self) -> String {
        format!("receipts.{}.{}", self.supplier, self.submission)
    }

    /// Whether its document has several chunks.
    pub(crate) fn is_large(&self) -> bool {
        matches!(&self.slip, Slip::Manifest(manifest) if manifest.document.chunks > 1)
    }

    /// The document that its manifest names.
    pub(crate) fn document(&self) -> Option<Digest> {
        match &self.slip {
            Slip::Manifest(manifest) => Some(manifest.document.digest),
            Slip::Text(_) => None,
        }
    }
}

fn uploaded(name: String, bytes: &Bytes) -> anyhow::Result<Input> {
    let path: FilePath = name.parse()?;
    let (size, chunks) = (bytes.len() as u64, bytes.len().div_ceil(CHUNK_BYTES));
    Ok(Input { path, digest: Digest::of(bytes), size, chunks: u32::try_from(chunks)? })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn planned(count: usize, seed: u64) -> Vec<Drop> {
        let directory = tempfile::tempdir().unwrap();
        let suppliers = Supplier::with_passports(directory.path()).unwrap();
        plan(count, seed, &suppliers, Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn every_flaw_has_its_turn_in_a_short_run_and_its_share_in_a_long_one() {
        let counts = |count| {
            let drops = planned(count, 1);
            Flaw::ALL.map(|flaw| drops.iter().filter(|it| it.flaw == Some(flaw)).count())
        };
        assert_eq!(counts(20), [1; 10]);
        assert_eq!(counts(500), [5; 10]);
    }

    #[test]
    fn same_seed_drops_the_same_documents_and_another_seed_others() {
        let documents = |seed| {
            let drops = planned(60, seed);
            drops.iter().map(|it| (it.name(), it.document())).collect::<Vec<_>>()
        };
        assert_eq!(documents(1), documents(1));
        assert_ne!(documents(1), documents(2));
    }

    #[test]
    fn some_documents_come_again_some_are_large_and_some_are_submitted_twice() {
        let drops = planned(200, 1);
        let sound: Vec<&Drop> = drops.iter().filter(|it| it.flaw.is_none()).collect();
        let documents: BTreeSet<_> = sound.iter().map(|it| (&it.supplier, it.document())).collect();
        assert!(documents.len() < sound.len());
        assert!(sound.iter().any(|it| it.is_large()));
        assert!(drops.iter().any(|it| it.times > 1));
    }

    #[test]
    fn sound_documents_give_no_reason_to_be_refused() {
        for drop in planned(40, 1).iter().filter(|it| it.flaw.is_none()) {
            let read = documents::bom::read(&drop.uploads[0].1).unwrap();
            // A component of the real document is known by its name alone.
            let codes: BTreeSet<&str> = read.problems.iter().map(|it| it.code).collect();
            assert_eq!(codes, BTreeSet::from(["component-without-identity"]), "{}", drop.name());
        }
    }
}
