//! CycloneDX documents that look like those of real generators, and are of nothing: the same ones for the
//! same seed.

use std::fmt::Write;

use fastrand::Rng;
use jiff::Timestamp;
use uuid::Uuid;

/// Bytes of a component with its dependencies, on average; real documents have 500 to 1,500.
#[cfg(test)]
const BYTES_EACH: usize = 750;
const FIRST: [&str; 16] = [
    "async", "binary", "cache", "digest", "event", "fast", "graph", "http", "image", "json",
    "lazy", "micro", "native", "object", "proto", "query",
];
const SECOND: [&str; 16] = [
    "adapter", "buffer", "client", "driver", "engine", "filter", "gateway", "handler", "index",
    "loader", "mapper", "parser", "reader", "server", "tools", "writer",
];
/// Of permissive and copyleft licences as often as of one that is chosen from two.
const LICENCES: [&str; 8] = [
    r#"{"license":{"id":"MIT"}}"#,
    r#"{"license":{"id":"Apache-2.0"}}"#,
    r#"{"license":{"id":"BSD-3-Clause"}}"#,
    r#"{"expression":"MIT OR Apache-2.0"}"#,
    r#"{"license":{"id":"ISC"}}"#,
    r#"{"license":{"id":"MPL-2.0"}}"#,
    r#"{"license":{"name":"Acme Public License"}}"#,
    r#"{"license":{"id":"LGPL-2.1-only"}}"#,
];
/// Documents of more components tell no more of each than what it is, so that they are not too large.
const FULL_MAX: usize = 85_000;
/// Most components that one depends on.
const MOST_DEPENDENCIES: usize = 3;
/// A dependency is among so many that follow.
const NEAR: usize = 64;
/// Components that the product itself depends on.
const DIRECT: usize = 20;

/// Where a document names the version that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Before its components, as all generators do: each can be judged as it comes.
    VersionFirst,
    /// After them, as somebody may do who wants to cost most.
    VersionLast,
}

/// What a document is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape<'a> {
    /// Name of the supplier, and of its product.
    pub(crate) supplier: &'a str,
    /// How many components it lists.
    pub(crate) components: usize,
    /// What everything in it is chosen by.
    pub(crate) seed: u64,
    /// When it says that it was made.
    pub(crate) timestamp: Timestamp,
    /// In which order it says so.
    pub(crate) order: Order,
}

/// A package that does not exist.
struct Package {
    /// Its name within the document.
    reference: String,
    group: Option<String>,
    name: String,
    version: String,
    purl: String,
    repository: String,
}

impl Shape<'_> {
    /// The document as JSON on one line.
    pub(crate) fn document(&self) -> String {
        let mut rng = Rng::with_seed(self.seed);
        let packages: Vec<Package> =
            (0..self.components).map(|index| self.package(index, &mut rng)).collect();
        let mut out = String::with_capacity(800 * self.components + 2_000);
        // Writing to a String cannot fail.
        self.write(&mut out, &packages, &mut rng).unwrap_or_default();
        out
    }

    /// The purl of its last component, which is in no document of another seed.
    pub(crate) fn probe(&self) -> String {
        format!("pkg:generic/attestry-bench-{}@{}.0.0", self.seed, self.components)
    }

    fn package(&self, index: usize, rng: &mut Rng) -> Package {
        let mut package = self.package_as_such(index, rng);
        if self.is_lean() {
            package.reference = index.to_string();
        }
        package
    }

    fn is_lean(&self) -> bool {
        self.components > FULL_MAX
    }

    fn package_as_such(&self, index: usize, rng: &mut Rng) -> Package {
        if index + 1 == self.components {
            return Package {
                reference: self.probe(),
                group: None,
                name: format!("attestry-bench-{}", self.seed),
                version: format!("{}.0.0", self.components),
                purl: self.probe(),
                repository: "https://github.com/acme/bench".to_owned(),
            };
        }
        Package::new(index, rng)
    }

    fn write(&self, out: &mut String, packages: &[Package], rng: &mut Rng) -> std::fmt::Result {
        let Self { supplier, seed, timestamp, order, .. } = self;
        let version = r#""specVersion":"1.6""#;
        let (first, last) = match order {
            Order::VersionFirst => (format!("{version},"), String::new()),
            Order::VersionLast => (String::new(), format!(",{version}")),
        };
        let serial = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("urn:bench:{seed}").as_bytes());
        write!(
            out,
            r#"{{"bomFormat":"CycloneDX",{first}"serialNumber":"urn:uuid:{serial}","version":1,"metadata":{{"timestamp":"{timestamp}","tools":{{"components":[{{"type":"application","name":"bench","version":"1.0.0"}}]}},"component":{{"type":"application","bom-ref":"product","name":"{supplier}-product","version":"1.{seed}.0","purl":"pkg:generic/{supplier}-product@1.{seed}.0"}},"supplier":{{"name":"{supplier}"}}}},"components":["#
        )?;
        for (index, package) in packages.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { "," });
            match self.is_lean() {
                true => package.write_lean(out)?,
                false => package.write(out, rng)?,
            }
        }
        out.push_str(r#"],"dependencies":[{"ref":"product","dependsOn":["#);
        write_list(out, packages.iter().take(DIRECT))?;
        for (index, package) in packages.iter().enumerate() {
            write!(out, r#"]}},{{"ref":"{}","dependsOn":["#, package.reference)?;
            // Only on what follows: a graph without cycles.
            let most = (packages.len() - index - 1).min(NEAR);
            let (first, count) = (rng.usize(0..=most), rng.usize(0..=MOST_DEPENDENCIES));
            let end = index + 1 + (first + count).min(most);
            write_list(out, packages[index + 1 + first..end].iter())?;
        }
        write!(out, "]}}]{last}}}")
    }
}

