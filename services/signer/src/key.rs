//! The signing key: given, or for a developer's machine made on first start.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use attestation::{KeyError, SigningKey};

/// Where the signing key comes from.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Signing")]
pub struct KeyArgs {
    /// Private key, P-256 in PKCS#8 PEM, readable by this user only
    #[arg(long, env, value_name = "FILE", required_unless_present = "development_key")]
    pub signing_key: Option<PathBuf>,
    /// Development key: made on first start; production policy refuses what it signs
    #[arg(long, env, value_name = "FILE", conflicts_with = "signing_key")]
    pub development_key: Option<PathBuf>,
    /// Raise it to sign every statement again, after a key was compromised
    #[arg(long, env, value_name = "N", default_value_t = 1)]
    pub generation: u32,
}

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum LoadKeyError {
    /// Neither kind of key was given.
    #[error("no signing key: give --signing-key FILE, or --development-key FILE for a trial")]
    NoKey,
    /// The file cannot be read or written.
    #[error("signing key {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others can read the file.
    #[error(
        "signing key {path} has mode {mode:04o}, so others can read it; run `chmod 600 {path}`"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds no usable key.
    #[error("signing key {path}: {source}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: KeyError,
    },
}

impl KeyArgs {
    /// Loads the key. A development key is made if it is not there yet.
    pub fn load(&self) -> Result<SigningKey, LoadKeyError> {
        match (&self.signing_key, &self.development_key) {
            (Some(path), _) => read(path),
            (None, Some(path)) => load_or_make(path),
            (None, None) => Err(LoadKeyError::NoKey),
        }
    }
}

/// Loads the development key at `path`, made first if it is not there, with the public key beside it
/// as `<path>.pub`.
pub fn load_or_make(path: &Path) -> Result<SigningKey, LoadKeyError> {
    let file_error = |source| LoadKeyError::File { path: path.to_owned(), source };
    if !path.exists() {
        let key = SigningKey::generate()
            .map_err(|source| LoadKeyError::Unusable { path: path.to_owned(), source })?;
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(file_error)?;
        }
        // Under its own name only when whole: two processes may start at once, or one may die.
        let draft = path.with_extension(format!("draft-{}", std::process::id()));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .map_err(file_error)?;
        file.write_all(key.to_pem().as_bytes()).map_err(file_error)?;
        file.sync_all().map_err(file_error)?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft).map_err(file_error)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(file_error(error));
            }
            _ => {}
        }
    }
    let key = read(path)?;
    let public = path.with_added_extension("pub");
    fs::write(&public, key.public_key().to_pem())
        .map_err(|source| LoadKeyError::File { path: public, source })?;
    Ok(key)
}

fn read(path: &Path) -> Result<SigningKey, LoadKeyError> {
    let file_error = |source| LoadKeyError::File { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(file_error)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(LoadKeyError::Exposed { path: path.to_owned(), mode });
    }
    let pem = fs::read_to_string(path).map_err(file_error)?;
    SigningKey::from_pem(&pem)
        .map_err(|source| LoadKeyError::Unusable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn development_key_is_made_once_and_is_private() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join("keys/development.pem");

        let first = load_or_make(&path).expect("made");
        let second = load_or_make(&path).expect("loaded");

        assert_eq!(first.public_key().hint(), second.public_key().hint());
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
        let public = fs::read_to_string(directory.path().join("keys/development.pem.pub"));
        assert_eq!(public.expect("there"), first.public_key().to_pem());
        let left: Vec<_> = fs::read_dir(directory.path().join("keys")).expect("there").collect();
        assert_eq!(left.len(), 2, "no draft is left");
    }

    #[test]
    fn key_that_others_can_read_is_refused_with_the_remedy() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join("key.pem");
        load_or_make(&path).expect("made");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");

        let error = read(&path).expect_err("refused").to_string();

        assert!(error.contains("0644") && error.contains("chmod 600"), "{error}");
    }
}
