//! Which submission is what: the same ones for the same seed.

use std::collections::BTreeMap;

use attestation::SigningKey;
use bytes::Bytes;
use events::{
    CHUNK_BYTES, Digest, DocumentKind, FilePath, Input, Manifest, SubmissionId, SupplierId,
};
use fastrand::Rng;
use jiff::Timestamp;

use super::{
    Drop, Flaw, Interruption, LARGE_CHUNKS, SUPPLIERS, Slip, Supplier, flaw, sbom::Sbom, vex,
};

/// One in so many drops is broken; in a short run more are, so that each flaw has its turn.
const BROKEN_EVERY: usize = 10;
/// Every so many sound drops one has several chunks.
const LARGE_EVERY: usize = 5;
/// Every so many sound drops one brings a document that its supplier has dropped before.
const AGAIN_EVERY: usize = 7;
/// Every so many sound drops one is VEX.
const VEX_EVERY: usize = 9;
/// Every so many drops one is submitted twice, under one name.
const TWICE_EVERY: usize = 8;
/// Versions that come of one product: each replaces the one before.
const VERSIONS: usize = 4;

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
    let mut planner = Planner {
        suppliers,
        stranger: SigningKey::generate()?,
        now,
        rng,
        sound: 0,
        known: BTreeMap::new(),
        early: Vec::new(),
    };
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
    known: BTreeMap<SupplierId, Vec<Content>>,
    /// Submitted before their chunks were all there, and not yet again.
    early: Vec<Early<'a>>,
}

/// A document, and what it is.
#[derive(Clone)]
struct Content {
    bytes: Bytes,
    kind: DocumentKind,
    product: String,
}

struct Early<'a> {
    supplier: &'a Supplier,
    submission: SubmissionId,
    content: Content,
}

impl<'a> Planner<'a> {
    fn drop(&mut self, index: usize, flaw: Option<Flaw>) -> anyhow::Result<Drop> {
        if flaw.is_none()
            && let Some(early) = self.early.pop()
        {
            let drop = self.packed(index, early.supplier, early.content, None)?;
            return Ok(Drop { after: Some(early.submission), ..drop });
        }
        let suppliers = self.suppliers;
        let supplier = &suppliers[self.rng.usize(..suppliers.len())];
        let content = match flaw {
            None => self.sound(index, &supplier.id),
            Some(flaw) => Content::sbom(index, flaw.spoil(self.sbom(index))),
        };
        let drop = self.packed(index, supplier, content.clone(), flaw)?;
        if flaw == Some(Flaw::MissingChunk) {
            let submission = drop.submission.clone();
            self.early.push(Early { supplier, submission, content });
        }
        Ok(drop)
    }

    /// A document that must be accepted.
    fn sound(&mut self, index: usize, supplier: &SupplierId) -> Content {
        self.sound += 1;
        let known = self.known.entry(supplier.clone()).or_default();
        if self.sound.is_multiple_of(AGAIN_EVERY) && !known.is_empty() {
            return known[self.rng.usize(..known.len())].clone();
        }
        let content = match self.sound {
            number if number.is_multiple_of(VEX_EVERY) => {
                let bytes = vex::document(index, self.now);
                let product = Digest::of(&bytes).to_string();
                Content { bytes, kind: DocumentKind::Vex, product }
            }
            number => {
                let sbom = self.sbom(index);
                let chunks = LARGE_CHUNKS[self.rng.usize(..LARGE_CHUNKS.len())];
                let bytes = match number % LARGE_EVERY {
                    1 => sbom.padded((chunks - 1) * CHUNK_BYTES).bytes(),
                    _ => sbom.bytes(),
                };
                Content::sbom(index, bytes)
            }
        };
        self.known.entry(supplier.clone()).or_default().push(content.clone());
        content
    }

    fn sbom(&mut self, index: usize) -> Sbom {
        Sbom::new(&product(index), index, self.now, &mut self.rng)
    }

