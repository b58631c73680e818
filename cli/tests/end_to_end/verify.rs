//! `attestry verify`: a good signature passes, and nothing else does.

use std::collections::BTreeSet;

use ::events::Digest;
use attestation::SigningKey;
use serde_json::Value;

use crate::place::{LOCK, Place};

const PROVENANCE: &str = "out/bundles/provenance.sigstore.json";

const CONFORMANCE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/attestation/fixtures/conformance");

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
        ("out/checksums.txt", "out/bundles/sbom.sigstore.json", "referenced document"),
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
fn what_a_key_signed_is_listed_by_its_fingerprint() {
    let place = Place::with_lock(LOCK);
    let up = place.up();
    place.submit("--out out").expect(0);
    let key = attestation::PublicKey::from_pem(&place.read("data/keys/signer.pub"));
    let signer = key.expect("a key").fingerprint();

    let listed =
        place.attestry(&format!("signatures list --signer {signer} --format json")).expect(0);
    let producers: BTreeSet<String> = listed.stdout.lines().map(producer).collect();
    assert_eq!(producers, BTreeSet::from(["generator".to_owned(), "policy-gate".to_owned()]));
    let text = place.attestry(&format!("signatures list --signer {signer}")).expect(0);
    text.says(&["app", "policy-gate", "bundles/verdict.sigstore.json"]);
    place.attestry("signatures list --signer nobody").expect(0).says(&["nobody signed nothing"]);
    up.terminate();
}

fn producer(line: &str) -> String {
    let evidence: Value = serde_json::from_str(line).expect("JSON");
    evidence["producer"].as_str().expect("a name").to_owned()
}

#[test]
fn a_step_is_signed_as_a_link_and_as_a_statement() {
    let place = Place::with_lock(LOCK);
    let files = "--material app/uv.lock --product app.whl --out links --bundle link.sigstore.json";
    let signed = place
        .attestry(&format!("link --step build --development-key key.pem {files} --format json"));
    let signed = signed.expect(0).json();
    let key = signed["key_id"].as_str().expect("an id");
    let link = place.read(&format!("links/build.{}.link", &key[..8]));
    let link: Value = serde_json::from_str(&link).expect("JSON");
    assert_eq!(
        link["signed"]["products"]["app.whl"]["sha256"],
        Digest::of(b"the bytes of a wheel").hex()
    );
    verify(&place, "app.whl", "link.sigstore.json", "--key key.pem.pub")
        .expect(0)
        .says(&["link/v0.3"]);
}

