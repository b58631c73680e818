//! Signed link metadata in its classic form (in-toto specification 1.0, section 4.4), for supply-chain layouts
//! that people already have.

use std::collections::{BTreeMap, HashMap};

use events::Digest;
use in_toto::{
    crypto::{HashAlgorithm, HashValue},
    models::{LinkMetadataBuilder, Metadata, VirtualTargetPath, byproducts::ByProducts},
};
use serde_json::json;

use crate::{KeyError, PublicKey, SigningKey};

/// One step, as a functionary carried it out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// Name of the step in the layout.
    pub name: String,
    /// The command that ran, word by word.
    pub command: Vec<String>,
    /// What went in, by path.
    pub materials: BTreeMap<String, Digest>,
    /// What came out, by path.
    pub products: BTreeMap<String, Digest>,
    /// The id that the layout knows the key by, where it is not [`key_id`].
    pub key_id: Option<String>,
}

/// A signed link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkFile {
    /// The name that a verifier looks for: `<step>.<first 8 digits of the key id>.link`.
    pub name: String,
    /// Its content, JSON.
    pub bytes: Vec<u8>,
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// A name or path that could not be looked for, or would be signed differently by others.
    #[error("{field} `{text}`: {problem}")]
    Unfit {
        /// What it is.
        field: &'static str,
        /// What it says, escaped.
        text: String,
        /// What is wrong, and the remedy.
        problem: &'static str,
    },
    /// The metadata cannot be written.
    #[error("the link cannot be written: {0}")]
    Unwritable(String),
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Step {
    /// The link that `key` signs. ECDSA is randomised: no two links are alike.
    ///
    /// # Errors
    /// [`LinkError::Unfit`] for a name that is no file name, and for control characters anywhere.
    pub fn sign(&self, key: &SigningKey) -> Result<LinkFile, LinkError> {
        self.check()?;
        let unwritable = |error: in_toto::Error| LinkError::Unwritable(error.to_string());
        let link = LinkMetadataBuilder::new()
            .name(self.name.clone())
            .materials(targets(&self.materials)?)
            .products(targets(&self.products)?)
            // Python's reader refuses `null`.
            .env(Some(BTreeMap::new()))
            .byproducts(ByProducts::new())
            .command(self.command.clone().into())
            .build()
            .map_err(unwritable)?;
        let canonical = link.to_bytes().map_err(unwritable)?;
        let signature = key.signature_of(&canonical)?;
        let id = self.key_id.clone().unwrap_or_else(|| key_id(key.public_key()));
        let link = serde_json::to_value(&link)
            .map_err(|error| LinkError::Unwritable(error.to_string()))?;
        let file = json!({
            "signatures": [{ "keyid": id, "sig": hex::encode(signature) }],
            "signed": link,
        });
        let name = format!("{}.{}.link", self.name, &id[..8]);
        Ok(LinkFile { name, bytes: format!("{file:#}\n").into_bytes() })
    }

    fn check(&self) -> Result<(), LinkError> {
        let unfit = |field, text: &str, problem| {
            Err(LinkError::Unfit { field, text: text.escape_debug().to_string(), problem })
        };
        let name = &self.name;
        if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
            return unfit(
                "step",
                name,
                "it names a file: leave out slashes and dots at the beginning",
            );
        }
        let is_hex = |id: &String| id.len() >= 8 && id.bytes().all(|it| it.is_ascii_hexdigit());
        if let Some(id) = self.key_id.as_ref().filter(|it| !is_hex(it)) {
            return unfit("key id", id, "it has 8 and more hex digits, as in the layout's `keys`");
        }
        let paths = self.materials.keys().chain(self.products.keys()).map(|it| ("path", it));
        let words = self.command.iter().map(|it| ("command", it));
        for (field, text) in paths.chain(words).chain([("step", name)]) {
            if text.contains(char::is_control) {
                return unfit(field, text, "it has a control character: leave it out");
            }
        }
        Ok(())
    }
}

fn targets(
    files: &BTreeMap<String, Digest>,
) -> Result<BTreeMap<VirtualTargetPath, HashMap<HashAlgorithm, HashValue>>, LinkError> {
    let target = |(path, digest): (&String, &Digest)| {
        let path = VirtualTargetPath::new(path.clone());
        let path = path.map_err(|error| LinkError::Unwritable(error.to_string()))?;
        let hash = HashValue::new(digest.as_bytes().to_vec());
        Ok((path, HashMap::from([(HashAlgorithm::Sha256, hash)])))
    };
    files.iter().map(target).collect()
}

/// The id of a key as layouts know it: SHA-256 of its canonical JSON with the PEM file in it, as
/// securesystemslib computes it. (The `in-toto` crate takes the raw point, and agrees with nobody.)
pub fn key_id(key: &PublicKey) -> String {
    let canonical = format!(
        r#"{{"keytype":"ecdsa","keyval":{{"public":"{}"}},"scheme":"ecdsa-sha2-nistp256"}}"#,
        key.to_pem()
    );
    Digest::of(canonical.as_bytes()).hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step() -> Step {
        let digest = |text: &str| Digest::of(text.as_bytes());
        Step {
            name: "build".to_owned(),
            command: vec!["uv".to_owned(), "build".to_owned(), "--wheel \"q\"".to_owned()],
            materials: BTreeMap::from([("uv.lock".to_owned(), digest("lock"))]),
            products: BTreeMap::from([("dist/café-1.whl".to_owned(), digest("wheel"))]),
            key_id: None,
        }
    }

    #[test]
    fn a_link_is_signed_over_its_canonical_form_and_named_for_its_key() {
        let key = SigningKey::generate().expect("generates");
        let link = step().sign(&key).expect("signs");

        let file: serde_json::Value = serde_json::from_slice(&link.bytes).expect("JSON");
        let id = file["signatures"][0]["keyid"].as_str().expect("a key id");
        assert_eq!(link.name, format!("build.{}.link", &id[..8]));
        let signed = &file["signed"];
        assert_eq!(signed["_type"], "link");
        assert_eq!(signed["environment"], json!({}));
        let wheel = Digest::of(b"wheel").hex();
        assert_eq!(signed["products"]["dist/café-1.whl"]["sha256"], wheel);
        let signature = file["signatures"][0]["sig"].as_str().expect("a signature");
        // Canonical JSON has sorted keys, no spaces, and escapes quotes and backslashes alone.
        let canonical = serde_json::to_string(signed).expect("writes");
        let signature = hex::decode(signature).expect("hex");
        assert!(key.public_key().verifies(canonical.as_bytes(), &signature));
    }

    #[test]
    fn a_name_that_leaves_its_folder_or_steers_a_terminal_is_refused() {
        let key = SigningKey::generate().expect("generates");
        for name in ["", "../x", "a/b", ".hidden", "a\nb"] {
            let step = Step { name: name.to_owned(), ..step() };
            assert!(
                matches!(step.sign(&key), Err(LinkError::Unfit { field: "step", .. })),
                "{name:?}"
            );
        }
        let other = Step { key_id: Some("5eed".to_owned()), ..step() };
        assert!(matches!(other.sign(&key), Err(LinkError::Unfit { field: "key id", .. })));
        let paths = BTreeMap::from([("a\u{1b}[2J".to_owned(), Digest::of(b""))]);
        let step = Step { products: paths, ..step() };
        assert!(matches!(step.sign(&key), Err(LinkError::Unfit { field: "path", .. })));
    }
}
