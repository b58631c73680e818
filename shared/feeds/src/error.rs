//! Why a list cannot be used, and why a feed gave nothing new.

use std::{io, path::PathBuf};

use jiff::Timestamp;

/// The list of feeds cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FeedsError {
    /// The file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no list of feeds.
    #[error("{path}: {reason}", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// One of its URLs cannot be used.
    #[error("{url}: {reason}")]
    Url {
        /// The text.
        url: String,
        /// What is wrong with it, and what to write instead.
        reason: &'static str,
    },
    /// There are none, or too many of them.
    #[error("{found} feeds are named; name 1 to {most}")]
    Count {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
}

/// A feed gave nothing: what it gave before stays.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// Nobody answered, or not to the end.
    #[error("cannot be fetched: {0}")]
    Away(String),
    /// The server asks to be left alone.
    #[error("answers {status}; {}", when(.until))]
    Busy {
        /// Its status code.
        status: u16,
        /// When to ask again.
        until: Option<Timestamp>,
    },
    /// The server answers something else than the file.
    #[error("answers {status}; check the URL")]
    Status {
        /// Its status code.
        status: u16,
    },
    /// There is more of it than may be.
    #[error("serves more than {most} bytes; raise `max-bytes` if that is right")]
    TooLarge {
        /// How many bytes there may be.
        most: u64,
    },
    /// What is served does not begin as the format does.
    #[error("serves something that is no {0}; check the URL")]
    Foreign(&'static str),
    /// A record is not yet as its list says.
    #[error("serves an older record than its list names; it is asked for again")]
    Outdated,
    /// One file of a bucket failed.
    #[error("{part} {error}")]
    Part {
        /// Which one, below the bucket's URL.
        part: &'static str,
        /// What it did.
        error: Box<FeedError>,
    },
    /// Some of a bucket's records failed; the others are there.
    #[error("{missing} changed records were not fetched; the first is {id}: it {error}")]
    Records {
        /// How many.
        missing: usize,
        /// The first one.
        id: String,
        /// What it did.
        error: Box<FeedError>,
    },
    /// A bucket's list has lines that cannot be used; the others were.
    #[error(
        "modified_id.csv has {count} lines that were left out; the first is line {line}: {reason}"
    )]
    Lines {
        /// How many.
        count: u64,
        /// The number of the first.
        line: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Somebody else fetches it.
    #[error(
        "is being fetched by another process with this cache; run one, or name another with --feed-cache"
    )]
    Locked,
    /// All of its records took too long.
    #[error("takes longer than {minutes} minutes; the rest is fetched the next time")]
    Slow {
        /// How long it may take.
        minutes: u64,
    },
    /// The directory cannot be written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn when(until: &Option<Timestamp>) -> String {
    match until {
        Some(until) => format!("it asks to come back after {until}"),
        None => "try again later".to_owned(),
    }
}

impl FeedError {
    pub(crate) fn io(path: &std::path::Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    /// When the server asks to be asked again, if it does.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Busy { until, .. } => *until,
            Self::Part { error, .. } | Self::Records { error, .. } => error.until(),
            _ => None,
        }
    }

    pub(crate) fn part(part: &'static str, error: Self) -> Self {
        Self::Part { part, error: Box::new(error) }
    }

    /// With every cause: that of the library alone says little. Without the URL, which may hold a secret.
    pub(crate) fn away(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Self::Away(text)
    }
}
