//! The operator's choices: who owns what, who can reach what, and how soon something must be done.

use std::{fs, path::Path, path::PathBuf};

use serde::de::DeserializeOwned;

use crate::{edits::Edits, routing::Routing, sla::Sla};

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The operator's choices, checked.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Who owns what.
    pub routing: Routing,
    /// How soon it must be done.
    pub sla: Sla,
    /// What is said of risks.
    pub risks: Edits,
}

/// Why a file with choices is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{path}: {source}; name a readable file, or leave the option out")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is larger than any such file should be.
    #[error("{path}: has {bytes} bytes; at most {FILE_BYTES_MAX} are read")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        bytes: u64,
    },
    /// It does not say what it should.
    #[error("{path}:{line}: {message}; see docs/backlog.md and docs/tickets.md for the fields")]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
}

impl Config {
    /// Reads the files that were named; without a file, the defaults.
    pub fn load(
        routing: Option<&Path>,
        sla: Option<&Path>,
        risks: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        Ok(Self { routing: read(routing)?, sla: read(sla)?, risks: read(risks)? })
    }
}

fn read<T: DeserializeOwned + Default>(path: Option<&Path>) -> Result<T, ConfigError> {
    let Some(path) = path else { return Ok(T::default()) };
    parse(path, &text(path)?)
}

/// What the file at `path` holds.
pub(crate) fn text(path: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::File { path: path.to_owned(), source };
    let bytes = fs::metadata(path).map_err(failed)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(ConfigError::TooLarge { path: path.to_owned(), bytes });
    }
    fs::read_to_string(path).map_err(failed)
}

/// Reads `text` as the content of the TOML file at `path`.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text)
        .map_err(|error| at(path, text, error.span().map_or(0, |span| span.start), error.message()))
}

/// What is wrong with `text`, the content of the file at `path`, at that byte.
pub(crate) fn at(path: &Path, text: &str, start: usize, message: &str) -> ConfigError {
    let before = &text.as_bytes()[..start.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    ConfigError::Content { path: path.to_owned(), line, message: message.to_owned() }
}
