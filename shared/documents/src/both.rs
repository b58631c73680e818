//! Two things at once, on two cores.

use std::{panic, thread};

/// What both make of it: the second on a thread of its own, or after the first where none can be had.
pub(crate) fn both<A, B: Send>(here: impl FnOnce() -> A, there: impl Fn() -> B + Sync) -> (A, B) {
    thread::scope(|scope| {
        let spawned = thread::Builder::new().spawn_scoped(scope, &there);
        let here = here();
        let there = match spawned {
            Ok(thread) => thread.join().unwrap_or_else(|cause| panic::resume_unwind(cause)),
            Err(_) => there(),
        };
        (here, there)
    })
}

#[cfg(test)]
mod tests {
    use super::both;

    #[test]
    fn both_are_made_and_a_panic_of_either_is_heard() {
        assert_eq!(both(|| 1, || 2), (1, 2));
        let heard = std::panic::catch_unwind(|| both(|| 1, || -> u8 { panic!("there") }));
        assert!(heard.is_err());
    }
}