#[test]
fn artifact_that_changed_after_its_verdict_is_refused() {
    let place = judged();
    place.write("app.whl", "the bytes of another wheel");

    verify(&place, "app.whl", PROVENANCE, "")
        .expect(1)
        .says(&["app.whl: ", "names another document: no subject has the digest sha256:"]);
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

#[test]
fn every_case_of_sigstore_conformance_is_judged_as_expected() {
    const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
    const ISSUER: &str = "https://token.actions.githubusercontent.com";
    let place = Place::new();
    let folders = std::fs::read_dir(CONFORMANCE).expect("there");
    let folders = folders.map(|it| it.expect("read").path()).filter(|it| it.is_dir());
    for folder in folders {
        let name = folder.file_name().expect("named").to_string_lossy().into_owned();
        let file = |name: &str| {
            let path = folder.join(name);
            path.exists().then(|| path.to_str().expect("text").to_owned())
        };
        let said = |name: &str, default: &str| match file(name) {
            Some(path) => std::fs::read_to_string(path).expect("text").trim().to_owned(),
            None => default.to_owned(),
        };
        let artifact = file("artifact").unwrap_or_else(|| format!("{CONFORMANCE}/a.txt"));
        let digest = Digest::of(&std::fs::read(&artifact).expect("there")).to_string();
        let bundle = file("bundle.sigstore.json").expect("there");
        let (identity, issuer) = (said("identity", IDENTITY), said("issuer", ISSUER));
        let (key, root) = (file("key.pub"), file("trusted_root.json"));
        for subject in [&artifact, &digest] {
            let mut arguments = vec!["verify", subject, "--bundle", &bundle];
            match &key {
                Some(key) => arguments.extend(["--key", key]),
                None => arguments.extend(["--identity", &identity, "--issuer", &issuer]),
            }
            arguments.extend(root.iter().flat_map(|root| ["--trusted-root", root]));
            let said = place.run(&arguments, "");
            match name.ends_with("_fail") {
                true => assert!([1, 2].contains(&said.code), "{name} of {subject}: {said:?}"),
                false => said.expect(0).says(&["verified", "signed by"]),
            }
        }
    }
}

#[test]
fn keyless_signature_is_told_with_who_signed_when() {
    let place = Place::new();
    let bundle = format!("{CONFORMANCE}/happy-path-intoto-in-dsse-v3/bundle.sigstore.json");
    let artifact = format!("{CONFORMANCE}/a.txt");
    let verify = |more: &[&str]| {
        place.run(
            &[&["verify", &artifact, "--bundle", &bundle, "--format", "json"], more].concat(),
            "",
        )
    };
    let issuer = ["--issuer", "https://token.actions.githubusercontent.com"];
    let pattern = ["--identity-regexp", r"https://github\.com/sigstore-conformance/.*"];

    let told = verify(&[&issuer[..], &pattern].concat()).expect(0).json();
    assert_eq!(told["logged"], true);
    assert_eq!(told["claims"]["ref"], "refs/heads/main");
    assert!(told["proven_time"].is_string() && told["key"].is_null(), "{told}");
    let other = ["--claim", "ref=refs/heads/evil"];
    verify(&[&issuer[..], &pattern, &other].concat()).expect(1).says(&["claim `ref` must be"]);
    verify(&[&issuer[..], &["--identity-regexp", "(((("]].concat()).expect(2).says(&["pattern"]);
    verify(&[&issuer[..], &["--identity", "https://github.com/acme"]].concat())
        .expect(1)
        .says(&["nobody trusts", "must be `https://github.com/acme`"]);
    verify(&["--identity", "a@acme.example"]).expect(2).says(&["--issuer"]);
    verify(&issuer).expect(2).says(&["who must have signed?", "--identity ID"]);
    verify(&[]).expect(2).says(&["who must have signed?", "--key FILE"]);
    let twice = ["--bundle", &bundle, "--threshold", "2"];
    verify(&[&issuer[..], &pattern, &twice].concat()).expect(1).says(&["1 different signers"]);
}

#[test]
fn trust_policy_says_whom_and_where_it_is_wrong() {
    let place = Place::new();
    let bundle = format!("{CONFORMANCE}/managed-key-happy-path/bundle.sigstore.json");
    let artifact = format!("{CONFORMANCE}/a.txt");
    let key = std::fs::read(format!("{CONFORMANCE}/managed-key-happy-path/key.pub"));
    place.write("keys/release.pub", key.expect("there"));
    let verify = |policy: &str| {
        place.write("trust.toml", policy);
        place.run(&["verify", &artifact, "--bundle", &bundle, "--trust", "trust.toml"], "")
    };
    let release = "[[keys]]\nlabel = \"release\"\nfile = \"keys/release.pub\"\n";

    verify(release).expect(0).says(&["(release)"]);
    let until = format!("{release}not_after = \"2024-01-01T00:00:00Z\"\n");
    verify(&until).expect(1).says(&["`release` is trusted until 2024-01-01T00:00:00Z"]);
    let time = format!("{release}[require]\ntime = true\n");
    verify(&time).expect(1).says(&["no trusted root is at hand"]);
    for (policy, why) in [
        ("", "trusts nobody"),
        ("[[key]]", "trust.toml: line 1: unknown field `key`"),
        ("[[keys]]\nlabel = \"x\"\nfile = \"gone.pub\"", "line 3: `file` gone.pub: No such file"),
        ("[[keys]]\nlabel = \"x\"", "needs either `file` or `pem`"),
        (
            "[[identities]]\nlabel = \"x\"\nissuer = \"i\"\nidentity_pattern = \"(\"",
            "line 1: the pattern",
        ),
        (
            "[[identities]]\nlabel = \"x\"\nissuer = \"i\"\nidentity = \"a\"\nclaims = { repo = \"r\" }",
            "line 1: `repo` is no claim",
        ),
        ("trusted_root = \"trust.toml\"\n[[keys]]", "line 2: missing field"),
    ] {
        verify(policy).expect(2).says(&[why]);
    }
}
