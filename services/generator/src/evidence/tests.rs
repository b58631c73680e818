use documents::bom;
use serde_json::{Value, json};

use super::*;
use crate::testing::{LOCK, build};

const SCHEMA: &str =
    include_str!("../../../../shared/attestation/fixtures/slsa_provenance_v1.schema.json");

fn upload(path: &str, bytes: &[u8]) -> Upload {
    Upload { path: path.to_owned(), bytes: Bytes::copy_from_slice(bytes), archived: false }
}

/// Everything that CI can say of a build.
fn full_build() -> Envelope<BuildCompleted> {
    let event = build();
    let mut data = serde_json::to_value(&event.data).expect("encodes");
    let input = |path: &str, bytes: &[u8]| {
        let digest = Digest::of(bytes);
        json!({ "path": path, "digest": digest, "size": bytes.len(), "chunks": 1 })
    };
    let more = json!({
        "source": {
            "repository": "https://bot:secret@git.example/acme/app",
            "ref": "refs/tags/v1", "commit": "a".repeat(40),
        },
        "builder": {
            "id": "https://ci.example/builder", "invocation": "https://bot:secret@ci.example/runs/7",
            "version": { "runner": "1.2.3" },
        },
        "started_at": "2026-11-22T10:00:00Z", "finished_at": "2026-11-22T10:05:00.5Z",
        "parameters": { "target": "linux" },
        "internal_parameters": { "runner.os": "Linux" },
        "dependencies": [{
            "uri": "pkg:oci/debian@sha256%3A00", "name": "base-image",
            "digest": { "sha256": "0".repeat(64) }, "media_type": "application/vnd.oci.image.index.v1+json",
        }],
        "inputs": [input("uv.lock", LOCK.as_bytes()), input("app.whl.inventory.json", b"{}")],
        "sboms": [input("syft.json", b"{}")],
    });
    data.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    Envelope { data: serde_json::from_value(data).expect("a build"), ..event }
}

fn evidence(event: &Envelope<BuildCompleted>, supplied: &[Upload]) -> Evidence {
    let inputs = [upload("uv.lock", LOCK.as_bytes()), upload("web/uv.lock", b"\n=")];
    let inputs = Inputs::read(&event.data, &inputs).expect("one can be read");
    Evidence::of(event, &inputs, supplied).expect("made")
}

fn bytes_of(evidence: &Evidence, role: Role) -> &Bytes {
    let mut documents = evidence.documents.iter();
    &documents.find(|it| it.document.role == role).expect("made").bytes
}

fn json_of(evidence: &Evidence, role: Role) -> Value {
    serde_json::from_slice(bytes_of(evidence, role)).expect("JSON")
}

#[test]
fn provenance_fits_the_schema_of_a_stranger() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let schema = jsonschema::options().should_validate_formats(true).build(&schema);
    let schema = schema.expect("a schema");
    for event in [build(), full_build()] {
        let provenance = json_of(&evidence(&event, &[]), Role::Provenance);
        let errors: Vec<String> =
            schema.iter_errors(&provenance).map(|it| it.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {provenance:#}");
    }
    assert!(!schema.is_valid(&json!({ "_type": "https://in-toto.io/Statement/v1" })));
}

#[test]
fn provenance_says_all_that_ci_said() {
    let provenance = json_of(&evidence(&full_build(), &[]), Role::Provenance);

    let definition = &provenance["predicate"]["buildDefinition"];
    assert_eq!(definition["buildType"], "urn:attestry:build-type:v1");
    assert_eq!(definition["externalParameters"]["parameters"], json!({ "target": "linux" }));
    assert_eq!(definition["internalParameters"], json!({ "runner.os": "Linux" }));
    let [source, lock, image] =
        definition["resolvedDependencies"].as_array().expect("a list").as_slice()
    else {
        panic!("{definition:#}")
    };
    assert_eq!(source["uri"], "git+https://git.example/acme/app@refs/tags/v1");
    assert_eq!(source["digest"]["gitCommit"], "a".repeat(40));
    assert_eq!(lock["name"], "uv.lock");
    assert_eq!(image["name"], "base-image");
    assert_eq!(image["digest"]["sha256"], "0".repeat(64));
    let run = &provenance["predicate"]["runDetails"];
    assert_eq!(run["builder"]["version"], json!({ "runner": "1.2.3" }));
    assert_eq!(run["metadata"]["invocationId"], "https://ci.example/runs/7");
    assert_eq!(run["metadata"]["startedOn"], "2026-11-22T10:00:00Z");
    assert_eq!(run["byproducts"][1]["name"], "app.whl.inventory.json");
    assert!(!provenance.to_string().contains("secret"), "{provenance:#}");
}

#[test]
fn supplied_sbom_is_kept_compared_named_and_summed() {
    let theirs = br#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[]} "#;
    let supplied = [upload("syft.json", theirs), upload("broken/bom.json", b"{}")];

    let made = evidence(&full_build(), &supplied);

    assert_eq!(bytes_of(&made, Role::SuppliedSbom).as_ref(), theirs, "byte for byte");
    let comparison = json_of(&made, Role::SbomComparison);
    assert_eq!(comparison["schema"], "attestry.sbom-comparison/v1");
    assert_eq!(comparison["sbom"], json!(Digest::of(bytes_of(&made, Role::Sbom))));
    let [sound, broken] = comparison["supplied"].as_array().expect("a list").as_slice() else {
        panic!("{comparison:#}")
    };
    assert_eq!((&sound["valid"], &sound["only_ours"]["count"]), (&json!(true), &json!(2)));
    assert_eq!(
        (&broken["valid"], &broken["name"]),
        (&json!(false), &json!("sbom/supplied/broken/bom.json"))
    );

    let sums = String::from_utf8(bytes_of(&made, Role::Checksums).to_vec()).expect("text");
    let reference: Value = serde_json::from_slice(made.reference.as_bytes()).expect("JSON");
    let names = [
        "sbom/app-sbom.json",
        "sbom/supplied/syft.json",
        "sbom/supplied/broken/bom.json",
        "sbom/comparison.json",
    ];
    for (index, name) in names.into_iter().enumerate() {
        assert!(sums.contains(&format!("  {name}\n")), "{sums}");
        assert_eq!(reference["predicate"]["references"][index]["downloadLocation"], name);
    }
    let last = &reference["predicate"]["references"][names.len()];
    assert_eq!(last["digest"]["sha256"], Digest::of(sums.as_bytes()).hex());
    assert!(
        sums.contains("  app.whl\n") && sums.contains("  provenance/provenance.json\n"),
        "{sums}"
    );
}

#[test]
fn build_without_sboms_has_no_comparison() {
    let made = evidence(&build(), &[]);

    let roles: Vec<Role> = made.documents.iter().map(|it| it.document.role).collect();
    assert_eq!(roles, [Role::Build, Role::Sbom, Role::Provenance, Role::Checksums]);
}

#[test]
fn sbom_says_which_lockfile_it_lacks() {
    let sbom = bytes_of(&evidence(&build(), &[]), Role::Sbom).clone();

    assert_eq!(bom::read(&sbom).expect("valid").components.len(), 3);
    let sbom: Value = serde_json::from_slice(&sbom).expect("JSON");
    let properties = sbom["metadata"]["properties"].as_array().expect("a list");
    let missing = properties.iter().find(|it| it["name"] == "attestry:missing").expect("told");
    assert!(missing["value"].as_str().expect("a text").starts_with("web/uv.lock:2: "), "{missing}");
}
