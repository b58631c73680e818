use archive::{Archive, Class, Entry};
use events::{Document, Label, SubmissionId, Verdict};
use tempfile::TempDir;

use super::*;
use crate::{MapperArgs, testing::day};

const SBOM: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{"component":{"type":"application","name":"widget"}},"components":[{"type":"library","name":"jinja2","version":"2.10","purl":"pkg:pypi/jinja2@2.10"}]}"#;
const VEX: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.org/1","author":"A","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2019-10906"},"products":[{"@id":"pkg:pypi/jinja2@2.10"}],"status":"fixed"}]}"#;

/// A mapper whose archive holds `documents`.
async fn mapper(documents: &[&str]) -> (TempDir, Mapper) {
    let directory = tempfile::tempdir().expect("temporary");
    let archive = Archive::open(&directory.path().join("archive").display().to_string());
    let archive = archive.expect("opens");
    let entry = |text: &&str| Entry {
        class: Class::Input,
        media_type: "application/json".to_owned(),
        event_time: day(0),
        bytes: text.as_bytes().to_vec().into(),
    };
    let entries: Vec<Entry> = documents.iter().map(entry).collect();
    archive.put(&entries, day(0)).await.expect("stores");
    let mapper = Mapper::open(archive, &args(&directory)).expect("opens");
    (directory, mapper)
}

fn args(directory: &TempDir) -> MapperArgs {
    MapperArgs {
        store: directory.path().join("backlog.db"),
        registers: directory.path().join("registers"),
        advisories: directory.path().join("advisories"),
        ..MapperArgs::default()
    }
}

fn judged(result: VerdictResult, sbom: &str) -> EvidenceSigned {
    let (policy, report) = (Digest::of(b"policy"), Digest::of(b"report"));
    EvidenceSigned {
        producer: Producer::PolicyGate,
        project: "hotpass".parse().expect("valid"),
        documents: vec![Document {
            role: Role::Sbom,
            name: "sbom/hotpass-sbom.json".parse().expect("valid"),
            digest: Digest::of(sbom.as_bytes()),
            size: sbom.len() as u64,
            media_type: Label::of("application/json"),
        }],
        bundles: vec![],
        verdict: Some(Verdict { result, policy, report, environment: None, supersedes: None }),
        decision: None,
    }
}

fn decided(result: DecisionResult, kind: Option<DocumentKind>, document: &str) -> Decision {
    let submission: SubmissionId = "s-1".parse().expect("valid");
    Decision {
        from: Sender::Supplier("acme".parse().expect("valid")),
        submission,
        document: Some(Digest::of(document.as_bytes())),
        result,
        kind,
        rule: None,
        ingested_at: day(1),
        policy: None,
        product: None,
        format: None,
        made_at: None,
        signer: None,
        grade: None,
    }
}

#[tokio::test]
async fn only_a_release_that_passed_is_mapped() {
    let (_directory, mapper) = mapper(&[SBOM]).await;
    let (content, _) =
        mapper.judged(&judged(VerdictResult::Passed, SBOM), Priority::Release).await.expect("maps");
    let Content::Sboms(sboms) = content else { panic!("{content:?}") };
    let [sbom] = sboms.as_slice() else { panic!("{sboms:?}") };
    assert_eq!(sbom.slot.section(), "hotpass");
    assert_eq!((sbom.slot.product.as_str(), sbom.inventory.components.len()), ("widget", 1));

    let (failed, _) =
        mapper.judged(&judged(VerdictResult::Failed, SBOM), Priority::Release).await.expect("maps");
    assert!(matches!(failed, Content::Nothing(Some(_))), "{failed:?}");
    let proposed = judged(VerdictResult::Passed, SBOM);
    let (proposed, _) = mapper.judged(&proposed, Priority::Pr).await.expect("maps");
    assert!(matches!(proposed, Content::Nothing(Some(_))), "{proposed:?}");
    let mut undecided = judged(VerdictResult::Passed, SBOM);
    undecided.verdict = None;
    let (undecided, _) = mapper.judged(&undecided, Priority::Release).await.expect("maps");
    assert!(matches!(undecided, Content::Nothing(Some(_))), "{undecided:?}");
}

