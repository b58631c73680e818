//! A package as a CycloneDX component: everything that the inventories which have it say of it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::assembly::Found;
use super::licence::Licence;
use super::merge::{self, File};
use super::party::{self, Party};
use super::wire::{
    Component, Contact, Evidence, ExternalReference, HashEntry, LicenceChoice, License, Occurrence,
    Organization, Property, Text,
};
use super::{SbomInput, bsi, iri};
use crate::inventory::{Hash, HashAlgorithm, Package, Scope, Source};

type Licences<'a> = HashMap<&'a str, Option<Licence<'a>>>;

/// The package that all of `found` are.
pub(super) fn of_package<'a>(
    input: &SbomInput<'a>,
    licences: &'a Licences<'a>,
    found: &'a [Found<'a>],
    bom_ref: &'a str,
) -> Component<'a> {
    let package = found[0].package;
    let packages: Vec<_> = found.iter().map(|found| found.package).collect();
    let files = merge::files(&packages);
    let scope = packages.iter().map(|it| it.scope).min().unwrap_or(Scope::Required);
    let hashes = common_hashes(&package.purl, &files);
    let (group, name) = group_and_name(package);
    Component {
        r#type: "library",
        bom_ref: Some(bom_ref),
        supplier: supplier(input, found),
        authors: authors(found),
        group,
        name,
        version: package.version.as_deref().and_then(version),
        scope: Some(match scope {
            Scope::Required => "required",
            Scope::Optional => "optional",
            Scope::Dev => "excluded",
        }),
        licenses: licences_of(licences, found),
        purl: Some(&package.purl),
        external_references: external_references(package, &files),
        evidence: evidence(found),
        properties: properties(found, scope, &files, !hashes.is_empty()),
        hashes: hashes.into_iter().map(HashEntry::new).collect(),
        ..Component::default()
    }
}

/// Name and what stands before it: the scope of npm, the vendor of Composer, the group of Maven.
fn group_and_name(package: &Package) -> (Option<&str>, &str) {
    let is_of = |kind| package.purl.starts_with(kind);
    let parts = match &*package.name {
        name if is_of("pkg:maven/") => name.split_once(':'),
        name if is_of("pkg:composer/") || name.starts_with('@') => name.split_once('/'),
        _ => None,
    };
    let parts = parts.filter(|(group, name)| !group.is_empty() && !name.is_empty());
    parts.map_or((None, &package.name), |(group, name)| (Some(group), name))
}

/// The version, unless it is longer than the schema allows: it is still in the purl.
pub(super) fn version(text: &str) -> Option<&str> {
    const MAX_LENGTH: usize = 1024;
    (text.len() <= MAX_LENGTH).then_some(text)
}

/// What is known of the project, or of an artifact, beside its name: as the package that it is.
pub(super) fn of_file<'a>(
    input: &SbomInput<'a>,
    licences: &'a Licences<'a>,
    found: &'a [Found<'a>],
) -> Component<'a> {
    Component {
        r#type: "file",
        supplier: Some(Organization::new(first_party(input, found))),
        authors: authors(found),
        licenses: licences_of(licences, found),
        evidence: evidence(found),
        ..Component::default()
    }
}

/// Whoever hands it out: a distribution its own packages, a registry others', and the project what
/// is only local.
fn supplier<'a>(input: &SbomInput<'a>, found: &[Found<'a>]) -> Option<Organization<'a>> {
    let package = found[0].package;
    let party = match &package.source {
        _ if party::is_of_distribution(package) => said_maker(found),
        Source::Local { .. } => Some(first_party(input, found)),
        source => party::distributor(source),
    };
    party.map(Organization::new)
}

/// Whoever supplies what the project makes: as told, else whom its manifest names, else the project.
fn first_party<'a>(input: &SbomInput<'a>, found: &[Found<'a>]) -> Party<'a> {
    let project = Party { name: input.project, url: None, email: None };
    input.supplier.or_else(|| said_maker(found)).unwrap_or(project)
}

fn authors<'a>(found: &[Found<'a>]) -> Option<[Contact<'a>; 1]> {
    let of_distribution = found.first().is_some_and(|it| party::is_of_distribution(it.package));
    let maker = (!of_distribution).then(|| said_maker(found)).flatten();
    maker.map(|maker| [Contact::new(maker)])
}

fn said_maker<'a>(found: &[Found<'a>]) -> Option<Party<'a>> {
    found.iter().find_map(|found| Party::read(found.package.supplier.as_deref()?))
}

/// What is on the SPDX list goes before a name that only a person understands.
fn licences_of<'a>(
    licences: &'a Licences<'a>,
    found: &[Found<'a>],
) -> Option<[LicenceChoice<'a>; 1]> {
    let read = |found: &Found<'a>| licences.get(found.package.licence.as_deref()?)?.as_ref();
    let read: Vec<_> = found.iter().filter_map(read).collect();
    let listed = read.iter().find(|it| !matches!(it, Licence::Named { .. }));
    let licence = listed.or(read.first())?;
    let acknowledgement = "declared";
    let empty = License { id: None, name: None, acknowledgement, text: None };
    Some([match licence {
        Licence::Id(id) => LicenceChoice::License { license: License { id: Some(id), ..empty } },
        Licence::Expression(expression) => {
            LicenceChoice::Expression { expression, acknowledgement }
        }
        Licence::Named { name, text } => {
            let text = text.map(|content| Text { content });
            LicenceChoice::License { license: License { name: Some(name), text, ..empty } }
        }
    }])
}

