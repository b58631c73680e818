//! What the signing identity is configured with.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use attestation::{
    TrustRoot,
    trust::{MAX_TRUSTED_ROOT_BYTES, TrustRootError},
};
use sigstore_sign::trust_root::SIGSTORE_PRODUCTION_SIGNING_CONFIG;

use crate::{
    identity::SigningIdentity,
    key::{KeyArgs, LoadKeyError},
    services::{Services, ServicesError},
    token::TokenSource,
};

/// Who signs, and with which services.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Signing")]
pub struct SigningArgs {
    /// A key that signs.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Sign with short-lived certificates for the identity that a token proves
    #[arg(long, env, conflicts_with_all = ["signing_key", "development_key"])]
    pub keyless: bool,
    /// File with the identity token, read anew for each certificate [default: SIGSTORE_ID_TOKEN, or what the
    /// CI system gives]
    #[arg(long, env, value_name = "FILE", requires = "keyless")]
    pub identity_token_file: Option<PathBuf>,
    /// Sigstore signing config (v0.2) with the authority, log and timestamp authority to use [default: for
    /// --keyless, Sigstore's public good instance; for a key, none]
    #[arg(long, env, value_name = "FILE")]
    pub signing_config: Option<PathBuf>,
    /// Trusted root that what is signed must verify with [default: Sigstore's public good instance]
    #[arg(long, env, value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
    /// Raise it to sign every statement again, after a key or identity was compromised
    #[arg(long, env, value_name = "N", default_value_t = 1)]
    pub generation: u32,
}

/// Why there is no signing identity.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] LoadKeyError),
    /// A file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The services cannot be used.
    #[error("signing config {place}: {source}")]
    Services {
        /// Where the config is from.
        place: String,
        /// What is wrong.
        source: ServicesError,
    },
    /// The trusted root cannot be used.
    #[error("trusted root {place}: {source}")]
    Root {
        /// Where it is from.
        place: String,
        /// What is wrong.
        source: TrustRootError,
    },
}

const PUBLIC_GOOD: &str = "of Sigstore's public good instance";

impl SigningArgs {
    /// Loads the signing identity; no service is asked yet.
    ///
    /// # Errors
    /// What is wrong with a file, with its name.
    pub fn load(&self) -> Result<SigningIdentity, SigningError> {
        if self.keyless {
            let (config, place) = match &self.signing_config {
                Some(path) => (read(path)?, path.display().to_string()),
                None => (SIGSTORE_PRODUCTION_SIGNING_CONFIG.to_owned(), PUBLIC_GOOD.to_owned()),
            };
            let services = Services::keyless(&config)
                .map_err(|source| SigningError::Services { place, source })?;
            let tokens = match &self.identity_token_file {
                Some(path) => TokenSource::File(path.clone()),
                None => TokenSource::Ambient,
            };
            return Ok(SigningIdentity::keyless(services, tokens, self.root()?));
        }
        let key = self.key.load()?;
        let Some(path) = &self.signing_config else { return Ok(SigningIdentity::of_key(key)) };
        let place = path.display().to_string();
        let services = Services::for_keys(&read(path)?)
            .map_err(|source| SigningError::Services { place, source })?;
        Ok(SigningIdentity::of_key_with(key, services, self.root()?))
    }

    fn root(&self) -> Result<Arc<TrustRoot>, SigningError> {
        let (root, place) = match &self.trusted_root {
            Some(path) => {
                (TrustRoot::from_json(read(path)?.as_bytes()), path.display().to_string())
            }
            None => (TrustRoot::public_good(), PUBLIC_GOOD.to_owned()),
        };
        root.map(Arc::new).map_err(|source| SigningError::Root { place, source })
    }
}

fn read(path: &Path) -> Result<String, SigningError> {
    let error = |source| SigningError::File { path: path.to_owned(), source };
    if fs::metadata(path).map_err(error)?.len() > MAX_TRUSTED_ROOT_BYTES as u64 {
        return Err(error(std::io::Error::other("too large")));
    }
    fs::read_to_string(path).map_err(error)
}
