use attestation::predicate::receipt::StepResult;
use events::Label;
use policy::Limits;

use super::*;

mod decisions;
mod hostile;

fn acme() -> Passport {
    Passport::new("acme".parse().expect("valid"), Label::of("Acme Ltd"), vec![])
}

/// What comes of an unsigned `document`.
fn examined(document: &[u8], passport: Passport, now: Timestamp) -> Examined {
    let submission = Submission {
        document: Bytes::copy_from_slice(document),
        bundle: None,
        passport: Some(Arc::new(passport)),
        now,
        root: Arc::new(TrustRoot::public_good().expect("sound")),
        advisories: None,
        standing: None,
    };
    let policy = Evaluator::load(None, Limits::default()).expect("loads");
    examine(&submission, read(document), &policy).expect("judges")
}

#[test]
fn component_without_purl_is_judged_like_any_other() {
    let document = include_bytes!(
        "../../../../shared/documents/fixtures/sbom/cyclonedx-py-environment-1.6.json"
    );
    let bom = documents::bom::read(document).expect("reads");
    assert!(bom.components.iter().any(|it| it.purl.is_none()));

    let examined = examined(document, acme(), Timestamp::UNIX_EPOCH);
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
    let told = |tolerates: &[&str]| {
        let tolerates = tolerates.iter().map(|&it| it.to_owned()).collect();
        let passport = Passport { tolerates, ..acme() };
        let examined = examined(CIRCLE.as_bytes(), passport, Timestamp::UNIX_EPOCH);
        let findings = examined.findings;
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
    let formats = formats.iter().map(|&it| it.to_owned()).collect();
    let passport = Passport { formats, ..acme() };
    examined(document.as_bytes(), passport, "2022-03-04T00:00:00Z".parse().expect("valid"))
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

#[test]
fn every_step_is_told_with_what_came_of_it() {
    let result = |examined: &Examined, step: Step| {
        examined.steps.iter().find(|it| it.step == step).expect("told").result
    };
    let steps = |examined: &Examined| {
        let steps: Vec<Step> = examined.steps.iter().map(|it| it.step).collect();
        assert_eq!(steps, Step::ALL);
    };
    let unsigned = examined(CIRCLE.as_bytes(), acme(), Timestamp::UNIX_EPOCH);
    steps(&unsigned);
    assert_eq!(result(&unsigned, Step::Schema), StepResult::Passed);
    assert_eq!(result(&unsigned, Step::Signature), StepResult::Failed);
    assert_eq!(result(&unsigned, Step::Grade), StepResult::Passed);
    let mut twice: serde_json::Value = serde_json::from_str(CIRCLE).expect("JSON");
    twice["components"][0]["scope"] = serde_json::Value::Null;
    let tolerated = examined(twice.to_string().as_bytes(), acme(), Timestamp::UNIX_EPOCH);
    let schema = tolerated.steps.iter().find(|it| it.step == Step::Schema).expect("told");
    assert_eq!(schema.result, StepResult::Warned);
    assert_eq!(schema.detail.as_str(), "valid but for what is tolerated: null-field (1)");

    for (document, step) in [
        ("[]", Step::Format),
        ("{", Step::Bytes),
        (&*CIRCLE.replace("1.6", "1.1"), Step::Format),
        (&*CIRCLE.replace("library", "thing"), Step::Schema),
    ] {
        let unread = examined(document.as_bytes(), acme(), Timestamp::UNIX_EPOCH);
        steps(&unread);
        assert_eq!(result(&unread, step), StepResult::Failed, "{document}");
        for other in Step::ALL {
            let expected = match other.cmp(&step) {
                std::cmp::Ordering::Less => StepResult::Passed,
                std::cmp::Ordering::Equal => StepResult::Failed,
                std::cmp::Ordering::Greater => StepResult::NotReached,
            };
            assert_eq!(result(&unread, other), expected, "{other:?} of {document}");
        }
    }
}

#[test]
fn an_sbom_that_tells_less_than_is_asked_for_is_rejected() {
    let rules = |minimum_grade| {
        let passport = Passport { minimum_grade, ..acme() };
        let examined = examined(CIRCLE.as_bytes(), passport, Timestamp::UNIX_EPOCH);
        examined
            .findings
            .into_iter()
            .filter(|it| it.rejects)
            .map(|it| it.rule.to_string())
            .collect()
    };
    let asked: Vec<String> = rules(Some(crate::passport::Grade::A));
    assert!(asked.contains(&"SUP-026".to_owned()), "{asked:?}");
    let not_asked: Vec<String> = rules(None);
    assert!(!not_asked.contains(&"SUP-026".to_owned()), "{not_asked:?}");
}

#[test]
fn a_name_that_only_looks_right_is_told() {
    let passport = Passport { products: vec!["widget".to_owned()], ..acme() };
    let document = CIRCLE
        .replace("\"widget\"", "\"wіdget\"")
        .replace("\"name\": \"b\"", "\"name\": \"w1dget\"");
    let examined = examined(document.as_bytes(), passport, Timestamp::UNIX_EPOCH);
    let told: Vec<_> = examined
        .findings
        .iter()
        .filter(|it| it.rule.as_str() == "SUP-024")
        .map(|it| (it.rejects, it.field.as_str()))
        .collect();
    assert_eq!(told, [(true, "/metadata/component/name"), (false, "b")]);
}

/// What comes of an SPDX document from a supplier whose passport lists `formats`.
fn spdx_from(document: &[u8], formats: &[&str]) -> Examined {
    let formats = formats.iter().map(|&it| it.to_owned()).collect();
    let passport = Passport { formats, ..acme() };
    examined(document, passport, "2010-02-01T00:00:00Z".parse().expect("valid"))
}

#[test]
fn spdx_is_an_sbom_in_both_forms_where_the_passport_lists_it() {
    const JSON: &[u8] =
        include_bytes!("../../../../shared/documents/fixtures/spdx/example-2.3.spdx.json");
    const TEXT: &[u8] =
        include_bytes!("../../../../shared/documents/fixtures/spdx/example-2.3.spdx");
    for (document, media_type) in [(JSON, "application/spdx+json"), (TEXT, "text/spdx")] {
        let examined = spdx_from(document, &["spdx"]);
        assert_eq!(examined.kind, Some(DocumentKind::Sbom));
        let read = examined.read.as_ref().expect("reads");
        assert_eq!((read.format.as_str(), read.spec_version.as_deref()), ("spdx", Some("2.3")));
        assert_eq!((read.entries, examined.media_type), (3, Some(media_type)));
        assert_eq!(examined.product().as_ref().map(Text::as_str), Some("glibc"));
        assert_eq!(examined.about.as_ref().map(Label::as_str), Some("glibc"));
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

#[test]
fn a_document_that_is_older_than_the_one_that_stands_is_told() {
    let policy = Evaluator::load(None, Limits::default()).expect("loads");
    let document = CIRCLE
        .replace("\"metadata\": {", "\"metadata\": { \"timestamp\": \"2026-01-01T00:00:00Z\",");
    let warned = |made_at: &str| {
        let submission = Submission {
            document: Bytes::copy_from_slice(document.as_bytes()),
            bundle: None,
            passport: Some(Arc::new(acme())),
            now: "2026-03-01T00:00:00Z".parse().expect("valid"),
            root: Arc::new(TrustRoot::public_good().expect("sound")),
            advisories: None,
            standing: Some(Accepted {
                from: events::Sender::Supplier("acme".parse().expect("valid")),
                document: Digest::of(b"before"),
                kind: DocumentKind::Sbom,
                product: None,
                made_at: Some(made_at.parse().expect("valid")),
                accepted_at: Timestamp::UNIX_EPOCH,
                signed: true,
            }),
        };
        let examined = examine(&submission, read(document.as_bytes()), &policy).expect("judges");
        examined.findings.iter().any(|it| it.rule.as_str() == "SUP-027" && !it.rejects)
    };
    assert!(warned("2026-02-01T00:00:00Z"));
    assert!(!warned("2025-12-01T00:00:00Z"));
}
