//! Rekor: a transparency log over a Merkle tree (RFC 6962), version 1 or 2.

use std::{collections::HashMap, sync::Mutex};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::keys::{Key, b64, sha256, unb64, verifies};

/// A log. Its two versions speak another language, and have keys and trees of their own.
pub(crate) struct Log {
    /// Host in the trusted root, and the origin of its checkpoints.
    pub(crate) origin: String,
    pub(crate) key: Key,
    tree: Mutex<Tree>,
}

#[derive(Default)]
struct Tree {
    leaves: Vec<[u8; 32]>,
    /// Entries by leaf: what is logged twice is there once.
    entries: HashMap<[u8; 32], Value>,
}

/// What became of a request.
pub(crate) enum Logged {
    /// A new entry.
    New(Value),
    /// It was there before.
    Before(String),
}

impl Log {
    pub(crate) fn new(origin: String) -> anyhow::Result<Self> {
        Ok(Self { origin, key: Key::generate()?, tree: Mutex::default() })
    }

    /// How many entries it has.
    pub(crate) fn len(&self) -> usize {
        self.tree.lock().map_or(0, |tree| tree.leaves.len())
    }

    /// The answer to `POST /api/v1/log/entries`.
    pub(crate) fn add_v1(&self, request: &Value) -> anyhow::Result<Logged> {
        let body = match request["kind"].as_str() {
            Some("dsse") => dsse_body(&request["spec"]["proposedContent"])?,
            Some("hashedrekord") => hashedrekord_body(request)?,
            other => anyhow::bail!("kind {other:?} is not taken"),
        };
        let body = serde_json::to_vec(&body)?;
        let leaf = leaf(&body);
        let mut tree = self.tree()?;
        if tree.entries.contains_key(&leaf) {
            return Ok(Logged::Before(hex::encode(leaf)));
        }
        let index = tree.leaves.len();
        tree.leaves.push(leaf);
        let (time, id) = (crate::now(), hex::encode(self.key.id()));
        // Its keys are in order, as the signature wants them.
        let promise = serde_json::to_vec(&json!({
            "body": b64(&body), "integratedTime": time, "logID": id, "logIndex": index,
        }))?;
        let proof = proof(&tree.leaves, index);
        let entry = json!({ hex::encode(leaf): {
            "body": b64(&body),
            "integratedTime": time,
            "logID": id,
            "logIndex": index,
            "verification": {
                "inclusionProof": {
                    "checkpoint": self.checkpoint(&tree.leaves)?,
                    "hashes": proof.iter().map(hex::encode).collect::<Vec<_>>(),
                    "logIndex": index,
                    "rootHash": hex::encode(root(&tree.leaves)),
                    "treeSize": tree.leaves.len(),
                },
                "signedEntryTimestamp": b64(&self.key.sign(&promise)?),
            },
        }});
        tree.entries.insert(leaf, entry.clone());
        Ok(Logged::New(entry))
    }

    /// The entry with this UUID, as `GET /api/v1/log/entries/UUID` gives it.
    pub(crate) fn entry(&self, uuid: &str) -> Option<Value> {
        let leaf: [u8; 32] = hex::decode(uuid).ok()?.try_into().ok()?;
        self.tree().ok()?.entries.get(&leaf).cloned()
    }

    /// The answer to `POST /api/v2/log/entries`; what was there before is the answer again.
    pub(crate) fn add_v2(&self, request: &Value) -> anyhow::Result<Value> {
        let asked = &request["hashedRekordRequestV002"];
        let signature = &asked["signature"];
        let verifier = &signature["verifier"];
        let digest = unb64(asked["digest"].as_str().context("no digest")?)?;
        let bytes = unb64(signature["content"].as_str().context("no signature")?)?;
        let spki =
            match (&verifier["x509Certificate"]["rawBytes"], &verifier["publicKey"]["rawBytes"]) {
                (Value::String(certificate), Value::Null) => spki_of(&unb64(certificate)?)?,
                (Value::Null, Value::String(key)) => unb64(key)?,
                _ => anyhow::bail!("either a certificate or a key is needed"),
            };
        verifies_digest(&spki, &digest, &bytes)?;
        let body = serde_json::to_vec(&json!({
            "apiVersion": "0.0.2",
            "kind": "hashedrekord",
            "spec": { "hashedRekordV002": {
                "data": { "algorithm": "SHA2_256", "digest": asked["digest"] },
                "signature": signature,
            }},
        }))?;
        let leaf = leaf(&body);
        let mut tree = self.tree()?;
        if let Some(entry) = tree.entries.get(&leaf) {
            return Ok(entry.clone());
        }
        let index = tree.leaves.len();
        tree.leaves.push(leaf);
        let proof = proof(&tree.leaves, index);
        let entry = json!({
            "logIndex": index.to_string(),
            "logId": { "keyId": b64(&self.key.id()) },
            "kindVersion": { "kind": "hashedrekord", "version": "0.0.2" },
            "integratedTime": "0",
            "inclusionPromise": null,
            "inclusionProof": {
                "logIndex": index.to_string(),
                "rootHash": b64(&root(&tree.leaves)),
                "treeSize": tree.leaves.len().to_string(),
                "hashes": proof.iter().map(|it| b64(it)).collect::<Vec<_>>(),
                "checkpoint": { "envelope": self.checkpoint(&tree.leaves)? },
            },
            "canonicalizedBody": b64(&body),
        });
        tree.entries.insert(leaf, entry.clone());
        Ok(entry)
    }

