//! Two things at once, on two cores.

use std::{panic, thread};

/// What both make of it, the second on a thread of its own.
pub(crate) fn both<A, B: Send>(
    here: impl FnOnce() -> A,
    there: impl FnOnce() -> B + Send,
) -> (A, B) {
    thread::scope(|scope| {
        let there = scope.spawn(there);
        let here = here();
        (here, there.join().unwrap_or_else(|cause| panic::resume_unwind(cause)))
    })
}
