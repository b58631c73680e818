//! Documents that suppliers submit: decided, answered, registered once, and mapped.

use events::{
    Content,
    DecisionResult::{Accepted, Rejected},
    Digest, DocumentSubmitted, Envelope, Label, Priority, Sender, SubmissionId,
};

use super::{
    Place, at, dump,
    world::{Dice, World, decision, of, policy, supplier},
};
use crate::story::{Found, Parsed, State, Submission, SupplierDocument};

fn registered(world: &World, sender: Option<&Sender>) -> Vec<SupplierDocument> {
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());
    place.view().supplier_documents(sender).expect("answers")
}

fn submission(world: &World, sender: &Sender, name: &str) -> Submission {
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());
    let name: SubmissionId = name.parse().expect("valid");
    place.view().submission(sender, &name).expect("answers").expect("known")
}

#[test]
fn story_of_a_document_leads_from_the_drop_to_the_backlog() {
    let (mut world, acme, sbom) = (World::default(), supplier("acme"), Digest::of(b"sbom"));
    world.supply(&acme, "s-1", sbom, Accepted);
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());
    let story = place.view().explain(sbom, None).expect("explains");

    let submitted =
        Found::Submitted { name: "widget.cdx.json".to_owned(), scope: "acme".to_owned() };
    assert!(story.found_as.contains(&submitted), "{:?}", story.found_as);
    assert!(story.builds.is_empty());
    let [told] = story.submissions.as_slice() else { panic!("{story:?}") };
    assert_eq!((told.state, told.registered_by), (State::Accepted, Some(told.correlation)));
    let by = told.submitted.as_ref().expect("submitted");
    assert_eq!((by.sender.as_str(), by.scope.as_str()), ("supplier", "acme"));
    assert_eq!((by.submission.as_str(), by.document), ("s-1", Some(sbom)));
    assert_eq!((by.bundle, by.submitted_at), (Some(of("s-1", "signature")), at(0)));
    let decision = told.decision.as_ref().expect("decided");
    assert_eq!((decision.result, decision.policy), (Accepted, Some(policy())));
    assert_eq!((decision.ingested_at, decision.signed_at), (at(1), Some(at(2))));
    let Parsed { product, format, made_at, signer, grade } = &decision.parsed;
    assert_eq!((product.as_deref(), format.as_deref()), (Some("widget"), Some("cyclonedx 1.6")));
    assert_eq!((signer.as_deref(), grade.as_deref()), (Some("acme release"), Some("B")));
    assert_eq!(*made_at, Some(at(0)));
    let rows = place.view().supplier_documents(Some(&acme)).expect("answers");
    assert_eq!(rows.iter().map(|it| &it.parsed).collect::<Vec<_>>(), [&decision.parsed]);
    let [receipt] = told.statements.as_slice() else { panic!("{:?}", told.statements) };
    assert_eq!(decision.receipt, receipt.bundle.as_ref().map(|it| it.digest));
    let mapped = told.mapped.as_ref().expect("mapped");
    assert_eq!((mapped.findings, mapped.opened.len(), mapped.closed.len()), (2, 2, 1));
    let types: Vec<_> = told.events.iter().map(|it| it.event_type.as_str()).collect();
    let expected = ["document.submitted", "evidence.ready", "evidence.signed", "backlog.mapped"];
    assert_eq!(types, expected);
    let json = serde_json::to_string(&story).expect("encodes");
    assert_eq!(serde_json::from_str::<crate::Explanation>(&json).expect("decodes"), story);
}

