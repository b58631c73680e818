//! Asking each feed whether it has something new.

use std::{path::Path, time::Duration};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::{
    Client, Response, StatusCode,
    header::{
        CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
        LAST_MODIFIED, RETRY_AFTER,
    },
    redirect::{Attempt, Policy},
};

use crate::{
    Feed, FeedError, Feeds, Format,
    cache::{About, Cached, Place},
    list::is_allowed,
};

const USER_AGENT: &str = concat!("attestry/", env!("CARGO_PKG_VERSION"));
const MAX_REDIRECTS: usize = 5;
/// How long a server may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one file may take.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// How much of a file tells what it is.
const START_BYTES: usize = 64;

/// What all feeds gave.
#[derive(Debug)]
pub struct Fetched {
    /// What each feed served last, now or before; a feed that never served anything is missing.
    pub cached: Vec<Cached>,
    /// Whether any of it differs from what was there before.
    pub changed: bool,
    /// URLs of the feeds that failed now, and why.
    pub failed: Vec<(String, FeedError)>,
}

impl Feeds {
    /// Asks one feed after the other, and keeps in `cache` what they serve. What a feed served before is asked for only if
    /// it has changed, and stays where it fails. `now` is the time, for what is remembered.
    ///
    /// # Errors
    /// There can be no requests at all, for want of certificates. What a single feed did wrong is told in the answer.
    pub async fn fetch(&self, cache: &Path, now: Timestamp) -> Result<Fetched, FeedError> {
        self.fetch_patiently(cache, now, PATIENCE).await
    }

    /// [`Self::fetch`] from servers that may say nothing for no longer than `patience`.
    ///
    /// # Errors
    /// As for [`Self::fetch`].
    pub async fn fetch_patiently(
        &self,
        cache: &Path,
        now: Timestamp,
        patience: Duration,
    ) -> Result<Fetched, FeedError> {
        let client = self.client(patience)?;
        let mut fetched = Fetched { cached: Vec::new(), changed: false, failed: Vec::new() };
        for feed in &self.feeds {
            let place = Place::of(feed, cache);
            let before = place.about();
            match ask(&client, feed, &place, before.as_ref(), now).await {
                Ok(None) => {}
                Ok(Some(about)) => {
                    fetched.changed |= before.is_none_or(|it| it.digest() != about.digest());
                }
                Err(error) => fetched.failed.push((feed.url.to_string(), error)),
            }
            fetched.cached.extend(place.about().map(|it| place.cached(&it)));
        }
        Ok(fetched)
    }

    fn client(&self, patience: Duration) -> Result<Client, FeedError> {
        let allow_http = self.allow_http;
        let redirect = move |attempt: Attempt<'_>| {
            if attempt.previous().len() > MAX_REDIRECTS {
                return attempt.error(format!("more than {MAX_REDIRECTS} redirects"));
            }
            if !is_allowed(attempt.url(), allow_http) {
                return attempt.error("a redirect to something that is not https");
            }
            attempt.follow()
        };
        // What others make of the same crate must not unpack here what is not measured then.
        let client = Client::builder()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .user_agent(USER_AGENT)
            .redirect(Policy::custom(redirect))
            .connect_timeout(patience)
            .read_timeout(patience)
            .timeout(LONGEST);
        client.build().map_err(|error| FeedError::away(&error))
    }
}

/// What the feed serves now; none if that is what it served before.
async fn ask(
    client: &Client,
    feed: &Feed,
    place: &Place,
    before: Option<&About>,
    now: Timestamp,
) -> Result<Option<About>, FeedError> {
    let tag = before.and_then(|it| it.tag.as_ref());
    let modified = before.and_then(|it| it.modified.as_ref());
    let conditions = [(IF_NONE_MATCH, tag), (IF_MODIFIED_SINCE, modified)];
    let mut request = client.get(feed.url.clone());
    for (name, value) in conditions {
        request = value.into_iter().fold(request, |it, value| it.header(&name, value));
    }
    let answer = request.send().await.map_err(|error| FeedError::away(&error))?;
    match answer.status() {
        StatusCode::NOT_MODIFIED if tag.or(modified).is_some() => return Ok(None),
        StatusCode::OK => {}
        status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
            let until = retry_after(answer.headers(), now);
            return Err(FeedError::Busy { status: status.as_u16(), until });
        }
        status if status.is_server_error() => {
            return Err(FeedError::Busy { status: status.as_u16(), until: None });
        }
        status => return Err(FeedError::Status { status: status.as_u16() }),
    }
    take(answer, feed, place, now).await.map(Some)
}

/// Keeps the body, if it is what it should be.
async fn take(
    mut answer: Response,
    feed: &Feed,
    place: &Place,
    now: Timestamp,
) -> Result<About, FeedError> {
    let most = feed.max_bytes;
    if answer.content_length().is_some_and(|it| it > most) {
        return Err(FeedError::TooLarge { most });
    }
    // Nothing was asked for compressed; a `.csv.gz` may call itself so, and is kept as it is.
    let encoding = text(answer.headers(), &CONTENT_ENCODING);
    if encoding.is_some_and(|it| it != "identity") && feed.format != Format::CsvGz {
        return Err(FeedError::Foreign("file as it is, but a compressed one"));
    }
    let tags = [ETAG, LAST_MODIFIED].map(|name| text(answer.headers(), &name));
    let mut incoming = place.begin(now)?;
    let mut start = Vec::new();
    while let Some(bytes) = answer.chunk().await.map_err(|error| FeedError::away(&error))? {
        if incoming.len() + bytes.len() as u64 > most {
            return Err(FeedError::TooLarge { most });
        }
        let missing = START_BYTES.saturating_sub(start.len());
        start.extend(bytes.iter().take(missing));
        incoming.write(&bytes)?;
    }
    if !feed.format.fits(&start) {
        return Err(FeedError::Foreign(feed.format.extension()));
    }
    place.finish(incoming, tags, now)
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned)
}

/// `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let value = text(headers, &RETRY_AFTER)?;
    match value.parse::<u32>() {
        Ok(seconds) => now.checked_add(SignedDuration::from_secs(i64::from(seconds))).ok(),
        Err(_) => rfc2822::parse(&value).ok().map(|it| it.timestamp()),
    }
}
