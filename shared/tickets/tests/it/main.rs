//! Tickets against a faithful server: exactly one each, whatever fails.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod faults;
mod hostile;
mod people;
mod place;
mod seeded;
mod webhooks;
