//! The index of an SBOM: what rules would otherwise look through every component for.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde::{Deserialize, Serialize};

/// `input.index`; numbers are positions in `input.sbom.components`.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Index {
    /// How many components there are.
    pub(crate) components: usize,
    /// Every SHA-256 of the root, its parts and the components, lower-case hex.
    pub(crate) sha256: BTreeMap<String, bool>,
    /// Components by package URL without version, qualifiers and subpath, in lower case.
    pub(crate) packages: BTreeMap<String, Vec<usize>>,
    /// Components without something.
    pub(crate) lacking: Lacking,
    /// bom-refs that stand for more than one component.
    pub(crate) repeated: BTreeSet<String>,
}

#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Lacking {
    /// Any component without a name.
    pub(crate) name: Vec<usize>,
    /// Packages without a version that are not local.
    pub(crate) version: Vec<usize>,
    /// Packages without a package URL.
    pub(crate) purl: Vec<usize>,
    /// Files without a SHA-256.
    pub(crate) sha256: Vec<usize>,
}

#[derive(Deserialize)]
struct Sbom<'a> {
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
    #[serde(borrow, default)]
    components: Vec<Component<'a>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    component: Option<Component<'a>>,
}

#[derive(Deserialize)]
struct Component<'a> {
    #[serde(borrow, default, rename = "bom-ref")]
    bom_ref: Cow<'a, str>,
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    version: Cow<'a, str>,
    #[serde(borrow, default)]
    purl: Cow<'a, str>,
    #[serde(borrow, default)]
    hashes: Vec<Hash<'a>>,
    #[serde(borrow, default)]
    properties: Vec<Property<'a>>,
    /// Of the root only its parts are looked at.
    #[serde(borrow, default)]
    components: Vec<Component<'a>>,
}

#[derive(Deserialize)]
struct Hash<'a> {
    #[serde(borrow, default)]
    alg: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Property<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    value: Option<Cow<'a, str>>,
}

impl Index {
    /// The index of a CycloneDX document.
    ///
    /// # Errors
    /// A field is of another type than CycloneDX has.
    pub(crate) fn of(sbom: &[u8]) -> Result<Self, serde_json::Error> {
        let sbom: Sbom<'_> = serde_json::from_slice(sbom)?;
        let root = sbom.metadata.as_ref().and_then(|it| it.component.as_ref());
        let mut index = Self { components: sbom.components.len(), ..Self::default() };
        let parts = root.iter().flat_map(|it| &it.components);
        let hashed = root.into_iter().chain(parts).chain(&sbom.components);
        for hash in hashed.flat_map(|it| &it.hashes).filter(|it| it.alg == "SHA-256") {
            index.sha256.insert(hash.content.to_lowercase(), true);
        }
        let mut seen = BTreeSet::new();
        for reference in root.into_iter().chain(&sbom.components).map(|it| &*it.bom_ref) {
            if !reference.is_empty() && !seen.insert(reference) {
                index.repeated.insert(reference.to_owned());
            }
        }
        for (number, component) in sbom.components.iter().enumerate() {
            index.add(number, component);
        }
        Ok(index)
    }

    fn add(&mut self, number: usize, component: &Component<'_>) {
        if let Some(package) = package_of(&component.purl) {
            self.packages.entry(package).or_default().push(number);
        }
        if component.name.trim().is_empty() {
            self.lacking.name.push(number);
        }
        if component.kind == "file" {
            if component.hashes.iter().all(|it| it.alg != "SHA-256") {
                self.lacking.sha256.push(number);
            }
            return;
        }
        let is_local = |it: &Property<'_>| {
            it.name == "attestry:package:source" && it.value.as_deref() == Some("local")
        };
        if component.version.trim().is_empty() && !component.properties.iter().any(is_local) {
            self.lacking.version.push(number);
        }
        if !component.purl.starts_with("pkg:") {
            self.lacking.purl.push(number);
        }
    }
}

/// The package URL without version, qualifiers and subpath; the `@` of an npm scope is part of the name.
fn package_of(purl: &str) -> Option<String> {
    let bare = purl.split(['?', '#']).next()?.to_lowercase().replace("%40", "@");
    let package = match bare.rsplit_once('@') {
        Some((package, version)) if !version.contains('/') => package.to_owned(),
        _ => bare,
    };
    (!package.is_empty()).then_some(package)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_rules_ask_for_is_found_once() {
        let sbom = json!({
            "metadata": { "component": { "bom-ref": "a", "name": "app", "hashes": [{ "alg": "SHA-256", "content": "AB" }],
                "components": [{ "hashes": [{ "alg": "SHA-256", "content": "cd" }, { "alg": "MD5", "content": "ef" }] }] } },
            "components": [
                { "bom-ref": "a", "name": "x", "version": "1", "purl": "pkg:npm/%40Acme/x@1?arch=y#z" },
                { "bom-ref": "b", "name": " ", "purl": "pkg:npm/@acme/x" },
                { "name": "local", "properties": [{ "name": "attestry:package:source", "value": "local" }] },
                { "type": "file", "name": "f" },
                { "type": "file", "name": "g", "hashes": [{ "alg": "SHA-256", "content": "01" }] },
            ],
        });
        let index = Index::of(sbom.to_string().as_bytes()).expect("reads");

        assert_eq!(
            serde_json::to_value(index).expect("writes"),
            json!({
                "components": 5,
                "sha256": { "ab": true, "cd": true, "01": true },
                "packages": { "pkg:npm/@acme/x": [0, 1] },
                "lacking": { "name": [1], "version": [1], "purl": [2], "sha256": [3] },
                "repeated": ["a"],
            })
        );
        assert!(Index::of(br#"{"components": 5}"#).is_err());
    }
}
