//! Asking each feed whether it has something new.

use std::{path::Path, time::Duration};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{
        CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
        LAST_MODIFIED, RETRY_AFTER,
    },
    redirect::{Attempt, Policy},
};

use crate::{
    FeedError, Feeds, Format, Kind,
    bucket::Bucket,
    cache::{Cached, Place},
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
    /// The feeds that failed now; of a bucket, a part may have come all the same.
    pub failed: Vec<Failed>,
}

/// A feed that failed.
#[derive(Debug)]
pub struct Failed {
    /// What logs and metrics call it.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// What it did.
    pub error: FeedError,
}

/// A file at a URL.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    pub(crate) url: Url,
    pub(crate) format: Format,
    /// Most bytes that are read of it.
    pub(crate) max_bytes: u64,
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
        let mut fetched = Fetched { cached: Vec::new(), failed: Vec::new() };
        for feed in &self.feeds {
            let url = feed.url.to_string();
            let done = match feed.kind {
                Kind::File(format) => {
                    let (url, max_bytes) = (feed.url.clone(), feed.max_bytes);
                    let file = Remote { url, format, max_bytes };
                    let place = Place::of(&file.url, format, cache);
                    let done = file.refresh(&client, &place, now).await;
                    fetched.cached.extend(place.about().map(|it| place.cached(&feed.url, &it)));
                    done
                }
                Kind::Bucket => {
                    let bucket = Bucket::of(feed, cache);
                    let done = bucket.refresh(&client, now).await;
                    fetched.cached.extend(bucket.cached());
                    done
                }
            };
            if let Err(error) = done {
                fetched.failed.push(Failed { name: feed.name.clone(), url, error });
            }
        }
        Ok(fetched)
    }

    pub(crate) fn client(&self, patience: Duration) -> Result<Client, FeedError> {
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
        client.build().map_err(FeedError::away)
    }
}

impl Remote {
    /// Keeps at `place` what is served now, if it is not what was served before.
    pub(crate) async fn refresh(
        &self,
        client: &Client,
        place: &Place,
        now: Timestamp,
    ) -> Result<(), FeedError> {
        let before = place.about();
        let tag = before.as_ref().and_then(|it| it.tag.as_ref());
        let modified = before.as_ref().and_then(|it| it.modified.as_ref());
        let conditions = [(IF_NONE_MATCH, tag), (IF_MODIFIED_SINCE, modified)];
        match ask(client, &self.url, conditions, now).await? {
            Some(answer) => self.take(answer, place, now).await,
            None => Ok(()),
        }
    }

    /// Keeps the body, if it is what it should be.
    async fn take(
        &self,
        mut answer: Response,
        place: &Place,
        now: Timestamp,
    ) -> Result<(), FeedError> {
        // Nothing was asked for compressed; a `.csv.gz` may call itself so, and is kept as it is.
        if self.format != Format::CsvGz {
            refuse_compressed(&answer)?;
        }
        refuse_larger(&answer, self.max_bytes)?;
        let tags = [ETAG, LAST_MODIFIED].map(|name| text(answer.headers(), &name));
        let mut incoming = place.begin(now)?;
        let mut start = Vec::new();
        while let Some(bytes) = answer.chunk().await.map_err(FeedError::away)? {
            if incoming.len() + bytes.len() as u64 > self.max_bytes {
                return Err(FeedError::TooLarge { most: self.max_bytes });
            }
            let missing = START_BYTES.saturating_sub(start.len());
            start.extend(bytes.iter().take(missing));
            incoming.write(&bytes)?;
        }
        if !self.format.fits(&start) {
            return Err(FeedError::Foreign(self.format.extension()));
        }
        place.finish(incoming, tags, now)
    }
}

/// The body of what is at `url`, all of it in memory.
pub(crate) async fn bytes_of(
    client: &Client,
    url: &Url,
    most: u64,
    now: Timestamp,
) -> Result<Vec<u8>, FeedError> {
    let Some(mut answer) = ask(client, url, [], now).await? else {
        return Err(FeedError::Status { status: StatusCode::NOT_MODIFIED.as_u16() });
    };
    refuse_compressed(&answer)?;
    refuse_larger(&answer, most)?;
    let mut body = Vec::new();
    while let Some(bytes) = answer.chunk().await.map_err(FeedError::away)? {
        if body.len() as u64 + bytes.len() as u64 > most {
            return Err(FeedError::TooLarge { most });
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

/// The answer with what is at `url`; none if it fulfils no condition.
async fn ask<const N: usize>(
    client: &Client,
    url: &Url,
    conditions: [(HeaderName, Option<&String>); N],
    now: Timestamp,
) -> Result<Option<Response>, FeedError> {
    let mut request = client.get(url.clone());
    let mut has_conditions = false;
    for (name, value) in conditions {
        has_conditions |= value.is_some();
        request = value.into_iter().fold(request, |it, value| it.header(&name, value));
    }
    let answer = request.send().await.map_err(FeedError::away)?;
    match answer.status() {
        StatusCode::NOT_MODIFIED if has_conditions => Ok(None),
        StatusCode::OK => Ok(Some(answer)),
        status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
            let until = retry_after(answer.headers(), now);
            Err(FeedError::Busy { status: status.as_u16(), until })
        }
        status if status.is_server_error() => {
            Err(FeedError::Busy { status: status.as_u16(), until: None })
        }
        status => Err(FeedError::Status { status: status.as_u16() }),
    }
}

fn refuse_compressed(answer: &Response) -> Result<(), FeedError> {
    match text(answer.headers(), &CONTENT_ENCODING).is_none_or(|it| it == "identity") {
        true => Ok(()),
        false => Err(FeedError::Foreign("file as it is, but a compressed one")),
    }
}

fn refuse_larger(answer: &Response, most: u64) -> Result<(), FeedError> {
    match answer.content_length().is_some_and(|it| it > most) {
        true => Err(FeedError::TooLarge { most }),
        false => Ok(()),
    }
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
