//! `attestry advisories sync`: the index, from files and from the network, once or again and again.

use std::{path::PathBuf, time::Duration};

use advisories::{BuildReport, Index, IndexError, Source};
use events::{AdvisoriesUpdated, Digest, Envelope, Label, OPERATOR, Priority, Scope};
use feeds::{FeedError, Feeds, Fetched};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Place, not_empty, render, source, tell_problems, unreadable};
use crate::{
    client::ClientArgs,
    failure::Failure,
    output::{self, Format},
};

/// Servers are asked no more often.
const MIN_INTERVAL: Duration = Duration::from_secs(60);
/// How soon what failed is tried again, if it would not be sooner.
const RETRY: Duration = Duration::from_secs(15 * 60);

#[derive(clap::Args)]
#[command(
    after_help = "Records are OSV JSON (https://ossf.github.io/osv-schema/), those of malicious packages (MAL-…) included. What is exploited is CISA's catalogue (known_exploited_vulnerabilities.json), what is likely to be FIRST's scores (epss_scores-….csv or .csv.gz); both are known by their content, also in directories and archives.\n\nURLs are fetched over https, and only if they have changed. A URL that fails leaves what it served before in the index, and the exit code is 3; one that never served anything leaves the whole index as it is.\n\nExamples:\n  attestry advisories sync --from PyPI/all.zip --from crates.io/all.zip --from known_exploited_vulnerabilities.json --from epss_scores-current.csv.gz\n  attestry advisories sync --from https://storage.googleapis.com/osv-vulnerabilities/PyPI/all.zip\n  attestry advisories sync --feeds feeds.toml --every 6h\n  attestry advisories sync --update --from GHSA-4vmg-rw8f-92f9.json"
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
    /// Stay, and sync this often, such as 6h; needs a URL
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    every: Option<Duration>,
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

/// What came of one sync.
struct Outcome {
    /// Feeds that failed, with what they served before in the index.
    stale: Vec<(String, FeedError)>,
}

pub(super) async fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let feeds = args.feeds()?;
    if args.every.is_some() && feeds.is_empty() {
        let why =
            "--every: files are read again when they change; name a URL with --from, or --feeds";
        return Err(Failure::input(why));
    }
    let mut is_first = true;
    loop {
        let done = once(args, &feeds, is_first, format).await;
        let Some(every) = args.every else { return stale(&done?.stale) };
        let until = match &done {
            Ok(done) => done.stale.iter().filter_map(|(_, error)| asked_to_wait(error)).max(),
            Err(_) => None,
        };
        is_first &= done.is_err();
        let failed = done.and_then(|done| stale(&done.stale)).err();
        if let Some(failure) = &failed {
            output::note(&failure.to_string());
        }
        tokio::time::sleep(pause(every, failed.is_some(), until, now())).await;
    }
}

/// How long to wait for the next sync.
fn pause(every: Duration, has_failed: bool, until: Option<Timestamp>, now: Timestamp) -> Duration {
    let next = if has_failed { every.min(RETRY) } else { every };
    let asked = until.and_then(|it| Duration::try_from(it.duration_since(now)).ok());
    // A server that asks for more than a whole interval is asked again when that is over.
    next.max(asked.unwrap_or_default().min(every))
}

fn asked_to_wait(error: &FeedError) -> Option<Timestamp> {
    match error {
        FeedError::Busy { until, .. } => *until,
        _ => None,
    }
}

fn stale(failed: &[(String, FeedError)]) -> Result<(), Failure> {
    let told: Vec<_> = failed.iter().map(|(url, error)| format!("{url} {error}")).collect();
    match told.is_empty() {
        true => Ok(()),
        false => Err(Failure::Unknown(format!(
            "{}; the index has what was served before",
            told.join("; ")
        ))),
    }
}

/// Fetches and builds; later syncs of one process build only what has changed.
async fn once(
    args: &Args,
    feeds: &[Feeds],
    is_first: bool,
    format: Format,
) -> Result<Outcome, Failure> {
    let fetched = fetch(args, feeds).await?;
    if !is_first && !fetched.changed {
        return Ok(Outcome { stale: fetched.failed });
    }
    let mut sources: Vec<Source> = Vec::new();
    for origin in &args.from {
        if let Origin::Path(path) = origin {
            sources.push(path.clone().into());
        }
    }
    let cached = fetched.cached.into_iter();
    sources.extend(cached.map(|it| Source { path: it.path, name: it.url }));
    let (index, report) = args.build(&sources)?;
    let names: Vec<_> = sources.into_iter().map(|it| it.name).collect();
    not_empty(&index, &report, &names)?;
    tell_problems(&report);
    let directory = &args.place.advisories;
    let digest = index.save(directory).map_err(Failure::unknown)?;
    announce(&args.client, digest, index.len() as u64).await?;
    let text = render::sync(digest, &report, directory);
    output::result(format, &text, &json!({ "index": digest, "report": report }))?;
    Ok(Outcome { stale: fetched.failed })
}

