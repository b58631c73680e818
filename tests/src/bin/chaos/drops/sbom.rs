//! SBOMs of products that do not exist, made from a real one.

use bytes::Bytes;
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

const REAL: &str =
    include_str!("../../../../../shared/documents/fixtures/sbom/cyclonedx-py-environment-1.6.json");
/// Packages with known vulnerabilities, other versions of some without them, and some that no
/// advisory names.
const PACKAGES: [&str; 14] = [
    "pkg:pypi/urllib3@1.26.4",
    "pkg:pypi/urllib3@2.6.3",
    "pkg:pypi/pillow@10.0.0",
    "pkg:pypi/pillow@12.1.0",
    "pkg:pypi/scikit-learn@0.22",
    "pkg:pypi/torch@2.1.0",
    "pkg:pypi/langchain@0.0.130",
    "pkg:cargo/time@0.1.43",
    "pkg:cargo/time@0.3.47",
    "pkg:cargo/smallvec@1.6.0",
    "pkg:golang/golang.org/x/crypto@v0.0.0-20190308221718-c2843e01d9a2",
    "pkg:golang/golang.org/x/crypto@v0.45.0",
    "pkg:npm/%40acme/gears@1.0.0",
    "pkg:pypi/nobody-knows-this@1.0.0",
];
const MOST_PACKAGES: usize = 5;

/// A CycloneDX document.
pub(super) struct Sbom(Value);

impl Sbom {
    /// The SBOM number `index`, of `product`, with packages that `rng` chooses.
    pub(super) fn new(product: &str, index: usize, now: Timestamp, rng: &mut Rng) -> Self {
        let mut document: Value = serde_json::from_str(REAL).unwrap_or_default();
        let serial = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("urn:chaos:{index}").as_bytes());
        document["serialNumber"] = format!("urn:uuid:{serial}").into();
        document["metadata"]["timestamp"] = now.to_string().into();
        document["metadata"]["component"]["name"] = product.into();
        document["metadata"]["component"]["version"] = format!("1.{index}.0").into();
        let mut packages = PACKAGES;
        rng.shuffle(&mut packages);
        let mut components: Vec<Value> =
            packages[..rng.usize(..=MOST_PACKAGES)].iter().map(|it| component(it)).collect();
        components.extend(document["components"].as_array().into_iter().flatten().cloned());
        document["components"] = components.into();
        Self(document)
    }

    /// As it is sent.
    pub(super) fn bytes(&self) -> Bytes {
        self.0.to_string().into()
    }

    /// The same with `count` bytes more.
    pub(super) fn padded(mut self, count: usize) -> Self {
        self.0["metadata"]["properties"] =
            json!([{ "name": "chaos:padding", "value": "x".repeat(count) }]);
        self
    }

    /// The same with a component of a type that there is not.
    pub(super) fn with_unknown_type(mut self) -> Self {
        self.0["components"][0]["type"] = "gadget".into();
        self
    }

    /// The same with two components that need each other.
    pub(super) fn with_cycle(mut self) -> Self {
        let [one, other] = [0, 1].map(|it| self.0["components"][it]["bom-ref"].clone());
        self.0["dependencies"] =
            json!([{ "ref": one, "dependsOn": [other] }, { "ref": other, "dependsOn": [one] }]);
        self
    }

    /// Its bytes with a key twice.
    pub(super) fn with_key_twice(&self) -> Bytes {
        self.0.to_string().replacen('{', r#"{"bomFormat":"CycloneDX","#, 1).into()
    }
}

fn component(purl: &str) -> Value {
    let (name, version) = purl.rsplit_once('@').unwrap_or((purl, "0"));
    let name = name.rsplit('/').next().unwrap_or(name);
    json!({ "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl })
}
