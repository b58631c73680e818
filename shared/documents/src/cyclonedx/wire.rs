//! The JSON of CycloneDX 1.6 and 1.7, as far as it is written here, in the order of the schema.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::iter;

use serde::Serialize;

use super::assembly::{self, Assembly};
use super::{SbomInput, SpecVersion, iri};
use crate::inventory::{Hash, HashAlgorithm, Missing, Package, Scope, Source};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bom<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<Component<'a>>,
    dependencies: Vec<Dependency<'a>>,
    compositions: Vec<Composition<'a>>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    timestamp: String,
    lifecycles: [Lifecycle; 1],
    tools: Tools<'a>,
    component: Component<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property<'a>>,
}

#[derive(Serialize)]
struct Lifecycle {
    phase: &'static str,
}

#[derive(Serialize)]
struct Tools<'a> {
    components: [Component<'a>; 1],
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Component<'a> {
    r#type: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    bom_ref: Option<Cow<'a, str>>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<HashEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<ExternalReference<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Component<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property<'a>>,
}

#[derive(Clone, Serialize)]
struct HashEntry<'a> {
    alg: &'static str,
    content: Cow<'a, str>,
}

#[derive(Serialize)]
struct ExternalReference<'a> {
    url: Cow<'a, str>,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashes: Option<[HashEntry<'a>; 1]>,
}

#[derive(Serialize)]
struct Property<'a> {
    name: &'static str,
    value: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    r#ref: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<&'a str>,
}

#[derive(Serialize)]
struct Composition<'a> {
    aggregate: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assemblies: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<&'a str>,
}

impl<'a> Bom<'a> {
    pub(super) fn new(input: &SbomInput<'a>, assembly: &'a Assembly<'a>) -> Self {
        let (schema, spec_version) = match input.spec_version {
            SpecVersion::V1_6 => ("http://cyclonedx.org/schema/bom-1.6.schema.json", "1.6"),
            SpecVersion::V1_7 => ("http://cyclonedx.org/schema/bom-1.7.schema.json", "1.7"),
        };
        let components = assembly.components.iter().zip(&assembly.refs[1..]);
        Self {
            schema,
            bom_format: "CycloneDX",
            spec_version,
            serial_number: input.serial.urn().to_string(),
            version: 1,
            metadata: Metadata::new(input, assembly),
            components: components.map(|(it, bom_ref)| Component::package(it, bom_ref)).collect(),
            dependencies: dependencies(assembly),
            compositions: compositions(input, assembly),
        }
    }
}

impl<'a> Metadata<'a> {
    fn new(input: &SbomInput<'a>, assembly: &'a Assembly<'a>) -> Self {
        let attestry = Component {
            r#type: "application",
            name: "attestry",
            version: Some(input.tool_version),
            ..Component::default()
        };
        let lockfiles = input.inventories.iter();
        Self {
            timestamp: input.timestamp.to_string(),
            lifecycles: [Lifecycle { phase: "build" }],
            tools: Tools { components: [attestry] },
            component: Component::project(input, assembly),
            properties: lockfiles
                .map(|lockfile| Property::lockfile(&lockfile.path))
                .chain(input.missing.iter().map(Property::missing))
                .collect(),
        }
    }
}

impl<'a> Component<'a> {
    fn project(input: &SbomInput<'a>, assembly: &'a Assembly<'a>) -> Self {
        let artifacts: BTreeSet<_> =
            input.artifacts.iter().map(|(name, digest)| (name.as_str(), digest.hex())).collect();
        let artifacts: Vec<_> =
            artifacts.into_iter().map(|(name, sha256)| Self::artifact(name, sha256)).collect();
        Self {
            r#type: "application",
            bom_ref: Some(Cow::from(&assembly.refs[0])),
            name: input.project,
            version: assembly.project.version,
            hashes: match &artifacts[..] {
                [only] => only.hashes.clone(),
                _ => Vec::new(),
            },
            purl: assembly.project.purl.as_deref(),
            components: artifacts,
            ..Self::default()
        }
    }

    fn artifact(name: &'a str, sha256: String) -> Self {
        Self {
            r#type: "file",
            bom_ref: Some(Cow::from(format!("artifact:{name}@sha256:{sha256}"))),
            name,
            hashes: vec![HashEntry { alg: "SHA-256", content: Cow::from(sha256) }],
            ..Self::default()
        }
    }

