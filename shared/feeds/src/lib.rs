//! Advisories from the network: lists of URLs, and a directory that holds what each of them served last. What is served
//! is not read here, only bounded.

mod cache;
mod error;
mod fetch;
mod list;

pub use crate::{
    cache::Cached,
    error::{FeedError, FeedsError},
    fetch::Fetched,
    list::{Feed, Feeds, Format},
};
