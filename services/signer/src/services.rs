//! The services of a Sigstore instance: certificates, log entries, time stamps.

use std::time::Duration;

use sigstore_sign::{
    fulcio::FulcioClient,
    rekor::{DsseEntry, HashedRekordV2, RekorClient, RekorV2Client, RekorV2KeyDetails},
    reqwest,
    trust_root::SigningConfig,
    tsa::TimestampClient,
    types::{
        DerCertificate, DerPublicKey, DsseEnvelope, EntryUuid, KindVersion, Sha256Hash,
        TimestampToken, TransparencyLogEntry,
    },
};

use crate::error::{LogError, SignError};

/// Rekor v2 answers once the entry is in the tree.
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Clients that share their connections.
pub(crate) struct Services {
    pub(crate) fulcio: Option<FulcioClient>,
    log: Option<Log>,
    timestamps: Option<TimestampClient>,
}

enum Log {
    V1(RekorClient),
    V2(RekorV2Client),
}

/// Whose signature a log is told.
#[derive(Clone, Copy)]
pub(crate) enum Verifier<'a> {
    Certificate(&'a DerCertificate),
    Key(&'a DerPublicKey),
}

/// What stands beside a signature.
pub(crate) struct Beside {
    pub(crate) entry: Option<TransparencyLogEntry>,
    pub(crate) timestamp: Option<TimestampToken>,
}

/// Why services cannot be used as configured.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServicesError {
    /// Not a signing config.
    #[error("not a Sigstore signing config (v0.2): {0}")]
    Malformed(String),
    /// A certificate is needed and nobody issues one.
    #[error("lists no certificate authority that is valid now; keyless signing needs one")]
    NoAuthority,
    /// A certificate lives for minutes: without a log or a time stamp nobody could verify it later.
    #[error("lists no transparency log that is valid now; keyless signing needs one")]
    NoLog,
    /// Version 2 of the log tells no time.
    #[error("lists a Rekor v2 log and no timestamp authority; keyless signing needs both then")]
    NoTimestamps,
    /// Version 1 of the log wants certificates.
    #[error("lists no Rekor v2 log and no timestamp authority; a key can be used with no other")]
    NothingForKeys,
    /// The HTTP client cannot be made.
    #[error("cannot make HTTP requests: {0}")]
    Http(String),
}

impl Services {
    /// The services in `config` for keyless signing.
    pub(crate) fn keyless(config: &str) -> Result<Self, ServicesError> {
        let config = parse(config)?;
        let http = http_client()?;
        let authority = config.fulcio_url().ok_or(ServicesError::NoAuthority)?;
        let fulcio = FulcioClient::builder(&authority.url).with_http_client(http.clone()).build();
        let services = Self {
            fulcio: Some(fulcio.map_err(|error| ServicesError::Http(error.to_string()))?),
            log: log(&config, None, &http)?,
            timestamps: timestamps(&config, &http)?,
        };
        match (&services.log, &services.timestamps) {
            (None, _) => Err(ServicesError::NoLog),
            (Some(Log::V2(_)), None) => Err(ServicesError::NoTimestamps),
            _ => Ok(services),
        }
    }

    /// The services in `config` that a key can be used with.
    pub(crate) fn for_keys(config: &str) -> Result<Self, ServicesError> {
        let config = parse(config)?;
        let http = http_client()?;
        let services = Self {
            fulcio: None,
            log: log(&config, Some(2), &http)?,
            timestamps: timestamps(&config, &http)?,
        };
        match services.log.is_none() && services.timestamps.is_none() {
            true => Err(ServicesError::NothingForKeys),
            false => Ok(services),
        }
    }

