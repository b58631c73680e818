//! Documents that are attacks: each refused or flagged for its own reason, within bounded memory.

use std::{env, fmt::Write as _, process::Command};

use attestation::SigningKey;

use super::*;
use crate::passport::Key;

/// What a whole process may take, whatever arrives.
const CAP_BYTES: usize = 1 << 30;

/// Name, document, and the rules that must be among the findings.
type Attack = (&'static str, fn() -> Vec<u8>, &'static [&'static str]);

const ATTACKS: [Attack; 22] = [
    ("billion laughs", billion_laughs, &["xml-doctype"]),
    ("external entity", external_entity, &["xml-doctype"]),
    ("deep JSON", || [vec![b'['; 100_000], vec![b']'; 100_000]].concat(), &["too-deep"]),
    ("deep XML", deep_xml, &["too-deep"]),
    ("a gigabyte of zeros in a gzip", gigabyte_of_zeros, &["compressed"]),
    ("a string of 100 MB", || with_name(&"x".repeat(100 << 20)), &["too-large"]),
    ("a string of 60 MB", || with_name(&"x".repeat(60 << 20)), &["SUP-010"]),
    (
        "duplicate key",
        || b"{\"bomFormat\":\"CycloneDX\",\"bomFormat\":\"x\"}".to_vec(),
        &["duplicate-key"],
    ),
    ("escaped duplicate key", || b"{\"a\":1,\"\\u0061\":2}".to_vec(), &["duplicate-key"]),
    ("invalid UTF-8", || b"{\"a\":\"\xff\"}".to_vec(), &["not-utf8"]),
    ("overlong UTF-8", || b"{\"a\":\"\xc0\xaf\"}".to_vec(), &["not-utf8"]),
    ("UTF-16", || "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect(), &["not-utf8"]),
    ("not a number", || with("\"version\":NaN,"), &["not-json"]),
    ("infinite number", || with("\"version\":1e999,"), &["not-json"]),
    ("a circle", || CIRCLE.as_bytes().to_vec(), &["SUP-014", "SUP-015"]),
    ("a bom-ref for two", bom_ref_twice, &["SUP-016"]),
    ("purl bomb", || component("\"purl\":\"pkg:npm/", &"a/".repeat(50_000)), &["SUP-017"]),
    ("bom-ref bomb", || component("\"bom-ref\":\"", &"a".repeat(1 << 20)), &["SUP-017"]),
    ("bytes that turn the text", || with_name("wid\\u202etget"), &["SUP-023"]),
    ("look-alike product", || with_name("wіdget"), &["SUP-008", "SUP-024"]),
    ("look-alike namespace", look_alike_namespace, &["SUP-009"]),
    (
        "objects without end",
        || with(&format!("\"x\":[{}1],", "{\"\":1},".repeat(2_000_000))),
        &["too-many-values"],
    ),
];

fn with(fields: &str) -> Vec<u8> {
    format!("{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",{fields}\"components\":[]}}")
        .into_bytes()
}

fn with_name(name: &str) -> Vec<u8> {
    let component = format!(r#""type":"application","name":"{name}","version":"1""#);
    with(&format!(r#""metadata":{{"component":{{{component}}}}},"#))
}

fn look_alike_namespace() -> Vec<u8> {
    let component = r#""type":"application","name":"widget","version":"1","purl":"pkg:pypi/acme-evil/widget@1""#;
    with(&format!(r#""metadata":{{"component":{{{component}}}}},"#))
}

fn component(begin: &str, rest: &str) -> Vec<u8> {
    let component = format!(r#"{{"type":"library","name":"x","version":"1",{begin}{rest}"}}"#);
    format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{component}]}}"#)
        .into_bytes()
}

fn bom_ref_twice() -> Vec<u8> {
    CIRCLE.replace("\"bom-ref\": \"b\"", "\"bom-ref\": \"a\"").into_bytes()
}

fn billion_laughs() -> Vec<u8> {
    let mut text = String::from("<?xml version=\"1.0\"?>\n<!DOCTYPE bom [<!ENTITY a0 \"ha\">");
    for level in 1..10 {
        let before = format!("&a{};", level - 1).repeat(10);
        write!(text, "<!ENTITY a{level} \"{before}\">").expect("a string");
    }
    text.push_str(
        "]><bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\"><metadata>&a9;</metadata></bom>",
    );
    text.into_bytes()
}

fn external_entity() -> Vec<u8> {
    b"<!DOCTYPE bom [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\">&e;</bom>".to_vec()
}

fn deep_xml() -> Vec<u8> {
    let deep = "<components><component type=\"library\">".repeat(50_000);
    format!("<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\">{deep}").into_bytes()
}

/// What `head -c 1G /dev/zero | gzip` writes begins like this; the rest is never looked at.
fn gigabyte_of_zeros() -> Vec<u8> {
    let mut bytes = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec();
    bytes.resize(1 << 20, 0);
    bytes
}

fn strict() -> Passport {
    Passport {
        products: vec!["widget".to_owned()],
        namespaces: vec!["pkg:pypi/acme/".to_owned()],
        tolerates: vec![],
        ..acme()
    }
}

/// Examines each attack in a process of its own, and asks the operating system for its peak.
#[test]
#[cfg(target_os = "linux")]
fn every_attack_is_refused_for_its_own_reason_within_bounded_memory() {
    for (number, (name, ..)) in ATTACKS.into_iter().enumerate() {
        let output = Command::new(env::current_exe().expect("itself"))
            .args(["--ignored", "--exact", "examine::tests::hostile::child", "--nocapture"])
            .env("ATTACK", number.to_string())
            .output()
            .expect("runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let failed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}{failed}");
        let told = said.lines().find_map(|it| it.split_once("peak ")).expect("told").1;
        let numbers: Vec<usize> = told.split(' ').filter_map(|it| it.parse().ok()).collect();
        let [peak, size] = numbers[..] else { panic!("{told}") };
        assert!(peak < CAP_BYTES, "{name}: {} MiB for {size} bytes", peak >> 20);
    }
}

#[test]
#[ignore = "run by another test, in a process of its own"]
#[cfg(target_os = "linux")]
#[allow(clippy::print_stdout, reason = "the parent reads it")]
fn child() {
    #[allow(clippy::disallowed_methods, reason = "the parent says which")]
    let number: usize = env::var("ATTACK").expect("named").parse().expect("a number");
    let (name, document, rules) = ATTACKS[number];
    let document = document();
    let size = document.len();
    let examined = examined(&document, strict(), "2026-12-01T00:00:00Z".parse().expect("valid"));
    let found: Vec<_> = examined.findings.iter().map(|it| it.rule.as_str()).collect();
    for rule in rules {
        assert!(found.contains(rule), "{name}: {found:?}");
    }
    assert!(examined.findings.iter().any(|it| it.rejects), "{name}: {found:?}");
    for it in &examined.findings {
        assert!(!it.reason.as_str().is_empty() && !it.remedy.as_str().is_empty(), "{name}: {it:?}");
    }
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("told");
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    println!("peak {} {size}", peak << 10);
}

#[test]
fn signature_of_somebody_who_only_looks_right_and_over_something_else_is_refused() {
    let [own, other] = [(); 2].map(|()| SigningKey::generate().expect("a key"));
    let key = |label: &str, key: &SigningKey| Key {
        label: Label::of(label),
        key: key.public_key().clone(),
        development: false,
        not_before: None,
        not_after: None,
    };
    let passport = Arc::new(Passport { keys: vec![key("release", &own)], ..acme() });
    let policy = Evaluator::load(None, Limits::default()).expect("loads");
    let rules = |bundle: Vec<u8>| {
        let submission = Submission {
            document: Bytes::from_static(CIRCLE.as_bytes()),
            bundle: Some(bundle.into()),
            passport: Some(Arc::clone(&passport)),
            now: Timestamp::UNIX_EPOCH,
            root: Arc::new(TrustRoot::public_good().expect("sound")),
            advisories: None,
            standing: None,
        };
        let examined = examine(&submission, read(CIRCLE.as_bytes()), &policy).expect("judges");
        let about =
            examined.findings.into_iter().filter(|it| it.field.as_str().starts_with("signature."));
        about.map(|it| it.rule.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(rules(own.sign_file(CIRCLE.as_bytes()).expect("signed")), [""; 0]);
    assert_eq!(rules(other.sign_file(CIRCLE.as_bytes()).expect("signed")), ["SUP-003"]);
    assert_eq!(rules(own.sign_file(b"another document").expect("signed")), ["SUP-003"]);
}
