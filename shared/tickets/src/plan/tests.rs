use super::*;
use crate::{Closing, Intent, Key, Place, Seen, Telling};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("in range")
}

fn wanted(state: Desired) -> Wanted {
    Wanted {
        entry: "APP-1".to_owned(),
        key: Key::of(Digest::of(b"entry")),
        title: "Bump a".to_owned(),
        body: "It is old.".to_owned(),
        labels: Vec::new(),
        state,
        worth_one: true,
        change: note("found"),
        evidence: Digest::of(b"first document"),
        due: at(1_000_000),
    }
}

fn note(text: &str) -> Note {
    Note { id: Digest::of(text.as_bytes()), text: text.to_owned() }
}

/// What is on record once it was made as `wanted`, and looks so.
fn made(wanted: &Wanted, open: bool) -> Known {
    let mut known = Known {
        place: Some(Place { id: "7".to_owned(), url: String::new(), created: at(0) }),
        seen: Some(Seen { open, assignee: None, in_progress: false, updated: at(0) }),
        ..Known::default()
    };
    known.made(wanted);
    known
}

fn steps(wanted: &Wanted, known: &Known, second: i64) -> (Vec<&'static str>, Option<Held>) {
    let plan = plan(wanted, known, Recall::Lists, at(second));
    (plan.steps.iter().map(Step::describe).collect(), plan.held)
}

#[test]
fn ticket_is_made_for_what_is_open_and_worth_one() {
    let nothing = Known::default();
    assert_eq!(steps(&wanted(Desired::Open), &nothing, 0), (vec!["create"], None));
    for state in [Desired::Done, Desired::NotPlanned] {
        assert_eq!(steps(&wanted(state), &nothing, 0), (vec![], None));
    }
    let small = Wanted { worth_one: false, ..wanted(Desired::Open) };
    assert_eq!(steps(&small, &nothing, 0), (vec![], None));
}

#[test]
fn what_may_have_been_made_is_waited_for_until_two_listings_lack_it() {
    let intent = |missed| Known { intent: Some(Intent { at: at(0), missed }), ..Known::default() };
    let open = wanted(Desired::Open);
    for missed in [0, 1] {
        assert_eq!(steps(&open, &intent(missed), 9_000), (vec![], Some(Held::Unsettled)));
    }
    assert_eq!(steps(&open, &intent(2), 0), (vec!["create"], None));
    assert_eq!(steps(&wanted(Desired::Done), &intent(2), 0), (vec![], None));
    // It recognises what is repeated.
    let plan = plan(&open, &intent(0), Recall::Recognises, at(0));
    assert_eq!(plan.steps, [Step::Create]);
}

#[test]
fn as_wanted_means_nothing_to_do() {
    for (state, seen_open) in
        [(Desired::Open, true), (Desired::Done, false), (Desired::NotPlanned, false)]
    {
        let wanted = wanted(state);
        let known = Known { put: Some(state), ..made(&wanted, seen_open) };
        assert_eq!(steps(&wanted, &known, 0), (vec![], None), "{state:?}");
    }
}

#[test]
fn what_changes_is_written_told_and_put_in_this_order() {
    let known = made(&wanted(Desired::Open), true);
    let fixed =
        Wanted { body: "It was old.".to_owned(), change: note("fixed"), ..wanted(Desired::Done) };
    assert_eq!(steps(&fixed, &known, 0), (vec!["update", "comment", "close as done"], None));
    let closed = Known { put: Some(Desired::Done), ..made(&fixed, false) };
    let back = Wanted { change: note("back"), ..wanted(Desired::Open) };
    assert_eq!(steps(&back, &closed, 0), (vec!["update", "comment", "reopen"], None));
    let suppressed = Wanted { state: Desired::NotPlanned, ..fixed.clone() };
    assert_eq!(steps(&suppressed, &closed, 0), (vec!["close as not planned"], None));
}

#[test]
fn what_is_over_is_not_written_anew() {
    let done = wanted(Desired::Done);
    let known = Known { put: Some(Desired::Done), ..made(&done, false) };
    let other = Wanted { title: "Other words".to_owned(), change: note("later"), ..done };
    assert_eq!(steps(&other, &known, 0), (vec![], None));
}