    fn package(component: &'a assembly::Component<'a>, bom_ref: &'a str) -> Self {
        let package = component.package;
        let hashes = match &package.distributions[..] {
            [only] => only.hash.as_ref().map(HashEntry::new).into_iter().collect(),
            _ => Vec::new(),
        };
        Self {
            r#type: "library",
            bom_ref: Some(Cow::from(bom_ref)),
            name: &package.name,
            version: package.version.as_deref(),
            scope: Some(match component.scope {
                Scope::Required => "required",
                Scope::Optional => "optional",
                Scope::Dev => "excluded",
            }),
            hashes,
            purl: Some(&package.purl),
            external_references: external_references(package),
            components: Vec::new(),
            properties: properties(component),
        }
    }
}

impl<'a> HashEntry<'a> {
    fn new(Hash { algorithm, hex }: &'a Hash) -> Self {
        let alg = match algorithm {
            HashAlgorithm::Md5 => "MD5",
            HashAlgorithm::Sha1 => "SHA-1",
            HashAlgorithm::Sha256 => "SHA-256",
            HashAlgorithm::Sha384 => "SHA-384",
            HashAlgorithm::Sha512 => "SHA-512",
            HashAlgorithm::Blake2b512 => "BLAKE2b-512",
        };
        Self { alg, content: Cow::from(hex) }
    }
}

impl<'a> Property<'a> {
    fn lockfile(path: &'a str) -> Self {
        Self { name: "attestry:lockfile:path", value: path.into() }
    }

    fn missing(missing: &'a Missing) -> Self {
        let Missing { path, line, reason } = missing;
        let value = match line {
            Some(line) => format!("{path}:{line}: {reason}"),
            None => format!("{path}: {reason}"),
        };
        Self { name: "attestry:missing", value: value.into() }
    }
}

fn external_references(package: &Package) -> Vec<ExternalReference<'_>> {
    let repository = match &package.source {
        Source::Git { url, .. } => Some(url),
        _ => None,
    };
    let repository = repository.map(|url| ExternalReference {
        url: iri::reference(url),
        r#type: "vcs",
        hashes: None,
    });
    let distributions = package.distributions.iter().filter_map(|distribution| {
        Some(ExternalReference {
            url: iri::reference(distribution.location.as_deref()?),
            r#type: "distribution",
            hashes: distribution.hash.as_ref().map(|hash| [HashEntry::new(hash)]),
        })
    });
    repository.into_iter().chain(distributions).collect()
}

fn properties<'a>(component: &assembly::Component<'a>) -> Vec<Property<'a>> {
    let mut properties = Vec::new();
    if component.scope == Scope::Dev {
        properties.push(Property { name: "attestry:dependency:group", value: "dev".into() });
    }
    properties.extend(component.lockfiles.iter().map(|path| Property::lockfile(path)));
    if matches!(component.package.source, Source::Local { .. }) {
        properties.push(Property { name: "attestry:package:source", value: "local".into() });
    }
    properties
}

fn dependencies<'a>(assembly: &'a Assembly<'a>) -> Vec<Dependency<'a>> {
    let reference = |&node: &usize| assembly.refs[node].as_str();
    let nodes = assembly.refs.iter().zip(&assembly.edges);
    nodes
        .map(|(of, targets)| Dependency {
            r#ref: of,
            depends_on: targets.iter().map(reference).collect(),
        })
        .collect()
}

fn compositions<'a>(input: &SbomInput<'_>, assembly: &'a Assembly<'a>) -> Vec<Composition<'a>> {
    let project = vec![assembly.refs[0].as_str()];
    if input.inventories.is_empty() {
        let dependencies = project.clone();
        return vec![Composition { aggregate: "unknown", assemblies: project, dependencies }];
    }
    let edges_known = input.inventories.iter().filter(|it| it.edges_known);
    let edges_known: BTreeSet<_> = edges_known.map(|it| it.path.as_str()).collect();
    let is_component_known = |component: &assembly::Component<'_>| {
        component.lockfiles.iter().all(|it| edges_known.contains(it))
    };
    let is_project_known = input.inventories.iter().all(|lockfile| lockfile.direct_known);
    let known =
        iter::once(is_project_known).chain(assembly.components.iter().map(is_component_known));
    let refs = assembly.refs.iter().map(String::as_str).zip(known);
    let (complete, unknown): (Vec<_>, Vec<_>) = refs.partition(|(_, known)| *known);
    let of = |refs: Vec<(&'a str, bool)>| refs.into_iter().map(|(of, _)| of).collect::<Vec<_>>();
    let (complete, unknown) = (of(complete), of(unknown));
    let complete = (!complete.is_empty()).then_some(Composition {
        aggregate: "complete",
        assemblies: Vec::new(),
        dependencies: complete,
    });
    let unknown = Composition { aggregate: "unknown", assemblies: project, dependencies: unknown };
    complete.into_iter().chain([unknown]).collect()
}
