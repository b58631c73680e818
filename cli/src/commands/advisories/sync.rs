//! `attestry advisories sync`: the index, from files and from the network, once or again and again.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use feeds::Feeds;
use serde_json::json;
use worker::{Health, shutdown_signal};

use super::{
    Place, render, source,
    syncing::{Hears, Made, Syncing, interval},
    tell_problems,
};
use crate::{
    client::ClientArgs,
    failure::Failure,
    output::{self, Format},
};

/// What the command is called in `/ready`.
const NAME: &str = "advisories";

#[derive(clap::Args)]
#[command(
    after_help = "Records are OSV JSON (https://ossf.github.io/osv-schema/), those of malicious packages (MAL-…) included. What is exploited is CISA's catalogue (known_exploited_vulnerabilities.json), what is likely to be FIRST's scores (epss_scores-….csv or .csv.gz); both are known by their content, also in directories and archives.\n\nURLs are fetched over https, and only if they have changed. A URL that fails leaves what it served before in the index, and the exit code is 3; one that never served anything leaves the whole index as it is. With --every the command stays whatever fails: watch its metrics, or let `attestry up --feeds` do the same.\n\nExamples:\n  attestry advisories sync --from PyPI/all.zip --from crates.io/all.zip --from known_exploited_vulnerabilities.json --from epss_scores-current.csv.gz\n  attestry advisories sync --from https://storage.googleapis.com/osv-vulnerabilities/PyPI/all.zip\n  attestry advisories sync --feeds feeds.toml --every 6h --metrics 127.0.0.1:9470\n  attestry advisories sync --update --from GHSA-4vmg-rw8f-92f9.json"
)]
pub(crate) struct Args {
    /// A directory, .zip, .jsonl or .json file of OSV records; KEV's .json; EPSS's .csv or .csv.gz; or the URL of such a file
    #[arg(
        long,
        value_name = "DIR|ZIP|JSONL|CSV|URL",
        required_unless_present = "feeds",
        value_parser = origin
    )]
    from: Vec<Origin>,
    /// File with `[[feed]]` tables of URLs (see docs/feeds.md)
    #[arg(long, value_name = "FILE")]
    feeds: Option<PathBuf>,
    /// Keep what the index has and no source speaks of, rather than build it anew
    #[arg(long)]
    update: bool,
    /// Stay, and sync this often, such as 6h; needs a URL. What fails is told, and tried again after 15 minutes at most
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    every: Option<Duration>,
    /// With --every: address of /live, /ready and /metrics; port 0 picks a free one
    #[arg(long, value_name = "ADDR", requires = "every")]
    metrics: Option<SocketAddr>,
    /// Directory that holds what URLs served last
    #[arg(long, env, value_name = "DIR", default_value = "data/feeds")]
    feed_cache: PathBuf,
    /// Also fetch over http, where anybody on the way can change advisories
    #[arg(long)]
    allow_http: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    client: ClientArgs,
}

/// Something that records are read from, here or elsewhere.
#[derive(Debug, Clone)]
enum Origin {
    Path(PathBuf),
    Url(String),
}

/// Whoever started the command, and the pipeline if one runs.
#[derive(Clone)]
struct Terminal {
    client: ClientArgs,
    directory: PathBuf,
    format: Format,
    health: Health,
}

pub(super) async fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let feeds = args.feeds()?;
    if args.every.is_some() && feeds.is_empty() {
        let why =
            "--every: files are read again when they change; name a URL with --from, or --feeds";
        return Err(Failure::input(why));
    }
    let files = args.from.iter().filter_map(|it| match it {
        Origin::Path(path) => Some(path.clone()),
        Origin::Url(_) => None,
    });
    let directory = args.place.advisories.clone();
    let syncing = Syncing::of_feeds(feeds, args.feed_cache.clone(), directory.clone());
    let mut syncing = syncing.with_files(files.collect(), args.update);
    let (client, health) = (args.client.clone(), Health::default());
    let terminal = Terminal { client, directory, format, health };
    let Some(every) = args.every else { return syncing.once(&terminal).await.0 };
    if let Some(address) = args.metrics {
        let serving = terminal.health.serve(address).await.map_err(|error| {
            Failure::Input(format!("--metrics {address}: {error}; choose another address"))
        })?;
        output::note(&format!("health http://{serving}/ready, metrics http://{serving}/metrics"));
    }
    tokio::select! {
        () = syncing.keep_apart(every, terminal) => Ok(()),
        () = shutdown_signal() => Ok(()),
    }
}

impl Hears for Terminal {
    fn note(&self, text: &str) {
        output::note(text);
    }

    async fn made(&self, made: &Made) -> Result<(), Failure> {
        tell_problems(&made.report);
        match self.client.connect_if_there().await {
            None => {
                output::note("No broker answers: workers take the index up with the next event.");
            }
            Some(bus) => {
                bus.publish(&made.event(), None).await?;
                bus.close().await;
            }
        }
        let Made { digest, report, .. } = made;
        let text = render::sync(*digest, report, &self.directory);
        output::result(self.format, &text, &json!({ "index": digest, "report": report }))
    }

    fn ended(&self, synced: Result<(), &Failure>) {
        self.health.set(NAME, synced.map_err(ToString::to_string));
        if let Err(failure) = synced {
            output::note(&failure.to_string());
        }
    }
}

impl Args {
    /// The lists of feeds that are named.
    fn feeds(&self) -> Result<Vec<Feeds>, Failure> {
        let urls = self.from.iter().filter_map(|it| match it {
            Origin::Url(url) => Some(url.clone()),
            Origin::Path(_) => None,
        });
        let urls: Vec<_> = urls.collect();
        let refused = |flag: &str, error| Failure::input(format!("{flag} {error}"));
        let mut feeds = Vec::new();
        if !urls.is_empty() {
            let of_urls = Feeds::of_urls(&urls, self.allow_http);
            feeds.push(of_urls.map_err(|error| refused("--from", error))?);
        }
        if let Some(path) = &self.feeds {
            let load = Feeds::load(path, self.allow_http);
            feeds.push(load.map_err(|error| refused("--feeds", error))?);
        }
        Ok(feeds)
    }
}

fn origin(text: &str) -> Result<Origin, String> {
    match text.contains("://") {
        true => Ok(Origin::Url(text.to_owned())),
        false => source(text).map(Origin::Path),
    }
}
