//! Every field of good bundles, changed in many ways: what is accepted all the same proves nothing and is listed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use attestation::{Artifact, Trust, verify_artifact};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::sigstore::cases;
use serde_json::{Value, json};

/// The list of what nothing signs, with where and why.
const DOCUMENTED: &str = include_str!("../../../docs/signing.md");

/// Good bundles of each kind, with what the list calls their kind.
const GOOD: [(&str, &str); 6] = [
    ("happy-path-v0.1", "v0.1"),
    ("happy-path-v0.2", "v0.2"),
    ("happy-path-v0.3", "v0.3"),
    ("happy-path-intoto-in-dsse-v3", "v0.3"),
    ("rekor2-happy-path", "Rekor v2"),
    ("rekor2-dsse-happy-path", "Rekor v2"),
];

/// Whether the list has `field` for bundles of this kind.
fn is_documented(field: &str, kind: &str) -> bool {
    DOCUMENTED.lines().any(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let named = cells.next().is_some_and(|it| it.trim_matches('`') == field);
        named && cells.next().is_some_and(|it| it == "all" || it.split(", ").any(|it| it == kind))
    })
}

/// A way to change a field, and what it is then called.
fn changes(value: &Value) -> Vec<(&'static str, Option<Value>)> {
    let mut changes = vec![("deleted", None), ("null", Some(Value::Null))];
    match value {
        Value::String(text) => {
            changes.push(("empty", Some(json!(""))));
            changes.push(("longer", Some(json!(format!("{text}A")))));
            if let Ok(number) = text.parse::<i64>() {
                changes.push(("more", Some(json!((number + 1).to_string()))));
            }
            let bytes = STANDARD.decode(text).unwrap_or_default();
            for (what, at) in
                [("first", 0), ("middle", bytes.len() / 2), ("last", bytes.len().saturating_sub(1))]
            {
                let mut changed = bytes.clone();
                if let Some(byte) = changed.get_mut(at) {
                    *byte ^= 0x10;
                    changes.push((what, Some(json!(STANDARD.encode(changed)))));
                }
            }
            if let Some(last) = text.char_indices().last().filter(|_| bytes.is_empty()) {
                changes.push(("other end", Some(json!(format!("{}~", &text[..last.0])))));
            }
        }
        Value::Array(items) => {
            changes.push(("no items", Some(json!([]))));
            let twice: Vec<_> = items.iter().chain(items).cloned().collect();
            changes.push(("twice", Some(Value::Array(twice))));
        }
        _ => changes.push(("a text", Some(json!("x")))),
    }
    changes
}

/// All fields below `value`, as JSON pointers.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), it)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, it)| (at.to_string(), it)).collect()
        }
        _ => return,
    };
    for (name, child) in children {
        let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        found.push(pointer.clone());
        pointers(child, &pointer, found);
    }
}

fn changed(bundle: &Value, pointer: &str, to: Option<Value>) -> Value {
    let mut bundle = bundle.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match (bundle.pointer_mut(parent).unwrap(), to) {
        (Value::Object(fields), None) => drop(fields.remove(name)),
        (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
        (_, Some(to)) => *bundle.pointer_mut(pointer).unwrap() = to,
        _ => unreachable!("a parent has children"),
    }
    bundle
}

fn general(pointer: &str) -> String {
    let parts = pointer.split('/').skip(1);
    let parts = parts.map(|it| if it.bytes().all(|it| it.is_ascii_digit()) { "*" } else { it });
    parts.collect::<Vec<_>>().join("/")
}

struct Good {
    name: &'static str,
    kind: &'static str,
    bundle: Value,
    artifact: Vec<u8>,
    trust: Trust,
}

fn good_bundles() -> Vec<Good> {
    let mut good: Vec<Good> = Vec::new();
    for (name, kind) in GOOD {
        let case = cases().into_iter().find(|it| it.name == name).unwrap();
        let bundle = serde_json::from_slice(&case.bundle).unwrap();
        good.push(Good { name, kind, bundle, artifact: case.artifact, trust: case.trust });
    }
    good
}

#[test]
fn every_change_that_is_accepted_is_of_a_field_that_nothing_signs() {
    let (mut tried, mut accepted) = (0, 0);
    for Good { name, kind, bundle, artifact, trust } in good_bundles() {
        let artifact = Artifact::of(&artifact);
        let genuine = verify_artifact(bundle.to_string().as_bytes(), &artifact, &trust).unwrap();
        let mut fields = Vec::new();
        pointers(&bundle, "", &mut fields);
        for pointer in fields {
            for (what, to) in changes(bundle.pointer(&pointer).unwrap()) {
                let mutant = changed(&bundle, &pointer, to).to_string();
                tried += 1;
                if let Ok(signed) = verify_artifact(mutant.as_bytes(), &artifact, &trust) {
                    assert_eq!(signed, genuine, "{name} {pointer} {what}");
                    let field = general(&pointer);
                    assert!(
                        is_documented(&field, kind),
                        "{field} of {kind} ({what}) is not listed"
                    );
                    accepted += 1;
                }
            }
        }
    }
    assert!(tried >= 1000 && accepted < tried / 20, "{accepted} of {tried}");
}
