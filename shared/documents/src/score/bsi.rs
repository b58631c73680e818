//! BSI TR-03183-2 2.1.0: section 5.2, in CycloneDX as section 8.2 maps it.

mod contact;

use serde_json::Value;

use super::Level::{Additional, Optional, Required};
use super::finding::Finding;
use super::rules::{
    Judge::{Component, Document},
    Rule, identifiers, name, timestamp, told, version,
};
use super::view::View;
use crate::bill::{Part, says_unknown};
use crate::licence::{self, Licence};
use crate::schema::CycloneDxVersion;
use crate::schema::json::{items, text};

pub(super) const RULES: &[Rule] = &[
    rule(
        "format",
        "Format",
        Required,
        Document("", format),
        "The guideline admits CycloneDX since 1.6 only, and only valid documents.",
        "Convert it with `attestry sbom convert`, and mend what `attestry sbom validate` tells.",
    ),
    rule(
        "no-vulnerabilities",
        "No vulnerability information",
        Required,
        Document("/vulnerabilities", no_vulnerabilities),
        "What is known to be vulnerable changes daily; an SBOM does not (section 3.1).",
        "Put `vulnerabilities` into a document of their own: VEX or CSAF.",
    ),
    rule(
        "sbom-creator",
        "Creator of the SBOM",
        Required,
        Document("/metadata", contact::of_sbom),
        "Whoever finds a mistake has to reach somebody.",
        "Write an email address, or else a URL, into `metadata.manufacturer` or `metadata.authors`.",
    ),
    rule(
        "timestamp",
        "Timestamp",
        Required,
        Document("/metadata/timestamp", timestamp),
        "Without a date nobody can tell which of two SBOMs holds.",
        "Write `metadata.timestamp` such as 2026-01-31T12:00:00Z.",
    ),
    rule(
        "component-creator",
        "Component creator",
        Required,
        Component(contact::of_component),
        "Somebody has to be reached when the component has to be mended.",
        "Write an email address, or else a URL, into the component's `manufacturer` or `supplier`.",
    ),
    rule(
        "component-name",
        "Component name",
        Required,
        Component(name),
        "What has no name cannot be looked up.",
        "Write the name that its creator gives it into `name`, else the name of its file.",
    ),
    rule(
        "component-version",
        "Component version",
        Required,
        Component(version),
        "A vulnerability is in some versions and not in others.",
        "Write `version`; a component without one takes the date of its file (RFC 3339).",
    ),
    rule(
        "filename",
        "Filename of the component",
        Required,
        Component(filename),
        "It ties the entry to the file that lies on a disk.",
        "Write the property `bsi:component:filename`, without folders.",
    ),
    rule(
        "dependencies",
        "Dependencies on other components",
        Required,
        Component(dependencies),
        "Only the graph tells how a component got there, and only if it says whether it is complete.",
        "Give each component an entry in `dependencies`, and say in `compositions` whether that is all.",
    ),
    rule(
        "distribution-licences",
        "Distribution licences",
        Required,
        Component(distribution_licences),
        "They decide whether the component may be used and passed on.",
        "Write `licenses` as SPDX expressions with `acknowledgement` concluded; unlisted ones as LicenseRef.",
    ),
    rule(
        "deployable-hash",
        "Hash value of the deployable component",
        Required,
        Component(deployable_hash),
        "Only a hash says that the file at hand is the one that is meant.",
        "Write a SHA-512 into the `hashes` of an external reference of type distribution.",
    ),
    rule(
        "executable",
        "Executable property",
        Required,
        Component(executable),
        "What runs is what attacks.",
        "Write the property `bsi:component:executable`: executable or non-executable.",
    ),
    rule(
        "archive",
        "Archive property",
        Required,
        Component(archive),
        "An archive has to be opened to know what is in it.",
        "Write the property `bsi:component:archive`: archive or no archive.",
    ),
    rule(
        "structured",
        "Structured property",
        Required,
        Component(structured),
        "Only what is structured can be taken apart again.",
        "Write the property `bsi:component:structured`: structured or unstructured.",
    ),
    rule(
        "sbom-uri",
        "SBOM-URI",
        Additional,
        Document("/serialNumber", sbom_uri),
        "Other documents refer to the SBOM by it.",
        "Write `serialNumber` (urn:uuid:…).",
    ),
    rule(
        "source-uri",
        "Source code URI",
        Additional,
        Component(source_uri),
        "Sources can be read, audited and mended.",
        "Write an external reference of type source-distribution, or vcs.",
    ),
    rule(
        "deployable-uri",
        "URI of the deployable form",
        Additional,
        Component(deployable_uri),
        "It says where the file comes from.",
        "Write an external reference of type distribution.",
    ),
    rule(
        "unique-identifiers",
        "Other unique identifiers",
        Additional,
        Component(identifiers),
        "Advisories are found by identifier; names alone are ambiguous.",
        "Write at least one of `purl`, `cpe` and `swid`.",
    ),
    rule(
        "original-licences",
        "Original licences",
        Additional,
        Component(original_licences),
        "What the creator granted may differ from what the distributor grants.",
        "Write `licenses` with SPDX identifiers or expressions and `acknowledgement` declared.",
    ),
    rule(
        "effective-licence",
        "Effective licence",
        Optional,
        Component(effective_licence),
        "Of several licences one may have been chosen.",
        "Write the property `bsi:component:effectiveLicense`.",
    ),
    rule(
        "source-hash",
        "Hash value of the source code",
        Optional,
        Component(source_hash),
        "It ties the file to the sources it was made from.",
        "Write a SHA-512 into the `hashes` of an external reference of type source-distribution.",
    ),
    rule(
        "security-txt",
        "URL of the security.txt",
        Optional,
        Component(security_txt),
        "It says how to report a vulnerability (RFC 9116).",
        "Write an external reference of type rfc-9116.",
    ),
];

