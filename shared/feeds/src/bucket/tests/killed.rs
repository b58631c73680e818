//! A run that dies at each step of writing, and the one after it.

use super::server::Place;
use crate::files::tests::{die_after, is_dead};

/// Has a run die at each step in turn: nothing that was known is unknown then, and the next run has everything. Says how
/// many steps there are.
async fn die_everywhere(prepare: impl AsyncFn() -> Place) -> u32 {
    for steps in 0.. {
        let place = prepare().await;
        let before = place.known();
        let at_first = place.content();
        die_after(steps);
        let ran = place.run().await;
        let died = is_dead();
        die_after(u32::MAX);
        assert_eq!(ran.done.is_err(), died, "{steps}: {:?}", ran.done);
        let known = place.known();
        // Between a file and what lies beside it, nothing is: it is fetched again.
        if !known.is_empty() {
            let is_older = |id: &&String| known.get(*id) < before.get(*id);
            assert_eq!(before.keys().find(is_older), None, "{steps}: older than before");
        }
        let again = place.run().await;
        again.done.unwrap();
        assert_eq!(place.index(), place.full(), "{steps}");
        assert_ne!(place.content(), at_first, "{steps}: who builds sees that something came");
        if !died {
            return steps;
        }
    }
    unreachable!()
}

#[tokio::test]
async fn whenever_the_first_run_dies_the_next_one_goes_on() {
    let steps = die_everywhere(async || {
        let place = Place::new(&["A", "B"]).await;
        place.state().change("B");
        place
    })
    .await;
    // List, archive, what is beside each, what is noted, a record.
    assert!(steps > 25, "{steps}");
}

#[tokio::test]
async fn whenever_a_later_run_dies_the_next_one_goes_on_and_fetches_nothing_twice() {
    let prepare = async || {
        let place = Place::new(&["A", "B", "C"]).await;
        place.state().change("C");
        place.follow().await;
        place.state().pass(48);
        ["A", "B", "C"].iter().for_each(|it| place.state().change(it));
        place.state().change("D");
        place
    };
    let steps = die_everywhere(prepare).await;
    assert!(steps > 15, "{steps}");
    for steps in 0..steps {
        let place = prepare().await;
        die_after(steps);
        let ran = place.run().await;
        let (known, listed) = (place.known(), place.state().records.clone());
        let came = listed.iter().filter(|(id, it)| known.get(*id) == Some(&it.0)).count();
        die_after(u32::MAX);
        let again = place.follow().await;
        let records = |asked: &[String]| asked.iter().filter(|it| it.ends_with(".json")).count();
        assert_eq!(records(&again), 4 - came, "{steps}: {again:?} after {:?}", ran.asked);
    }
}

#[tokio::test]
async fn whenever_a_run_dies_that_takes_the_archive_anew_nothing_becomes_older() {
    let steps = die_everywhere(async || {
        let place = Place::new(&["A", "B", "C"]).await;
        place.follow().await;
        place.state().pass(7 * 24);
        place.state().change("A");
        place.follow().await;
        // What is made now does not know of it yet.
        place.state().change("C");
        place.state().publish_without_the_change_of("A");
        place.state().pass(2);
        place.state().change("B");
        place
    })
    .await;
    assert!(steps > 25, "{steps}");
}