/// What every feed serves or served; one that never did is an error, for the index would lack it.
async fn fetch(args: &Args, feeds: &[Feeds]) -> Result<Fetched, Failure> {
    let mut all = Fetched { cached: Vec::new(), changed: false, failed: Vec::new() };
    for feeds in feeds {
        let fetched = feeds.fetch(&args.feed_cache, now()).await.map_err(Failure::unknown)?;
        all.changed |= fetched.changed;
        all.cached.extend(fetched.cached);
        all.failed.extend(fetched.failed);
    }
    let has = |url: &str| all.cached.iter().any(|it| it.url == url);
    match all.failed.iter().find(|(url, _)| !has(url)) {
        Some((url, error)) => {
            Err(Failure::Unknown(format!("{url} {error}; the index stays as it is")))
        }
        None => Ok(all),
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

    fn build(&self, sources: &[Source]) -> Result<(Index, BuildReport), Failure> {
        let before = self.before()?;
        let built = match &before {
            Some(before) if self.update => before.update(sources, now()),
            before => Index::sync(sources, before.as_ref(), now()),
        };
        let (index, report) = built.map_err(unreadable)?;
        if let Some(before) = &before {
            tell_lost(before, &index);
        }
        Ok((index, report))
    }

    /// The index so far. One that cannot be read is replaced, unless it is to be kept.
    fn before(&self) -> Result<Option<Index>, Failure> {
        match Index::current(&self.place.advisories) {
            Err(error @ (IndexError::Format { .. } | IndexError::Damaged { .. }))
                if !self.update =>
            {
                output::note(&format!("{error}: since when records are known is forgotten"));
                Ok(None)
            }
            read => read.map_err(Failure::unknown),
        }
    }
}

/// Lists of what is exploited are easily forgotten.
fn tell_lost(before: &Index, index: &Index) {
    let ((kev, epss), (kev_now, epss_now)) = (before.exploitation(), index.exploitation());
    for (had, has, what) in [(kev, kev_now, "KEV"), (epss, epss_now, "EPSS")] {
        if had > 0 && has == 0 {
            output::note(&format!(
                "The index before had {what}, and no source has it: name it too, or use --update."
            ));
        }
    }
}

/// Tells the pipeline, if one runs, so that what is known already is matched again.
async fn announce(client: &ClientArgs, index: Digest, records: u64) -> Result<(), Failure> {
    let Some(bus) = client.connect_if_there().await else {
        output::note("No broker answers: workers take the index up with the next event.");
        return Ok(());
    };
    let now = now();
    let (source, scope) = (Label::of("/attestry/cli"), Scope::of(OPERATOR));
    let updated = AdvisoriesUpdated { index, records, saved_at: now };
    let event = Envelope::root(source, now, Priority::Background, scope, updated);
    bus.publish(&event, None).await?;
    bus.close().await;
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "when a sync reads what it reads")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn origin(text: &str) -> Result<Origin, String> {
    match text.contains("://") {
        true => Ok(Origin::Url(text.to_owned())),
        false => source(text).map(Origin::Path),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|it| Duration::try_from(it).ok());
    let interval = parsed.ok_or("no duration; write 6h, 90m or 1h30m")?;
    if interval < MIN_INTERVAL {
        return Err("servers are asked once a minute at most; write 1m or more".to_owned());
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_a_minute_or_more() {
        for (text, seconds) in [("6h", 21_600), ("90m", 5_400), ("1h30m", 5_400), ("60s", 60)] {
            assert_eq!(interval(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "6", "-6h", "59s", "0h", "often"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_failed_is_tried_sooner_but_not_before_the_server_likes() {
        let [minute, hour] = [60, 3_600].map(Duration::from_secs);
        let at = |seconds: u64| Timestamp::UNIX_EPOCH + Duration::from_secs(seconds);
        let now = at(10_000);
        assert_eq!(pause(hour, false, None, now), hour);
        assert_eq!(pause(hour, true, None, now), RETRY);
        assert_eq!(pause(minute, true, None, now), minute);
        assert_eq!(pause(hour, true, Some(at(11_800)), now), hour / 2);
        assert_eq!(pause(hour, true, Some(at(90_000)), now), hour);
        assert_eq!(pause(hour, true, Some(at(9_000)), now), RETRY);
    }
}
