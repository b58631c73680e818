use attestation::{Artifact, SigningKey, verify_artifact};

use super::*;

fn key() -> Key {
    let key = SigningKey::generate().expect("a key").public_key().clone();
    let label = Label::of("release 2026");
    Key { label, key, development: false, not_before: None, not_after: None }
}

fn acme(keys: Vec<Key>) -> Passport {
    Passport::new("acme".parse().expect("valid"), Label::of("Acme Ltd"), keys)
}

#[test]
fn passport_reads_as_it_was_written() {
    let mut written = acme(vec![key()]);
    written.products = vec!["widget".to_owned()];
    written.mode = Mode::Warn;
    written.tolerates = vec!["dependency-cycle".to_owned(), "dangling-reference".to_owned()];
    written.keys[0].not_after = Some("2027-01-01T00:00:00Z".parse().expect("valid"));

    let read = Passport::parse(&written.to_toml()).expect("reads");
    assert_eq!(read.to_toml(), written.to_toml());
    assert_eq!(read.keys[0].key, written.keys[0].key);
    assert_eq!(read.tolerates, written.tolerates);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let good = acme(vec![key()]).to_toml();
    let refusal = |text: &str| Passport::parse(text).expect_err("refused").to_string();

    assert!(refusal("id = \"a\"\nnome = \"x\"\n").starts_with("line 2: unknown field"), "typo");
    assert!(refusal(&good.replace("\"acme\"", "\"A.B\"")).starts_with("line 2: `id` may"), "id");
    let line = good.lines().position(|it| it.starts_with("pem")).expect("there") + 1;
    let broken = good.replace("BEGIN PUBLIC KEY", "BEGIN NOTHING");
    assert!(refusal(&broken).starts_with(&format!("line {line}: `pem`")), "{}", refusal(&broken));
    let entry = good.find("[[keys]]").expect("there");
    let twice = format!("{good}\n{}", &good[entry..]);
    assert!(refusal(&twice).contains("list it once"), "{}", refusal(&twice));
}

#[test]
fn only_harmless_problems_can_be_tolerated() {
    let passport = |tolerates: &str| {
        let text = format!("id = \"acme\"\nname = \"Acme\"\ntolerates = [\n{tolerates}\n]\n");
        Passport::parse(&text).map_err(|error| error.to_string())
    };

    let all = format!("{TOLERABLE:?}");
    assert_eq!(passport(&all[1..all.len() - 1]).expect("reads").tolerates, TOLERABLE);
    for code in ["purl-bomb", "control-character", "Dependency-Cycle", ""] {
        let refused = passport(&format!("\"invalid-purl\",\n\"{code}\"")).expect_err("refused");
        let expected = format!(
            "line 5: `tolerates` has {code:?}; known are dependency-cycle, \
             self-dependency, dangling-reference, duplicate-bom-ref, invalid-purl"
        );
        assert_eq!(refused, expected);
    }
    assert_eq!(acme(vec![]).tolerates, TOLERATED);
    assert_eq!(passport("").expect("reads").tolerates, [""; 0], "strict if it says so");
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_line() {
    for (entry, why) in [
        ("version = 2", "this release reads 1"),
        ("formats = [\"cyclonedx\", \"cyclone\"]", "known are cyclonedx, spdx, openvex, csaf"),
        ("spec_versions = [\"1.1\"]", "known are 1.2, 1.3"),
        ("namespaces = [\"npm/acme\"]", "no purl of a package begins with"),
        ("namespaces = [\"pkg:npm\"]", "no purl of a package begins with"),
        ("namespaces = [\"pkg:npm/acme@1\"]", "no purl of a package begins with"),
        ("minimum_grade = \"E\"", "unknown variant"),
        ("grade_by = \"iso\"", "unknown variant"),
        ("max_age_days = -1", "integer"),
    ] {
        let text = format!("id = \"acme\"\nname = \"Acme\"\n{entry}\n");
        let refused = Passport::parse(&text).expect_err(entry);
        assert_eq!(refused.line, Some(3), "{entry}: {refused}");
        assert!(refused.problem.contains(why), "{entry}: {refused}");
    }
}

#[test]
fn identities_are_rules_and_what_is_wrong_with_one_is_said() {
    let entry = IdentityEntry {
        label: "release".to_owned(),
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        identity: None,
        identity_pattern: Some(r"https://github\.com/acme/.*".to_owned()),
        claims: [("ref".to_owned(), "refs/heads/main".to_owned())].into(),
        predicate_types: vec![],
    };
    let passport = Passport { identities: vec![entry.clone()], ..acme(vec![]) };
    let text = passport.to_toml();
    assert_eq!(Passport::parse(&text).expect("reads").identities, [entry]);
    for (from, to, why) in [
        ("ref =", "reference =", "is no claim"),
        (r"\.com/acme/.*", "(", "cannot be used"),
        ("identity_pattern", "identity_like", "unknown field"),
    ] {
        let refused = Passport::parse(&text.replace(from, to)).expect_err("refused");
        assert!(refused.line.is_some() && refused.problem.contains(why), "{refused}");
    }
}

#[test]
fn key_counts_only_within_its_time() {
    let signing = SigningKey::generate().expect("a key");
    let bundle = signing.sign_file(b"{}").expect("signed");
    let root = Arc::new(TrustRoot::public_good().expect("sound"));
    let at = |text: &str| text.parse::<Timestamp>().expect("valid");
    let passport = acme(vec![Key {
        key: signing.public_key().clone(),
        not_before: Some(at("2026-01-01T00:00:00Z")),
        not_after: Some(at("2027-01-01T00:00:00Z")),
        ..key()
    }]);
    let refusal = |time: &str| {
        let trust = passport.trust_at(at(time), &root);
        verify_artifact(&bundle, &Artifact::of(b"{}"), &trust).err().map(|it| it.to_string())
    };

    assert_eq!(refusal("2026-01-01T00:00:00Z"), None);
    for time in ["2025-12-31T23:59:59Z", "2027-01-01T00:00:01Z"] {
        let refusal = refusal(time).expect("refused");
        assert!(refusal.contains("is trusted from 2026-01-01T00:00:00Z until 2027"), "{refusal}");
    }
}
