//! The whole document, and what it says of itself: who made it, when, from what, and what it lacks.

use std::borrow::Cow;

use super::assembly::{Artifact, Assembly};
use super::party::{Party, is_email};
use super::wire::{
    Component, Contact, HashEntry, Head, Lifecycle, Metadata, Organization, Property, Tools,
};
use super::{SbomInput, SpecVersion, bsi, component, iri};

impl<'a> Head<'a> {
    pub(super) fn new(input: &'a SbomInput<'a>, assembly: &'a Assembly<'a>) -> Self {
        let (schema, spec_version) = match input.spec_version {
            SpecVersion::V1_6 => ("http://cyclonedx.org/schema/bom-1.6.schema.json", "1.6"),
            SpecVersion::V1_7 => ("http://cyclonedx.org/schema/bom-1.7.schema.json", "1.7"),
        };
        Self {
            schema,
            bom_format: "CycloneDX",
            spec_version,
            serial_number: input.serial.urn().to_string(),
            version: 1,
            metadata: Metadata::new(input, assembly),
        }
    }
}

impl<'a> Metadata<'a> {
    fn new(input: &'a SbomInput<'a>, assembly: &'a Assembly<'a>) -> Self {
        let maker = Party { name: "Attestry", url: None, email: None };
        let attestry = Component {
            r#type: "application",
            manufacturer: Some(Organization::new(maker)),
            name: "attestry",
            version: Some(input.tool_version),
            ..Component::default()
        };
        let author = match input.author {
            Some(author) => Contact::new(author),
            // Nobody answers for it; a reader that asks for a name must not take this for a person.
            None => Contact {
                name: Some(Cow::from(format!("Tool: attestry-{}", input.tool_version))),
                email: None,
            },
        };
        Self {
            timestamp: input.timestamp.to_string(),
            lifecycles: lifecycles(input),
            tools: Tools { components: [attestry] },
            manufacturer: input.author.map(Organization::new),
            authors: [author],
            component: project(input, assembly),
            supplier: input.supplier.map(Organization::new),
            properties: properties(input, assembly),
        }
    }
}

impl<'a> Organization<'a> {
    pub(super) fn new(party: Party<'a>) -> Self {
        let email = party.email.filter(|email| is_email(email));
        Self {
            name: party.name,
            url: party.url.map(|url| [iri::reference(url)]),
            contact: email.map(|email| [Contact { name: None, email: Some(email) }]),
        }
    }
}

impl<'a> Contact<'a> {
    pub(super) fn new(party: Party<'a>) -> Self {
        let email = party.email.filter(|email| is_email(email));
        Self { name: Some(Cow::Borrowed(party.name)), email }
    }
}

/// The stages that the facts are of (CISA: generation context).
fn lifecycles(input: &SbomInput<'_>) -> Vec<Lifecycle> {
    let in_artifacts = input.inventories.iter().filter(|it| it.artifact.is_some()).count();
    let in_project = input.inventories.len() - in_artifacts;
    let before = match (input.artifacts.is_empty(), in_artifacts > 0 && in_project == 0) {
        (true, true) => None,
        (true, false) => Some("pre-build"),
        (false, _) => Some("build"),
    };
    let after = (in_artifacts > 0).then_some("post-build");
    before.into_iter().chain(after).map(|phase| Lifecycle { phase }).collect()
}

fn properties<'a>(input: &'a SbomInput<'a>, assembly: &'a Assembly<'a>) -> Vec<Property<'a>> {
    let inventories = &assembly.inventories;
    let files = inventories
        .iter()
        .map(|it| Property { name: "attestry:lockfile:path", value: Cow::from(&it.path) });
    let mut missing: Vec<_> = input.missing.iter().collect();
    missing.sort_by_key(|it| (&it.path, it.line, &it.reason));
    missing.dedup();
    let missing = missing
        .into_iter()
        .map(|it| Property { name: "attestry:missing", value: at(&it.path, it.line, &it.reason) });
    let notes = inventories.iter().flat_map(|it| it.notes.iter().map(move |note| (it, note)));
    let notes = notes.map(|(inventory, note)| Property {
        name: "attestry:lockfile:note",
        value: at(&inventory.path, Some(note.line), &note.message),
    });
    files.chain(missing).chain(notes).collect()
}

/// `PATH:LINE: WHAT`, as compilers write it.
fn at(path: &str, line: Option<usize>, what: &str) -> Cow<'static, str> {
    Cow::Owned(match line {
        Some(line) => format!("{path}:{line}: {what}"),
        None => format!("{path}: {what}"),
    })
}

fn project<'a>(input: &'a SbomInput<'a>, assembly: &'a Assembly<'a>) -> Component<'a> {
    let found = assembly.project.package.as_slice();
    let artifacts = assembly.artifacts.iter().zip(&assembly.refs[1..]);
    let part = |(it, bom_ref): (&'a Artifact<'a>, &'a Cow<'a, str>)| {
        artifact(input, assembly, it, bom_ref)
    };
    let only = match &assembly.artifacts[..] {
        [only] => only.sha256.as_deref(),
        _ => None,
    };
    Component {
        r#type: "application",
        bom_ref: Some(&assembly.refs[0]),
        name: input.project,
        version: assembly.project.version.and_then(component::version),
        hashes: hashes(only),
        purl: assembly.project.purl.as_deref(),
        components: artifacts.map(part).collect(),
        ..component::of_file(input, &assembly.licences, found)
    }
}

fn artifact<'a>(
    input: &'a SbomInput<'a>,
    assembly: &'a Assembly<'a>,
    artifact: &'a Artifact<'a>,
    bom_ref: &'a str,
) -> Component<'a> {
    let found = artifact.package.as_slice();
    let package = artifact.package.map(|found| found.package);
    let kind = bsi::properties(artifact.name).iter().copied();
    let properties = [("bsi:component:filename", artifact.name)].into_iter().chain(kind);
    Component {
        bom_ref: Some(bom_ref),
        name: artifact.name,
        version: package.and_then(|it| component::version(it.version.as_deref()?)),
        hashes: hashes(artifact.sha256.as_deref()),
        purl: package.map(|it| it.purl.as_str()),
        properties: properties
            .map(|(name, value)| Property { name, value: value.into() })
            .collect(),
        ..component::of_file(input, &assembly.licences, found)
    }
}

fn hashes(sha256: Option<&str>) -> Vec<HashEntry<'_>> {
    sha256.map(|content| HashEntry { alg: "SHA-256", content }).into_iter().collect()
}
