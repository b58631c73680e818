//! What the gate decides by: policy, trusted keys, and the operator's choices.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use advisories::CurrentIndex;
use attestation::{KeyError, PublicKey, Trust, TrustedKey, trust::AlreadyTrusted};
use jiff::SignedDuration;
use policy::{CurrentPolicy, Limits, LoadError};

use crate::{
    input::Config,
    modes::{Modes, ModesError},
    signed_policy,
    trust::{CurrentTrust, TrustError},
};

/// What the gate decides by.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Policy")]
pub struct GateArgs {
    /// Directory of Rego policies, or an OPA bundle (*.tar.gz), read again when it changes [default: the library that ships with Attestry]
    #[arg(long, env, value_name = "DIR")]
    pub policy: Option<PathBuf>,
    /// Who may sign the bundle that --policy names, TOML as for --trust; its signature is beside it, `<bundle>.sigstore.json`
    #[arg(long, env, value_name = "FILE", requires = "policy")]
    pub policy_trust: Option<PathBuf>,
    /// Public key whose signatures are trusted, PEM; repeat for several
    #[arg(long, env, value_name = "FILE", value_delimiter = ',')]
    pub trusted_key: Vec<PathBuf>,
    /// Trust policy with keys, identities and required evidence, TOML; read again when it changes
    #[arg(long, env, value_name = "FILE", conflicts_with_all = ["trusted_key", "trusted_development_key"])]
    pub trust: Option<PathBuf>,
    /// Public key of a developer's machine, PEM; what it signs is marked
    #[arg(long, env, value_name = "FILE", value_delimiter = ',')]
    pub trusted_development_key: Vec<PathBuf>,
    /// Let builds pass whose evidence a development key signed: for a trial, never for production
    #[arg(long, env)]
    pub allow_development_key: bool,
    /// Seconds that judging one build may take
    #[arg(long, env, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub policy_timeout: u64,
    /// Directory of waivers, as `attestry waiver add` writes them; read for each build
    #[arg(long, env, value_name = "DIR", requires = "approvers")]
    pub waivers: Option<PathBuf>,
    /// Who may approve waivers: keys and identities, TOML as for --trust; read again when it changes
    #[arg(long, env, value_name = "FILE", requires = "waivers")]
    pub approvers: Option<PathBuf>,
    /// How much a denial counts, by project and environment: TOML, read for each build [default: it stops the build]
    #[arg(long, env, value_name = "FILE")]
    pub modes: Option<PathBuf>,
    /// Directory of Rego policies that are asked beside and decide nothing; reports tell what they would say
    #[arg(long, env, value_name = "DIR")]
    pub shadow_policy: Option<PathBuf>,
    /// Judge again what is promoted when policy, advisories, waivers or VEX change, this long after its last verdict
    /// at the soonest [default: only what is asked for]
    #[arg(long, env, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub judge_again: Option<u32>,
    /// MiB of memory that judging one build may take
    #[arg(long, env, value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u64).range(64..=65_536))]
    pub policy_memory: u64,
    /// Directory of advisory indexes, as `attestry advisories sync` writes it [default: no
    /// vulnerability is known]
    #[arg(long, env, value_name = "DIR")]
    pub advisories: Option<PathBuf>,
}

/// Settings, loaded and checked.
pub struct Settings {
    pub(crate) policy: CurrentPolicy,
    pub(crate) trust: CurrentTrust,
    pub(crate) config: Config,
    pub(crate) advisories: Option<CurrentIndex>,
    pub(crate) waivers: Option<Waivers>,
    pub(crate) modes: Option<PathBuf>,
    pub(crate) shadow: Option<CurrentPolicy>,
    pub(crate) judge_again: Option<SignedDuration>,
}

/// Where waivers are, and who may approve them.
pub(crate) struct Waivers {
    pub(crate) directory: PathBuf,
    pub(crate) approvers: CurrentTrust,
}

/// Why the gate cannot start.
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
    /// A key file cannot be read.
    #[error("trusted key {path}: {source}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A key file holds no usable key.
    #[error("trusted key {path}: {source}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: KeyError,
    },
    /// A key was given twice.
    #[error(transparent)]
    Twice(#[from] AlreadyTrusted),
    /// The trust policy cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The modes cannot be used.
    #[error(transparent)]
    Modes(#[from] ModesError),
    /// Nothing could ever pass.
    #[error(
        "nobody is trusted, so every build would fail; give --trusted-key FILE with the signer's public key, or --trust FILE"
    )]
    NoKey,
}

impl Default for GateArgs {
    fn default() -> Self {
        Self {
            policy: None,
            policy_trust: None,
            trusted_key: vec![],
            trust: None,
            trusted_development_key: vec![],
            allow_development_key: false,
            policy_timeout: 5,
            waivers: None,
            approvers: None,
            modes: None,
            shadow_policy: None,
            judge_again: None,
            policy_memory: 2048,
            advisories: None,
        }
    }
}

impl GateArgs {
    /// Loads policy and keys; whatever is wrong with them shows here and not in a verdict.
    pub fn load(&self) -> Result<Settings, SettingsError> {
        let trust = match &self.trust {
            Some(path) => CurrentTrust::of_file(path)?,
            None => CurrentTrust::Fixed(self.keys()?),
        };
        let time = Duration::from_secs(self.policy_timeout);
        let limits = Limits { time, memory: self.policy_memory * 1024 * 1024 };
        let at = |place: Option<&Path>| {
            let place = place.map_or("library".into(), |it| it.display().to_string());
            move |source| SettingsError::Policy { place, source }
        };
        let policy = match (&self.policy, &self.policy_trust) {
            (Some(place), Some(trust)) => {
                let check = signed_policy::check(place, CurrentTrust::of_file(trust)?);
                CurrentPolicy::load_checked(place, check, limits)
            }
            (place, _) => CurrentPolicy::load(place.as_deref(), limits),
        };
        let policy = policy.map_err(at(self.policy.as_deref()))?;
        let shadow = self.shadow_policy.as_deref();
        let shadow = shadow
            .map(|it| CurrentPolicy::load(Some(it), limits).map_err(at(Some(it))))
            .transpose()?;
        self.modes.as_deref().map(Modes::read).transpose()?;
        let config = Config { allow_development_key: self.allow_development_key };
        let advisories = self.advisories.as_deref().map(CurrentIndex::new);
        let waivers = match (&self.waivers, &self.approvers) {
            (Some(directory), Some(file)) => {
                let approvers = CurrentTrust::of_file(file)?;
                Some(Waivers { directory: directory.clone(), approvers })
            }
            _ => None,
        };
        let modes = self.modes.clone();
        let judge_again = self.judge_again.map(|it| SignedDuration::from_secs(it.into()));
        Ok(Settings { policy, trust, config, advisories, waivers, modes, shadow, judge_again })
    }

    fn keys(&self) -> Result<Trust, SettingsError> {
        let mut keys = Trust::new();
        let production = self.trusted_key.iter().map(|path| (path, false));
        let development = self.trusted_development_key.iter().map(|path| (path, true));
        for (path, development) in production.chain(development) {
            keys.add(read_key(path, development)?)?;
        }
        if keys.is_empty() {
            return Err(SettingsError::NoKey);
        }
        Ok(keys)
    }
}

fn read_key(path: &Path, development: bool) -> Result<TrustedKey, SettingsError> {
    let pem = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::KeyFile { path: path.to_owned(), source })?;
    let key = PublicKey::from_pem(&pem)
        .map_err(|source| SettingsError::Key { path: path.to_owned(), source })?;
    Ok(TrustedKey { development, ..TrustedKey::new(path.display().to_string(), key) })
}
