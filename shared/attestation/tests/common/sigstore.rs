//! Bundles of others, and who is believed to have signed them.

use std::{fs, path::Path, sync::Arc};

use attestation::{IdentityRule, PublicKey, SubjectRule, Trust, TrustRoot, TrustedKey};
use serde::Deserialize;

const BEACON: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";

/// One case of sigstore-conformance.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) passes: bool,
    pub(crate) artifact: Vec<u8>,
    pub(crate) bundle: Vec<u8>,
    pub(crate) trust: Trust,
}

#[derive(Deserialize)]
struct Listed {
    case: String,
    expect: String,
    #[serde(default)]
    identity: Option<String>,
    #[serde(default)]
    issuer: Option<String>,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    trusted_root: Option<String>,
    #[serde(default)]
    artifact: Option<String>,
}

pub(crate) fn cases() -> Vec<Case> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/conformance");
    let read = |name: &str| fs::read(dir.join(name)).expect(name);
    let listed: Vec<Listed> = serde_json::from_slice(&read("cases.json")).unwrap();
    let case = |it: Listed| {
        let root = match &it.trusted_root {
            Some(path) => TrustRoot::from_json(&read(path)).unwrap(),
            None => TrustRoot::public_good().unwrap(),
        };
        let trust = match (&it.key, it.identity, it.issuer) {
            (Some(path), _, _) => {
                let pem = String::from_utf8(read(path)).unwrap();
                let mut trust = Trust::new();
                // The wrong key of one case is no key at all: nobody is trusted then.
                if let Ok(key) = PublicKey::from_pem(&pem) {
                    trust.add(TrustedKey::new("managed", key)).unwrap();
                }
                trust.disregard_hints();
                trust.set_root(Arc::new(root));
                trust
            }
            (None, Some(identity), Some(issuer)) => {
                trusting(&issuer, SubjectRule::Exact(identity), Arc::new(root))
            }
            _ => panic!("{} names nobody", it.case),
        };
        Case {
            bundle: read(&format!("{}/bundle.sigstore.json", it.case)),
            artifact: read(it.artifact.as_deref().unwrap_or("a.txt")),
            passes: it.expect == "pass",
            name: it.case,
            trust,
        }
    };
    listed.into_iter().map(case).collect()
}

/// The identity that signed the cases of conformance.
pub(crate) fn beacon() -> IdentityRule {
    let issuer = "https://token.actions.githubusercontent.com";
    IdentityRule::new("identity", issuer, SubjectRule::Exact(BEACON.to_owned())).unwrap()
}

pub(crate) fn trusting(issuer: &str, subject: SubjectRule, root: Arc<TrustRoot>) -> Trust {
    let mut trust = Trust::new();
    trust.add_identity(IdentityRule::new("identity", issuer, subject).unwrap());
    trust.set_root(root);
    trust
}
