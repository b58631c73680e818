//! What a build has that the one before had not, and the other way round.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use purl::package_of;

/// Most packages that each list names.
const MAX_LISTED: usize = 1_000;

/// Versions by package, as package URLs say.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    by_name: BTreeMap<String, BTreeSet<String>>,
    purls: BTreeSet<String>,
}

/// `input.difference`: to the build that was promoted before.
#[derive(Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Difference {
    /// Package URLs of packages that were not there, in any version.
    pub(crate) added: Vec<String>,
    /// Package URLs of packages that are not there any more.
    pub(crate) removed: Vec<String>,
    /// Packages with other versions.
    pub(crate) changed: Vec<Changed>,
    pub(crate) added_count: usize,
    pub(crate) removed_count: usize,
    pub(crate) changed_count: usize,
}

#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Changed {
    /// Package URL without version.
    pub(crate) package: String,
    pub(crate) from: BTreeSet<String>,
    pub(crate) to: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Sbom<'a> {
    #[serde(borrow, default)]
    components: Vec<Component<'a>>,
}

#[derive(Deserialize)]
struct Component<'a> {
    #[serde(borrow, default)]
    purl: Cow<'a, str>,
}

impl Packages {
    /// The packages of a CycloneDX document.
    ///
    /// # Errors
    /// A field is of another type than CycloneDX has.
    pub(crate) fn of(sbom: &[u8]) -> Result<Self, serde_json::Error> {
        let sbom: Sbom<'_> = serde_json::from_slice(sbom)?;
        let mut packages = Self::default();
        for component in sbom.components {
            let Some(package) = package_of(&component.purl) else { continue };
            let bare = component.purl.split(['?', '#']).next().unwrap_or_default();
            let version = bare.rsplit_once('@').filter(|(_, it)| !it.contains('/'));
            let version = version.map_or("", |(_, version)| version);
            packages.by_name.entry(package).or_default().insert(version.to_owned());
            packages.purls.insert(component.purl.into_owned());
        }
        Ok(packages)
    }

    /// Whether this very package URL is among them.
    pub(crate) fn has(&self, purl: &str) -> bool {
        self.purls.contains(purl)
    }

    /// What has changed since `before`.
    pub(crate) fn since(&self, before: &Self) -> Difference {
        let mut difference = Difference::default();
        for (package, versions) in &self.by_name {
            match before.by_name.get(package) {
                None => list(&mut difference.added, &mut difference.added_count, package, versions),
                Some(old) if old != versions => {
                    difference.changed_count += 1;
                    if difference.changed.len() < MAX_LISTED {
                        let (from, to) = (old.clone(), versions.clone());
                        difference.changed.push(Changed { package: package.clone(), from, to });
                    }
                }
                Some(_) => {}
            }
        }
        for (package, versions) in &before.by_name {
            if !self.by_name.contains_key(package) {
                list(&mut difference.removed, &mut difference.removed_count, package, versions);
            }
        }
        difference
    }
}

fn list(to: &mut Vec<String>, count: &mut usize, package: &str, versions: &BTreeSet<String>) {
    for version in versions {
        *count += 1;
        if to.len() < MAX_LISTED {
            to.push(match version.as_str() {
                "" => package.to_owned(),
                version => format!("{package}@{version}"),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn packages(purls: &[&str]) -> Packages {
        let components: Vec<Value> = purls.iter().map(|it| json!({ "purl": it })).collect();
        Packages::of(json!({ "components": components }).to_string().as_bytes()).expect("reads")
    }

    #[test]
    fn packages_come_go_and_change_their_versions() {
        let before = packages(&["pkg:npm/a@1", "pkg:npm/b@1", "pkg:npm/b@2", "pkg:npm/%40x/c@1"]);
        let now = packages(&["pkg:npm/b@2", "pkg:npm/b@3", "pkg:npm/@x/c@1?x=y", "pkg:npm/d", ""]);

        let difference = now.since(&before);
        assert_eq!(
            serde_json::to_value(&difference).expect("writes"),
            json!({
                "added": ["pkg:npm/d"], "removed": ["pkg:npm/a@1"],
                "changed": [{ "package": "pkg:npm/b", "from": ["1", "2"], "to": ["2", "3"] }],
                "added_count": 1, "removed_count": 1, "changed_count": 1,
            })
        );
        assert_eq!(now.since(&now), Difference::default());
        assert!(before.has("pkg:npm/a@1") && !before.has("pkg:npm/a"));
    }

    #[test]
    fn of_very_many_the_first_are_listed_and_all_are_counted() {
        let purls: Vec<_> = (0..MAX_LISTED + 5).map(|it| format!("pkg:npm/p{it}@1")).collect();
        let purls: Vec<_> = purls.iter().map(String::as_str).collect();
        let difference = packages(&purls).since(&Packages::default());
        assert_eq!((difference.added.len(), difference.added_count), (MAX_LISTED, MAX_LISTED + 5));
    }
}
