//! What people do to tickets is heard, and not fought.

use events::Digest;
use tickets::Wanted;

use crate::place::{Place, fixed, wanted};

#[tokio::test]
async fn what_people_closed_stays_closed_until_a_newer_document_has_it() {
    let place = Place::new();
    place.settle(&[wanted("a")]).await;
    place.server.change(1, |it| it.open = false);
    place.settle(&[wanted("a")]).await;
    assert!(!place.ours()[0].open, "no ping-pong");
    let newer = Wanted { evidence: Digest::of(b"second document"), ..wanted("a") };
    place.settle(std::slice::from_ref(&newer)).await;
    assert!(place.ours()[0].open);
    assert_eq!(place.server.comments().len(), 1, "and says why");
    place.server.change(1, |it| it.open = false);
    place.settle(&[newer]).await;
    assert!(!place.ours()[0].open, "the same document moves nobody");
}

#[tokio::test]
async fn what_people_closed_is_opened_when_it_is_overdue() {
    let place = Place::new();
    place.settle(&[wanted("a")]).await;
    place.server.change(1, |it| it.open = false);
    place.settle(&[wanted("a")]).await;
    place.clock.pass(200 * 24 * 60 * 60);
    place.settle(&[wanted("a")]).await;
    assert!(place.ours()[0].open);
}

#[tokio::test]
async fn what_people_opened_is_left_open() {
    let place = Place::new();
    place.settle(&[wanted("a")]).await;
    place.settle(&[fixed(wanted("a"))]).await;
    place.server.change(1, |it| it.open = true);
    place.settle(&[fixed(wanted("a"))]).await;
    assert!(place.ours()[0].open);
}

#[tokio::test]
async fn who_is_at_it_is_heard() {
    let place = Place::new();
    place.settle(&[wanted("a"), wanted("b")]).await;
    let at_it = |place: &Place| {
        let known = place.known().into_values();
        known.filter_map(|it| it.seen.filter(|it| it.in_progress)).collect::<Vec<_>>()
    };
    assert!(at_it(&place).is_empty());
    place.server.change(1, |it| it.assignees = vec!["dev".to_owned()]);
    place.run(&[wanted("a"), wanted("b")]).await;
    let seen = at_it(&place);
    assert_eq!((seen.len(), seen[0].assignee.as_deref()), (1, Some("dev")));
    place.server.change(1, |it| it.assignees.clear());
    place.server.change(2, |it| it.labels.push("in progress".to_owned()));
    place.run(&[wanted("a"), wanted("b")]).await;
    assert_eq!(at_it(&place).len(), 1);
    assert_eq!(place.server.writes(), 2, "hearing writes nothing");
}

#[tokio::test]
async fn words_and_labels_of_people_stay() {
    let place = Place::new();
    place.settle(&[wanted("a")]).await;
    place.server.change(1, |it| {
        it.labels = vec!["team-web".to_owned()];
        it.body = "I rewrote it, and the key is gone.".to_owned();
    });
    place.settle(&[wanted("a")]).await;
    assert!(place.ours()[0].body.starts_with("I rewrote it"), "until there is something new");
    let worse = Wanted { body: "a is worse.".to_owned(), ..wanted("a") };
    place.settle(&[worse]).await;
    let issue = place.ours().remove(0);
    assert!(issue.body.starts_with("a is worse.\n\n<!-- attestry:key="), "{}", issue.body);
    assert_eq!(issue.labels, ["team-web"]);
}

#[tokio::test]
async fn deleted_ticket_is_not_made_anew_before_the_entry_returns() {
    let place = Place::new();
    place.settle(&[wanted("a")]).await;
    place.server.delete(1);
    let worse = Wanted { body: "a is worse.".to_owned(), ..wanted("a") };
    let report = place.run(std::slice::from_ref(&worse)).await;
    assert_eq!(report.failures, 1, "{report:?}");
    place.settle(&[worse]).await;
    assert_eq!(place.ours().len(), 0);
    place.settle(&[fixed(wanted("a"))]).await;
    place.settle(&[wanted("a")]).await;
    assert_eq!(place.ours().len(), 1);
}

#[tokio::test]
async fn token_that_may_not_label_makes_the_ticket_all_the_same() {
    let place = Place::new();
    place.server.set_may_push(false);
    place.settle(&[wanted("a")]).await;
    assert_eq!(place.ours().len(), 1);
    assert!(place.ours()[0].labels.is_empty());
}
