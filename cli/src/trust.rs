//! Flags that say whose signatures count.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use attestation::{
    Trust, TrustRoot, TrustedKey,
    trust::{IdentityEntry, MAX_TRUST_FILE_BYTES, MAX_TRUSTED_ROOT_BYTES, Required},
};

use crate::{client, failure::Failure, read};

/// An identity of Sigstore.
#[derive(clap::Args)]
pub(crate) struct IdentityArgs {
    /// Identity in the certificate, exactly: an email address, or the URI of a workflow
    #[arg(long, value_name = "ID", requires = "issuer")]
    identity: Option<String>,
    /// Regular expression for the identity, from its beginning to its end
    #[arg(long, value_name = "RE", requires = "issuer", conflicts_with = "identity")]
    identity_regexp: Option<String>,
    /// OpenID Connect issuer that vouches for the identity, exactly
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// What the certificate must say of the workload, exactly, such as ref=refs/heads/main
    #[arg(long, value_name = "NAME=VALUE", requires = "issuer")]
    claim: Vec<String>,
}

impl IdentityArgs {
    /// The identity as a rule's entry; none if these flags name nobody.
    pub(crate) fn entry(&self) -> Result<Option<IdentityEntry>, Failure> {
        let Some(issuer) = &self.issuer else { return Ok(None) };
        if self.identity.is_none() && self.identity_regexp.is_none() {
            let why = "who must have signed? --issuer needs --identity ID, or --identity-regexp RE";
            return Err(Failure::input(why));
        }
        let mut claims = BTreeMap::new();
        for claim in &self.claim {
            let Some((name, value)) = claim.split_once('=') else {
                return Err(Failure::Input(format!("--claim {claim}: write NAME=VALUE")));
            };
            claims.insert(name.to_owned(), value.to_owned());
        }
        Ok(Some(IdentityEntry {
            label: "identity".to_owned(),
            issuer: issuer.clone(),
            identity: self.identity.clone(),
            identity_pattern: self.identity_regexp.clone(),
            claims,
            predicate_types: vec![],
        }))
    }
}

/// Who must have signed.
#[derive(clap::Args)]
#[command(next_help_heading = "Who must have signed")]
pub(crate) struct TrustArgs {
    /// Public key, PEM; repeat for several
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Trust policy with keys and identities, TOML
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "identity", "identity_regexp", "issuer"])]
    trust: Option<PathBuf>,
    /// Authorities, logs and timestamp authorities [default: Sigstore's public good instance]
    #[arg(long, value_name = "FILE", conflicts_with = "trust")]
    trusted_root: Option<PathBuf>,
    /// Refuse a signature without this beside it; repeat for both
    #[arg(long, value_enum, value_name = "EVIDENCE", conflicts_with = "trust")]
    require: Vec<EvidenceKind>,
}

/// What may stand beside a signature.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum EvidenceKind {
    /// An entry in a transparency log
    Log,
    /// A proven time
    Time,
}

impl TrustArgs {
    /// Whom these flags believe.
    pub(crate) fn load(&self) -> Result<Trust, Failure> {
        if let Some(path) = &self.trust {
            return from_file(path);
        }
        let mut trust = Trust::new();
        for path in &self.key {
            let label = path.display().to_string();
            let trusted = TrustedKey::new(label, client::public_key(path)?);
            trust.add(trusted).map_err(Failure::input)?;
        }
        trust.disregard_hints();
        if let Some(entry) = self.identity.entry()? {
            trust.add_identity(entry.rule().map_err(Failure::input)?);
        }
        if trust.is_empty() {
            return Err(Failure::input(
                "who must have signed? give --key FILE, or --identity ID with --issuer URL, or --trust FILE",
            ));
        }
        let root = match &self.trusted_root {
            Some(path) => {
                let at = |error: &dyn std::fmt::Display| {
                    Failure::Input(format!("{}: {error}", path.display()))
                };
                let bytes =
                    read::up_to(MAX_TRUSTED_ROOT_BYTES, path).map_err(|error| at(&error))?;
                TrustRoot::from_json(&bytes).map_err(|error| at(&error))?
            }
            None => TrustRoot::public_good().map_err(Failure::input)?,
        };
        trust.set_root(Arc::new(root));
        let asked = |kind| self.require.contains(&kind);
        trust.require(Required { log: asked(EvidenceKind::Log), time: asked(EvidenceKind::Time) });
        Ok(trust)
    }
}

fn from_file(path: &std::path::Path) -> Result<Trust, Failure> {
    let at = |error: &dyn std::fmt::Display| Failure::Input(format!("{}: {error}", path.display()));
    let bytes = read::up_to(MAX_TRUST_FILE_BYTES, path).map_err(|error| at(&error))?;
    let text = String::from_utf8(bytes).map_err(|error| at(&error))?;
    let folder = path.parent().unwrap_or(path);
    let read_beside = |name: &str| {
        let beside = folder.join(name);
        let bytes = read::up_to(MAX_TRUSTED_ROOT_BYTES, &beside);
        bytes.map_err(|error| format!("{}: {error}", beside.display()))
    };
    Trust::from_toml(&text, read_beside).map_err(|error| at(&error))
}
