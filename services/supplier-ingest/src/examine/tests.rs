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
