//! A `nats-server` without ceremony: found or fetched, started, stopped, and never left behind.
//!
//! Knows processes and files; what flows through the server is the business of others.
//!
//! ```no_run
//! # async fn example() -> Result<(), broker::BrokerError> {
//! let binary = broker::find_or_fetch(&broker::Search::new("/var/cache/attestry")).await?;
//! let mut server = broker::Server::start(&binary, broker::Options::new("/var/lib/nats")).await?;
//! println!("{binary} listens on {}", server.url());
//! server.stop().await
//! # }
//! ```

mod config;
mod error;
mod fetch;
mod find;
mod process;
mod reload;
mod server;
mod version;

pub use config::Options;
pub use error::BrokerError;
pub use find::{Binary, Origin, Search, default_cache_dir, find_or_fetch};
pub use server::Server;
pub use version::Version;

/// The oldest server whose JetStream has what we rely on: message TTL, multi-filter consumers, strict creation.
pub const OLDEST: Version = Version { major: 2, minor: 12, patch: 0 };

/// The server that is fetched when there is none.
pub const PINNED: Version = Version { major: 2, minor: 14, patch: 6 };