    /// A submission of `content` with the bundle that goes with it.
    fn packed(
        &mut self,
        index: usize,
        supplier: &Supplier,
        content: Content,
        flaw: Option<Flaw>,
    ) -> anyhow::Result<Drop> {
        let Content { bytes: document, kind, product } = content;
        let bundle = self.bundle(supplier, &document, flaw)?.map(Bytes::from);
        let slip = slip(index, &document, bundle.as_ref(), flaw)?;
        let chunks = document.len().div_ceil(CHUNK_BYTES);
        let interrupted = flaw.is_none() && chunks > 1 && self.rng.bool();
        let interruption = interrupted
            .then(|| Interruption { stored: self.rng.usize(1..chunks), resumes: self.rng.bool() });
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
            kind,
            product,
            times: if self.rng.usize(..TWICE_EVERY) == 0 { 2 } else { 1 },
            interruption,
            after: None,
        })
    }

    fn bundle(
        &self,
        supplier: &Supplier,
        document: &Bytes,
        flaw: Option<Flaw>,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(Some(match flaw {
            Some(Flaw::Unsigned) => return Ok(None),
            Some(Flaw::StrangersKey) => self.stranger.sign_file(document)?,
            Some(Flaw::OtherDocumentSigned) => flaw::sign_another(&supplier.key)?,
            // What was signed lacked the last byte.
            Some(Flaw::Tampered) => {
                supplier.key.sign_file(&document[..document.len().saturating_sub(1)])?
            }
            _ => supplier.key.sign_file(document)?,
        }))
    }
}

impl Content {
    fn sbom(index: usize, bytes: Bytes) -> Self {
        Self { bytes, kind: DocumentKind::Sbom, product: product(index) }
    }
}

/// What the SBOM number `index` is about.
fn product(index: usize) -> String {
    format!("widget-{}", index / (SUPPLIERS.len() * VERSIONS))
}

/// What is dropped after document and bundle.
fn slip(
    index: usize,
    document: &Bytes,
    bundle: Option<&Bytes>,
    flaw: Option<Flaw>,
) -> anyhow::Result<Slip> {
    if flaw == Some(Flaw::ManifestUnreadable) {
        return Ok(Slip::Text(r#"{"document": "by courier"}"#));
    }
    let mut input = uploaded(format!("widget-{index}.cdx.json"), document)?;
    if flaw == Some(Flaw::WrongDigest) {
        input.digest = Digest::of(format!("not drop {index}").as_bytes());
    }
    let signature = bundle.map(|it| uploaded(format!("widget-{index}.sigstore.json"), it));
    Ok(Slip::Manifest(Manifest { document: input, bundle: signature.transpose()? }))
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
        assert_eq!(counts(22), [1; 11]);
        assert_eq!(counts(550), [5; 11]);
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
        assert!(sound.iter().any(|it| it.kind == DocumentKind::Vex));
        assert!(drops.iter().any(|it| it.times > 1));
        let interruptions: Vec<_> = sound.iter().filter_map(|it| it.interruption).collect();
        assert!(interruptions.iter().any(|it| it.resumes));
        assert!(interruptions.iter().any(|it| !it.resumes));
    }

    #[test]
    fn what_was_submitted_too_early_comes_again_under_another_name_and_as_nobody_elses() {
        let drops = planned(200, 1);
        let early: Vec<_> = drops.iter().filter(|it| it.flaw == Some(Flaw::MissingChunk)).collect();
        let again: Vec<_> = drops.iter().filter(|it| it.after.is_some()).collect();
        assert_eq!(again.len(), early.len());
        for again in again {
            let first = early.iter().find(|it| Some(&it.submission) == again.after.as_ref());
            let first = first.unwrap();
            assert_eq!((&again.supplier, again.document()), (&first.supplier, first.document()));
            // Another upload of it could complete the first one before it is judged.
            let uploads = drops.iter().filter(|it| it.document() == again.document()).count();
            assert_eq!(uploads, 2, "{}", again.name());
        }
    }

    #[test]
    fn sound_documents_give_no_reason_to_be_refused() {
        for drop in planned(40, 1).iter().filter(|it| it.flaw.is_none()) {
            let document = &drop.uploads[0].1;
            if drop.kind == DocumentKind::Vex {
                let vex = documents::vex::read(document).unwrap();
                assert_eq!(vex.statements.len(), 1, "{}", drop.name());
                continue;
            }
            let read = documents::bom::read(document).unwrap();
            // A component of the real document is known by its name alone.
            let codes: BTreeSet<&str> = read.problems.iter().map(|it| it.code).collect();
            assert_eq!(codes, BTreeSet::from(["component-without-identity"]), "{}", drop.name());
        }
    }
}
