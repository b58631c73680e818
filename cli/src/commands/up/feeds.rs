//! Advisories from feeds, kept up to date beside the workers.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bus::Bus;
use feeds::Feeds;
use tracing::{info, warn};

use crate::{
    commands::advisories::syncing::{Hears, Made, Syncing, interval},
    failure::Failure,
    output::note,
};

/// What could not be read, and is logged line by line.
const LOGGED_PROBLEMS: usize = 10;

#[derive(clap::Args)]
#[command(next_help_heading = "Feeds")]
pub(super) struct FeedArgs {
    /// File with `[[feed]]` tables of URLs that advisories are fetched from while this runs (see docs/feeds.md) [default:
    /// nothing is fetched]
    #[arg(long, env, value_name = "FILE")]
    feeds: Option<PathBuf>,
    /// How often, such as 6h; what fails is logged, and tried again after 15 minutes at most
    #[arg(
        long,
        env = "FEEDS_EVERY",
        value_name = "DURATION",
        default_value = "6h",
        value_parser = interval,
        requires = "feeds"
    )]
    every: Duration,
    /// Directory that holds what URLs served last [default: feeds below --data]
    #[arg(long, env, value_name = "DIR", requires = "feeds")]
    feed_cache: Option<PathBuf>,
    /// Also fetch over http, where anybody on the way can change advisories
    #[arg(long, requires = "feeds")]
    allow_http: bool,
}

/// Where advisories come from, checked; none where nothing is fetched.
pub(super) struct Following(Option<(Syncing, Duration)>);

/// The pipeline that is told of each new index.
#[derive(Clone)]
struct Pipeline(Bus);

impl FeedArgs {
    pub(super) fn load(&self, data: &Path) -> Result<Following, Failure> {
        let Some(path) = &self.feeds else { return Ok(Following(None)) };
        let feeds = Feeds::load(path, self.allow_http);
        let feeds = feeds.map_err(|error| Failure::Input(format!("--feeds {error}")))?;
        let cache = self.feed_cache.clone().unwrap_or_else(|| data.join("feeds"));
        let syncing = Syncing::of_feeds(vec![feeds], cache, data.join("advisories"));
        Ok(Following(Some((syncing, self.every))))
    }

    pub(super) fn greet(&self) {
        if let Some(path) = &self.feeds {
            note(&format!("  feeds     {}, every {:#}", path.display(), shown(self.every)));
        }
    }
}

fn shown(every: Duration) -> jiff::SignedDuration {
    every.try_into().unwrap_or(jiff::SignedDuration::MAX)
}

impl Following {
    /// Keeps the index up to date, and tells the pipeline. Does not end, whatever fails.
    pub(super) async fn keep(self, bus: &Bus) {
        match self.0 {
            Some((syncing, every)) => syncing.keep_apart(every, Pipeline(bus.clone())).await,
            None => std::future::pending().await,
        }
    }
}

impl Hears for Pipeline {
    fn note(&self, text: &str) {
        warn!("{text}");
    }

    async fn made(&self, made: &Made) -> Result<(), Failure> {
        let Made { digest, report, .. } = made;
        for problem in report.problems.iter().take(LOGGED_PROBLEMS) {
            let (place, reason) = (&problem.place, &problem.reason);
            warn!(place, reason, "Left out of the index of advisories what cannot be read");
        }
        let left_out = report.problem_count;
        let (advisories, added, changed) = (report.advisories, report.added, report.changed);
        info!(%digest, advisories, added, changed, left_out, "Put a new index of advisories in place");
        self.0.publish(&made.event(), None).await?;
        Ok(())
    }

    fn ended(&self, synced: Result<(), &Failure>) {
        if let Err(failure) = synced {
            warn!(error = %failure, "The index of advisories lacks something; it is tried again within 15 minutes");
        }
    }
}
