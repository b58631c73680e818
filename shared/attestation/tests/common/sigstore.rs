//! Bundles of others, and who is believed to have signed them.

use std::{fs, path::Path, sync::Arc};

use attestation::{IdentityRule, PublicKey, SubjectRule, Trust, TrustRoot, TrustedKey};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const BEACON: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";

/// One case of sigstore-conformance.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) passes: bool,
    pub(crate) artifact: Vec<u8>,
    pub(crate) bundle: Vec<u8>,
    pub(crate) trust: Trust,
}

/// Every case, as the suite's README describes them.
pub(crate) fn cases() -> Vec<Case> {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/conformance");
    let folders = fs::read_dir(&suite).unwrap().map(|it| it.unwrap().path());
    let mut cases: Vec<_> = folders.filter(|it| it.is_dir()).map(|it| case(&suite, &it)).collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn case(suite: &Path, folder: &Path) -> Case {
    let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let text = |file: &str| fs::read_to_string(folder.join(file)).ok();
    let said = |file: &str, default: &str| {
        text(file).map_or(default.to_owned(), |text| text.trim().to_owned())
    };
    let root = match text("trusted_root.json") {
        Some(root) => TrustRoot::from_json(root.as_bytes()).ok(),
        None => Some(TrustRoot::public_good().unwrap()),
    };
    let mut trust = match text("key.pub") {
        Some(pem) => {
            let mut trust = Trust::new();
            // The wrong key of one case is no key at all: nobody is trusted then.
            if let Ok(key) = PublicKey::from_pem(&pem) {
                trust.add(TrustedKey::new("managed", key)).unwrap();
            }
            trust.disregard_hints();
            trust
        }
        None => {
            let identity = SubjectRule::Exact(said("identity", BEACON));
            let rule = IdentityRule::new("identity", said("issuer", ISSUER), identity);
            let mut trust = Trust::new();
            trust.add_identity(rule.unwrap());
            trust
        }
    };
    if let Some(root) = root {
        trust.set_root(Arc::new(root));
    }
    let artifact = fs::read(folder.join("artifact"));
    Case {
        passes: !name.ends_with("_fail"),
        artifact: artifact.unwrap_or_else(|_| fs::read(suite.join("a.txt")).unwrap()),
        bundle: fs::read(folder.join("bundle.sigstore.json")).unwrap(),
        name,
        trust,
    }
}

/// The identity that signed the cases of conformance.
pub(crate) fn beacon() -> IdentityRule {
    IdentityRule::new("identity", ISSUER, SubjectRule::Exact(BEACON.to_owned())).unwrap()
}

pub(crate) fn trusting(issuer: &str, subject: SubjectRule, root: Arc<TrustRoot>) -> Trust {
    let mut trust = Trust::new();
    trust.add_identity(IdentityRule::new("identity", issuer, subject).unwrap());
    trust.set_root(root);
    trust
}