    fn tree(&self) -> anyhow::Result<std::sync::MutexGuard<'_, Tree>> {
        self.tree.lock().map_err(|_| anyhow::anyhow!("the log was broken off while it wrote"))
    }

    /// The signed size and root of the tree (C2SP tlog-checkpoint).
    fn checkpoint(&self, leaves: &[[u8; 32]]) -> anyhow::Result<String> {
        let text = format!("{}\n{}\n{}\n", self.origin, leaves.len(), b64(&root(leaves)));
        let mut signature = self.key.id()[..4].to_vec();
        signature.extend(self.key.sign(text.as_bytes())?);
        Ok(format!("{text}\n\u{2014} {} {}\n", self.origin, b64(&signature)))
    }
}

/// What version 1 keeps of an envelope.
fn dsse_body(proposed: &Value) -> anyhow::Result<Value> {
    let envelope = proposed["envelope"].as_str().context("no envelope")?;
    let verifier = proposed["verifiers"][0].as_str().context("no verifier")?;
    let read: Value = serde_json::from_str(envelope)?;
    let payload = unb64(read["payload"].as_str().context("no payload")?)?;
    let kind = read["payloadType"].as_str().context("no payload type")?;
    let signature = read["signatures"][0]["sig"].as_str().context("no signature")?;
    let mut signed = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    signed.extend_from_slice(&payload);
    verifies(&spki_of_pem(&unb64(verifier)?)?, &signed, &unb64(signature)?)?;
    let sha256 =
        |bytes: &[u8]| json!({ "algorithm": "sha256", "value": hex::encode(sha256(bytes)) });
    Ok(json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": sha256(envelope.as_bytes()),
            "payloadHash": sha256(&payload),
            "signatures": [{ "signature": signature, "verifier": canonical(verifier)? }],
        },
    }))
}

fn hashedrekord_body(request: &Value) -> anyhow::Result<Value> {
    let spec = &request["spec"];
    let digest = spec["data"]["hash"]["value"].as_str().context("no hash")?;
    let signature = spec["signature"]["content"].as_str().context("no signature")?;
    let pem = spec["signature"]["publicKey"]["content"].as_str().context("no key")?;
    verifies_digest(&spki_of_pem(&unb64(pem)?)?, &hex::decode(digest)?, &unb64(signature)?)?;
    let mut spec = spec.clone();
    spec["signature"]["publicKey"]["content"] = canonical(pem)?.into();
    Ok(json!({ "apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec }))
}

/// A PEM block in base64 as the log keeps it, whatever line breaks it came with.
fn canonical(verifier: &str) -> anyhow::Result<String> {
    let block = pem::parse(unb64(verifier)?)?;
    let lines = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    Ok(b64(pem::encode_config(&block, lines).as_bytes()))
}

fn verifies_digest(spki: &[u8], digest: &[u8], signature: &[u8]) -> anyhow::Result<()> {
    use aws_lc_rs::{
        digest::{Digest, SHA256},
        signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey},
    };
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, spki)?;
    let digest = Digest::import_less_safe(digest, &SHA256)?;
    key.verify_digest_sig(&digest, signature).context("the signature is not of this key")
}

fn spki_of_pem(pem: &[u8]) -> anyhow::Result<Vec<u8>> {
    let block = pem::parse(pem)?;
    match block.tag() {
        "CERTIFICATE" => spki_of(block.contents()),
        _ => Ok(block.into_contents()),
    }
}

/// The SubjectPublicKeyInfo of a certificate: the seventh part of what is signed (RFC 5280 section 4.1).
fn spki_of(certificate: &[u8]) -> anyhow::Result<Vec<u8>> {
    use crate::keys::{der_content, first_der};
    let mut parts = der_content(der_content(certificate)?)?;
    for _ in 0..6 {
        parts = first_der(parts)?.1;
    }
    Ok(first_der(parts)?.0.to_vec())
}

fn leaf(body: &[u8]) -> [u8; 32] {
    sha256(&[&[0], body].concat())
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    sha256(&[&[1][..], left, right].concat())
}

/// How many leaves the left half has: the largest power of two that leaves something to the right.
fn split(leaves: usize) -> usize {
    leaves.next_power_of_two() / 2
}

fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => sha256(b""),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The hashes that lead from a leaf to the root (RFC 6962 section 2.1.1).
fn proof(leaves: &[[u8; 32]], index: usize) -> Vec<[u8; 32]> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut path, beside) = match index < at {
        true => (proof(left, index), root(right)),
        false => (proof(right, index - at), root(left)),
    };
    path.push(beside);
    path
}
