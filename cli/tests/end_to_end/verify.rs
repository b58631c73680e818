//! `attestry verify`: a good signature passes, and nothing else does.

use ::events::Digest;
use attestation::SigningKey;
use serde_json::Value;

use crate::place::{LOCK, Place};

const PROVENANCE: &str = "out/bundles/provenance.sigstore.json";

/// A place where a build was judged, and the pipeline is gone.
fn judged() -> Place {
    let place = Place::with_lock(LOCK);
    let up = place.up();
    place.submit("--out out").expect(0);
    up.terminate();
    place
}

fn verify(place: &Place, file: &str, bundle: &str, more: &str) -> crate::place::Said {
    let key = if more.contains("--key") { "" } else { "--key data/keys/signer.pub" };
    place.attestry(&format!("verify {file} --bundle {bundle} {key} {more}"))
}

#[test]
fn what_was_signed_verifies_offline() {
    let place = judged();
    let digest = Digest::of(b"the bytes of a wheel").to_string();

    for (file, bundle, part) in [
        ("app.whl", PROVENANCE, "subject"),
        (&digest, PROVENANCE, "subject"),
        ("out/provenance/provenance.json", PROVENANCE, "the statement itself"),
        ("out/sbom/app-sbom.json", "out/bundles/sbom.sigstore.json", "referenced document"),
        ("app.whl", "out/bundles/verdict.sigstore.json", "subject"),
    ] {
        verify(&place, file, bundle, "").expect(0).says(&["verified", part]);
        let verified = verify(&place, file, bundle, "--format json").expect(0).json();
        assert_eq!(verified["verified"], true);
        assert_eq!(verified["part"], part);
        assert_eq!(verified["proven_time"], Value::Null, "a key alone proves no time");
    }
}

#[test]
fn artifact_that_changed_after_its_verdict_is_refused() {
    let place = judged();
    place.write("app.whl", "the bytes of another wheel");

    verify(&place, "app.whl", PROVENANCE, "").expect(1).says(&["app.whl", "speaks of sha256:"]);
    verify(&place, "app/uv.lock", PROVENANCE, "").expect(1);
}

#[test]
fn signature_of_another_key_is_refused() {
    let place = judged();
    let stranger = SigningKey::generate().expect("a key").public_key().to_pem();
    place.write("stranger.pub", stranger);

    verify(&place, "app.whl", PROVENANCE, "--key stranger.pub").expect(1).says(&[PROVENANCE]);
}

#[test]
fn bundle_that_was_changed_anywhere_is_refused() {
    let place = judged();
    let genuine: Value = serde_json::from_str(&place.read(PROVENANCE)).expect("JSON");
    let other = place.read("out/bundles/verdict.sigstore.json");
    let other: Value = serde_json::from_str(&other).expect("JSON");
    let envelope = "/dsseEnvelope";
    for field in ["/payload", "/payloadType", "/signatures/0/sig"] {
        let mut changed = genuine.clone();
        let pointer = format!("{envelope}{field}");
        *changed.pointer_mut(&pointer).expect("there") = match field {
            "/payloadType" => "text/plain".into(),
            // From another bundle of the same key: genuine, but not for this.
            _ => other.pointer(&pointer).expect("there").clone(),
        };
        place.write("changed.json", changed.to_string());
        let said = verify(&place, "app.whl", "changed.json", "");
        assert_eq!(said.code, 1, "{field}: {said:?}");
        said.says(&["changed.json"]);
    }
}

#[test]
fn file_that_is_no_bundle_or_no_key_is_named() {
    let place = judged();
    place.write("garbage.json", "{");
    assert_ne!(verify(&place, "app.whl", "garbage.json", "").code, 0);
    verify(&place, "app.whl", PROVENANCE, "--key app.whl").expect(2).says(&["app.whl"]);
    verify(&place, "missing.whl", PROVENANCE, "").expect(2).says(&["missing.whl", "sha256:<hex>"]);
}
