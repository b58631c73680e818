//! SPDX 2.3, written from CycloneDX: ours, or a stranger's.

mod creation;
mod licences;
mod packages;
mod references;
mod relationships;
mod wire;

use events::Digest;
use jiff::Timestamp;
use uuid::Uuid;

use crate::bill::{Bill, Part, says_unknown};
use crate::convert::{Converted, Losses};
use crate::schema::SchemaError;
use crate::schema::json::{items, text};
use licences::Licences;

/// What SPDX writes where nothing is said (2.3, section 7).
const NOASSERTION: &str = "NOASSERTION";

/// Writes a valid CycloneDX JSON document of version 1.2 to 1.7 as SPDX 2.3 JSON; the same bytes
/// give the same bytes.
///
/// How CycloneDX is told in SPDX:
/// - each component, nested ones and the subject included, is a package without analysed files;
///   the document DESCRIBES the subject, else what nothing depends on;
/// - `dependsOn` is DEPENDS_ON; on what only development needs DEV_DEPENDENCY_OF, and on what is
///   optional OPTIONAL_DEPENDENCY_OF; parts are CONTAINS;
/// - `compositions` that leave something open are relationships with NOASSERTION, and those that
///   say that there is nothing more with NONE, as far as SPDX can say that;
/// - licences `concluded` are concluded, all others declared; what is no SPDX licence becomes a
///   LicenseRef with its text, or its name where the document has no text;
/// - the namespace is made from the digest of the bytes.
///
/// `at` stands for the time of creation where the document has none; `tool_version` is Attestry's.
///
/// # Errors
/// [`SchemaError`] where the document is no valid CycloneDX.
pub fn write(bytes: &[u8], at: Timestamp, tool_version: &str) -> Result<Converted, SchemaError> {
    let bill = Bill::read_valid(bytes)?;
    let parts = bill.parts();
    let ids: Vec<String> = parts.iter().enumerate().map(|(index, it)| id(index, it)).collect();
    let mut losses = Losses::default();
    let mut licences = Licences::default();
    let packages = parts.iter().zip(&ids);
    let packages = packages.map(|(it, id)| packages::package(it, id, &mut licences, &mut losses));
    let packages = packages.collect();
    let relationships = relationships::of(&bill, &parts, &ids, &mut losses);
    let creation = creation::Creation::of(&bill, at, tool_version, &mut losses);
    let name = document_name(&bill);
    let namespace = namespace(&name, bytes);
    count_losses(&bill, &mut losses);
    let document = wire::Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        spdxid: "SPDXRef-DOCUMENT",
        document_namespace: namespace,
        comment: creation::comment(&bill),
        annotations: creation.annotations(&bill),
        creation_info: creation.info,
        name,
        packages,
        has_extracted_licensing_infos: licences.into_extracted(),
        relationships,
    };
    // Only maps with odd keys, or a writer that fails, could fail: here are neither.
    let mut document = serde_json::to_vec(&document).unwrap_or_default();
    document.push(b'\n');
    Ok(Converted { document, losses: losses.into_list() })
}

/// SPDX identifiers have few letters, so the number tells packages apart and the name helps people.
fn id(index: usize, part: &Part<'_>) -> String {
    let name = words(part.text("name").unwrap_or_default());
    match (part.is_subject, name.is_empty()) {
        (true, _) => format!("SPDXRef-Root-{name}"),
        (_, true) => format!("SPDXRef-Package-{index}"),
        _ => format!("SPDXRef-Package-{index}-{name}"),
    }
}

/// `text` in the letters that SPDX identifiers have, shortened.
fn words(text: &str) -> String {
    let letter = |it: char| if it.is_ascii_alphanumeric() || it == '.' { it } else { '-' };
    text.chars().take(60).map(letter).collect::<String>().trim_matches('-').to_owned()
}

fn document_name(bill: &Bill) -> String {
    let subject = bill.subject().and_then(|it| {
        let name = text(it, "name").filter(|name| !says_unknown(name))?;
        let version = text(it, "version").filter(|version| !says_unknown(version));
        Some(version.map_or(name.to_owned(), |version| format!("{name} {version}")))
    });
    let serial = || text(&bill.document, "serialNumber").map(str::to_owned);
    subject.or_else(serial).unwrap_or_else(|| "SBOM".to_owned())
}

/// "A unique absolute URI" (2.3, section 6.5).
fn namespace(name: &str, bytes: &[u8]) -> String {
    let uuid = Uuid::new_v5(&Uuid::NAMESPACE_OID, Digest::of(bytes).as_bytes());
    format!("https://spdx.org/spdxdocs/{}-{uuid}", words(name))
}

/// Counts what of the document itself has no place in SPDX.
fn count_losses(bill: &Bill, losses: &mut Losses) {
    const TOLD: [&str; 9] = [
        "$schema",
        "bomFormat",
        "specVersion",
        "serialNumber",
        "version",
        "metadata",
        "components",
        "dependencies",
        "compositions",
    ];
    let object = bill.document.as_object().into_iter().flatten();
    for (key, value) in object.filter(|(key, _)| !TOLD.contains(&key.as_str())) {
        losses.add(format!("`{key}`"), value.as_array().map_or(1, Vec::len));
    }
    let provided = items(&bill.document, "dependencies").iter();
    losses.add("`provides`", provided.map(|it| items(it, "provides").len()).sum());
}
