use events::Label;
use policy::Limits;

use super::*;

#[test]
fn component_without_purl_is_judged_like_any_other() {
    let document = include_bytes!(
        "../../../../shared/documents/fixtures/sbom/cyclonedx-py-environment-1.6.json"
    );
    let bom = bom::read(document).expect("reads");
    assert!(bom.components.iter().any(|it| it.purl.is_none()));
    let passport = Passport::new("acme".parse().expect("valid"), Label::of("Acme Ltd"), vec![]);
    let submission = Submission {
        document: Bytes::from_static(document),
        bundle: None,
        passport: Some(Arc::new(passport)),
        now: Timestamp::UNIX_EPOCH,
        root: Arc::new(TrustRoot::public_good().expect("sound")),
    };

    let policy = Evaluator::load(None, Limits::default()).expect("loads");
    let examined = examine(&submission, &policy).expect("judges");
    let rules: Vec<&str> = examined.findings.iter().map(|it| it.rule.as_str()).collect();
    assert!(rules.contains(&"SUP-002") && !rules.contains(&"policy-failed"), "{rules:?}");
}

/// Two components that depend on each other, and one that is not there.
const CIRCLE: &str = r#"{
    "bomFormat": "CycloneDX", "specVersion": "1.6",
    "metadata": { "component": { "type": "application", "name": "widget", "version": "1.0" } },
    "components": [
        { "bom-ref": "a", "type": "library", "name": "a", "version": "1", "purl": "pkg:pypi/a@1" },
        { "bom-ref": "b", "type": "library", "name": "b", "version": "1", "purl": "pkg:pypi/b@1" }
    ],
    "dependencies": [
        { "ref": "a", "dependsOn": ["b"] },
        { "ref": "b", "dependsOn": ["a", "c"] }
    ]
}"#;

#[test]
fn what_the_passport_tolerates_is_told_and_does_not_reject() {
    let policy = Evaluator::load(None, Limits::default()).expect("loads");
    let told = |tolerates: &[&str]| {
        let passport = Passport {
            tolerates: tolerates.iter().map(|&it| it.to_owned()).collect(),
            ..Passport::new("acme".parse().expect("valid"), Label::of("Acme Ltd"), vec![])
        };
        let submission = Submission {
            document: Bytes::from_static(CIRCLE.as_bytes()),
            bundle: None,
            passport: Some(Arc::new(passport)),
            now: Timestamp::UNIX_EPOCH,
            root: Arc::new(TrustRoot::public_good().expect("sound")),
        };
        let findings = examine(&submission, &policy).expect("judges").findings;
        let about = ["SUP-014", "SUP-015"];
        let graph = findings.into_iter().filter(|it| about.contains(&it.rule.as_str()));
        graph.map(|it| (it.rule.to_string(), it.rejects)).collect::<Vec<_>>()
    };

    let [circle, dangling] = ["SUP-014", "SUP-015"].map(str::to_owned);
    assert_eq!(told(&[]), [(circle.clone(), true), (dangling.clone(), true)]);
    assert_eq!(told(&["dependency-cycle"]), [(dangling.clone(), true), (circle.clone(), false)]);
    let both = ["dangling-reference", "dependency-cycle"];
    assert_eq!(told(&both), [(circle, false), (dangling, false)]);
}

/// What comes of a CSAF document from a supplier whose passport lists `formats`.
fn csaf(document: &str, formats: &[&str]) -> Examined {
    let passport = Passport {
        formats: formats.iter().map(|&it| it.to_owned()).collect(),
        ..Passport::new("acme".parse().expect("valid"), Label::of("Acme Ltd"), vec![])
    };
    let submission = Submission {
        document: Bytes::copy_from_slice(document.as_bytes()),
        bundle: None,
        passport: Some(Arc::new(passport)),
        now: "2022-03-04T00:00:00Z".parse().expect("valid"),
        root: Arc::new(TrustRoot::public_good().expect("sound")),
    };
    let policy = Evaluator::load(None, Limits::default()).expect("loads");
    examine(&submission, &policy).expect("judges")
}

const NOT_AFFECTED: &str =
    include_str!("../../../../shared/documents/fixtures/csaf/2022-evd-uc-07-001.json");

