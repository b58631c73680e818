//! What supplier-ingest decides by: passports and policy.

use std::{path::PathBuf, sync::Arc, time::Duration};

use advisories::{CurrentIndex, Index};
use attestation::{TrustRoot, trust::TrustRootError};
use policy::{CurrentPolicy, Limits, LoadError};
use worker::HandleError;

use crate::{PassportDirectory, PassportsError};

/// What supplier-ingest decides by.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Suppliers")]
pub struct IngestArgs {
    /// Directory of passports, one TOML file per supplier; changes are noticed
    #[arg(long, env, value_name = "DIR", default_value = "data/passports")]
    pub passports: PathBuf,
    /// Trusted root behind the certificates of suppliers' identities [default: Sigstore's public good instance]
    #[arg(long, env, value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
    /// Directory of Rego policies, or an OPA bundle (*.tar.gz), with the rule set `supplier`, read again when it changes [default: the library that ships with Attestry]
    #[arg(long, env, value_name = "DIR")]
    pub policy: Option<PathBuf>,
    /// Directory of advisory indexes, as `attestry advisories sync` writes it: malware in a document rejects it [default: no
    /// index]
    #[arg(long, env, value_name = "DIR")]
    pub advisories: Option<PathBuf>,
    /// Seconds that judging one document may take
    #[arg(long, env, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub policy_timeout: u64,
    /// MiB of memory that judging one document may take
    #[arg(long, env, value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u64).range(64..=65_536))]
    pub policy_memory: u64,
}

/// Settings, loaded and checked.
pub struct Settings {
    /// Who may submit, and what.
    pub passports: PassportDirectory,
    pub(crate) policy: CurrentPolicy,
    pub(crate) root: Arc<TrustRoot>,
    pub(crate) advisories: Option<CurrentIndex>,
}

impl Settings {
    /// The advisory index of now, if there is to be one. May wait for the disk.
    pub(crate) fn advisories(&self) -> Result<Option<Index>, HandleError> {
        let Some(advisories) = &self.advisories else { return Ok(None) };
        advisories.get().map_err(|error| HandleError::Outage {
            dependency: "advisories",
            detail: error.to_string(),
        })
    }
}

/// Why supplier-ingest cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The policy directory is refused as a whole.
    #[error("policy {place}: {source}")]
    Policy {
        /// Where the policy was read from.
        place: String,
        /// What is wrong, with file and line.
        source: LoadError,
    },
    /// The trusted root cannot be used.
    #[error("trusted root {place}: {problem}")]
    Root {
        /// Where it is from.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// The passports cannot be read.
    #[error(transparent)]
    Passports(#[from] PassportsError),
}

impl IngestArgs {
    /// Loads passports and policy; whatever is wrong with them shows here and not in a receipt.
    pub fn load(&self) -> Result<Settings, SettingsError> {
        let time = Duration::from_secs(self.policy_timeout);
        let limits = Limits { time, memory: self.policy_memory * 1024 * 1024 };
        let policy = CurrentPolicy::load(self.policy.as_deref(), limits);
        let policy = policy.map_err(|source| {
            let place =
                self.policy.as_ref().map_or("library".into(), |it| it.display().to_string());
            SettingsError::Policy { place, source }
        })?;
        let passports = PassportDirectory::open(&self.passports)?;
        let advisories = self.advisories.as_deref().map(CurrentIndex::new);
        Ok(Settings { passports, policy, root: Arc::new(self.root()?), advisories })
    }

    fn root(&self) -> Result<TrustRoot, SettingsError> {
        let Some(path) = &self.trusted_root else {
            let refused = |error: TrustRootError| SettingsError::Root {
                place: "of Sigstore's public good instance".to_owned(),
                problem: error.to_string(),
            };
            return TrustRoot::public_good().map_err(refused);
        };
        let refused =
            |problem: String| SettingsError::Root { place: path.display().to_string(), problem };
        let bytes = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
        TrustRoot::from_json(&bytes).map_err(|error| refused(error.to_string()))
    }
}