/// The digests of the one file that the package is, one of each function; none if there are others.
fn common_hashes<'a>(purl: &str, files: &[File<'a>]) -> Vec<&'a Hash> {
    if !merge::is_one_file(purl, files) {
        return Vec::new();
    }
    let mut hashes: Vec<&Hash> =
        files.iter().flat_map(|file| file.hashes.iter().copied()).collect();
    // By their functions first.
    hashes.sort_unstable();
    hashes.dedup();
    let is_of_each = hashes.windows(2).all(|it| it[0].algorithm != it[1].algorithm);
    if is_of_each { hashes } else { Vec::new() }
}

fn external_references<'a>(package: &'a Package, files: &[File<'a>]) -> Vec<ExternalReference<'a>> {
    let repository = match &package.source {
        Source::Git { url, .. } => Some(url),
        _ => None,
    };
    let repository = repository.map(|url| ExternalReference {
        url: iri::reference(url),
        r#type: "vcs",
        hashes: Vec::new(),
    });
    let distributions = files.iter().filter_map(|file| {
        Some(ExternalReference {
            url: iri::reference(file.location?),
            r#type: "distribution",
            hashes: file.hashes.iter().map(|hash| HashEntry::new(hash)).collect(),
        })
    });
    repository.into_iter().chain(distributions).collect()
}

fn evidence<'a>(found: &[Found<'a>]) -> Option<Evidence<'a>> {
    let occurrence = |found: &Found<'a>| Occurrence {
        location: &found.inventory.path,
        line: found.package.line,
    };
    let mut occurrences: Vec<_> = found.iter().map(occurrence).collect();
    occurrences.sort_unstable();
    occurrences.dedup();
    (!occurrences.is_empty()).then_some(Evidence { occurrences })
}

fn properties<'a>(
    found: &[Found<'a>],
    scope: Scope,
    files: &[File<'a>],
    has_hashes: bool,
) -> Vec<Property<'a>> {
    let property = |name, value: &'a str| Property { name, value: Cow::Borrowed(value) };
    let mut properties = Vec::new();
    if let Some(relationship) = relationship(found) {
        properties.push(property("attestry:dependency:relationship", relationship));
    }
    let groups: BTreeSet<&str> =
        found.iter().flat_map(|it| &it.package.groups).map(String::as_str).collect();
    if groups.is_empty() && scope == Scope::Dev {
        properties.push(property("attestry:dependency:group", "dev"));
    }
    properties.extend(groups.into_iter().map(|it| property("attestry:dependency:group", it)));
    let conditions = conditions(found).into_iter();
    properties.extend(conditions.map(|it| property("attestry:dependency:condition", it)));
    if !has_hashes {
        // `hashes` are of one file, and a reference needs a URL.
        let unplaced = files.iter().filter(|file| file.location.is_none());
        let hashes = unplaced.flat_map(|file| &file.hashes).map(|hash| Property {
            name: "attestry:distribution:hash",
            value: Cow::Owned(format!("{}:{}", name(hash.algorithm), hash.hex)),
        });
        properties.extend(hashes);
    }
    if matches!(found[0].package.source, Source::Local { .. }) {
        properties.push(property("attestry:package:source", "local"));
    }
    if let [File { location: Some(location), .. }] = files {
        let file_name = merge::file_name(location);
        let known = bsi::properties(file_name);
        if !known.is_empty() {
            properties.push(Property {
                name: "bsi:component:filename",
                value: Cow::Owned(file_name.to_owned()),
            });
        }
        properties.extend(known.iter().map(|&(name, value)| property(name, value)));
    }
    properties
}

/// Whether the project asks for it by name, where every inventory can tell, or one that says so can.
fn relationship(found: &[Found<'_>]) -> Option<&'static str> {
    let known = || found.iter().filter(|found| found.inventory.direct_known);
    if found.iter().any(|found| found.package.root) {
        return None;
    }
    if known().any(|found| found.package.direct) {
        return Some("direct");
    }
    (known().count() == found.len()).then_some("transitive")
}

/// Any one of them suffices; none if one inventory has it without.
fn conditions<'a>(found: &[Found<'a>]) -> BTreeSet<&'a str> {
    if found.iter().any(|found| found.package.conditions.is_empty()) {
        return BTreeSet::new();
    }
    found.iter().flat_map(|found| &found.package.conditions).map(String::as_str).collect()
}

impl<'a> HashEntry<'a> {
    pub(super) fn new(Hash { algorithm, hex }: &'a Hash) -> Self {
        Self { alg: name(*algorithm), content: hex }
    }
}

fn name(algorithm: HashAlgorithm) -> &'static str {
    match algorithm {
        HashAlgorithm::Md5 => "MD5",
        HashAlgorithm::Sha1 => "SHA-1",
        HashAlgorithm::Sha256 => "SHA-256",
        HashAlgorithm::Sha384 => "SHA-384",
        HashAlgorithm::Sha512 => "SHA-512",
        HashAlgorithm::Blake2b512 => "BLAKE2b-512",
    }
}