#[tokio::test]
async fn only_a_document_that_was_accepted_is_mapped() {
    use {DecisionResult as R, DocumentKind as K};
    let (_directory, mapper) = mapper(&[SBOM, VEX]).await;
    let (content, _) =
        mapper.decided(&decided(R::Accepted, Some(K::Sbom), SBOM)).await.expect("maps");
    let Content::Sboms(sboms) = content else { panic!("{content:?}") };
    assert_eq!(sboms[0].slot.section(), "acme (supplier)");
    let (content, _) =
        mapper.decided(&decided(R::Accepted, Some(K::Vex), VEX)).await.expect("maps");
    let Content::Vex(document) = content else { panic!("{content:?}") };
    assert_eq!((document.time, document.statements.len()), (day(1), 1));
    let said: Timestamp = "2026-01-01T00:00:00Z".parse().expect("valid");
    assert_eq!(document.said, Some(said));
    let edition = document.edition.expect("says which");
    assert_eq!((edition.id.as_str(), edition.version.0), ("https://example.org/1", [1, 0, 0]));
    let rejected = mapper.decided(&decided(R::Rejected, Some(K::Sbom), "away")).await;
    let Ok((Content::Refused(refusal), None)) = rejected else { panic!("a refusal") };
    assert_eq!((refusal.supplier.as_str(), refusal.document), ("acme", Some(Digest::of(b"away"))));
    let own = Sender::Operator("acme".parse().expect("valid"));
    let own = Decision { from: own, ..decided(R::Rejected, Some(K::Sbom), "away") };
    let own = mapper.decided(&own).await;
    assert!(matches!(own, Ok((Content::Nothing(Some(_)), None))), "says nothing of a supplier");
}

#[tokio::test]
async fn what_cannot_be_mapped_says_why() {
    use {DecisionResult as R, DocumentKind as K};
    let broken = "{\"bomFormat\":\"CycloneDX\",";
    let (_directory, mapper) = mapper(&[broken]).await;
    let refusal = async |decision| mapper.decided(&decision).await.err().expect("refused");

    let incomplete = refusal(decided(R::Accepted, None, SBOM)).await;
    assert!(
        matches!(&incomplete, HandleError::Permanent { code: "decision-incomplete", .. }),
        "{incomplete:?}"
    );
    let away = refusal(decided(R::Accepted, Some(K::Sbom), SBOM)).await;
    assert!(matches!(away, HandleError::Transient { .. }), "{away:?}");
    for kind in [K::Sbom, K::Vex] {
        let unreadable = refusal(decided(R::Accepted, Some(kind), broken)).await;
        let HandleError::Permanent { detail, .. } = &unreadable else { panic!("{unreadable:?}") };
        assert!(detail.starts_with("document sha256:"), "{detail}");
    }
}

#[tokio::test]
async fn event_is_answered_again_without_its_document() {
    let (_directory, mapper) = mapper(&[]).await;
    let arrival =
        Arrival { event: crate::testing::event(1), time: day(1), content: Content::Nothing(None) };
    assert_eq!(mapper.answered(arrival.event).await, Ok(None));
    let answer = mapper.record(arrival.clone(), None).await.expect("records");
    assert_eq!(mapper.answered(arrival.event).await, Ok(Some(answer)));
}

