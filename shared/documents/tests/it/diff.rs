//! What changed between two SBOMs.

use std::cmp::Ordering;

use documents::diff::{
    Change, ChangeKind, CompareError, Difference, MAX_CHANGES_PER_KIND, compare,
};
use serde_json::{Value, json};

use crate::fixture;

fn bom(components: &[Value]) -> Vec<u8> {
    let bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": components });
    bom.to_string().into_bytes()
}

/// A component of npm.
fn npm(name: &str, version: &str) -> Value {
    let purl = format!("pkg:npm/{name}@{version}");
    json!({ "type": "library", "name": name, "version": version, "purl": purl })
}

fn with(mut component: Value, key: &str, value: Value) -> Value {
    component[key] = value;
    component
}

/// Numbers between dots, for npm only.
fn order(kind: &str, a: &str, b: &str) -> Option<Ordering> {
    let numbers =
        |text: &str| text.split('.').map(str::parse::<u32>).collect::<Result<Vec<_>, _>>();
    match kind {
        "npm" => Some(numbers(a).ok()?.cmp(&numbers(b).ok()?)),
        _ => None,
    }
}

fn difference(old: &[Value], new: &[Value]) -> Difference {
    compare(&bom(old), &bom(new), order).unwrap()
}

/// `KIND PACKAGE VERSION FROM TO` of each change.
fn lines(difference: &Difference) -> Vec<String> {
    let line = |it: &Change| {
        let words = [it.version.as_deref(), it.from.as_deref(), it.to.as_deref()];
        let words = words.map(|it| it.unwrap_or("-")).join(" ");
        format!("{:?} {} {words}", it.kind, it.package)
    };
    difference.changes.iter().map(line).collect()
}

#[test]
fn the_same_document_is_the_same_whatever_order_its_components_have() {
    let same = difference(&[npm("a", "1"), npm("b", "2")], &[npm("b", "2"), npm("a", "1")]);
    assert!(same.same && same.changes.is_empty() && same.counts.is_empty());
    for name in ["redhat-rpm-openssl-1.6", "cyclonedx-php-composer-devReq-1.7"] {
        let bytes = fixture(&format!("sbom/{name}.json"));
        let difference = compare(&bytes, &bytes, order).unwrap();
        assert!(difference.same && difference.old.components > 0, "{difference:?}");
    }
}

#[test]
fn versions_go_up_and_down_by_the_order_of_their_ecosystem() {
    let old = [
        npm("a", "1.9.0"),
        npm("b", "2.0.0"),
        npm("c", "1.0.0"),
        npm("d", "1.x"),
        npm("gone", "1.0.0"),
    ];
    let new = [
        npm("a", "1.10.0"),
        npm("b", "1.10.0"),
        npm("c", "1.0.0"),
        npm("d", "1.y"),
        npm("come", "1.0.0"),
    ];
    assert_eq!(
        lines(&difference(&old, &new)),
        [
            "Downgraded pkg:npm/b - 2.0.0 1.10.0",
            "Upgraded pkg:npm/a - 1.9.0 1.10.0",
            "VersionChanged pkg:npm/d - 1.x 1.y",
            "Added pkg:npm/come - - 1.0.0",
            "Removed pkg:npm/gone - 1.0.0 -",
        ]
    );
}

#[test]
fn several_versions_of_one_package_are_compared_as_sets() {
    let old = [npm("a", "1.0.0"), npm("a", "2.0.0"), npm("a", "10.0.0")];
    let new = [npm("a", "2.0.0"), npm("a", "11.0.0")];
    assert_eq!(
        lines(&difference(&old, &new)),
        ["Upgraded pkg:npm/a - 10.0.0 11.0.0", "Removed pkg:npm/a - 1.0.0 -",]
    );
    assert_eq!(
        lines(&difference(&new, &old)),
        ["Downgraded pkg:npm/a - 11.0.0 10.0.0", "Added pkg:npm/a - - 1.0.0",]
    );
}

#[test]
fn other_bytes_under_the_same_version_are_told_first() {
    let hashes = |digest: &str| json!([{ "alg": "SHA-256", "content": digest.repeat(32) }]);
    let file = |digest: &str| json!([{ "type": "distribution", "url": "https://h.example/a.tgz", "hashes": hashes(digest) }]);
    let old = [
        with(npm("a", "1.0.0"), "hashes", hashes("aA")),
        npm("z", "1.0.0"),
        with(npm("b", "1.0.0"), "externalReferences", file("01")),
        with(npm("c", "1.0.0"), "hashes", hashes("cc")),
    ];
    let new = [
        with(npm("a", "1.0.0"), "hashes", hashes("bb")),
        npm("z", "2.0.0"),
        with(npm("b", "1.0.0"), "externalReferences", file("02")),
        with(npm("c", "1.0.0"), "hashes", hashes("CC")),
    ];
    let changed = difference(&old, &new);
    let kinds: Vec<_> = changed.changes.iter().map(|it| (it.kind, it.package.as_str())).collect();
    assert_eq!(
        kinds,
        [
            (ChangeKind::HashChanged, "pkg:npm/a"),
            (ChangeKind::HashChanged, "pkg:npm/b"),
            (ChangeKind::Upgraded, "pkg:npm/z"),
        ]
    );
    assert_eq!(changed.changes[0].from, Some(format!("SHA-256 {}", "aa".repeat(32))));
}

