//! Who signed, and what proves when.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sigstore_verify::crypto::CertificateInfo;

/// Who made a signature that was verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Signer {
    /// Label of the key or of the rule that the identity fits.
    pub label: String,
    /// Whether it is a development key.
    pub development: bool,
    /// What the signature was verified with.
    pub identity: Identity,
}

/// What a signature was verified with.
#[derive(Clone, Debug, PartialEq)]
pub enum Identity {
    /// A key.
    Key {
        /// Its hint in bundles.
        hint: String,
    },
    /// The key of a certificate for an identity.
    Certificate(Certificate),
}

/// What a certificate says of who it was issued to; believed with the authority that issued it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The OpenID Connect issuer that vouched for the identity.
    pub issuer: String,
    /// The subject alternative name: an email address, or the URI of a workflow.
    pub identity: String,
    /// What the issuer said of the workload, by the names of [`CLAIMS`]; only what is there.
    pub claims: BTreeMap<&'static str, String>,
}

/// Claims about a workload, named as rules and reports name them (Fulcio's OID 1.3.6.1.4.1.57264.1).
pub const CLAIMS: [&str; 10] = [
    "build-signer",
    "environment",
    "owner",
    "ref",
    "repository",
    "repository-id",
    "runner",
    "source-digest",
    "trigger",
    "workflow",
];

impl Signer {
    /// The hint of the key, or the identity in the certificate.
    pub fn name(&self) -> &str {
        match &self.identity {
            Identity::Key { hint } => hint,
            Identity::Certificate(certificate) => &certificate.identity,
        }
    }

    /// What the issuer said of the workload; none for a key.
    pub fn claims(&self) -> Option<&BTreeMap<&'static str, String>> {
        match &self.identity {
            Identity::Key { .. } => None,
            Identity::Certificate(certificate) => Some(&certificate.claims),
        }
    }

    /// The issuer that vouched for the identity; none for a key.
    pub fn issuer(&self) -> Option<&str> {
        match &self.identity {
            Identity::Key { .. } => None,
            Identity::Certificate(certificate) => Some(&certificate.issuer),
        }
    }
}

impl Certificate {
    /// What `info` says; absent texts are empty, and fit no rule.
    pub(crate) fn of(info: &CertificateInfo) -> Self {
        let claims = &info.ci_claims;
        // Certificates from before 2023 have only these.
        let old = &claims.deprecated_github;
        let old_repository =
            old.workflow_repository.as_ref().map(|it| format!("https://github.com/{it}"));
        let said = [
            ("build-signer", claims.build_signer_uri.clone()),
            ("environment", claims.deployment_environment.clone()),
            ("owner", claims.source_repository_owner_uri.clone()),
            ("ref", claims.source_repository_ref.clone().or(old.workflow_ref.clone())),
            ("repository", claims.source_repository_uri.clone().or(old_repository)),
            ("repository-id", claims.source_repository_identifier.clone()),
            ("runner", claims.runner_environment.clone()),
            ("source-digest", claims.source_repository_digest.clone().or(old.workflow_sha.clone())),
            ("trigger", claims.build_trigger.clone().or(old.workflow_trigger.clone())),
            ("workflow", claims.build_config_uri.clone()),
        ];
        Self {
            issuer: info.issuer.clone().unwrap_or_default(),
            identity: info.identity.as_ref().map(|it| it.as_str().to_owned()).unwrap_or_default(),
            claims: said.into_iter().filter_map(|(name, text)| Some((name, text?))).collect(),
        }
    }
}

/// What stood beside a signature and was verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Whether a transparency log proved that it has the signature.
    pub logged: bool,
    /// Times at which the signature existed, as logs and timestamp authorities say; ascending.
    pub times: Vec<Timestamp>,
}

impl Evidence {
    /// The earliest time at which the signature is proven to have existed; none for a key alone, whose
    /// holder can claim any time.
    pub fn proven_time(&self) -> Option<Timestamp> {
        self.times.first().copied()
    }
}
