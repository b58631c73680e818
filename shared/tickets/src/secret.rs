//! Secrets: in files that nobody else reads, and nowhere in what we write.

use std::{
    fmt, fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// Largest file that is read, in bytes.
const BYTES_MAX: u64 = 4096;
/// Rights of others than the owner.
const OTHERS: u32 = 0o077;

/// A token or key. It shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// A file with a secret. It is read whenever the secret is needed, so that a new one takes effect at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFile(PathBuf);

/// Why a secret cannot be used. The text does not hold it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("{path}: {source}; name a file that holds the secret and nothing else")]
    File {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others may read or write it.
    #[error("{path}: mode {mode:04o} lets others at it; run `chmod 600 {path}`")]
    Open {
        /// Where it is.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It holds something else.
    #[error("{path}: {reason}; it should hold the secret in one line")]
    Content {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl SecretFile {
    /// The file at `path`.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The secret that it holds now.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let path = || self.0.clone();
        let failed = |source| SecretError::File { path: path(), source };
        let metadata = fs::metadata(&self.0).map_err(failed)?;
        let mode = metadata.mode() & 0o7777;
        if mode & OTHERS != 0 {
            return Err(SecretError::Open { path: path(), mode });
        }
        let refused = |reason| Err(SecretError::Content { path: path(), reason });
        if metadata.len() > BYTES_MAX {
            return refused("it is larger than any secret");
        }
        let text = fs::read_to_string(&self.0).map_err(failed)?;
        let secret = text.trim();
        if secret.is_empty() {
            return refused("it is empty");
        }
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return refused("it holds more than printable ASCII without spaces");
        }
        Ok(Secret(secret.to_owned()))
    }
}

impl Secret {
    /// The secret itself, for a header or a signature and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn read(content: &str, mode: u32) -> Result<Secret, SecretError> {
        let directory = tempfile::tempdir().expect("temporary");
        let path = directory.path().join("token");
        fs::write(&path, content).expect("writes");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changes");
        SecretFile::new(&path).read()
    }

    #[test]
    fn secret_is_what_the_file_holds_without_its_line_break() {
        let secret = read("github_pat_abc\n", 0o600).expect("reads");
        assert_eq!((secret.expose(), format!("{secret:?}").as_str()), ("github_pat_abc", "Secret"));
        assert!(read("abc", 0o400).is_ok());
    }

    #[test]
    fn file_that_others_may_read_is_refused_with_its_remedy() {
        for mode in [0o640, 0o604, 0o620, 0o666] {
            let refusal = read("s3cret", mode).expect_err("refused").to_string();
            assert!(refusal.contains("chmod 600") && !refusal.contains("s3cret"), "{refusal}");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_repeated() {
        for content in ["", " \n", "two words", "two\nlines", "ümlaut", &"x".repeat(5000)] {
            let refusal = read(content, 0o600).expect_err("refused").to_string();
            assert!(content.trim().is_empty() || !refusal.contains(content.trim()), "{refusal}");
        }
        let missing = SecretFile::new(Path::new("nowhere/token")).read().expect_err("refused");
        assert!(missing.to_string().starts_with("nowhere/token: "), "{missing}");
    }
}
