//! Whatever the server does: exactly one ticket, and two runs more change nothing.

use private_github::{Fault, LOGIN, Operation, TOKEN};
use tickets::{Desired, Outcome, Wanted};

use crate::place::{Place, fixed, note, wanted};

/// Everything that a request can meet.
const FAULTS: [Fault; 12] = [
    Fault::Status(500),
    Fault::Status(502),
    Fault::Status(503),
    Fault::RetryAfter(429, 30),
    Fault::RetryAfter(403, 120),
    Fault::Secondary,
    Fault::Spent(900),
    Fault::AnswerLost,
    Fault::Silent,
    Fault::Cut,
    Fault::Hung,
    Fault::Status(401),
];

#[tokio::test]
async fn ticket_is_made_once_and_looks_as_wanted() {
    let place = Place::new();
    place.settle(&[wanted("a"), wanted("b")]).await;
    let ours = place.ours();
    assert_eq!(ours.iter().map(|it| it.title.as_str()).collect::<Vec<_>>(), ["Bump a", "Bump b"]);
    assert!(ours[0].body.starts_with("a is old.\n\n<!-- attestry:key="), "{}", ours[0].body);
    assert_eq!((ours[0].labels.join(" ").as_str(), ours[0].open), ("security", true));
    assert_eq!(place.server.comments(), [], "the text tells everything");
}

#[tokio::test]
async fn whatever_creating_meets_there_is_one_ticket() {
    for fault in FAULTS {
        for lag in [0, 1] {
            for times in [1, 3] {
                let mut place = Place::new();
                place.server.set_lag(lag);
                place.server.fail(Operation::Create, fault, times);
                place.run(&[wanted("a")]).await;
                // Half of them are tried on by another process.
                if times == 1 {
                    place.restart();
                }
                place.settle(&[wanted("a")]).await;
                let ours = place.ours();
                assert_eq!(ours.len(), 1, "{fault:?} lag {lag} times {times}: {ours:#?}");
                assert!(ours[0].open && ours[0].title == "Bump a", "{ours:?}");
            }
        }
    }
}

#[tokio::test]
async fn whatever_closing_and_telling_meet_it_is_closed_and_told_once() {
    for operation in [Operation::Comment, Operation::Edit, Operation::Comments, Operation::List] {
        for fault in FAULTS {
            let place = Place::new();
            place.settle(&[wanted("a")]).await;
            place.server.set_lag(1);
            place.server.fail(operation, fault, 1);
            let fixed = fixed(wanted("a"));
            place.settle(std::slice::from_ref(&fixed)).await;
            let (ours, comments) = (place.ours(), place.server.comments());
            assert_eq!(ours.len(), 1, "{operation:?} {fault:?}");
            let state = (ours[0].open, ours[0].reason.as_deref());
            assert_eq!(state, (false, Some("completed")), "{operation:?} {fault:?}");
            assert_eq!(comments.len(), 1, "{operation:?} {fault:?}: {comments:#?}");
            assert!(comments[0].body.starts_with("fixed\n\n<!-- attestry:note="));
        }
    }
}

#[tokio::test]
async fn server_that_is_down_is_asked_again_when_it_is_back() {
    let mut place = Place::new();
    place.server.stop();
    for _ in 0..3 {
        let report = place.run(&[wanted("a")]).await;
        assert!(report.stopped.is_some(), "{report:?}");
    }
    place.server.go_on().expect("the same address");
    place.settle(&[wanted("a")]).await;
    assert_eq!(place.ours().len(), 1);
    // What was not sent was not done: nothing had to be looked for.
    assert!(place.known().values().all(|it| it.intent.is_none()));
}

#[tokio::test]
async fn server_that_goes_down_in_between_is_taken_up_where_it_was() {
    let mut place = Place::new();
    place.server.fail(Operation::Create, Fault::Silent, 1);
    place.run(&[wanted("a"), wanted("b")]).await;
    place.server.stop();
    place.run(&[wanted("a"), wanted("b")]).await;
    place.server.go_on().expect("the same address");
    place.settle(&[wanted("a"), wanted("b")]).await;
    let titles: Vec<String> = place.ours().into_iter().map(|it| it.title).collect();
    assert_eq!(titles.len(), 2, "{titles:?}");
}

