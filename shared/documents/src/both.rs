//! Two things at once, on two cores.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::{panic, thread};

/// What both make of it: the second on a thread of its own, or after the first where none can be had.
pub fn both<A, B: Send>(here: impl FnOnce() -> A, there: impl Fn() -> B + Sync) -> (A, B) {
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

/// Most pieces that wait for those before them.
const AHEAD: usize = 4;

/// Has `count` pieces made by two threads, and taken by this one in their order. Whoever is free makes the
/// next piece, so that taking may cost something.
///
/// # Errors
/// The first that `take` gives; what is not yet made then is not made.
pub(crate) fn in_order<T: Send, E>(
    count: usize,
    make: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let begun = AtomicUsize::new(0);
    let next = || Some(begun.fetch_add(1, Ordering::Relaxed)).filter(|&at| at < count);
    thread::scope(|scope| {
        let (sender, made) = mpsc::sync_channel(AHEAD);
        let make_there = || {
            let pieces = std::iter::from_fn(next).map(|at| (at, make(at)));
            // Who does not wait for a piece needs none after it.
            pieces.map(move |piece| sender.send(piece)).take_while(Result::is_ok).for_each(drop);
        };
        if count > 1 {
            // Without a thread more, this one makes all.
            drop(thread::Builder::new().spawn_scoped(scope, make_there));
        }
        let mut ready = BTreeMap::new();
        for at in 0..count {
            let piece = loop {
                ready.extend(made.try_iter());
                if let Some(piece) = ready.remove(&at) {
                    break piece;
                }
                let own = if ready.len() < AHEAD { next() } else { None };
                match own {
                    Some(at) => drop(ready.insert(at, make(at))),
                    // This one is being made, and enough wait for it.
                    None => match made.recv() {
                        Ok((at, piece)) => drop(ready.insert(at, piece)),
                        // It panicked, which is heard at the end of the scope.
                        Err(_) => return Ok(()),
                    },
                }
            };
            take(piece)?;
        }
        Ok(())
    })
}

/// From so many items on, a thread more costs less than it saves.
const MANY: usize = 200;

/// What `make` makes of `items`, in their order; of many, two threads make half each.
pub(crate) fn halves<T: Sync, U: Send>(
    items: &[T],
    make: impl Fn(&[T]) -> Vec<U> + Sync,
) -> Halves<U> {
    let (here, there) = match items.len() < MANY {
        true => (make(items), Vec::new()),
        false => {
            let (here, there) = items.split_at(items.len() / 2);
            both(|| make(here), || make(there))
        }
    };
    here.into_iter().chain(there)
}

/// Two lists, one after the other, which to join would copy.
pub(crate) type Halves<T> = std::iter::Chain<std::vec::IntoIter<T>, std::vec::IntoIter<T>>;

#[cfg(test)]
mod tests {
    use super::{MANY, both, halves, in_order};

    #[test]
    fn pieces_come_in_order_until_one_is_refused() {
        for count in [0, 1, 2, 3, 50] {
            let mut taken = Vec::new();
            let take = |piece| {
                taken.push(piece);
                Ok::<_, ()>(())
            };
            in_order(count, |at| at, take).unwrap();
            assert!(taken.iter().copied().eq(0..count));
        }
        for refused in [0, 1, 30] {
            let take = |piece| if piece < refused { Ok(()) } else { Err(piece) };
            assert_eq!(in_order(50, |at| at, take), Err(refused));
        }
        for at in [0, 1, 30, 31] {
            let make = |piece| assert_ne!(piece, at, "here");
            let heard = std::panic::catch_unwind(|| in_order(50, make, |()| Ok::<_, ()>(())));
            assert!(heard.is_err());
        }
    }

    #[test]
    fn halves_are_in_order_and_none_is_left_out() {
        for length in [0, 1, MANY - 1, MANY, MANY + 1] {
            let items: Vec<usize> = (0..length).collect();
            assert!(halves(&items, <[usize]>::to_vec).eq(items));
        }
    }

    #[test]
    fn both_are_made_and_a_panic_of_either_is_heard() {
        assert_eq!(both(|| 1, || 2), (1, 2));
        let heard = std::panic::catch_unwind(|| both(|| 1, || -> u8 { panic!("there") }));
        assert!(heard.is_err());
    }
}
