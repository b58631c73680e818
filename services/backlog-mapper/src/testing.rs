//! Small documents for the unit tests, by the real advisories in `fixtures/`.

use std::path::Path;

use advisories::Index;
use events::{Digest, Sender};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    inventory::Inventory,
    slot::{Slot, SlotKind},
    store::{Arrival, Content, Sbom},
    vex::{Statement, VexDocument},
};

/// Vulnerable: CVE-2019-10906 until 2.10.1, CVE-2020-28493 until 2.11.3.
pub(crate) const JINJA: &str = "pkg:pypi/jinja2@2.10";
/// Not vulnerable.
pub(crate) const JINJA_FIXED: &str = "pkg:pypi/Jinja2@2.11.3";
/// Vulnerable: two until 2.2.0, one without a fix.
pub(crate) const TORCH: &str = "pkg:pypi/torch@2.1.0";

/// The index of the advisories in `fixtures/` whose names begin so.
pub(crate) fn index(prefixes: &[&str]) -> Index {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/osv");
    let files = std::fs::read_dir(directory).expect("there").map(|it| it.expect("readable"));
    let named = |path: &std::path::PathBuf| {
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        prefixes.iter().any(|prefix| name.starts_with(prefix))
    };
    let sources: Vec<_> = files.map(|it| it.path()).filter(named).collect();
    let (index, report) = Index::build(&sources).expect("builds");
    assert_eq!(report.problem_count, 0, "{report:?}");
    index
}

pub(crate) fn full_index() -> Index {
    index(&["GHSA", "PYSEC"])
}

pub(crate) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + second).expect("in range")
}

pub(crate) fn day(day: i64) -> Timestamp {
    second(day * 24 * 60 * 60)
}

pub(crate) fn event(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn project(scope: &str) -> Slot {
    let kind = SlotKind::Project;
    Slot { kind, scope: scope.parse().expect("valid"), product: scope.parse().expect("valid") }
}

pub(crate) fn supplier(scope: &str, product: &str) -> Slot {
    let kind = SlotKind::Supplier;
    Slot { kind, scope: scope.parse().expect("valid"), product: product.parse().expect("valid") }
}

/// What an SBOM of `product` with these components contains.
pub(crate) fn inventory(product: &str, purls: &[&str]) -> Inventory {
    let components: Vec<Value> = purls
        .iter()
        .map(|purl| {
            let (name, version) = purl.rsplit_once('@').unwrap_or((purl, ""));
            let name = name.rsplit('/').next().unwrap_or(name);
            json!({ "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl })
        })
        .collect();
    let bom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": {
            "type": "application", "name": product, "version": "1.0",
            "purl": format!("pkg:generic/{product}@1.0"),
        } },
        "components": components,
    });
    let bytes = serde_json::to_vec(&bom).expect("encodes");
    Inventory::of(documents::bom::read(&bytes).expect("valid CycloneDX"))
}

/// An arrival of an SBOM; the event's number tells the document.
pub(crate) fn sbom(number: u128, time: Timestamp, slot: &Slot, purls: &[&str]) -> Arrival {
    let inventory = inventory(slot.product.as_str(), purls);
    let digest = Digest::of(format!("document {number}").as_bytes());
    let content = Content::Sboms(vec![Sbom { slot: slot.clone(), digest, inventory }]);
    Arrival { event: event(number), time, content }
}

/// What is known of components with these purls.
pub(crate) fn found(purls: &[&str]) -> Vec<crate::finding::Found> {
    crate::finding::find(&inventory("widget", purls).components, &full_index())
}

/// When the tests are.
pub(crate) fn now() -> Timestamp {
    day(100)
}

/// What a sender says about vulnerabilities of a product, as OpenVEX, when it is accepted: a document
/// of its own.
pub(crate) fn says(
    from: Sender,
    time: Timestamp,
    status: &str,
    vulnerabilities: &[&str],
    product: &str,
) -> VexDocument {
    let statements: Vec<Value> = vulnerabilities
        .iter()
        .map(|name| {
            let mut statement = json!({
                "vulnerability": { "name": name },
                "products": [{ "@id": product }],
                "status": status,
            });
            if status == "not_affected" {
                statement["justification"] = "vulnerable_code_not_in_execute_path".into();
            }
            if status == "affected" {
                statement["action_statement"] = "update".into();
            }
            statement
        })
        .collect();
    let document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": format!("https://example.org/vex/{time}/{status}"),
        "author": "Acme",
        "timestamp": time.to_string(),
        "version": 1,
        "statements": statements,
    });
    let bytes = serde_json::to_vec(&document).expect("encodes");
    let digest = Digest::of(format!("{from} {time} {status} {vulnerabilities:?}").as_bytes());
    VexDocument { digest, ..accepted(from, time, &bytes) }
}

/// A VEX document that was accepted from a sender.
pub(crate) fn accepted(from: Sender, time: Timestamp, bytes: &[u8]) -> VexDocument {
    let read = documents::vex::read(bytes).expect("valid VEX");
    let statements = read.statements.into_iter().map(Statement::from).collect();
    let (digest, edition, said) = (Digest::of(bytes), read.edition, read.timestamp);
    VexDocument { from, time, digest, edition, said, statements }
}

pub(crate) fn acme() -> Sender {
    Sender::Supplier("acme".parse().expect("valid"))
}

pub(crate) fn operator(scope: &str) -> Sender {
    Sender::Operator(scope.parse().expect("valid"))
}
