//! What suppliers drop: small SBOMs and VEX, some large, some again, and some broken in eleven ways.

mod flaw;
mod plan;
mod sbom;
mod vex;

use std::{fs, path::Path};

use anyhow::Context;
use attestation::SigningKey;
use bytes::Bytes;
use events::{
    Digest, DocumentKind, DocumentSubmitted, Label, Manifest, Sender, SubmissionId, SupplierId,
};
use supplier_ingest::{Passport, passport::Key};
use uuid::Uuid;

pub(crate) use self::{flaw::Flaw, plan::plan};

const SUPPLIERS: [&str; 5] = ["acme", "globex", "initech", "stark-industries", "x"];
/// Chunks that a large document may have; the last one is short.
const LARGE_CHUNKS: [usize; 5] = [3, 4, 5, 8, 12];

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
    /// What its document is.
    pub(crate) kind: DocumentKind,
    /// What it goes on record as, if it is accepted: a product, or the document itself.
    pub(crate) product: String,
    /// How often it is submitted.
    pub(crate) times: usize,
    /// Where its uploader dies.
    pub(crate) interruption: Option<Interruption>,
    /// It is submitted once this one of the same supplier has its answer.
    pub(crate) after: Option<SubmissionId>,
}

/// The end of an uploader, and what the next one does.
#[derive(Clone, Copy)]
pub(crate) struct Interruption {
    /// Chunks of the document that are stored by then.
    pub(crate) stored: usize,
    /// Whether the next one goes on there; otherwise it begins anew.
    pub(crate) resumes: bool,
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
        let passport = Passport { tolerates: vec![], ..passport };
        fs::write(directory.join(format!("{name}.toml")), passport.to_toml())?;
        Ok(supplier)
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