    /// Logs the signature in `envelope`, whose pre-authentication encoding has the digest `hash`, and has its
    /// time stamped.
    pub(crate) async fn beside(
        &self,
        envelope: &DsseEnvelope,
        hash: &Sha256Hash,
        verifier: Verifier<'_>,
    ) -> Result<Beside, LogError> {
        // The stamp first, for it leaves nothing behind: an entry whose stamp then fails would stay in the log
        // for ever, and there would be another one with each try.
        let timestamp = match &self.timestamps {
            Some(timestamps) => {
                let stamped = timestamps.timestamp_signature(&envelope.signature.sig).await;
                Some(stamped.map_err(|error| LogError::Failed(SignError::of_tsa(&error)))?)
            }
            None => None,
        };
        let entry = match &self.log {
            Some(log) => Some(log.add(envelope, hash, verifier).await?),
            None => None,
        };
        Ok(Beside { entry, timestamp })
    }
}

impl Log {
    /// The entry of this signature: a new one, or the one that there is, for what became of an earlier request
    /// may have been lost on its way.
    async fn add(
        &self,
        envelope: &DsseEnvelope,
        hash: &Sha256Hash,
        verifier: Verifier<'_>,
    ) -> Result<TransparencyLogEntry, LogError> {
        let details = RekorV2KeyDetails::PkixEcdsaP256Sha256;
        let signature = &envelope.signature.sig;
        match (self, verifier) {
            (Self::V2(log), Verifier::Certificate(certificate)) => {
                let entry =
                    HashedRekordV2::new_with_certificate(hash, signature, certificate, details);
                log.create_entry(entry).await.map_err(|error| LogError::of(&error))
            }
            (Self::V2(log), Verifier::Key(key)) => {
                let entry = HashedRekordV2::new_with_public_key(hash, signature, key, details);
                log.create_entry(entry).await.map_err(|error| LogError::of(&error))
            }
            (Self::V1(log), Verifier::Certificate(certificate)) => {
                let entry = DsseEntry::new(envelope, certificate);
                let entry = entry.map_err(|error| LogError::of(&error))?;
                let entry = match log.create_dsse_entry(entry).await {
                    Ok(entry) => entry,
                    Err(error) => match LogError::of(&error) {
                        LogError::Exists(Some(uuid)) => {
                            let found = log.get_entry_by_uuid(&EntryUuid::new(uuid)).await;
                            found.map_err(|error| LogError::of(&error))?
                        }
                        other => return Err(other),
                    },
                };
                let entry = entry.to_bundle_entry(KindVersion::DsseV001);
                entry.map_err(|error| LogError::Failed(SignError::away("rekor", error)))
            }
            // `for_keys` asks for version 2.
            (Self::V1(_), Verifier::Key(_)) => Err(LogError::Failed(SignError::away(
                "rekor",
                "version 1 takes certificates only; configure a Rekor v2 log",
            ))),
        }
    }
}

fn parse(config: &str) -> Result<SigningConfig, ServicesError> {
    SigningConfig::from_json(config).map_err(|error| ServicesError::Malformed(error.to_string()))
}

fn http_client() -> Result<reqwest::Client, ServicesError> {
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("attestry/", env!("CARGO_PKG_VERSION")));
    client.build().map_err(|error| ServicesError::Http(error.to_string()))
}

fn log(
    config: &SigningConfig,
    version: Option<u32>,
    http: &reqwest::Client,
) -> Result<Option<Log>, ServicesError> {
    let Some(endpoint) = config.rekor_url(version) else { return Ok(None) };
    let failed = |error: &dyn std::fmt::Display| ServicesError::Http(error.to_string());
    let (url, http) = (&endpoint.url, http.clone());
    let log = match endpoint.major_api_version {
        1 => Log::V1(
            RekorClient::builder(url).with_http_client(http).build().map_err(|it| failed(&it))?,
        ),
        _ => Log::V2(
            RekorV2Client::builder(url).with_http_client(http).build().map_err(|it| failed(&it))?,
        ),
    };
    Ok(Some(log))
}

fn timestamps(
    config: &SigningConfig,
    http: &reqwest::Client,
) -> Result<Option<TimestampClient>, ServicesError> {
    let Some(endpoint) = config.tsa_url() else { return Ok(None) };
    let client = TimestampClient::builder(&endpoint.url).with_http_client(http.clone()).build();
    client.map(Some).map_err(|error| ServicesError::Http(error.to_string()))
}
