//! Who may depend on whom.

use std::path::Path;

use super::{Metadata, Package};

/// Crates that only compute: they take the time and the bytes as arguments.
const PURE: [&str; 4] = ["attestation", "documents", "events", "purl"];

/// What brings in a clock, a network, a disk or a log.
const IMPURE: [&str; 11] = [
    "archive",
    "artifacts",
    "async-nats",
    "broker",
    "bus",
    "object_store",
    "reqwest",
    "rustix",
    "tokio",
    "tracing",
    "worker",
];

/// The crate of the end-to-end tests, which starts everything and looks behind every door.
const E2E_TESTS: &str = "e2e-tests";

/// What only some crates may depend on, and why. A name that ends in `*` stands for all that begin like it.
const RESERVED: [Reserved; 7] = [
    Reserved { name: "async-nats", users: &["bus", E2E_TESTS], why: "only `bus` knows NATS" },
    Reserved {
        name: "sigstore-*",
        users: &["attestation", "private-sigstore", "signer"],
        why: "only `attestation`, the signer and tests know Sigstore's crates",
    },
    Reserved {
        name: "rusqlite",
        users: &["registry", "backlog-mapper", "artifacts", E2E_TESTS],
        why: "only `registry` and `backlog-mapper` know SQL, and `artifacts` rpm's database",
    },
    Reserved {
        name: "reqwest",
        users: &["feeds", "tickets"],
        why: "only `feeds` and `tickets` ask others over HTTP, beside what asks Sigstore",
    },
    Reserved { name: "in-toto", users: &["attestation"], why: "only links are its own" },
    Reserved { name: "regorus", users: &["policy"], why: "only `policy` knows Rego" },
    Reserved {
        name: "object_store",
        users: &["archive"],
        why: "only `archive` knows where documents lie",
    },
];

struct Reserved {
    name: &'static str,
    users: &'static [&'static str],
    why: &'static str,
}

pub(super) fn violations(metadata: &Metadata) -> Vec<String> {
    let services_dir = Path::new(&metadata.workspace_root).join("services");
    let is_service = |it: &Package| Path::new(&it.manifest_path).starts_with(&services_dir);
    let services: Vec<&Package> = metadata.packages.iter().filter(|it| is_service(it)).collect();

    let mut violations = Vec::new();
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            let (from, to) = (package.name.as_str(), dependency.name.as_str());
            let is_for_tests = dependency.kind.as_deref() == Some("dev");
            if is_service(package) && services.iter().any(|it| it.name == to) {
                violations.push(format!("{from} depends on {to}: services meet only on the bus"));
            }
            if PURE.contains(&from) && IMPURE.contains(&to) && !is_for_tests {
                violations.push(format!("{from} depends on {to}: pure crates only compute"));
            }
            let reserved = RESERVED.iter().find(|it| it.covers(to) && !it.users.contains(&from));
            if let Some(reserved) = reserved {
                violations.push(format!("{from} depends on {to}: {}", reserved.why));
            }
        }
    }
    violations
}

impl Reserved {
    fn covers(&self, dependency: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(prefix) => dependency.starts_with(prefix),
            None => dependency == self.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn package(folder: &str, name: &str, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<Value> =
            dependencies.iter().map(|(name, kind)| json!({ "name": name, "kind": kind })).collect();
        let manifest_path = format!("/repo/{folder}/{name}/Cargo.toml");
        json!({ "name": name, "manifest_path": manifest_path, "dependencies": dependencies })
    }

    fn violations_of(packages: &[Value]) -> Vec<String> {
        let metadata = json!({ "workspace_root": "/repo", "packages": packages });
        violations(&serde_json::from_value(metadata).unwrap())
    }

    #[test]
    fn allowed_dependencies_pass() {
        let packages = [
            package(
                "services",
                "signer",
                &[("worker", None), ("attestation", None), ("tokio", None)],
            ),
            package("shared", "policy", &[("regorus", None)]),
            package("shared", "bus", &[("async-nats", None), ("tokio", None)]),
            package("shared", "archive", &[("object_store", None)]),
            package("shared", "attestation", &[("sigstore-types", None), ("tokio", Some("dev"))]),
            package("", "e2e-tests", &[("async-nats", None), ("signer", None)]),
            package("", "attestry", &[("signer", None), ("policy-gate", None)]),
        ];
        assert_eq!(violations_of(&packages), [""; 0]);
    }

    #[test]
    fn service_may_not_depend_on_a_service_even_in_tests() {
        for kind in [None, Some("dev"), Some("build")] {
            let packages = [
                package("services", "signer", &[("generator", kind)]),
                package("services", "generator", &[]),
            ];
            let expected = "signer depends on generator: services meet only on the bus";
            assert_eq!(violations_of(&packages), [expected], "{kind:?}");
        }
    }

    #[test]
    fn pure_crate_may_not_depend_on_the_world() {
        for pure in PURE {
            for (impure, is_reserved) in
                [("tokio", false), ("tracing", false), ("bus", false), ("reqwest", true)]
            {
                let found = violations_of(&[package("shared", pure, &[(impure, None)])]);
                let why = format!("{pure} depends on {impure}: pure crates only compute");
                assert!(found.contains(&why), "{found:?}");
                // What is reserved is told by that rule, too.
                assert_eq!(found.len(), 1 + usize::from(is_reserved), "{found:?}");
            }
        }
    }

    #[test]
    fn reserved_dependency_is_refused_elsewhere() {
        for (from, to, why) in [
            ("worker", "async-nats", "only `bus` knows NATS"),
            (
                "worker",
                "sigstore-bundle",
                "only `attestation`, the signer and tests know Sigstore's crates",
            ),
            ("policy-gate", "regorus", "only `policy` knows Rego"),
            (
                "registrar",
                "rusqlite",
                "only `registry` and `backlog-mapper` know SQL, and `artifacts` rpm's database",
            ),
            ("generator", "object_store", "only `archive` knows where documents lie"),
            (
                "backlog-mapper",
                "reqwest",
                "only `feeds` and `tickets` ask others over HTTP, beside what asks Sigstore",
            ),
        ] {
            let found = violations_of(&[package("shared", from, &[(to, None)])]);
            assert_eq!(found, [format!("{from} depends on {to}: {why}")]);
        }
    }
}
