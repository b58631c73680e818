//! A supplier's passport: who may sign for it, and what it may submit.

mod file;

use std::{fmt, sync::Arc};

use attestation::{
    PublicKey, Trust, TrustRoot, TrustedKey,
    trust::{IdentityEntry, Validity},
};
use bus::UserKey;
use documents::score::Standard;
use events::{Digest, Label, SupplierId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Limits;
pub use events::Grade;

/// Largest passport in bytes.
pub const MAX_PASSPORT_BYTES: usize = 256 * 1024;
/// Codes of problems that a passport may tolerate: real generators make documents with them. What
/// hides something from a reader, `purl-bomb` and `control-character`, is not among them.
pub const TOLERABLE: [&str; 5] = [
    "dependency-cycle",
    "self-dependency",
    "dangling-reference",
    "duplicate-bom-ref",
    "invalid-purl",
];

/// Problems that a passport tolerates where it does not say: circles are what the packages of distributions form, and
/// a reference without target leaves the rest of the graph as it is.
pub const TOLERATED: [&str; 3] = ["dependency-cycle", "self-dependency", "dangling-reference"];
/// Formats that can be read.
pub const FORMATS: [&str; 4] = ["cyclonedx", "spdx", "openvex", "csaf"];
/// Versions of CycloneDX that can be read.
pub const SPEC_VERSIONS: [&str; 6] = ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];
/// Age of a document, in days, above which it is too old where a passport does not say.
const MAX_AGE_DAYS: u32 = 365;
/// The standard of grades where a passport does not say.
const GRADE_BY: Standard = Standard::Ntia;
/// What `version` of a passport's file is read.
pub const VERSION: u32 = 1;

/// Who a supplier is to us.
#[derive(Clone, Debug)]
pub struct Passport {
    /// Its id, as in its subjects.
    pub id: SupplierId,
    /// Its name for people.
    pub name: Label,
    /// Whether what the trust policy finds rejects a document or only warns.
    pub mode: Mode,
    /// Whom to write to.
    pub contacts: Vec<Label>,
    /// Names of products that it may speak for; empty means any.
    pub products: Vec<String>,
    /// What the purls of its own products begin with; empty means anything.
    pub namespaces: Vec<String>,
    /// Formats that are taken from it.
    pub formats: Vec<String>,
    /// Versions of CycloneDX that are taken from it.
    pub spec_versions: Vec<String>,
    /// Age of a document, in days, above which it is too old.
    pub max_age_days: u32,
    /// The grade that its SBOMs must have at least; none: any will do.
    pub minimum_grade: Option<Grade>,
    /// The standard that grades are by.
    pub grade_by: Standard,
    /// Whether its VEX documents count.
    pub vex: bool,
    /// Codes of problems, each of [`TOLERABLE`], that only warn.
    pub tolerates: Vec<String>,
    /// Keys that sign for it.
    pub keys: Vec<Key>,
    /// Identities that sign for it, with certificates of the trusted root.
    pub identities: Vec<IdentityEntry>,
    /// Who it is to the broker.
    pub nkey: Option<UserKey>,
    /// How much it may drop.
    pub limits: Limits,
    /// Digest of the file that says all this.
    pub digest: Digest,
}

/// Whether findings reject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They do.
    #[default]
    Enforce,
    /// They are told in the receipt, and the document is accepted: for the time of getting to know
    /// each other. A document that cannot be read is still rejected.
    Warn,
}

/// A key that signs for a supplier.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its name for people.
    pub label: Label,
    /// The key.
    pub key: PublicKey,
    /// Whether it is the key of a developer's machine.
    pub development: bool,
    /// From when on it counts.
    pub not_before: Option<Timestamp>,
    /// Until when it counts.
    pub not_after: Option<Timestamp>,
}

/// What is wrong with a passport, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct PassportError {
    /// The line, from 1; none if it is the file as a whole.
    pub line: Option<usize>,
    /// What is wrong, and the remedy.
    pub problem: String,
}

impl fmt::Display for PassportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

#[cfg(test)]
mod tests;

impl Passport {
    /// A passport with what has to be there and the defaults for the rest.
    pub fn new(id: SupplierId, name: Label, keys: Vec<Key>) -> Self {
        Self {
            id,
            name,
            mode: Mode::Enforce,
            contacts: vec![],
            products: vec![],
            namespaces: vec![],
            formats: FORMATS.map(str::to_owned).to_vec(),
            spec_versions: SPEC_VERSIONS.map(str::to_owned).to_vec(),
            max_age_days: MAX_AGE_DAYS,
            minimum_grade: None,
            grade_by: GRADE_BY,
            vex: true,
            tolerates: TOLERATED.map(str::to_owned).to_vec(),
            keys,
            identities: vec![],
            nkey: None,
            limits: Limits::default(),
            digest: Digest::of(b""),
        }
    }

    /// Who signs for the supplier, asked at `now`: that is when a bundle counts as signed that proves no time.
    pub(crate) fn trust_at(&self, now: Timestamp, root: &Arc<TrustRoot>) -> Trust {
        let mut trust = Trust::new();
        for key in &self.keys {
            let trusted = TrustedKey {
                development: key.development,
                validity: Validity { from: key.not_before, until: key.not_after },
                ..TrustedKey::new(key.label.as_str(), key.key.clone())
            };
            // Each key is in a passport once.
            trust.add(trusted).unwrap_or_default();
        }
        // Each was a rule when the passport was read.
        for rule in self.identities.iter().filter_map(|it| it.rule().ok()) {
            trust.add_identity(rule);
        }
        trust.set_root(Arc::clone(root));
        trust.at(now)
    }
}
