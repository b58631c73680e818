//! Requests over HTTP: to one place, without redirects, with bounded answers, and honest about what may have happened.

use std::{error::Error as _, fmt, net::IpAddr, time::Duration};

use reqwest::{Client, RequestBuilder, StatusCode, Url, header::HeaderMap, redirect::Policy};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a tracker is: `https`, or `http` on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base(Url);

/// Why an address is refused. The text does not repeat it, for it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBase {
    /// It is not one.
    #[error("is not an absolute URL, for example https://api.github.com")]
    NotAUrl,
    /// Whoever is on the way could read the secret.
    #[error("must be https; http is for a loopback address only")]
    NotSafe,
    /// Secrets have files.
    #[error("must not hold a user name or password; secrets are in files")]
    WithSecret,
    /// It would not be where it says.
    #[error("must not have a query or fragment")]
    WithQuery,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Nothing came back.
#[derive(Debug)]
pub(crate) enum Lost {
    /// It was not sent.
    NotSent(String),
    /// It may have been done.
    Perhaps(String),
}

impl Base {
    /// The address in `text`; a slash at its end makes no difference.
    pub fn parse(text: &str) -> Result<Self, InvalidBase> {
        let url = Url::parse(text).map_err(|_| InvalidBase::NotAUrl)?;
        let host = url.host_str().ok_or(InvalidBase::NotAUrl)?;
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let is_here = host == "localhost" || address.is_ok_and(|it| it.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if is_here => {}
            _ => return Err(InvalidBase::NotSafe),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidBase::WithSecret);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidBase::WithQuery);
        }
        Ok(Self(url))
    }

    /// Scheme, host and port: where it is, without what a path may hold.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// `path` below it.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/{path}", self.0.path().trim_end_matches('/')));
        url
    }

    /// `url`, if it is at the same place: a secret goes nowhere else.
    pub(crate) fn same_place(&self, url: &str) -> Option<Url> {
        Url::parse(url).ok().filter(|it| it.origin() == self.0.origin())
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

/// A client that follows nobody elsewhere and unpacks nothing. A request ends after `timeout`.
pub(crate) fn client(timeout: Duration) -> Result<Client, String> {
    let client = Client::builder()
        .timeout(timeout)
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .redirect(Policy::none())
        .no_gzip()
        .no_deflate()
        .referer(false)
        .user_agent(concat!("attestry/", env!("CARGO_PKG_VERSION")));
    client.build().map_err(|error| chain(&error.without_url()))
}

/// Sends `request` and reads at most `bytes_max` of what comes back.
pub(crate) async fn send(request: RequestBuilder, bytes_max: usize) -> Result<Answer, Lost> {
    let mut response = request.send().await.map_err(lost)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(Lost::Perhaps(format!("its answer is larger than {bytes_max} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body })
}

fn lost(error: reqwest::Error) -> Lost {
    let is_sent = !error.is_connect() && !error.is_builder();
    let why = match error.is_timeout() && is_sent {
        true => "it did not answer in time".to_owned(),
        false => chain(&error.without_url()),
    };
    match is_sent {
        true => Lost::Perhaps(why),
        false => Lost::NotSent(why),
    }
}

/// What an error says, and the errors behind it.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_places_are_taken() {
        let refusal = |text: &str| Base::parse(text).expect_err(text);
        assert_eq!(refusal("api.github.com"), InvalidBase::NotAUrl);
        assert_eq!(refusal("http://api.github.com"), InvalidBase::NotSafe);
        assert_eq!(refusal("http://127.0.0.1.evil.example"), InvalidBase::NotSafe);
        assert_eq!(refusal("file:///etc/passwd"), InvalidBase::NotAUrl);
        assert_eq!(refusal("ftp://x"), InvalidBase::NotSafe);
        assert_eq!(refusal("https://me:secret@x"), InvalidBase::WithSecret);
        assert_eq!(refusal("https://x/?token=secret"), InvalidBase::WithQuery);
        for text in
            ["https://x", "http://127.0.0.1:8080", "http://[::1]:80/api", "http://localhost"]
        {
            Base::parse(text).expect(text);
        }
    }

    #[test]
    fn paths_are_below_and_links_at_the_same_place() {
        let base = Base::parse("https://git.example/api/v3/").expect("valid");
        assert_eq!(base.join("repos/a/b").as_str(), "https://git.example/api/v3/repos/a/b");
        assert!(base.same_place("https://git.example/other?page=2").is_some());
        for elsewhere in ["https://evil.example/api", "http://git.example/api", "/api", "//x"] {
            assert_eq!(base.same_place(elsewhere), None, "{elsewhere}");
        }
        assert_eq!(base.to_string(), "https://git.example");
    }
}
