//! The time, as an argument.

use std::{future::Future, pin::Pin, time::Duration};

use jiff::Timestamp;

/// Tells the time and lets it pass. In tests nobody waits.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;
    /// Completes once `pause` has passed.
    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}
