//! Tickets against a faithful server: exactly one each, whatever fails.

mod faults;
mod hostile;
mod people;
mod place;
mod seeded;
mod webhooks;
