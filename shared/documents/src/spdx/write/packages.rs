//! A component as an SPDX package (2.3, section 7).

use serde_json::Value;

use super::NOASSERTION;
use super::licences::Licences;
use super::references;
use super::wire::{Checksum, Package};
use crate::bill::{Part, says_unknown};
use crate::convert::Losses;
use crate::schema::json::{items, text};

/// What of a component is told, here or in relationships.
const TOLD: [&str; 23] = [
    "type",
    "bom-ref",
    "name",
    "group",
    "version",
    "scope",
    "hashes",
    "licenses",
    "purl",
    "cpe",
    "swid",
    "swhid",
    "omniborId",
    "supplier",
    "manufacturer",
    "authors",
    "author",
    "publisher",
    "copyright",
    "description",
    "externalReferences",
    "components",
    "mime-type",
];

pub(super) fn package(
    part: &Part<'_>,
    id: &str,
    licences: &mut Licences,
    losses: &mut Losses,
) -> Package {
    let told = |key| part.text(key).filter(|it| !says_unknown(it)).map(str::to_owned);
    let object = part.value.as_object().into_iter().flatten();
    for (key, value) in object.filter(|(key, _)| !TOLD.contains(&key.as_str())) {
        losses.add(format!("component `{key}`"), value.as_array().map_or(1, Vec::len));
    }
    let references = references::of(part, losses);
    let (concluded, declared) = licences.of(part.items("licenses"));
    let mut checksums = checksums(part.items("hashes"), losses);
    if checksums.is_empty() {
        checksums = self::checksums(references.download_hashes, losses);
    }
    let file_name = part.property("bsi:component:filename").map(str::to_owned);
    let is_file = part.text("type") == Some("file");
    Package {
        spdxid: id.to_owned(),
        name: name(part),
        version_info: told("version").unwrap_or_else(|| NOASSERTION.to_owned()),
        package_file_name: file_name.or_else(|| told("name").filter(|_| is_file)),
        supplier: supplier(part).unwrap_or_else(|| NOASSERTION.to_owned()),
        originator: originator(part),
        download_location: references.download.unwrap_or_else(|| NOASSERTION.to_owned()),
        files_analyzed: false,
        checksums,
        homepage: references.homepage,
        license_concluded: concluded,
        license_declared: declared,
        copyright_text: told("copyright").unwrap_or_else(|| NOASSERTION.to_owned()),
        description: told("description"),
        external_refs: references.others,
        primary_package_purpose: purpose(part.text("type").unwrap_or_default()),
    }
}

fn name(part: &Part<'_>) -> String {
    let name = part.text("name").filter(|it| !it.trim().is_empty());
    let name = name.or_else(|| part.bom_ref()).unwrap_or(NOASSERTION);
    match part.text("group").filter(|it| !it.is_empty()) {
        Some(group) => format!("{group}/{name}"),
        None => name.to_owned(),
    }
}

/// Who distributes it (section 7.5).
fn supplier(part: &Part<'_>) -> Option<String> {
    let supplier = part.value.get("supplier").and_then(|it| agent("Organization", it));
    supplier.or_else(|| named("Organization", part.text("publisher")?, None))
}

/// Who made it (section 7.6).
fn originator(part: &Part<'_>) -> Option<String> {
    let maker = part.value.get("manufacturer").and_then(|it| agent("Organization", it));
    let authors = || part.items("authors").iter().find_map(|it| agent("Person", it));
    maker.or_else(authors).or_else(|| named("Person", part.text("author")?, None))
}

/// An organization or person with its address, in one line.
pub(super) fn agent(kind: &str, entity: &Value) -> Option<String> {
    let mut contacts = items(entity, "contact").iter().chain([entity]);
    let address = contacts.find_map(|it| text(it, "email").filter(|it| it.contains('@')));
    let url = || items(entity, "url").first().and_then(Value::as_str);
    let name = text(entity, "name").filter(|it| !says_unknown(it)).or_else(url);
    match name {
        Some(name) => named(kind, name, address),
        None => named(kind, address?, None),
    }
}

fn named(kind: &str, name: &str, address: Option<&str>) -> Option<String> {
    if says_unknown(name) {
        return None;
    }
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    // An SBOM that nobody answers for names the program that made it, in SPDX's own words.
    if name.starts_with("Tool: ") {
        return Some(name);
    }
    let address = address.map(|it| format!(" ({})", it.trim())).unwrap_or_default();
    Some(format!("{kind}: {name}{address}"))
}

fn checksums(hashes: &[Value], losses: &mut Losses) -> Vec<Checksum> {
    let mut checksums: Vec<_> = hashes
        .iter()
        .filter_map(|hash| {
            let value = text(hash, "content").filter(|it| !says_unknown(it))?;
            let algorithm = text(hash, "alg").and_then(algorithm);
            if algorithm.is_none() {
                losses.add("hashes by functions that SPDX does not know", 1);
            }
            Some(Checksum { algorithm: algorithm?, checksum_value: value.to_ascii_lowercase() })
        })
        .collect();
    checksums.sort();
    checksums.dedup();
    checksums
}

fn algorithm(name: &str) -> Option<&'static str> {
    Some(match name {
        "MD5" => "MD5",
        "SHA-1" => "SHA1",
        "SHA-256" => "SHA256",
        "SHA-384" => "SHA384",
        "SHA-512" => "SHA512",
        "SHA3-256" => "SHA3-256",
        "SHA3-384" => "SHA3-384",
        "SHA3-512" => "SHA3-512",
        "BLAKE2b-256" => "BLAKE2b-256",
        "BLAKE2b-384" => "BLAKE2b-384",
        "BLAKE2b-512" => "BLAKE2b-512",
        "BLAKE3" => "BLAKE3",
        _ => return None,
    })
}

fn purpose(kind: &str) -> &'static str {
    match kind {
        "application" => "APPLICATION",
        "container" => "CONTAINER",
        "device" => "DEVICE",
        "file" => "FILE",
        "firmware" => "FIRMWARE",
        "framework" => "FRAMEWORK",
        "library" => "LIBRARY",
        "operating-system" => "OPERATING-SYSTEM",
        _ => "OTHER",
    }
}
