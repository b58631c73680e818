//! The signing key: given, or for a developer's machine made on first start.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use attestation::{KeyError, SigningKey};

/// Where the signing key comes from.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct KeyArgs {
    /// Private key, P-256 in PKCS#8 PEM, readable by this user only
    #[arg(long, env, value_name = "FILE")]
    pub signing_key: Option<PathBuf>,
    /// File with the passphrase of an encrypted private key, readable by this user only
    #[arg(long, env, value_name = "FILE", requires = "signing_key")]
    pub signing_key_passphrase_file: Option<PathBuf>,
    /// Development key: made on first start; production policy refuses what it signs
    #[arg(long, env, value_name = "FILE", conflicts_with = "signing_key")]
    pub development_key: Option<PathBuf>,
}

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum LoadKeyError {
    /// Neither kind of key was given.
    #[error(
        "no signing identity: give --signing-key FILE, or --keyless, or --development-key FILE for a trial"
    )]
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
            (Some(path), _) => read(path, self.signing_key_passphrase_file.as_deref()),
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
    let key = read(path, None)?;
    let public = path.with_added_extension("pub");
    fs::write(&public, key.public_key().to_pem())
        .map_err(|source| LoadKeyError::File { path: public, source })?;
    Ok(key)
}

fn read(path: &Path, passphrase: Option<&Path>) -> Result<SigningKey, LoadKeyError> {
    let pem = read_secret(path)?;
    let key = match passphrase {
        // Editors and `echo` end it with a line break that is no part of it.
        Some(file) => {
            let passphrase = read_secret(file)?;
            SigningKey::from_encrypted_pem(&pem, passphrase.trim_end_matches(['\r', '\n']))
        }
        None => SigningKey::from_pem(&pem),
    };
    key.map_err(|source| LoadKeyError::Unusable { path: path.to_owned(), source })
}

/// The text of a file that nobody else can read.
fn read_secret(path: &Path) -> Result<String, LoadKeyError> {
    let file_error = |source| LoadKeyError::File { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(file_error)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(LoadKeyError::Exposed { path: path.to_owned(), mode });
    }
    fs::read_to_string(path).map_err(file_error)
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
    fn encrypted_key_of_openssl_opens_with_its_passphrase_alone() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let [path, passphrase] = ["key.pem", "passphrase"].map(|it| directory.path().join(it));
        let secret = |path: &Path, text: &str| {
            fs::write(path, text).expect("written");
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("changed");
        };
        secret(&passphrase, "correct horse\n");
        let openssl = std::process::Command::new("openssl")
            .args(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-aes-256-cbc", "-pass", "pass:correct horse", "-out"])
            .arg(&path)
            .output()
            .expect("openssl");
        assert!(openssl.status.success(), "{openssl:?}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("changed");

        assert!(read(&path, Some(&passphrase)).is_ok());
        let refusal = |passphrase| read(&path, passphrase).expect_err("refused").to_string();
        assert!(refusal(None).contains("is encrypted: give its passphrase"), "{}", refusal(None));
        secret(&passphrase, "wrong horse");
        assert!(refusal(Some(&*passphrase)).contains("does not open the private key"));
        let plain = directory.path().join("plain.pem");
        load_or_make(&plain).expect("made");
        assert!(read(&plain, Some(&passphrase)).is_err(), "a passphrase for a key without one");
    }

    #[test]
    fn key_that_others_can_read_is_refused_with_the_remedy() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path().join("key.pem");
        load_or_make(&path).expect("made");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");

        let error = read(&path, None).expect_err("refused").to_string();

        assert!(error.contains("0644") && error.contains("chmod 600"), "{error}");
    }
}
