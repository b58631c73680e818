//! One statement of each kind, and a key that signs them.

#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod sigstore;

use std::collections::BTreeMap;

use attestation::{
    Provenance, Reference, ResourceDescriptor, SigningKey, Statement, Subject, Trust, TrustedKey,
    VerificationSummary,
    predicate::{
        provenance::{BuildDefinition, BuildMetadata, Builder, RunDetails},
        reference::{Attester, ReferencedDocument},
        verification_summary::{InputAttestation, Policy, VerificationResult, Verifier},
    },
};
use events::Digest;

/// The artifact all samples speak of.
pub(crate) fn subject() -> Subject {
    let digest = Digest::of(b"hotpass-1.0.0-py3-none-any.whl");
    Subject {
        name: Some("hotpass-1.0.0-py3-none-any.whl".into()),
        uri: Some("pkg:pypi/hotpass@1.0.0".into()),
        digest,
    }
}

/// Provenance with every field that we write.
pub(crate) fn provenance() -> Provenance {
    let commit = BTreeMap::from([(
        "gitCommit".to_owned(),
        "ebff8dfbd609b7b22237c7719ce07f2dc7934f5f".to_owned(),
    )]);
    let source = ResourceDescriptor {
        uri: Some("git+https://example.com/hotpass@refs/heads/main".into()),
        digest: commit,
        ..ResourceDescriptor::default()
    };
    Provenance {
        build_definition: BuildDefinition {
            build_type: "https://attestry.dev/build/v1".into(),
            external_parameters: BTreeMap::from([("ref".into(), "refs/heads/main".into())]),
            internal_parameters: BTreeMap::from([(
                "runner".into(),
                serde_json::json!({ "cores": 2 }),
            )]),
            resolved_dependencies: vec![source],
        },
        run_details: RunDetails {
            builder: Builder {
                id: "https://ci.example.com/runner".into(),
                version: BTreeMap::from([("runner".into(), "2.3.1".into())]),
                builder_dependencies: vec![],
            },
            metadata: Some(BuildMetadata {
                invocation_id: Some("run-42".into()),
                started_on: Some("2026-11-20T10:00:00Z".parse().unwrap()),
                finished_on: Some("2026-11-20T10:01:30.5Z".parse().unwrap()),
            }),
            byproducts: vec![],
        },
    }
}

/// A verdict with every field that we write.
pub(crate) fn verification_summary() -> VerificationSummary {
    VerificationSummary {
        verifier: Verifier {
            id: "https://attestry.dev/policy-gate".into(),
            version: BTreeMap::from([("attestry".into(), "0.1.0".into())]),
        },
        time_verified: "2026-11-20T10:02:00Z".parse().unwrap(),
        resource_uri: "pkg:pypi/hotpass@1.0.0".into(),
        policy: Policy {
            uri: "https://attestry.dev/policy/release".into(),
            digest: Digest::of(b"policy"),
        },
        input_attestations: vec![InputAttestation { uri: None, digest: Digest::of(b"bundle") }],
        verification_result: VerificationResult::Passed,
        verified_levels: vec!["SLSA_BUILD_LEVEL_1".into()],
        dependency_levels: BTreeMap::new(),
        slsa_version: Some("1.1".into()),
    }
}

/// An SBOM named by digest.
pub(crate) fn reference() -> Reference {
    Reference {
        attester: Attester { id: "https://attestry.dev/generator".into() },
        references: vec![ReferencedDocument {
            name: Some("hotpass-sbom.json".into()),
            digest: Digest::of(b"sbom"),
            download_location: "sbom/hotpass-sbom.json".into(),
            media_type: "application/vnd.cyclonedx+json".into(),
        }],
    }
}

/// A statement, the key that signs it, and a key set that trusts that key.
pub(crate) fn signer() -> (Statement, SigningKey, Trust) {
    let statement = Statement::new(&[subject()], &provenance()).unwrap();
    let key = SigningKey::generate().unwrap();
    let mut keys = Trust::new();
    keys.add(TrustedKey {
        development: true,
        ..TrustedKey::new("sample", key.public_key().clone())
    })
    .unwrap();
    (statement, key, keys)
}
