//! A private Sigstore on loopback, for tests and labs: Fulcio with a certificate log, Rekor in both versions, a
//! timestamp authority, and an issuer that gives a token to whoever asks. **It proves nothing to anybody else.**
//!
//! It is faithful where clients look: tokens and proofs of possession are checked, logs check signatures and prove
//! inclusion, certificates carry a timestamp of their log. Independent clients sign with it and verify what was
//! signed with it (`cargo xtask interop sigstore`).

mod authority;
mod faults;
mod keys;
mod log;
mod oidc;
mod server;
mod timestamps;
mod trust;
mod tuf;

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use anyhow::Context as _;

use crate::{
    authority::Authority, faults::Faults, log::Log, oidc::Oidc, timestamps::Timestamps,
    tuf::Repository,
};
pub use crate::{
    faults::{Fault, Service},
    oidc::Claims,
};

/// A running instance; it ends when it is dropped.
pub struct PrivateSigstore {
    instance: Arc<Instance>,
    url: String,
    serving: tokio::task::JoinHandle<()>,
}

/// The services.
pub(crate) struct Instance {
    authority: Authority,
    log_v1: Log,
    log_v2: Log,
    timestamps: Timestamps,
    oidc: Oidc,
    faults: Faults,
    /// What is trusted, and what to sign with, since it started.
    tuf: OnceLock<Repository>,
}

impl Instance {
    pub(crate) fn tuf_file(&self, path: &str) -> Option<&[u8]> {
        self.tuf.get()?.file(path)
    }
}

impl PrivateSigstore {
    /// Starts an instance with new keys on `address`; port 0 finds a free one.
    ///
    /// # Errors
    /// The address is taken, or there is no randomness.
    pub async fn start(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}; is an instance running?"))?;
        let host = listener.local_addr()?.to_string();
        let url = format!("http://{host}");
        let instance = Arc::new(Instance {
            authority: Authority::new("fulcio")?,
            log_v1: Log::new(format!("rekor-v1.{host}"))?,
            log_v2: Log::new(format!("rekor-v2.{host}"))?,
            timestamps: Timestamps::new()?,
            oidc: Oidc::new(format!("{url}/oidc"))?,
            faults: Faults::default(),
            tuf: OnceLock::new(),
        });
        let repository = Repository::of(&[
            ("trusted_root.json", trust::trusted_root(&instance, &url)?.to_string()),
            ("signing_config.v0.2.json", trust::signing_config(&url, 2)?.to_string()),
        ])?;
        instance.tuf.get_or_init(|| repository);
        let router = server::router(Arc::clone(&instance));
        let serving = tokio::spawn(async move {
            // It ends with the process or with this handle.
            drop(axum::serve(listener, router).await);
        });
        Ok(Self { instance, url, serving })
    }

    /// Where it is: `http://HOST:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The issuer in its tokens.
    pub fn issuer(&self) -> &str {
        self.instance.oidc.url()
    }

    /// A token with `claims`.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn token(&self, claims: Claims) -> anyhow::Result<String> {
        self.instance.oidc.token(claims)
    }

    /// What this instance's evidence is verified with, `trusted_root.json`.
    ///
    /// # Errors
    /// The clock stands before 1970.
    pub fn trusted_root(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(&trust::trusted_root(&self.instance, &self.url)?)?)
    }

    /// Which services to sign with, `signing_config.json`; `rekor` is the version of the log.
    ///
    /// # Errors
    /// The clock stands before 1970.
    pub fn signing_config(&self, rekor: u32) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(&trust::signing_config(&self.url, rekor)?)?)
    }

    /// The root of its TUF repository, which lies at `/tuf`.
    pub fn tuf_root(&self) -> Vec<u8> {
        self.instance.tuf_file("root.json").unwrap_or_default().to_vec()
    }

    /// Writes `trusted_root.json`, `signing_config.json`, `trust_config.json` (both, for sigstore-python),
    /// `root.json` (of its TUF repository), `token` and `url` into `dir`.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write_files(&self, dir: &Path, claims: Claims) -> anyhow::Result<()> {
        std::fs::create_dir_all(dir)?;
        let both = trust::client_trust_config(&self.instance, &self.url)?;
        for (name, text) in [
            ("trusted_root.json", self.trusted_root()?),
            ("signing_config.json", self.signing_config(2)?),
            ("signing_config_v1.json", self.signing_config(1)?),
            ("trust_config.json", serde_json::to_string_pretty(&both)?),
            ("root.json", String::from_utf8(self.tuf_root())?),
            ("token", self.token(claims)?),
            ("url", self.url.clone()),
        ] {
            let path = dir.join(name);
            std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }

    /// Lets a service fail until it is told otherwise.
    pub fn set_fault(&self, service: Service, fault: Option<Fault>) {
        self.instance.faults.set(service, fault);
    }

    /// How many requests a service was asked, those that failed too.
    pub fn requests(&self, service: Service) -> u64 {
        self.instance.faults.requests(service)
    }

    /// How many entries both logs have together.
    pub fn entries(&self) -> usize {
        self.instance.log_v1.len() + self.instance.log_v2.len()
    }
}

impl Drop for PrivateSigstore {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[allow(clippy::disallowed_methods, reason = "a service of the world has a clock")]
pub(crate) fn clock() -> SystemTime {
    SystemTime::now()
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = clock().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

pub(crate) fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)?;
    // A serial number is positive.
    bytes[0] = bytes[0] & 0x7f | 1;
    Ok(bytes)
}

/// As RFC 3339 has it, a little in the past, so that nothing is signed before it.
pub(crate) fn start() -> anyhow::Result<String> {
    Ok(jiff::Timestamp::from_second(now() - 600)?.to_string())
}