#[test]
fn csaf_is_vex_where_the_passport_lists_it() {
    let rules = |examined: &Examined| {
        examined.findings.iter().map(|it| it.rule.to_string()).collect::<Vec<_>>()
    };
    let examined = csaf(NOT_AFFECTED, &["csaf"]);
    assert_eq!(examined.kind, Some(DocumentKind::Vex));
    let read = examined.read.as_ref().expect("reads");
    assert_eq!((read.format.as_str(), read.spec_version.as_deref()), ("csaf", Some("2.0")));
    assert_eq!(read.entries, 5);
    assert!(!rules(&examined).contains(&"SUP-006".to_owned()), "{:?}", rules(&examined));
    let unlisted = csaf(NOT_AFFECTED, &["cyclonedx", "openvex"]);
    assert!(rules(&unlisted).contains(&"SUP-006".to_owned()), "{:?}", rules(&unlisted));
}

#[test]
fn csaf_that_contradicts_itself_is_refused_where_it_does() {
    let twice = NOT_AFFECTED.replace("\"CSAFPID-0010\"\n        ]", "\"CSAFPID-0001\"\n        ]");
    let [finding] = &csaf(&twice, &["csaf"]).findings[..] else { panic!("not one finding") };
    assert_eq!((finding.rule.as_str(), finding.rejects), ("unsound", true));
    assert_eq!(finding.field.as_str(), "/vulnerabilities/0/product_status/fixed/0");
    assert!(finding.reason.as_str().contains("known_not_affected"), "{finding:?}");
    assert_eq!(finding.remedy.as_str(), "keep one (6.1.6)");
}

/// What comes of an SPDX document from a supplier whose passport lists `formats`.
fn spdx_from(document: &'static [u8], formats: &[&str]) -> Examined {
    let passport = Passport {
        formats: formats.iter().map(|&it| it.to_owned()).collect(),
        ..Passport::new("acme".parse().expect("valid"), Label::of("Acme Ltd"), vec![])
    };
    let submission = Submission {
        document: Bytes::from_static(document),
        bundle: None,
        passport: Some(Arc::new(passport)),
        now: "2010-02-01T00:00:00Z".parse().expect("valid"),
        root: Arc::new(TrustRoot::public_good().expect("sound")),
    };
    let policy = Evaluator::load(None, Limits::default()).expect("loads");
    examine(&submission, &policy).expect("judges")
}

#[test]
fn spdx_is_an_sbom_in_both_forms_where_the_passport_lists_it() {
    const JSON: &[u8] =
        include_bytes!("../../../../shared/documents/fixtures/spdx/example-2.3.spdx.json");
    const TEXT: &[u8] =
        include_bytes!("../../../../shared/documents/fixtures/spdx/example-2.3.spdx");
    for (document, is_tag_value) in [(JSON, false), (TEXT, true)] {
        let examined = spdx_from(document, &["spdx"]);
        assert_eq!(examined.kind, Some(DocumentKind::Sbom));
        let read = examined.read.as_ref().expect("reads");
        assert_eq!((read.format.as_str(), read.spec_version.as_deref()), ("spdx", Some("2.3")));
        assert_eq!((read.entries, examined.is_tag_value), (3, is_tag_value));
        assert_eq!(examined.product.as_deref(), Some("glibc"));
        let rules =
            |it: &Examined| it.findings.iter().map(|it| it.rule.to_string()).collect::<Vec<_>>();
        assert!(!rules(&examined).contains(&"SUP-006".to_owned()), "{:?}", rules(&examined));
        let unlisted = spdx_from(document, &["cyclonedx"]);
        assert!(rules(&unlisted).contains(&"SUP-006".to_owned()), "{:?}", rules(&unlisted));
    }
}

#[test]
fn spdx_that_cannot_be_read_is_refused_with_place_and_remedy() {
    let [line] = &spdx_from(b"SPDXVersion: SPDX-2.3\nColour: red\n", &["spdx"]).findings[..] else {
        panic!("not one finding")
    };
    assert_eq!(line.rule.as_str(), "spdx-syntax");
    assert!(line.reason.as_str().starts_with("line 2 of the tag-value"), "{line:?}");
    assert_eq!(line.remedy.as_str(), "correct it, or the tool that wrote it");
    let missing = spdx_from(br#"{"spdxVersion":"SPDX-2.2"}"#, &["spdx"]).findings;
    assert!(missing.iter().all(|it| it.rule.as_str() == "schema"), "{missing:?}");
    let remedy = "make the document valid by the official schema of SPDX 2.2";
    assert_eq!(missing[0].remedy.as_str(), remedy);
}