#[tokio::test]
async fn limit_is_kept_until_it_ends() {
    let place = Place::new();
    place.server.fail(Operation::Create, Fault::RetryAfter(429, 600), 1);
    let report = place.run(&[wanted("a"), wanted("b")]).await;
    assert!(report.wait_until.is_some(), "{report:?}");
    let asked = place.server.requests().len();
    for _ in 0..9 {
        place.run(&[wanted("a"), wanted("b")]).await;
    }
    assert_eq!(place.server.requests().len(), asked, "nobody asks before its end");
    place.run(&[wanted("a"), wanted("b")]).await;
    assert_eq!(place.ours().len(), 2);
}

#[tokio::test]
async fn nothing_changed_costs_one_question() {
    let place = Place::new();
    place.settle(&[wanted("a")]).await;
    let asked = place.server.requests().len();
    place.run(&[wanted("a")]).await;
    let requests = place.server.requests();
    assert_eq!(requests.len() - asked, 1, "{:?}", &requests[asked..]);
}

#[tokio::test]
async fn lost_database_finds_its_tickets_again() {
    let mut place = Place::new();
    let entries: Vec<Wanted> = (0..130).map(|number| wanted(&format!("p{number}"))).collect();
    place.limits.open_max = 1000;
    place.settle(&entries).await;
    assert_eq!(place.ours().len(), 130);
    place.forget();
    place.restart();
    place.settle(&entries).await;
    assert_eq!(place.ours().len(), 130, "over two pages");
    assert_eq!(place.server.comments(), []);
}

#[tokio::test]
async fn second_ticket_of_a_key_is_closed_and_the_first_stays() {
    let mut place = Place::new();
    place.settle(&[wanted("a")]).await;
    let body = place.ours()[0].body.clone();
    // Two mappers without a common database, or a listing that lagged for longer than we wait.
    let twin = place.server.make(LOGIN, "Bump a", &body);
    place.server.fail(Operation::Edit, Fault::Status(500), 1);
    place.settle(&[wanted("a")]).await;
    let open = |number| place.ours().iter().any(|it| it.number == number && it.open);
    assert!(open(1) && !open(twin), "{:#?}", place.ours());
    place.forget();
    place.settle(&[wanted("a")]).await;
    assert!(place.ours().iter().any(|it| it.number == 1 && it.open));
}

#[tokio::test]
async fn strangers_issue_with_our_key_is_not_believed() {
    let place = Place::new();
    let key = wanted("a").key.marker();
    let theirs = place.server.make("stranger", "Bump a", &format!("mine!\n{key}"));
    let request = place.server.make(LOGIN, "A change", &key);
    place.server.change(request, |it| it.pull_request = true);
    place.settle(&[wanted("a")]).await;
    assert_eq!(place.ours().iter().filter(|it| !it.pull_request).count(), 1);
    let issues = place.server.issues();
    assert!(issues.iter().any(|it| it.number == theirs && it.open && it.body.starts_with("mine!")));
}

#[tokio::test]
async fn refused_entry_stops_no_other_and_is_not_asked_again() {
    let place = Place::new();
    place.server.fail(Operation::Create, Fault::Status(422), 1);
    let report = place.run(&[wanted("a"), wanted("b")]).await;
    assert!(matches!(report.lines[0].outcome, Outcome::Failed(_)), "{report:?}");
    place.settle(&[wanted("a"), wanted("b")]).await;
    assert_eq!(place.ours().iter().map(|it| it.title.as_str()).collect::<Vec<_>>(), ["Bump b"]);
    let other = Wanted { title: "Bump a, please".to_owned(), ..wanted("a") };
    place.settle(&[other, wanted("b")]).await;
    assert_eq!(place.ours().len(), 2);
}

