//! Two things at once, on two cores.

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
    use super::{MANY, both, halves};

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
