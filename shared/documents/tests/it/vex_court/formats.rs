//! One statement in each format.

use documents::vex::Status;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{CVE, PRODUCT};
use crate::vex_csaf;

/// The three formats, each as its own tools would write it.
pub(crate) const FORMATS: [fn(Status, Timestamp, u64) -> Value; 3] = [openvex, cyclonedx, csaf];

/// OpenVEX with one statement.
pub(crate) fn openvex(status: Status, said: Timestamp, version: u64) -> Value {
    let mut statement = json!({
        "vulnerability": { "name": CVE }, "products": [{ "@id": PRODUCT }], "status": status.as_str(),
    });
    match status {
        Status::NotAffected => statement["justification"] = json!("component_not_present"),
        Status::Affected => statement["action_statement"] = json!("update"),
        _ => {}
    }
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://acme.example/vex/1",
        "author": "Acme", "timestamp": said.to_string(), "version": version, "statements": [statement],
    })
}

/// The same in CycloneDX.
pub(crate) fn cyclonedx(status: Status, said: Timestamp, version: u64) -> Value {
    let state = match status {
        Status::NotAffected => "not_affected",
        Status::Affected => "exploitable",
        Status::Fixed => "resolved",
        Status::UnderInvestigation => "in_triage",
    };
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": version,
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b70",
        "metadata": { "timestamp": said.to_string() },
        "vulnerabilities": [{
            "id": CVE, "analysis": { "state": state }, "affects": [{ "ref": PRODUCT }],
        }],
    })
}

fn csaf(status: Status, said: Timestamp, version: u64) -> Value {
    let list = match status {
        Status::NotAffected => "known_not_affected",
        Status::Affected => "known_affected",
        Status::Fixed => "fixed",
        Status::UnderInvestigation => "under_investigation",
    };
    let mut vulnerability = json!({ "cve": CVE, "product_status": { list: ["P"] } });
    if status == Status::NotAffected {
        vulnerability["flags"] =
            json!([{ "label": "component_not_present", "product_ids": ["P"] }]);
    }
    let tree = json!({ "full_product_names": [vex_csaf::named("P", PRODUCT)] });
    let mut document = vex_csaf::vex(&tree, &json!([vulnerability]));
    let tracking = &mut document["document"]["tracking"];
    tracking["version"] = json!(version.to_string());
    tracking["current_release_date"] = json!(said.to_string());
    document
}