#[test]
fn submission_is_found_by_every_digest_event_and_name() {
    let (mut world, acme) = (World::default(), supplier("acme"));
    let uuid = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    world.supply(&acme, uuid, Digest::of(b"sbom"), Rejected);
    let expected = vec![submission(&world, &acme, uuid)];
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());
    let view = place.view();

    let receipt = of(uuid, "receipt");
    let bundle = Digest::of(receipt.as_bytes());
    for digest in [Digest::of(b"sbom"), of(uuid, "signature"), receipt, bundle, policy()] {
        assert_eq!(view.explain(digest, None).expect("explains").submissions, expected);
    }
    for id in expected[0].events.iter().map(|it| it.id).chain([uuid.parse().expect("valid")]) {
        assert_eq!(view.explain_id(id, None).expect("explains").submissions, expected);
    }
    let name: SubmissionId = uuid.parse().expect("valid");
    assert_eq!(view.explain_submission(&name, None).expect("explains").submissions, expected);
    assert!(view.explain_submission(&name, Some(at(0))).expect("explains").is_empty());
    let other = view.submission(&supplier("globex"), &name).expect("answers");
    assert_eq!(other, None);
}

#[test]
fn same_document_submitted_again_is_one_row_with_the_first_ingestion() {
    let (mut world, acme, sbom) = (World::default(), supplier("acme"), Digest::of(b"sbom"));
    let late = world.drop_document(&acme, "s-1", sbom);
    let early = world.drop_document(&acme, "s-2", sbom);
    // Decided in the one order, signed in the other.
    world.receipt(&late, decision(&late, Accepted, at(20)));
    world.receipt(&early, decision(&early, Accepted, at(10)));
    world.supply(&supplier("globex"), "s-1", sbom, Accepted);

    let rows = registered(&world, Some(&acme));

    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.digest, row.ingested_at, row.correlation), (sbom, at(10), early.id));
    assert_eq!((row.submission.as_str(), row.kind.as_deref()), ("s-2", Some("sbom")));
    assert_eq!(row.receipt, Some(Digest::of(of("s-2", "receipt").as_bytes())));
    assert_eq!(registered(&world, None).len(), 2, "another sender's is another row");
    for name in ["s-1", "s-2"] {
        assert_eq!(submission(&world, &acme, name).registered_by, Some(early.id));
    }
}

#[test]
fn supplier_and_operator_of_one_name_have_their_own_rows() {
    let (mut world, vex) = (World::default(), Digest::of(b"vex"));
    let operator = Sender::Operator("acme".parse().expect("valid"));
    world.supply(&operator, "s-1", vex, Accepted);
    world.supply(&supplier("acme"), "s-1", vex, Accepted);

    assert_eq!(registered(&world, Some(&operator)).len(), 1);
    assert_eq!(registered(&world, None).len(), 2);
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());
    let name = "s-1".parse().expect("valid");
    let told = place.view().explain_submission(&name, None).expect("explains");
    assert_eq!(told.submissions.len(), 2);
}

#[test]
fn document_that_was_rejected_first_is_registered_by_the_submission_that_was_accepted() {
    let (mut world, acme, sbom) = (World::default(), supplier("acme"), Digest::of(b"sbom"));
    world.supply(&acme, "s-1", sbom, Rejected);
    assert!(registered(&world, None).is_empty());
    let accepted = world.supply(&acme, "s-2", sbom, Accepted);
    world.supply(&acme, "s-3", sbom, Rejected);

    let rows = registered(&world, None);

    assert_eq!(rows.iter().map(|it| it.correlation).collect::<Vec<_>>(), [accepted.id]);
    let states = ["s-1", "s-2", "s-3"].map(|it| submission(&world, &acme, it).state);
    assert_eq!(states, [State::Rejected, State::Accepted, State::Rejected]);
    let rule = submission(&world, &acme, "s-1").decision.expect("decided").rule;
    assert_eq!(rule.as_deref(), Some("sbom/supplier-named"));
}

#[test]
fn manifest_that_cannot_be_read_is_told_with_its_reason() {
    let (mut world, acme) = (World::default(), supplier("acme"));
    let data = DocumentSubmitted {
        from: acme.clone(),
        submission: "s-1".parse().expect("valid"),
        content: Content::Unreadable { reason: Label::of("`document`: missing; name it") },
    };
    let submitted =
        Envelope::root(Label::of("/x"), at(0), Priority::Background, acme.scope(), data);
    world.publish(&submitted);
    world.decide(&submitted, Rejected);

    let story = submission(&world, &acme, "s-1");

    assert_eq!(story.state, State::Rejected);
    let told = story.submitted.expect("submitted");
    assert_eq!((told.document, told.name), (None, None));
    assert_eq!(told.unreadable.as_deref(), Some("`document`: missing; name it"));
}

