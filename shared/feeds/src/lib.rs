//! Advisories from the network: lists of URLs, and a directory that holds what each of them served last. Of what is
//! served, only a bucket's list is read here, and of its records the id and the time; all else is only bounded.

mod bucket;
mod cache;
mod error;
mod fetch;
mod files;
mod list;

pub use crate::{
    cache::{Cached, content_of},
    error::{FeedError, FeedsError},
    fetch::{Failed, Fetched},
    list::{Feed, Feeds, Format, Kind},
};
