//! VEX documents about products that no SBOM of a run names: what they say changes no backlog.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

/// The OpenVEX document number `index`.
pub(super) fn document(index: usize, now: Timestamp) -> Bytes {
    let document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": format!("urn:chaos:vex:{index}"),
        "author": "urn:chaos",
        "timestamp": now.to_string(),
        "version": 1,
        "statements": [{
            "vulnerability": { "name": format!("CVE-2099-{:04}", index + 1) },
            "products": [{ "@id": format!("pkg:generic/chaos/nothing@{index}") }],
            "status": "not_affected",
            "justification": "vulnerable_code_not_present",
        }],
    });
    document.to_string().into()
}
