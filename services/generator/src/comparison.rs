//! What the SBOMs that a build made of itself and ours say otherwise.

use std::collections::{BTreeMap, BTreeSet};

use documents::{
    bom::{self, Bom, MAX_PURL_BYTES},
    inventory::{Inventory, Source},
};
use events::{Digest, FilePath, Text};
use purl::Purl;
use serde::Serialize;

/// Most packages that are listed of one kind; the others are only counted.
const LISTED: usize = 50;
/// Most versions of one package that are listed.
const VERSIONS: usize = 10;

/// How each SBOM that the build made of itself compares with ours: `attestry.sbom-comparison/v1`.
#[derive(Debug, Serialize)]
#[serde(tag = "schema", rename = "attestry.sbom-comparison/v1")]
pub(crate) struct Comparison {
    /// Our SBOM.
    pub(crate) sbom: Digest,
    /// How many packages ours names, each counted once whatever its versions.
    pub(crate) packages: usize,
    /// One for each SBOM of the build.
    pub(crate) supplied: Vec<Compared>,
}

/// One SBOM of the build beside ours. Packages are told apart by package URL without version,
/// qualifiers and subpath.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    pub(crate) name: FilePath,
    pub(crate) digest: Digest,
    /// Whether it is CycloneDX that can be read; otherwise `reason` says why not.
    pub(crate) valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<Text<1024>>,
    #[serde(flatten)]
    pub(crate) difference: Option<Difference>,
}

/// What two SBOMs say otherwise.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// Version of CycloneDX or SPDX that theirs follows.
    pub(crate) spec_version: &'static str,
    /// How many components theirs lists.
    pub(crate) components: usize,
    /// How many of these have no package URL, files aside: they are not compared.
    pub(crate) without_purl: usize,
    /// Packages that only ours names. The project itself and what is only local is left out.
    pub(crate) only_ours: Listed<String>,
    /// Packages that only theirs names.
    pub(crate) only_theirs: Listed<String>,
    /// Packages of which theirs names a version that ours does not.
    pub(crate) other_version: Listed<OtherVersion>,
}

/// The first of many, in order.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Listed<T> {
    pub(crate) count: usize,
    pub(crate) listed: Vec<T>,
}

/// A package with the versions that each side names.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct OtherVersion {
    pub(crate) package: String,
    pub(crate) ours: Vec<String>,
    pub(crate) theirs: Vec<String>,
}

/// The packages that our SBOM names.
pub(crate) struct Ours {
    versions: BTreeMap<String, BTreeSet<String>>,
    /// Those that theirs need not name: the project itself, and what exists nowhere else.
    own: BTreeSet<String>,
}

impl Ours {
    pub(crate) fn of(inventories: &[Inventory]) -> Self {
        let (mut versions, mut own) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeSet::new());
        for package in inventories.iter().flat_map(|it| &it.packages) {
            let Some((name, version)) = identity(&package.purl, package.version.as_deref()) else {
                continue;
            };
            if package.root || matches!(package.source, Source::Local { .. }) {
                own.insert(name.clone());
            }
            versions.entry(name).or_default().extend(version);
        }
        Self { versions, own }
    }

    pub(crate) fn packages(&self) -> usize {
        self.versions.len()
    }

    /// Judges and compares the SBOM `bytes`, which anyone may have written.
    pub(crate) fn compare(&self, name: FilePath, digest: Digest, bytes: &[u8]) -> Compared {
        match bom::read(bytes) {
            Ok(theirs) => {
                let difference = Some(self.difference(&theirs));
                Compared { name, digest, valid: true, reason: None, difference }
            }
            Err(error) => {
                let reason = Some(Text::of(&error.to_string()));
                Compared { name, digest, valid: false, reason, difference: None }
            }
        }
    }

    fn difference(&self, theirs: &Bom) -> Difference {
        let mut named = BTreeMap::<String, BTreeSet<String>>::new();
        let mut without_purl = 0;
        for component in theirs.components.iter().filter(|it| it.kind != "file") {
            let purl = component.purl.as_deref();
            match purl.and_then(|it| identity(it, component.version.as_deref())) {
                Some((name, version)) => named.entry(name).or_default().extend(version),
                None => without_purl += 1,
            }
        }
        let unnamed = |name: &&String| !named.contains_key(*name) && !self.own.contains(*name);
        let other = named.iter().filter_map(|(package, theirs)| {
            let ours = self.versions.get(package)?;
            // A side that leaves the version open says nothing against the other.
            let differs = !ours.is_empty() && !theirs.is_subset(ours);
            let first = |them: &BTreeSet<String>| them.iter().take(VERSIONS).cloned().collect();
            let package = package.clone();
            differs.then(|| OtherVersion { package, ours: first(ours), theirs: first(theirs) })
        });
        Difference {
            spec_version: theirs.format.spec_version(),
            components: theirs.components.len(),
            without_purl,
            only_ours: Listed::of(self.versions.keys().filter(unnamed).cloned()),
            only_theirs: Listed::of(
                named.keys().filter(|name| !self.versions.contains_key(*name)).cloned(),
            ),
            other_version: Listed::of(other),
        }
    }
}

