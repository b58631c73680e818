//! Sigstore's trusted root as it is today, by The Update Framework.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use attestation::{TrustRoot, trust::TrustRootError};
use jiff::Timestamp;
use sigstore_tuf::{FileStore, HttpRepository, Updater, reqwest};

/// Patience with a mirror that sends slowly or not at all.
const PATIENCE: Duration = Duration::from_secs(60);
const PUBLIC_GOOD: &str = "https://tuf-repo-cdn.sigstore.dev";
const PUBLIC_GOOD_ROOT: &[u8] = include_bytes!("../roots/sigstore.root.json");
const TRUSTED_ROOT_TARGET: &str = "trusted_root.json";
const SIGNING_CONFIG_TARGET: &str = "signing_config.v0.2.json";

/// Where to get it, and what to believe first.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct TufArgs {
    /// TUF repository [default: that of Sigstore's public good instance]
    #[arg(long, env, value_name = "URL", requires = "tuf_root")]
    pub tuf_url: Option<String>,
    /// The repository's root.json, got in a way that you trust
    #[arg(long, env, value_name = "FILE", requires = "tuf_url")]
    pub tuf_root: Option<PathBuf>,
}

/// What was got, checked and written.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// The files.
    pub files: Vec<PathBuf>,
    /// Whether any of them says something new.
    pub changed: bool,
}

/// Why there is no newer trusted root; what was there before stays.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The repository cannot be had, or is not what the root says.
    #[error("trusted root of {url}: {reason}")]
    Tuf {
        /// The repository.
        url: String,
        /// What failed.
        reason: String,
    },
    /// What it has is nothing to verify with.
    #[error("the trusted root of {url} cannot be used: {source}")]
    Unfit {
        /// The repository.
        url: String,
        /// What is wrong.
        source: TrustRootError,
    },
}

impl TufArgs {
    /// Writes `trusted_root.json` and `signing_config.json` into `dir`, each whole or not at all. Beside them, in
    /// `tuf`, stays what the next run must not fall behind.
    ///
    /// # Errors
    /// Whatever does not verify as of `now`; nothing is changed then.
    pub async fn refresh(&self, dir: &Path, now: Timestamp) -> Result<Refreshed, RefreshError> {
        let (url, root) = self.repository()?;
        let targets = fetch(&url, &root, &dir.join("tuf"), now).await;
        let [trusted_root, signing_config] = targets
            .map_err(|error| RefreshError::Tuf { url: url.clone(), reason: chain(&error) })?;
        TrustRoot::from_json(&trusted_root)
            .map_err(|source| RefreshError::Unfit { url, source })?;
        let mut refreshed = Refreshed { files: Vec::new(), changed: false };
        for (name, bytes) in
            [("trusted_root.json", trusted_root), ("signing_config.json", signing_config)]
        {
            let path = dir.join(name);
            refreshed.changed |= replace(&path, &bytes)
                .map_err(|source| RefreshError::File { path: path.clone(), source })?;
            refreshed.files.push(path);
        }
        Ok(refreshed)
    }

    /// Where the repository is, and the root that is believed first.
    fn repository(&self) -> Result<(String, Vec<u8>), RefreshError> {
        match (&self.tuf_url, &self.tuf_root) {
            (Some(url), Some(path)) => {
                let root = fs::read(path)
                    .map_err(|source| RefreshError::File { path: path.clone(), source })?;
                Ok((url.clone(), root))
            }
            _ => Ok((PUBLIC_GOOD.to_owned(), PUBLIC_GOOD_ROOT.to_vec())),
        }
    }
}

async fn fetch(
    url: &str,
    root: &[u8],
    cache: &Path,
    now: Timestamp,
) -> Result<[Vec<u8>; 2], sigstore_tuf::Error> {
    let client = reqwest::Client::builder().timeout(PATIENCE).build();
    let client = client.map_err(|error| sigstore_tuf::Error::transport(error.to_string()))?;
    let repository = HttpRepository::new(url)?.with_http_client(client);
    let mut updater = Updater::new(repository, root)?.with_store(FileStore::new(cache));
    updater.refresh(now).await?;
    let trusted_root = updater.get_target(TRUSTED_ROOT_TARGET, now).await?;
    Ok([trusted_root, updater.get_target(SIGNING_CONFIG_TARGET, now).await?])
}

/// Puts `bytes` in place of the file, and tells whether that changed it.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<bool> {
    if fs::read(path).is_ok_and(|held| held == bytes) {
        return Ok(false);
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let draft = path.with_added_extension("draft");
    fs::write(&draft, bytes)?;
    fs::rename(&draft, path)?;
    Ok(true)
}

/// The error and what it comes from, which it does not say by itself.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use private_sigstore::PrivateSigstore;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-30T00:00:00Z".parse().expect("valid")
    }

    async fn instance(dir: &Path) -> (PrivateSigstore, TufArgs) {
        let sigstore = PrivateSigstore::start("127.0.0.1:0".parse().expect("valid")).await;
        let sigstore = sigstore.expect("starts");
        let root = dir.join("root.json");
        fs::write(&root, sigstore.tuf_root()).expect("written");
        let tuf_url = Some(format!("{}/tuf", sigstore.url()));
        (sigstore, TufArgs { tuf_url, tuf_root: Some(root) })
    }

    #[test]
    fn the_root_that_is_built_in_can_begin() {
        let repository = HttpRepository::new(PUBLIC_GOOD).expect("a URL");
        assert!(Updater::new(repository, PUBLIC_GOOD_ROOT).is_ok());
    }

    #[tokio::test]
    async fn a_root_is_fetched_once_and_verifies() {
        let dir = tempfile::tempdir().expect("made");
        let (_sigstore, args) = instance(dir.path()).await;
        let place = dir.path().join("trust");

        let first = args.refresh(&place, now()).await.expect("fetched");
        assert!(first.changed);
        let root = fs::read(place.join("trusted_root.json")).expect("written");
        TrustRoot::from_json(&root).expect("reads");
        assert!(place.join("signing_config.json").exists());
        assert!(!args.refresh(&place, now()).await.expect("fetched").changed);
    }

    #[tokio::test]
    async fn what_another_root_signed_changes_nothing() {
        let dir = tempfile::tempdir().expect("made");
        let (_sigstore, args) = instance(dir.path()).await;
        let place = dir.path().join("trust");
        args.refresh(&place, now()).await.expect("fetched");
        let before = fs::read(place.join("trusted_root.json")).expect("written");
        let other = tempfile::tempdir().expect("made");
        let (_other, others) = instance(other.path()).await;

        let mixed = TufArgs { tuf_url: others.tuf_url, tuf_root: args.tuf_root.clone() };
        let error = mixed.refresh(&place, now()).await.expect_err("refused");
        assert!(matches!(error, RefreshError::Tuf { .. }), "{error}");
        let late = args.refresh(&place, "3000-01-01T00:00:00Z".parse().expect("valid")).await;
        assert!(late.expect_err("expired").to_string().contains("xpired"));
        assert_eq!(fs::read(place.join("trusted_root.json")).expect("still there"), before);
    }
}
