//! The update framework (TUF 1.0): how clients get a trusted root that they can believe.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::keys::{Key, sha256};

const EXPIRES: &str = "2999-01-01T00:00:00Z";

/// A repository, by path; one key holds every role.
pub(crate) struct Repository {
    files: BTreeMap<String, Vec<u8>>,
}

impl Repository {
    pub(crate) fn of(targets: &[(&str, String)]) -> anyhow::Result<Self> {
        let key = Key::generate()?;
        let pem = pem::encode_config(
            &pem::Pem::new("PUBLIC KEY", key.spki.clone()),
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
        );
        let known = json!({ "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": { "public": pem } });
        let id = hex::encode(sha256(&canonical(&known)));
        let signed = |kind: &str, more: Value| -> anyhow::Result<Vec<u8>> {
            let mut signed =
                json!({ "_type": kind, "spec_version": "1.0.0", "version": 1, "expires": EXPIRES });
            if let (Some(signed), Value::Object(more)) = (signed.as_object_mut(), more) {
                signed.extend(more);
            }
            let signature = hex::encode(key.sign(&canonical(&signed))?);
            let file =
                json!({ "signed": signed, "signatures": [{ "keyid": id, "sig": signature }] });
            Ok(serde_json::to_vec(&file)?)
        };
        let role = json!({ "keyids": [id], "threshold": 1 });
        let roles: BTreeMap<_, _> =
            ["root", "timestamp", "snapshot", "targets"].map(|it| (it, &role)).into();
        let root = signed(
            "root",
            json!({ "consistent_snapshot": false, "keys": { id.clone(): known }, "roles": roles }),
        )?;
        let listed: BTreeMap<_, _> =
            targets.iter().map(|(name, text)| (name, described(text.as_bytes()))).collect();
        let listing = signed("targets", json!({ "targets": listed }))?;
        let snapshot =
            signed("snapshot", json!({ "meta": { "targets.json": versioned(&listing) } }))?;
        let timestamp =
            signed("timestamp", json!({ "meta": { "snapshot.json": versioned(&snapshot) } }))?;
        let mut files = BTreeMap::from([
            ("root.json".to_owned(), root.clone()),
            ("1.root.json".to_owned(), root),
            ("targets.json".to_owned(), listing),
            ("snapshot.json".to_owned(), snapshot),
            ("timestamp.json".to_owned(), timestamp),
        ]);
        for (name, text) in targets {
            files.insert(format!("targets/{name}"), text.clone().into_bytes());
        }
        Ok(Self { files })
    }

    pub(crate) fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }
}

/// OLPC's canonical JSON: sorted keys, no spaces, and line feeds as they are.
fn canonical(value: &Value) -> Vec<u8> {
    value.to_string().replace("\\n", "\n").into_bytes()
}

fn described(bytes: &[u8]) -> Value {
    json!({ "length": bytes.len(), "hashes": { "sha256": hex::encode(sha256(bytes)) } })
}

fn versioned(bytes: &[u8]) -> Value {
    let mut described = described(bytes);
    described["version"] = json!(1);
    described
}