fn write_list<'a>(
    out: &mut String,
    packages: impl Iterator<Item = &'a Package>,
) -> std::fmt::Result {
    for (index, package) in packages.enumerate() {
        write!(out, r#"{}"{}""#, if index == 0 { "" } else { "," }, package.reference)?;
    }
    Ok(())
}

impl Package {
    fn new(index: usize, rng: &mut Rng) -> Self {
        let (first, second) = (FIRST[rng.usize(..16)], SECOND[rng.usize(..16)]);
        let plain = format!("{first}-{second}-{index}");
        let version = format!("{}.{}.{}", rng.u8(..20), rng.u8(..40), rng.u8(..30));
        let repository = format!("https://github.com/{second}-project/{plain}");
        let (group, name, purl) = match rng.u8(..8) {
            0 | 1 => {
                let purl = format!("pkg:npm/%40{second}/{plain}@{version}");
                (Some(format!("@{second}")), plain, purl)
            }
            2 => (None, plain.clone(), format!("pkg:npm/{plain}@{version}")),
            3 => (None, plain.clone(), format!("pkg:pypi/{plain}@{version}")),
            4 => {
                let group = format!("org.{second}.{first}");
                let purl = format!("pkg:maven/{group}/{plain}@{version}");
                (Some(group), plain, purl)
            }
            5 => {
                let name = format!("github.com/{second}-project/{plain}");
                let purl = format!("pkg:golang/{name}@v{version}");
                (None, name, purl)
            }
            6 => (None, plain.clone(), format!("pkg:cargo/{plain}@{version}")),
            _ => {
                let purl = format!("pkg:deb/debian/{plain}@{version}-1?arch=amd64");
                (None, plain, purl)
            }
        };
        Self { reference: purl.clone(), group, name, version, purl, repository }
    }

    fn write_lean(&self, out: &mut String) -> std::fmt::Result {
        let Self { reference, name, version, purl, .. } = self;
        write!(
            out,
            r#"{{"type":"library","bom-ref":"{reference}","name":"{name}","version":"{version}","purl":"{purl}"}}"#
        )
    }

    fn write(&self, out: &mut String, rng: &mut Rng) -> std::fmt::Result {
        let Self { reference, group, name, version, purl, repository } = self;
        write!(out, r#"{{"type":"library","bom-ref":"{reference}","#)?;
        if let Some(group) = group {
            write!(out, r#""group":"{group}","#)?;
        }
        write!(
            out,
            r#""name":"{name}","version":"{version}","hashes":[{{"alg":"SHA-256","content":""#
        )?;
        for _ in 0..4 {
            write!(out, "{:016x}", rng.u64(..))?;
        }
        let licence = LICENCES[rng.usize(..LICENCES.len())];
        write!(
            out,
            r#""}}],"licenses":[{licence}],"purl":"{purl}","externalReferences":[{{"type":"vcs","url":"{repository}.git"}},{{"type":"website","url":"{repository}"}}],"properties":[{{"name":"acme:build:path","value":"lib/{name}"}}]}}"#
        )
    }
}

#[cfg(test)]
mod tests {
    use documents::bom;

    use super::*;

    fn shape(components: usize, seed: u64) -> Shape<'static> {
        let (timestamp, order) = (Timestamp::UNIX_EPOCH, Order::VersionFirst);
        Shape { supplier: "acme", components, seed, timestamp, order }
    }

    #[test]
    fn the_same_seed_makes_the_same_document_and_another_seed_another() {
        assert_eq!(shape(300, 1).document(), shape(300, 1).document());
        assert_ne!(shape(300, 1).document(), shape(300, 2).document());
    }

    #[test]
    fn documents_are_valid_and_nothing_in_them_is_suspicious() {
        for components in [1, 2, 20, 500] {
            let shape = shape(components, 7);
            let read = bom::read(shape.document().as_bytes()).unwrap();
            assert_eq!(read.problems, [], "{components}");
            assert_eq!(read.components.len(), components);
            let last = Shape { order: Order::VersionLast, ..shape };
            assert_eq!(bom::read(last.document().as_bytes()), Ok(read.clone()));
            let purl = read.components.last().and_then(|it| it.purl.clone());
            assert_eq!(purl, Some(shape.probe()));
        }
    }

    #[test]
    fn two_hundred_thousand_components_are_not_too_large() {
        let document = shape(200_000, 1).document();
        assert!(document.len() as u64 <= supplier_ingest::MAX_DOCUMENT_BYTES, "{}", document.len());
        let read = bom::read(document.as_bytes()).unwrap();
        assert_eq!((read.components.len(), read.problems), (200_000, vec![]));
    }

    #[test]
    fn a_component_has_the_bytes_of_a_real_one() {
        let bytes = shape(2_000, 1).document().len() / 2_000;
        assert!((BYTES_EACH - 50..=BYTES_EACH + 50).contains(&bytes), "{bytes}");
    }
}