#[test]
fn any_order_of_the_streams_registers_the_same_documents() {
    for seed in 1..=5 {
        let mut dice = Dice(seed);
        let mut world = World::default();
        for number in 0..30 {
            let from = supplier(["acme", "globex"][dice.below(2)]);
            let document = of("widget", &dice.below(4).to_string());
            let submitted = world.drop_document(&from, &format!("s-{number}"), document);
            // Many at the same moment.
            let ingested_at = at(dice.below(5) as i64);
            let result = [Accepted, Rejected][dice.below(2)];
            world.receipt(&submitted, decision(&submitted, result, ingested_at));
        }
        let facts = |text: &str| {
            let of = |line: &&str| {
                ["supplier_document", "decision", "submission"]
                    .iter()
                    .any(|it| line.contains(&format!("\"table\":\"{it}\"")))
            };
            text.lines().filter(of).map(str::to_owned).collect::<Vec<_>>()
        };
        let expected = facts(&dump(&Place::new().recorded(&world.in_order())));
        assert!(registered(&world, None).len() > 4);
        for _ in 0..4 {
            let found = facts(&dump(&Place::new().recorded(&world.read(&mut dice))));
            assert_eq!(found, expected, "seed {seed}");
        }
    }
}

#[test]
fn as_of_shows_of_a_submission_what_was_known_then() {
    let (mut world, acme, sbom) = (World::default(), supplier("acme"), Digest::of(b"sbom"));
    world.supply(&acme, "s-1", sbom, Accepted);
    world.supply(&acme, "s-2", sbom, Rejected);
    let records = world.in_order();
    let place = Place::new();
    let _registry = place.recorded(&world.read(&mut Dice(3)));
    let view = place.view();
    let mut states = Vec::new();
    for known in 0..=records.len() {
        let past = Place::new();
        let _registry = past.recorded(&records[..known]);
        let expected = past.view().explain(sbom, None).expect("explains");
        let found = view.explain(sbom, Some(at(known as i64))).expect("explains");
        assert_eq!(found.submissions, expected.submissions, "after {known} messages");
        assert_eq!(found.found_as, expected.found_as);
        states.extend(found.submissions.first().map(|it| it.state));
    }
    states.dedup();
    let one = [State::InProgress, State::Accepted, State::InProgress, State::Rejected];
    assert_eq!(states, one);
}

#[test]
fn story_of_an_index_tells_what_it_changed_in_the_backlog() {
    let (mut world, index) = (World::default(), Digest::of(b"index"));
    let updated = world.update(index);
    world.map(&updated, None);
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());

    let story = place.view().explain(index, None).expect("explains");

    assert_eq!(story.found_as, [Found::Advisories]);
    let [told] = story.updates.as_slice() else { panic!("{story:?}") };
    assert_eq!((told.state, told.index, told.records), (State::Mapped, Some(index), Some(3)));
    assert_eq!(told.mapped.as_ref().expect("mapped").opened, ["B-1", "B-2"]);
    let by_id = place.view().explain_id(updated.id, None).expect("explains");
    assert_eq!(by_id.updates, story.updates);
}

#[test]
fn explanation_gives_way_story_by_story() {
    let (mut world, acme, sbom) = (World::default(), supplier("acme"), Digest::of(b"sbom"));
    for number in 0..25 {
        world.supply(&acme, &format!("s-{number}"), sbom, Accepted);
    }
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());
    let mut story = place.view().explain(sbom, None).expect("explains");
    assert_eq!((story.submissions.len(), story.more_builds), (20, 5));

    while story.shorten() {}

    assert!(story.is_empty());
    assert_eq!(story.more_builds, 25);
}