#[rustfmt::skip]
const fn rule(
    id: &'static str, name: &'static str, level: super::Level, judge: super::rules::Judge,
    why: &'static str, remedy: &'static str,
) -> Rule {
    Rule { id, name, level, judge, why, remedy }
}

fn format(view: &View<'_>) -> Finding {
    match view.violations.first() {
        _ if view.version < CycloneDxVersion::V1_6 => {
            Finding::Invalid(format!("CycloneDX {} is older than 1.6", view.version))
        }
        Some(first) => Finding::Invalid(format!("breaks its schema: {first}")),
        None => Finding::Present,
    }
}

fn no_vulnerabilities(view: &View<'_>) -> Finding {
    match items(view.document, "vulnerabilities").len() {
        0 => Finding::Present,
        count => Finding::Invalid(format!("there are {count}")),
    }
}

fn filename(_: &View<'_>, part: &Part<'_>) -> Finding {
    match part.property("bsi:component:filename") {
        Some(path) if path.contains(['/', '\\']) => {
            Finding::Invalid(format!("{path:?} has folders in it"))
        }
        told => Finding::of_text(told),
    }
}

fn dependencies(view: &View<'_>, part: &Part<'_>) -> Finding {
    match (view.has_edges(part), view.is_known(part)) {
        (false, _) => Finding::Absent,
        (true, Some(_)) => Finding::Present,
        (true, None) => Finding::Invalid("nothing says whether they are all there".to_owned()),
    }
}

fn distribution_licences(_: &View<'_>, part: &Part<'_>) -> Finding {
    licences(part, |acknowledgement| acknowledgement != Some("declared"))
}

fn original_licences(_: &View<'_>, part: &Part<'_>) -> Finding {
    licences(part, |acknowledgement| acknowledgement == Some("declared"))
}

fn licences(part: &Part<'_>, are_meant: fn(Option<&str>) -> bool) -> Finding {
    let meant = licence::of(part.items("licenses")).filter(|it| are_meant(it.acknowledgement));
    Finding::worst(meant.map(|Licence { text, .. }| licence(text)))
}

fn licence(text: &str) -> Finding {
    if says_unknown(text) {
        return Finding::DeclaredUnknown;
    }
    match licence::expression(text) {
        Some(_) => Finding::Present,
        None => Finding::Invalid(format!("{text:?} is no SPDX identifier or expression")),
    }
}

fn deployable_hash(_: &View<'_>, part: &Part<'_>) -> Finding {
    let files = part.references(&["distribution", "distribution-intake"]);
    match sha512(files.flat_map(|it| items(it, "hashes"))) {
        Finding::Absent => match sha512(part.items("hashes").iter()) {
            Finding::Present => Finding::Invalid(
                "its SHA-512 stands in `hashes`, not in a reference of type distribution".into(),
            ),
            finding => finding,
        },
        finding => finding,
    }
}

fn source_hash(_: &View<'_>, part: &Part<'_>) -> Finding {
    let files = part.references(&["source-distribution"]);
    sha512(files.flat_map(|it| items(it, "hashes")))
}

fn sha512<'a>(hashes: impl Iterator<Item = &'a Value>) -> Finding {
    Finding::best(hashes.map(|hash| match (text(hash, "alg"), told(text(hash, "content"))) {
        (_, None) => Finding::DeclaredUnknown,
        (Some("SHA-512"), Some(_)) => Finding::Present,
        (other, _) => Finding::Invalid(format!("{} is not SHA-512", other.unwrap_or("it"))),
    }))
}

fn executable(_: &View<'_>, part: &Part<'_>) -> Finding {
    flag(part, "bsi:component:executable", ["executable", "non-executable"])
}

fn archive(_: &View<'_>, part: &Part<'_>) -> Finding {
    flag(part, "bsi:component:archive", ["archive", "no archive"])
}

fn structured(_: &View<'_>, part: &Part<'_>) -> Finding {
    flag(part, "bsi:component:structured", ["structured", "unstructured"])
}

/// A property with one of two values. Documents in use also answer by `true` and `false`.
fn flag(part: &Part<'_>, name: &str, values: [&str; 2]) -> Finding {
    match part.property(name) {
        Some(value) if values.contains(&value) || ["true", "false"].contains(&value) => {
            Finding::Present
        }
        Some(value) if !says_unknown(value) => {
            let [yes, no] = values;
            Finding::Invalid(format!("{value:?} is neither {yes:?} nor {no:?}"))
        }
        told => Finding::of_text(told),
    }
}

fn sbom_uri(view: &View<'_>) -> Finding {
    Finding::of_text(text(view.document, "serialNumber"))
}

fn source_uri(_: &View<'_>, part: &Part<'_>) -> Finding {
    uri(part, &["source-distribution", "vcs"])
}

fn deployable_uri(_: &View<'_>, part: &Part<'_>) -> Finding {
    uri(part, &["distribution", "distribution-intake"])
}

fn security_txt(_: &View<'_>, part: &Part<'_>) -> Finding {
    uri(part, &["rfc-9116"])
}

fn uri(part: &Part<'_>, kinds: &'static [&str]) -> Finding {
    let urls = part.references(kinds).map(|it| text(it, "url").unwrap_or_default());
    Finding::best(urls.map(|url| match url {
        _ if says_unknown(url) => Finding::DeclaredUnknown,
        _ if contact::is_uri(url) => Finding::Present,
        _ => Finding::Invalid(format!("{url:?} is no URI")),
    }))
}

fn effective_licence(_: &View<'_>, part: &Part<'_>) -> Finding {
    part.property("bsi:component:effectiveLicense").map_or(Finding::Absent, licence)
}
