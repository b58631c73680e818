//! Where everything of a run lies: `target/chaos/<seed>`, kept until the next run with that seed.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use attestation::{SigningKey, Trust, TrustedKey};
use events::Digest;

/// The directories and files of a run.
#[derive(Clone)]
pub(crate) struct Area(PathBuf);

impl Area {
    /// Empties the area of `seed`.
    pub(crate) fn empty(seed: u64) -> anyhow::Result<Self> {
        let root = PathBuf::from(format!("target/chaos/{seed}"));
        match fs::remove_dir_all(&root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot empty {}", root.display()));
            }
            _ => {}
        }
        let area = Self(root);
        for directory in [&area.0, &area.archive(), &area.ledger()] {
            fs::create_dir_all(directory)
                .with_context(|| format!("cannot make {}", directory.display()))?;
        }
        Ok(area)
    }

    /// Makes the signer's key pair, and returns whom to trust.
    pub(crate) fn make_keys(&self) -> anyhow::Result<Trust> {
        let key = SigningKey::generate()?;
        let mut private = fs::OpenOptions::new();
        let mut file = private.write(true).create_new(true).mode(0o600).open(self.private_key())?;
        io::Write::write_all(&mut file, key.to_pem().as_bytes())?;
        fs::write(self.public_key(), key.public_key().to_pem())?;
        let mut keys = Trust::new();
        let key = key.public_key().clone();
        keys.add(TrustedKey::new("chaos", key))?;
        Ok(keys)
    }

    /// The area itself.
    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    /// The signer's private key.
    pub(crate) fn private_key(&self) -> PathBuf {
        self.0.join("signer.pem")
    }

    /// The key that the gate trusts.
    pub(crate) fn public_key(&self) -> PathBuf {
        self.0.join("signer.pub")
    }

    /// The broker's store.
    pub(crate) fn nats(&self) -> PathBuf {
        self.0.join("nats")
    }

    /// The evidence archive.
    pub(crate) fn archive(&self) -> PathBuf {
        self.0.join("archive")
    }

    /// Where the archive is while it is away.
    pub(crate) fn archive_away(&self) -> PathBuf {
        self.0.join("archive-away")
    }

    /// Notes of what the archive has not synced yet.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.0.join("ledger")
    }

    /// The suppliers' passports.
    pub(crate) fn passports(&self) -> PathBuf {
        self.0.join("passports")
    }

    /// What the gate judges by.
    pub(crate) fn policy(&self) -> PathBuf {
        self.0.join("policy")
    }

    /// The advisory indexes.
    pub(crate) fn advisories(&self) -> PathBuf {
        self.0.join("advisories")
    }

    /// The backlog mapper's database.
    pub(crate) fn backlog(&self) -> PathBuf {
        self.0.join("backlog.sqlite")
    }

    /// The registers that the backlog mapper writes.
    pub(crate) fn registers(&self) -> PathBuf {
        self.0.join("registers")
    }

    /// What the services say.
    pub(crate) fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    /// The registry.
    pub(crate) fn registry(&self) -> PathBuf {
        self.0.join("registry.sqlite")
    }

    /// Where a document lies in the archive.
    pub(crate) fn place_of(&self, digest: Digest) -> PathBuf {
        let hex = digest.hex();
        self.archive().join("documents/sha256").join(&hex[..2]).join(&hex[2..])
    }

    /// The bytes of a document as they lie in the archive, not as the archive reads them.
    pub(crate) fn document(&self, digest: Digest) -> io::Result<Vec<u8>> {
        fs::read(self.place_of(digest))
    }
}