#[tokio::test]
async fn wrong_token_is_told_without_it_and_a_new_one_counts_at_once() {
    let place = Place::with_token("ghp_wrong_secret");
    let report = place.run(&[wanted("a")]).await;
    let why = report.stopped.expect("told");
    assert!(why.contains("token") && !why.contains("ghp_wrong_secret"), "{why}");
    place.set_token(TOKEN);
    place.settle(&[wanted("a")]).await;
    assert_eq!(place.ours().len(), 1);
}

#[tokio::test]
async fn no_more_are_made_than_may_be_open() {
    let mut place = Place::new();
    place.limits.open_max = 2;
    let entries = ["a", "b", "c", "d"].map(wanted);
    let report = place.run(&entries).await;
    assert_eq!((report.open, report.too_many), (2, 2), "{report:?}");
    let rest = [fixed(wanted("a")), wanted("b"), wanted("c"), wanted("d")];
    place.run(&rest).await;
    let report = place.run(&rest).await;
    assert_eq!((report.open, report.too_many), (2, 1), "{report:?}");
    assert_eq!(place.ours().len(), 3);
}

#[tokio::test]
async fn dry_run_says_what_the_next_run_does_and_changes_nothing() {
    let mut place = Place::new();
    place.settle(&[wanted("a")]).await;
    let (writes, known) = (place.server.writes(), place.known());
    place.limits.dry_run = true;
    let entries = [fixed(wanted("a")), wanted("b")];
    let planned = place.run(&entries).await;
    let what = |report: &tickets::Report| {
        report.lines.iter().map(|it| format!("{} {}", it.entry, it.what)).collect::<Vec<_>>()
    };
    assert!(planned.lines.iter().all(|it| it.outcome == Outcome::Planned), "{planned:?}");
    assert_eq!((place.server.writes(), place.known()), (writes, known));
    place.limits.dry_run = false;
    let done = place.run(&entries).await;
    assert_eq!(what(&planned), what(&done));
    assert_eq!(what(&done), ["a comment", "a close as done", "b create"]);
}

#[tokio::test]
async fn what_is_not_worth_one_keeps_the_one_it_has() {
    let place = Place::new();
    place.settle(&[wanted("a")]).await;
    let small = |name| Wanted { worth_one: false, body: "Small.".to_owned(), ..wanted(name) };
    place.settle(&[small("a"), small("b")]).await;
    let ours = place.ours();
    assert_eq!(ours.len(), 1);
    assert!(ours[0].open && ours[0].body.starts_with("Small."), "{ours:?}");
}

#[tokio::test]
async fn entry_that_ends_while_its_ticket_may_have_been_made_is_closed() {
    let place = Place::new();
    place.server.fail(Operation::Create, Fault::AnswerLost, 1);
    place.run(&[wanted("a")]).await;
    place.settle(&[fixed(wanted("a"))]).await;
    let ours = place.ours();
    assert_eq!(
        (ours.len(), ours[0].open, ours[0].reason.as_deref()),
        (1, false, Some("completed"))
    );
}

#[tokio::test]
async fn whole_life_has_one_ticket() {
    let place = Place::new();
    let life = [
        (wanted("a"), true),
        (fixed(wanted("a")), false),
        (Wanted { change: note("found again"), ..wanted("a") }, true),
        (Wanted { change: note("suppressed"), state: Desired::NotPlanned, ..wanted("a") }, false),
        (Wanted { change: note("statement ended"), ..wanted("a") }, true),
    ];
    for (wanted, open) in life {
        place.settle(std::slice::from_ref(&wanted)).await;
        let ours = place.ours();
        assert_eq!((ours.len(), ours[0].open), (1, open), "{}", wanted.change.text);
    }
    let told: Vec<String> = place
        .server
        .comments()
        .iter()
        .map(|it| it.body.lines().next().unwrap_or("").to_owned())
        .collect();
    assert_eq!(told, ["fixed", "found again", "suppressed", "statement ended"]);
    assert_eq!(place.ours()[0].reason.as_deref(), Some("reopened"));
}