#[tokio::test]
async fn refusal_that_was_answered_without_being_kept_is_kept_when_it_comes_again() {
    let (_directory, mapper) = mapper(&[]).await;
    let mut evidence = judged(VerdictResult::Failed, SBOM);
    evidence.decision = Some(decided(DecisionResult::Rejected, Some(DocumentKind::Sbom), "away"));
    let (source, scope) = (Label::of("/supplier-ingest"), "acme".parse().expect("valid"));
    let event = Envelope::root(source, day(1), Priority::Background, scope, evidence);
    // What a release did that kept no refusals.
    let content = Content::Nothing(Some(Digest::of(b"away")));
    let arrival = Arrival { event: event.id, time: day(1), content };
    let answer = mapper.record(arrival, None).await.expect("records");
    let risks = || {
        let reader = crate::store::Reader::open(mapper.store().path()).expect("opens");
        reader.register(mapper.config(), None, day(2)).expect("reads").risks
    };
    assert_eq!(risks(), []);
    for _ in 0..2 {
        assert!(mapper.take_in_event(&event).await);
        assert_eq!(mapper.map(&event).await, Ok(answer.clone()));
        let told = risks();
        let [risk] = told.as_slice() else { panic!("{told:?}") };
        assert!(risk.description.contains("1 submission was refused"), "{risk:?}");
    }
}

#[tokio::test]
async fn damaged_index_is_an_outage() {
    let (directory, mapper) = mapper(&[]).await;
    let advisories = directory.path().join("advisories");
    std::fs::create_dir_all(&advisories).expect("makes");
    std::fs::write(advisories.join("current"), "no digest").expect("writes");
    let arrival =
        Arrival { event: crate::testing::event(1), time: day(1), content: Content::Advisories };
    let refused = mapper.record(arrival, None).await.expect_err("refused");
    assert!(
        matches!(&refused, HandleError::Outage { dependency: "advisories", .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn index_that_vanishes_is_an_outage_also_for_who_starts_then() {
    let (directory, mapper) = mapper(&[]).await;
    let advisories = directory.path().join("advisories");
    crate::testing::full_index().save(&advisories).expect("saves");
    let arrival = |number| Arrival {
        event: crate::testing::event(number),
        time: day(1),
        content: Content::Advisories,
    };
    mapper.record(arrival(1), None).await.expect("records");
    std::fs::remove_dir_all(advisories).expect("removes");
    let waits = async |mapper: &Mapper| {
        let refused = mapper.record(arrival(2), None).await.expect_err("refused");
        let HandleError::Outage { dependency: "advisories", detail } = refused else {
            panic!("{refused:?}")
        };
        assert!(detail.contains("`attestry advisories sync`"), "{detail}");
    };
    waits(&mapper).await;
    let archive = mapper.archive().clone();
    drop(mapper);
    waits(&Mapper::open(archive, &args(&directory)).expect("opens")).await;
}

#[tokio::test]
async fn what_waits_to_be_recorded_takes_up_budget() {
    use {DecisionResult as R, DocumentKind as K};
    let (_directory, mapper) = mapper(&[SBOM]).await;
    let brought = mapper.decided(&decided(R::Accepted, Some(K::Sbom), SBOM)).await.expect("maps");
    let everything = || {
        let taken = mapper.budget().take(crate::BUDGET_BYTES);
        tokio::time::timeout(std::time::Duration::from_millis(50), taken)
    };
    assert!(everything().await.is_err());
    drop(brought);
    assert!(everything().await.is_ok());
}

#[tokio::test]
async fn only_what_may_come_right_is_left_for_another_time() {
    use {DecisionResult as R, DocumentKind as K};
    let broken = "{\"bomFormat\":\"CycloneDX\",";
    let (_directory, mapper) = mapper(&[SBOM, broken]).await;
    let cases = [(SBOM, true), (broken, true), ("not there", false)];
    for (number, (document, done)) in (1..).zip(cases) {
        let mut evidence = judged(VerdictResult::Passed, SBOM);
        evidence.decision = Some(decided(R::Accepted, Some(K::Sbom), document));
        let source = Label::of("/supplier-ingest");
        let scope = "acme".parse().expect("valid");
        let mut event = Envelope::root(source, day(1), Priority::Background, scope, evidence);
        event.id = crate::testing::event(number);
        assert_eq!(mapper.take_in_event(&event).await, done, "{document}");
    }
}

#[test]
fn document_that_does_not_fit_stops_no_other() {
    let error = StoreError::TooLarge(rusqlite::Error::InvalidQuery);
    let refused = unusable(error);
    assert!(matches!(refused, HandleError::Permanent { code: "document-too-large", .. }));
}