impl<T> Listed<T> {
    fn of(all: impl Iterator<Item = T>) -> Self {
        let mut all = all;
        let listed: Vec<T> = all.by_ref().take(LISTED).collect();
        Self { count: listed.len() + all.count(), listed }
    }
}

/// A package and its version as both sides would write them: tools disagree on the case of names,
/// on `_`, `.` and `-` in those of PyPI, and on the `v` of Go.
fn identity(purl: &str, version: Option<&str>) -> Option<(String, Option<String>)> {
    if purl.len() > MAX_PURL_BYTES {
        return None;
    }
    let purl = Purl::canonicalize(purl).ok()?;
    let version = purl.version().or(version).filter(|it| it.len() <= MAX_PURL_BYTES);
    let version = match (purl.kind(), version) {
        ("golang", Some(version)) => Some(version.strip_prefix('v').unwrap_or(version)),
        (_, version) => version,
    };
    let mut name = purl.name().to_lowercase();
    if purl.kind() == "pypi" {
        name = name.replace(['_', '.'], "-");
    }
    let namespace = purl.namespace().map(|it| format!("{}/", it.to_lowercase()));
    let namespace = namespace.unwrap_or_default();
    Some((format!("pkg:{}/{namespace}{name}", purl.kind()), version.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use documents::lockfile;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::LOCK;

    fn ours() -> Ours {
        Ours::of(&[lockfile::parse("uv.lock", LOCK.as_bytes()).expect("reads")])
    }

    fn compared(sbom: &[u8]) -> Value {
        let name = "sbom/supplied/bom.json".parse().expect("a path");
        serde_json::to_value(ours().compare(name, Digest::of(sbom), sbom)).expect("encodes")
    }

    fn bom(purls: &[&str]) -> Vec<u8> {
        let component = |purl: &&str| json!({"type": "library", "name": "x", "purl": purl});
        let components: Vec<Value> = purls.iter().map(component).collect();
        json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": components})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn same_packages_are_no_difference_however_they_are_written() {
        let found =
            compared(&bom(&["pkg:pypi/Left_Pad@1.0?arch=any", "pkg:pypi/zope.interface@2.0"]));

        assert_eq!(found["valid"], true);
        assert_eq!(found["spec_version"], "1.5");
        for kind in ["only_ours", "only_theirs", "other_version"] {
            assert_eq!(found[kind]["count"], 0, "{kind}: {found}");
        }
    }

    #[test]
    fn what_one_side_alone_says_is_told() {
        let found = compared(&bom(&["pkg:pypi/left-pad@1.1", "pkg:npm/%40a/b@1", "nonsense:"]));

        assert_eq!(found["only_ours"]["listed"], json!(["pkg:pypi/zope-interface"]));
        assert_eq!(found["only_theirs"]["listed"], json!(["pkg:npm/@a/b"]));
        let other = json!([{"package": "pkg:pypi/left-pad", "ours": ["1.0"], "theirs": ["1.1"]}]);
        assert_eq!(found["other_version"]["listed"], other);
        assert_eq!((&found["without_purl"], &found["components"]), (&json!(1), &json!(3)));
    }

    #[test]
    fn what_is_no_sbom_is_told_with_the_reason() {
        for (bytes, reason) in [
            (b"SPDXVersion: SPDX-2.3".as_slice(), "SPDXID"),
            (br#"{"spdxVersion": "SPDX-2.3"}"#, "creationInfo"),
            (br#"{"spdxVersion": "SPDX-2.1"}"#, "SPDX-2.1"),
            (br#"{"bomFormat": "CycloneDX", "specVersion": "1.0"}"#, "1.0"),
            (
                br#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{}]}"#,
                "/components/0",
            ),
            (b"", "empty"),
        ] {
            let found = compared(bytes);
            assert_eq!(found["valid"], false, "{found}");
            assert!(found["reason"].as_str().expect("told").contains(reason), "{found}");
            assert_eq!(found.get("components"), None);
        }
    }

    #[test]
    fn many_differences_are_counted_and_the_first_listed() {
        let purls: Vec<String> = (0..1_000).map(|n| format!("pkg:npm/a{n:04}@1")).collect();
        let found = compared(&bom(&purls.iter().map(String::as_str).collect::<Vec<_>>()));

        assert_eq!(found["only_theirs"]["count"], 1_000);
        assert_eq!(found["only_theirs"]["listed"].as_array().expect("a list").len(), LISTED);
        assert_eq!(found["only_theirs"]["listed"][0], "pkg:npm/a0000");
    }
}
