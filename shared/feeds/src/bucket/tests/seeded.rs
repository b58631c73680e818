//! Made-up histories of a bucket, followed to their end: what came bit by bit is what would have come at once.

use fastrand::Rng;

use super::server::{Fault, Place, State};

#[tokio::test]
async fn what_comes_bit_by_bit_is_what_comes_at_once() {
    let (mut followed, mut failed, mut archives) = (0, 0, 0);
    for seed in 0..12 {
        let mut rng = Rng::with_seed(seed);
        let mut place = Place::new(&["R-0", "R-1", "R-2", "R-3"]).await;
        place.max_changed = 6;
        for round in 0..20 {
            go_on(&mut place.state(), &mut rng);
            let ran = place.run().await;
            archives += usize::from(ran.asked.iter().any(|it| it == "all.zip"));
            match ran.done {
                Ok(()) if place.lacks_nothing() => {
                    followed += 1;
                    assert_eq!(place.index(), place.full(), "seed {seed}, round {round}");
                }
                Ok(()) => {}
                Err(_) => failed += 1,
            }
        }
        place.state().faults.clear();
        place.state().pass(48);
        place.state().publish();
        place.follow().await;
        assert_eq!(place.index(), place.full(), "seed {seed}");
        let other = place.other();
        other.follow().await;
        assert_eq!(other.index(), place.index(), "seed {seed}: who comes now has the same");
    }
    assert!(followed > 100 && failed > 10 && archives > 20, "{followed} {failed} {archives}");
}

/// Some hours in which records are changed, the archive is made or not, and something may fail.
fn go_on(state: &mut State, rng: &mut Rng) {
    state.pass(rng.i64(1..12));
    // The archive of before this round's changes, at times.
    if rng.u8(..3) == 0 {
        state.publish();
    }
    for _ in 0..rng.u8(..4) {
        let id = format!("R-{}", rng.u8(..12));
        state.change(&id);
    }
    state.faults.clear();
    if rng.u8(..4) == 0 {
        let path = [format!("R-{}.json", rng.u8(..12)), "all.zip".into(), "modified_id.csv".into()];
        let fault = [Fault::Status(503), Fault::Status(404), Fault::Cut];
        let fault = fault[rng.usize(..3)].clone();
        state.faults.insert(path[rng.usize(..3)].clone(), fault);
    }
}