#[test]
fn ticket_that_was_found_gets_its_text_and_no_comment() {
    let open = wanted(Desired::Open);
    let found = |open_now| Known { content: None, told: None, ..made(&open, open_now) };
    assert_eq!(steps(&open, &found(true), 0), (vec!["update"], None));
    assert_eq!(steps(&open, &found(false), 0), (vec!["update"], Some(Held::ClosedByPeople)));
    let over = steps(&wanted(Desired::Done), &found(true), 0);
    assert_eq!(over, (vec!["update", "close as done"], None));
}

#[test]
fn what_people_closed_stays_closed_until_something_newer_shows_it() {
    let open = wanted(Desired::Open);
    let mut known = made(&open, false);
    known.notice(&open, at(10));
    assert_eq!(known.closing, Some(Closing { evidence: open.evidence, at: at(10) }));
    assert_eq!(steps(&open, &known, 20), (vec![], Some(Held::ClosedByPeople)));
    let newer = Wanted { evidence: Digest::of(b"second document"), ..open.clone() };
    assert_eq!(steps(&newer, &known, 20), (vec!["comment", "reopen"], None));
    // They close it once more: the same document moves nobody, an even newer one does.
    let mut again = Known { closing: None, ..known.clone() };
    again.notice(&newer, at(30));
    assert_eq!(steps(&newer, &again, 40), (vec![], Some(Held::ClosedByPeople)));
    // They open it: there is nothing to remember.
    let mut opened = Known { seen: made(&open, true).seen, ..known };
    opened.notice(&open, at(50));
    assert_eq!(opened.closing, None);
}

#[test]
fn what_people_closed_is_opened_when_it_is_overdue() {
    let open = wanted(Desired::Open);
    let mut known = made(&open, false);
    known.notice(&open, at(10));
    assert_eq!(steps(&open, &known, 999_999).1, Some(Held::ClosedByPeople));
    assert_eq!(steps(&open, &known, 1_000_000), (vec!["comment", "reopen"], None));
    // Who closes it after that knows that it is overdue.
    let mut late = made(&open, false);
    late.notice(&open, at(1_000_001));
    assert_eq!(steps(&open, &late, 2_000_000).1, Some(Held::ClosedByPeople));
}

#[test]
fn what_people_opened_is_not_closed_again() {
    let done = wanted(Desired::Done);
    let known = Known { put: Some(Desired::Done), ..made(&done, true) };
    assert_eq!(steps(&done, &known, 0), (vec![], Some(Held::OpenedByPeople)));
    // It is there again, and gone again: that is news.
    let back = Wanted { change: note("back"), ..wanted(Desired::Open) };
    assert_eq!(steps(&back, &known, 0), (vec!["comment", "accept as it is"], None));
}

#[test]
fn comment_that_may_be_there_is_looked_for_once_it_must_be() {
    let open = Wanted { change: note("worse"), ..wanted(Desired::Open) };
    let telling = Some(Telling { note: open.change.id, at: at(0), missed: 0 });
    let known = Known { telling, ..made(&wanted(Desired::Open), true) };
    assert_eq!(steps(&open, &known, SETTLING_SECONDS - 1), (vec![], Some(Held::Untold)));
    assert_eq!(steps(&open, &known, SETTLING_SECONDS), (vec!["comment"], None));
}

#[test]
fn what_was_refused_is_not_asked_again_until_it_is_another() {
    let open = wanted(Desired::Open);
    let refused = Known { refused: Some(open.content()), ..Known::default() };
    assert_eq!(steps(&open, &refused, 0), (vec![], Some(Held::Refused)));
    let other = Wanted { title: "Bump b".to_owned(), ..open };
    assert_eq!(steps(&other, &refused, 0), (vec!["create"], None));
}

#[test]
fn deleted_ticket_is_not_made_anew_while_its_entry_is_open() {
    let mut known = made(&wanted(Desired::Open), true);
    known.lose();
    assert_eq!(steps(&wanted(Desired::Open), &known, 0), (vec![], Some(Held::Gone)));
    let over = steps(&wanted(Desired::Done), &known, 0);
    assert_eq!(over, (vec!["forget that it was deleted"], None));
}

#[test]
fn tracker_that_tells_nothing_is_told_by_what_it_was_told() {
    let unseen = |put| Known { put: Some(put), seen: None, ..made(&wanted(Desired::Open), true) };
    let steps = |state, put| plan(&wanted(state), &unseen(put), Recall::Recognises, at(0)).steps;
    assert_eq!(steps(Desired::Open, Desired::Open), []);
    assert_eq!(steps(Desired::Done, Desired::Open), [Step::Close(Desired::Done)]);
    assert_eq!(steps(Desired::Open, Desired::Done), [Step::Reopen]);
}
