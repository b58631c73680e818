//! The recipes of docs/policy-recipes.md do what they say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::Says::{Denies, Warns};
use crate::place::Place;

const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policy-recipes.md"));

/// What policies are tried on when they are loaded.
const SAMPLE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/policy/src/build_sample.json"));

/// By recipe, what is changed in a good build, by JSON pointer, and what the build says then.
const TRIALS: &[(&str, &[(&str, Says)])] = &[
    (
        "1. Stop severe vulnerabilities, after days of grace",
        &[
            (r#"{"/findings/0/severity": "critical"}"#, Denies("VULN-001")),
            (
                r#"{"/findings/0/severity": "high", "/findings/0/published": "2026-11-20T00:00:00Z"}"#,
                Warns("VULN-001"),
            ),
        ],
    ),
    (
        "2. Stop what is exploited, or likely to be",
        &[
            (r#"{"/findings/0/kev": true}"#, Denies("VULN-001")),
            (r#"{"/findings/0/epss": 0.75}"#, Denies("VULN-001")),
        ],
    ),
    (
        "3. Stop only what is new",
        &[
            (r#"{"/findings/0/severity": "critical"}"#, Denies("VULN-001")),
            (
                r#"{"/findings/0/severity": "critical", "/findings/0/new": false}"#,
                Warns("VULN-001"),
            ),
        ],
    ),
    (
        "4. Allow licences",
        &[
            (
                r#"{"/index/licenses": {"GPL-3.0-only":
                    {"components": [0], "alternatives": [["GPL-3.0-only"]]}}}"#,
                Denies("LIC-001"),
            ),
            (
                r#"{"/index/licenses": {"MPL-2.0": {"components": [0], "alternatives": [["MPL-2.0"]]}}}"#,
                Denies("LIC-002"),
            ),
            (r#"{"/index/licenses": {}, "/index/lacking/license": [0]}"#, Denies("LIC-003")),
        ],
    ),
    (
        "5. Release only from protected branches of your repository",
        &[
            (
                r#"{"/build/source/repository": "https://git.example/stranger/sample"}"#,
                Denies("SRC-001"),
            ),
            (r#"{"/build/source/ref": "refs/heads/try"}"#, Denies("SRC-002")),
        ],
    ),
    (
        "6. Ask for a version, and ban a component",
        &[
            (
                r#"{"/sbom/components/0/purl": "pkg:pypi/cryptography@41.0.0",
                    "/sbom/components/0/version": "41.0.0",
                    "/index/packages": {"pkg:pypi/cryptography": [0]}}"#,
                Denies("COMP-002"),
            ),
            (
                r#"{"/sbom/components/0/purl": "pkg:npm/colors@1.4.1",
                    "/sbom/components/0/version": "1.4.1",
                    "/index/packages": {"pkg:npm/colors": [0]}}"#,
                Denies("SBOM-007"),
            ),
        ],
    ),
    (
        "7. Ask for NTIA's minimum elements",
        &[
            (r#"{"/quality/ntia/met": false}"#, Denies("QUAL-001")),
            (r#"{"/quality/ntia/score": 60}"#, Denies("QUAL-002")),
        ],
    ),
    (
        "8. Ask for a transparency log in production",
        &[
            (r#"{"/signatures/0/logged": false}"#, Denies("SIG-004")),
            (r#"{"/signatures/0/logged": false, "/environment": "staging"}"#, Warns("SIG-004")),
        ],
    ),
    (
        "9. Warn of a rule until it counts",
        &[
            (r#"{"/findings/0/severity": "critical"}"#, Warns("VULN-001")),
            (
                r#"{"/findings/0/severity": "critical", "/time": "2027-01-01T00:00:00Z"}"#,
                Denies("VULN-001"),
            ),
        ],
    ),
    ("10. Write a rule of your own", &[(r#"{"/build/version": " "}"#, Denies("ACME-001"))]),
    (
        "11. Ask suppliers for their SBOMs",
        &[(
            r#"{"/sbom/components/0/purl": "pkg:npm/%40acme/widget@1.0",
                "/index/packages": {"pkg:npm/@acme/widget": [0]}, "/suppliers": []}"#,
            Denies("SUPPLY-001"),
        )],
    ),
    (
        "12. Stop only for what is sure",
        &[
            (r#"{"/findings/0/severity": "critical"}"#, Denies("VULN-001")),
            (
                r#"{"/findings/0/severity": "critical", "/findings/0/confidence": "low"}"#,
                Warns("VULN-001"),
            ),
        ],
    ),
];

/// The rule that a build fails by, or is warned by, and no other.
#[derive(Clone, Copy)]
enum Says {
    Denies(&'static str),
    Warns(&'static str),
}

/// A section of the page, and its blocks by the file that each is for.
struct Recipe {
    name: &'static str,
    blocks: Vec<(&'static str, &'static str)>,
}

#[test]
fn every_recipe_stops_what_it_is_for_and_no_other_build() {
    let recipes: Vec<Recipe> = PAGE.split("\n## ").skip(1).map(Recipe::of).collect();
    let names: Vec<&str> = recipes.iter().map(|it| it.name).collect();
    assert!(names.len() >= 10, "{names:?}");
    assert_eq!(names, TRIALS.iter().map(|(name, _)| *name).collect::<Vec<_>>());

    let plain = with_library();
    for (recipe, (name, trials)) in recipes.iter().zip(TRIALS) {
        let place = with_library();
        recipe.follow(&place);
        assert_eq!(judged(&place, &good(), 0), <[BTreeSet<String>; 2]>::default(), "{name}");
        for (changes, says) in *trials {
            let input = changed(changes);
            judged(&plain, &input, 0);
            assert_eq!(judged(&place, &input, says.code()), says.ids(), "{name}: {changes}");
        }
    }
}

/// A place with the policies that ship, which deny none of what recipes are tried on.
fn with_library() -> Place {
    let place = Place::new();
    for (path, text) in ::policy::library() {
        place.write(&format!("policy/{path}"), text);
    }
    place
}

impl Recipe {
    fn of(section: &'static str) -> Self {
        let name = section.lines().next().unwrap_or_default();
        let parts: Vec<&str> = section.split("\n```").collect();
        // What stands before a block, and the block.
        let blocks = parts.chunks_exact(2).map(|pair| {
            let (language, text) = pair[1].split_once('\n').expect("a block has lines");
            match language {
                "json" => ("policy/data.json", text),
                "rego" => (pair[0].lines().next_back().unwrap_or_default().trim_matches('`'), text),
                other => panic!("{name} has a block of {other}"),
            }
        });
        Self { name, blocks: blocks.collect() }
    }

    fn follow(&self, place: &Place) {
        assert!(!self.blocks.is_empty(), "{} has no block", self.name);
        for (file, text) in &self.blocks {
            match *file {
                "policy/data.json" => {
                    let mut data = serde_json::from_str(&place.read(file)).expect("parses");
                    let more = serde_json::from_str(text);
                    merge(&mut data, more.unwrap_or_else(|it| panic!("{}: {it}", self.name)));
                    place.write(file, data.to_string());
                }
                _ => {
                    place.write(file, format!("{text}\n"));
                }
            }
        }
        if self.blocks.iter().any(|(file, _)| file.ends_with(".rego")) {
            place.attestry("policy test policy").expect(0);
        }
    }
}

impl Says {
    fn code(self) -> i32 {
        match self {
            Denies(_) => 1,
            Warns(_) => 0,
        }
    }

    /// Of violations and warnings.
    fn ids(self) -> [BTreeSet<String>; 2] {
        let only = |rule: &str| BTreeSet::from([rule.to_owned()]);
        match self {
            Denies(rule) => [only(rule), BTreeSet::new()],
            Warns(rule) => [BTreeSet::new(), only(rule)],
        }
    }
}

/// Which rules the policy of the place violates and which it warns of.
fn judged(place: &Place, input: &Value, code: i32) -> [BTreeSet<String>; 2] {
    place.write("input.json", input.to_string());
    let eval = "policy eval --input input.json --policy policy --report json";
    let report = place.attestry(eval).expect(code).json();
    ["violations", "warnings"].map(|list| {
        let findings = report[list].as_array().into_iter().flatten();
        findings.filter_map(|it| Some(it["id"].as_str()?.to_owned())).collect()
    })
}

/// A release that the library passes in silence: the sample without its flaws.
fn good() -> Value {
    let mut input: Value = serde_json::from_str(SAMPLE).expect("parses");
    let repository = "https://git.example/acme/sample";
    let source = json!({
        "uri": format!("git+{repository}"),
        "digest": { "gitCommit": input["build"]["source"]["commit"] },
    });
    let signature = |predicate_type: &str| {
        json!({
            "predicate_type": predicate_type, "statement": input["sbom_digest"],
            "verified": true, "development_key": false,
            "logged": true, "proven_time": "2026-11-22T18:10:00Z",
        })
    };
    let signatures = json!([
        signature("https://slsa.dev/provenance/v1"),
        signature("https://in-toto.io/attestation/reference/v0.1"),
    ]);
    let parts = json!({
        "environment": "production",
        "build": { "kind": "release", "version": "1.0", "source": { "repository": repository } },
        "quality": { "ntia": { "score": 100, "met": true, "missing": [] } },
        "signatures": signatures,
    });
    merge(&mut input, parts);
    merge(&mut input["findings"][0], json!({ "severity": "low", "vex": null }));
    let named = &mut input["provenance"]["predicate"]["buildDefinition"]["resolvedDependencies"];
    named.as_array_mut().expect("a list").push(source);
    input
}

/// The good build with other values at these pointers.
fn changed(changes: &str) -> Value {
    let changes: BTreeMap<String, Value> = serde_json::from_str(changes).expect("parses");
    let mut input = good();
    for (pointer, value) in changes {
        let place = input.pointer_mut(&pointer);
        *place.unwrap_or_else(|| panic!("the input has no {pointer}")) = value;
    }
    input
}

/// As the page says: objects are merged, everything else is exchanged.
fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}