#[test]
fn one_hash_of_two_that_stays_does_not_hide_the_one_that_changed() {
    let hashes = |sha256: &str| json!([{ "alg": "MD5", "content": "00" }, { "alg": "SHA-256", "content": sha256 }]);
    let [old, new] = ["aa", "bb"].map(|it| [with(npm("a", "1.0.0"), "hashes", hashes(it))]);
    assert_eq!(
        lines(&difference(&old, &new)),
        ["HashChanged pkg:npm/a 1.0.0 SHA-256 aa SHA-256 bb"]
    );
}

#[test]
fn digest_of_what_has_no_version_is_its_version() {
    let file = |digest: &str| json!({ "type": "file", "name": "app.whl", "hashes": [{ "alg": "SHA-256", "content": digest }] });
    let changed = difference(&[file("aa")], &[file("bb")]);
    assert_eq!(lines(&changed), ["VersionChanged app.whl - SHA-256 aa SHA-256 bb"]);
}

#[test]
fn other_files_of_the_same_version_alarm_nobody() {
    let files = |names: &[&str]| {
        let file = |name: &&str| {
            json!({ "type": "distribution", "url": format!("https://h.example/{name}"),
                    "hashes": [{ "alg": "SHA-256", "content": name.repeat(64) }] })
        };
        json!(names.iter().map(file).collect::<Vec<_>>())
    };
    let [old, new] = [&["a", "b"][..], &["b", "c"]]
        .map(|names| [with(npm("a", "1.0.0"), "externalReferences", files(names))]);
    assert!(difference(&old, &new).same);
}

#[test]
fn licences_suppliers_and_scopes_are_compared_under_the_same_version() {
    let old = with(npm("a", "1.0.0"), "licenses", json!([{ "license": { "id": "MIT" } }]));
    let old = with(old, "supplier", json!({ "name": "Acme" }));
    let new = with(npm("a", "1.0.0"), "licenses", json!([{ "expression": "BUSL-1.1" }]));
    let new =
        with(with(new, "supplier", json!({ "name": "NOASSERTION" })), "scope", json!("excluded"));
    assert_eq!(
        lines(&difference(&[old], &[new])),
        [
            "LicenceChanged pkg:npm/a 1.0.0 MIT BUSL-1.1",
            "SupplierChanged pkg:npm/a 1.0.0 Acme -",
            "ScopeChanged pkg:npm/a 1.0.0 required excluded",
        ]
    );
    let [id, expression] = [json!({ "license": { "id": "MIT" } }), json!({ "expression": "MIT" })]
        .map(|it| with(npm("a", "1.0.0"), "licenses", json!([it])));
    assert!(difference(&[id], &[expression]).same, "one licence in two spellings");
}

#[test]
fn spellings_of_one_package_are_one_package() {
    let component = |purl: &str| json!({ "type": "library", "name": "x", "purl": purl });
    for (old, new) in [
        ("pkg:pypi/Ruamel.YAML@1.0", "pkg:pypi/ruamel-yaml@1.0"),
        ("pkg:npm/%40babel/core@7.0.0", "pkg:npm/@babel/core@7.0.0?x=y"),
        ("pkg:golang/h.example/a@1.0.0", "pkg:golang/h.example/a@v1.0.0"),
    ] {
        let difference = difference(&[component(old)], &[component(new)]);
        assert!(difference.same, "{:?}", lines(&difference));
    }
}

#[test]
fn package_without_purl_is_found_by_its_name() {
    let bare = |version: &str| json!({ "type": "library", "name": "a", "version": version });
    assert_eq!(lines(&difference(&[bare("1")], &[bare("2")])), ["VersionChanged a - 1 2"]);
    assert_eq!(lines(&difference(&[bare("1")], &[npm("a", "2")])), ["Upgraded pkg:npm/a - 1 2"]);
    assert!(difference(&[npm("a", "1")], &[bare("1")]).same);
    let both = [npm("a", "1"), with(npm("a", "1"), "purl", json!("pkg:pypi/a@1"))];
    assert_eq!(difference(&[bare("1")], &both).changes.len(), 3, "nobody can say which it is");
}

#[test]
fn another_subject_is_a_change_but_none_is_not() {
    let about = |version: Option<&str>| {
        let mut bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6" });
        if let Some(version) = version {
            let subject = json!({ "type": "application", "name": "app", "version": version });
            bom["metadata"] = json!({ "component": subject });
        }
        bom.to_string().into_bytes()
    };
    let changed = compare(&about(Some("1")), &about(Some("2")), order).unwrap();
    assert_eq!(lines(&changed), ["SubjectChanged metadata.component - app 1 app 2"]);
    assert!(compare(&about(None), &about(Some("2")), order).unwrap().same);
}

#[test]
fn document_that_cannot_be_read_is_named() {
    let good = bom(&[]);
    assert!(matches!(compare(b"{", &good, order), Err(CompareError::Old(_))));
    let error = compare(&good, b"{}", order).unwrap_err();
    assert!(error.to_string().starts_with("the new document: "), "{error}");
}

#[test]
fn result_is_bounded_and_the_same_each_time() {
    let many: Vec<_> = (0..3_000).map(|it| npm(&format!("package-{it}"), "1.0.0")).collect();
    let difference = difference(&[], &many);
    assert_eq!(difference.counts[&ChangeKind::Added], 3_000);
    assert_eq!(difference.changes.len(), MAX_CHANGES_PER_KIND);
    let json = serde_json::to_string(&difference).unwrap();
    assert!(json.contains("\"added\":3000"), "{}", &json[..300]);
    let odd =
        json!([{ "name": 1, "purl": [], "hashes": {}, "licenses": [null], "supplier": [] }, 7]);
    compare(&bom(odd.as_array().unwrap()), &bom(&many), order).unwrap();
}
