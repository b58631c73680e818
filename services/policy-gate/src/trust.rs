//! The trust policy, read again when one of its files changes.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use attestation::{
    Trust,
    trust::{MAX_TRUST_FILE_BYTES, MAX_TRUSTED_ROOT_BYTES, TrustFileError},
};
use jiff::Timestamp;
use tracing::{error, info};

/// Whose signatures count now.
#[derive(Debug)]
pub(crate) enum CurrentTrust {
    /// What was given at the start.
    Fixed(Trust),
    /// What a file says.
    File(TrustFile),
}

/// A trust policy with what it was read from.
#[derive(Debug)]
pub(crate) struct TrustFile {
    path: PathBuf,
    read: Mutex<Read>,
}

#[derive(Debug)]
struct Read {
    trust: Trust,
    /// Every file that it was read from.
    stamps: Stamps,
}

type Stamps = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

/// A trust policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read.
    #[error("trust policy {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It says something that cannot be.
    #[error("trust policy {path}: {source}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        source: TrustFileError,
    },
}

impl CurrentTrust {
    /// The trust policy at `path`.
    pub(crate) fn of_file(path: &Path) -> Result<Self, TrustError> {
        let (trust, stamps) = load(path);
        let read = Mutex::new(Read { trust: trust?, stamps });
        Ok(Self::File(TrustFile { path: path.to_owned(), read }))
    }

    /// Whose signatures count at `now`. A policy that was spoilt since it was read keeps counting as it
    /// was, loudly.
    pub(crate) fn at(&self, now: Timestamp) -> Trust {
        let file = match self {
            Self::Fixed(trust) => return trust.at(now),
            Self::File(file) => file,
        };
        let mut read = file.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.stamps.iter().any(|(path, before)| stamp(path) != *before) {
            let (trust, stamps) = load(&file.path);
            read.stamps = stamps;
            match trust {
                Ok(trust) => {
                    info!(path = %file.path.display(), "Read the trust policy again");
                    read.trust = trust;
                }
                Err(problem) => {
                    error!(%problem, "The trust policy was spoilt; the one before it keeps counting");
                }
            }
        }
        read.trust.at(now)
    }
}

/// The policy, and the files that it was read from as they were before.
fn load(path: &Path) -> (Result<Trust, TrustError>, Stamps) {
    let stamps = RefCell::new(Stamps::new());
    let read = |path: &Path, limit: usize| {
        stamps.borrow_mut().insert(path.to_owned(), stamp(path));
        match fs::metadata(path)?.len() {
            size if size > limit as u64 => {
                Err(io::Error::other(format!("has {size} bytes; at most {limit} are read")))
            }
            _ => fs::read(path),
        }
    };
    let folder = path.parent().unwrap_or(path);
    let beside = |name: &str| {
        let file = folder.join(name);
        read(&file, MAX_TRUSTED_ROOT_BYTES).map_err(|error| format!("{}: {error}", file.display()))
    };
    let text = read(path, MAX_TRUST_FILE_BYTES).and_then(|bytes| {
        String::from_utf8(bytes).map_err(|error| io::Error::other(error.to_string()))
    });
    let trust = match text {
        Ok(text) => Trust::from_toml(&text, beside)
            .map_err(|source| TrustError::Wrong { path: path.to_owned(), source }),
        Err(source) => Err(TrustError::File { path: path.to_owned(), source }),
    };
    (trust, stamps.into_inner())
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use attestation::{SigningKey, Statement, Subject, VerifyError, verify_bundle};

    use super::*;

    #[test]
    fn changed_policy_counts_at_once_and_a_spoilt_one_does_not() {
        let dir = tempfile::tempdir().expect("made");
        let write =
            |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("written");
        let statement = br#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333"}}],"predicateType":"urn:x"}"#;
        let statement = Statement::parse(&statement[..], 1024).expect("sound");
        let subjects: &[Subject] = statement.subjects();
        assert_eq!(subjects.len(), 1);
        let [old, new] = [(); 2].map(|()| SigningKey::generate().expect("a key"));
        let signed = |key: &SigningKey| key.sign_statement(&statement).expect("signed");
        write("signer.pub", &old.public_key().to_pem());
        write("trust.toml", "[[keys]]\nlabel = \"signer\"\nfile = \"signer.pub\"\n");
        let current = CurrentTrust::of_file(&dir.path().join("trust.toml")).expect("reads");
        let verify = |key| verify_bundle(&signed(key), &current.at(Timestamp::UNIX_EPOCH));
        assert!(verify(&old).is_ok());
        assert!(matches!(verify(&new), Err(VerifyError::UnknownKey { .. })));

        // A file that the policy names counts as a part of it. Its size tells, if its time does not.
        write("signer.pub", &format!("\n{}", new.public_key().to_pem()));
        assert!(verify(&new).is_ok());
        assert!(verify(&old).is_err());
        write("trust.toml", "[[keys]]\nlabel = ");
        assert!(verify(&new).is_ok());
        write(
            "trust.toml",
            "[[keys]]\nlabel = \"signer\"\nfile = \"signer.pub\"\npredicate_types = [\"urn:y\"]\n",
        );
        let refused = verify(&new).expect_err("refused").to_string();
        assert!(refused.contains("may not sign a `urn:x`, only: urn:y"), "{refused}");
        let gone = CurrentTrust::of_file(&dir.path().join("gone.toml")).expect_err("refused");
        assert!(gone.to_string().contains("gone.toml"), "{gone}");
    }
}
