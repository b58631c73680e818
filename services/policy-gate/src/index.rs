//! The index of an SBOM: what rules would otherwise look through every component for.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use documents::licence::{Together, alternatives, both};
use purl::package_of;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `input.index`; numbers are positions in `input.sbom.components`.
#[derive(Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Index {
    /// How many components there are.
    pub(crate) components: usize,
    /// Every SHA-256 of the root, its parts and the components, lower-case hex.
    pub(crate) sha256: BTreeMap<String, bool>,
    /// Components by package URL without version, qualifiers and subpath, in lower case.
    pub(crate) packages: BTreeMap<String, Vec<usize>>,
    /// Components by what is said of their licence.
    pub(crate) licenses: BTreeMap<String, Licensed>,
    /// Components without something.
    pub(crate) lacking: Lacking,
    /// bom-refs that stand for more than one component.
    pub(crate) repeated: BTreeSet<String>,
}

/// What one text says of a licence, and of which components.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Licensed {
    pub(crate) components: Vec<usize>,
    /// Of each alternative, all licences apply together; null for what is no SPDX expression.
    pub(crate) alternatives: Option<BTreeSet<Together>>,
}

#[derive(Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Lacking {
    /// Any component without a name.
    pub(crate) name: Vec<usize>,
    /// Packages without a version that are not local.
    pub(crate) version: Vec<usize>,
    /// Packages without a package URL.
    pub(crate) purl: Vec<usize>,
    /// Packages without a licence that are not local.
    pub(crate) license: Vec<usize>,
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
    licenses: Vec<License<'a>>,
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

/// An entry of `licenses`: an expression, or a licence.
#[derive(Deserialize)]
struct License<'a> {
    #[serde(borrow, default)]
    expression: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    license: Option<Named<'a>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
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
        let is_local = component.properties.iter().any(is_local);
        if component.version.trim().is_empty() && !is_local {
            self.lacking.version.push(number);
        }
        self.add_license(number, component, is_local);
        if !component.purl.starts_with("pkg:") {
            self.lacking.purl.push(number);
        }
    }

    /// Several entries apply together: which of them one may choose, nobody says.
    fn add_license(&mut self, number: usize, component: &Component<'_>, is_local: bool) {
        let texts: BTreeSet<&str> = component.licenses.iter().filter_map(License::text).collect();
        if texts.is_empty() {
            if !is_local {
                self.lacking.license.push(number);
            }
            return;
        }
        let text = match texts.first() {
            Some(only) if texts.len() == 1 => (*only).to_owned(),
            _ => texts.iter().map(|it| format!("({it})")).collect::<Vec<_>>().join(" AND "),
        };
        let licensed = self.licenses.entry(text).or_insert_with(|| {
            let nothing = BTreeSet::from([Together::new()]);
            let mut each = texts.iter().map(|it| alternatives(it));
            let all = each.try_fold(nothing, |all, it| both(&all, &it?));
            Licensed { components: Vec::new(), alternatives: all }
        });
        licensed.components.push(number);
    }
}

impl License<'_> {
    fn text(&self) -> Option<&str> {
        let named = self.license.as_ref();
        let texts = [
            self.expression.as_deref(),
            named.and_then(|it| it.id.as_deref()),
            named.and_then(|it| it.name.as_deref()),
        ];
        texts.into_iter().flatten().map(str::trim).find(|it| !it.is_empty())
    }
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
                { "bom-ref": "b", "name": " ", "purl": "pkg:npm/@acme/x", "licenses": [{ "expression": "MIT OR Apache-2.0" }, { "license": { "name": "ISC" } }] },
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
                "licenses": { "(ISC) AND (MIT OR Apache-2.0)": { "components": [1], "alternatives": [["Apache-2.0", "ISC"], ["ISC", "MIT"]] } },
                "lacking": { "name": [1], "version": [1], "purl": [2], "license": [0], "sha256": [3] },
                "repeated": ["a"],
            })
        );
        assert!(Index::of(br#"{"components": 5}"#).is_err());
    }
}
