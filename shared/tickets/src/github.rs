//! GitHub Issues, by its REST API of 2022-11-28.

mod answers;
mod wire;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{
    Client, Method, RequestBuilder, StatusCode, Url,
    header::{ACCEPT, ETAG, HeaderValue, IF_NONE_MATCH},
};
use serde_json::json;

use self::answers::{About, next_page, why};
use crate::{
    Clock, Deed, Desired, Note, Place, Recall, Secret, SecretFile, Step, Ticket, TicketError,
    Tracker,
    http::{self, Answer, Base, Lost},
    key::note_marker,
    pace::Pace,
};

const VERSION: &str = "2022-11-28";
/// Issues or comments of one page; GitHub gives no more.
const PAGE: &str = "100";
/// Most pages that are read at once: 100,000 issues.
const PAGES_MAX: usize = 1000;
/// Largest answer that is read: a hundred issues with long texts, which may be escaped.
const ANSWER_BYTES: usize = 32 << 20;

/// Which repository, and by whom.
#[derive(Clone, Debug)]
pub struct GitHubSettings {
    /// Where the API is: `https://api.github.com`, or that of an own server.
    pub base: Base,
    /// `owner/name`.
    pub repository: String,
    /// File with a token that may write issues there, and nothing else.
    pub token: SecretFile,
    /// How long a request may take.
    pub timeout: Duration,
}

/// Issues of one repository that one user made: whose token it is. An issue of anybody else is not ours, whatever
/// it says.
pub struct GitHub {
    settings: GitHubSettings,
    client: Client,
    clock: Arc<dyn Clock>,
    pace: Mutex<Pace>,
    /// Whose token it was last.
    me: Mutex<Option<(Secret, String)>>,
    /// The last listing, if it was a short one: it costs nothing to hear that it is still so.
    listed: Mutex<Option<Listed>>,
}

#[derive(Clone)]
struct Listed {
    url: Url,
    etag: HeaderValue,
    tickets: Vec<Ticket>,
}

impl GitHub {
    /// A client for `settings`.
    ///
    /// # Errors
    /// The system has no certificates, or the repository's name is none; the text says which.
    pub fn new(settings: GitHubSettings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        if !is_repository(&settings.repository) {
            return Err("the repository must be OWNER/NAME, as in its address".to_owned());
        }
        let client = http::client(settings.timeout)?;
        let (pace, me, listed) = (Mutex::default(), Mutex::default(), Mutex::default());
        Ok(Self { settings, client, clock, pace, me, listed })
    }

    fn url(&self, path: &str) -> Url {
        self.settings.base.join(&format!("repos/{}/{path}", self.settings.repository))
    }

    fn secret(&self) -> Result<Secret, TicketError> {
        self.settings.token.read().map_err(|error| TicketError::Denied(error.to_string()))
    }

    fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, TicketError> {
        let bearer = format!("Bearer {}", self.secret()?.expose());
        let denied = |_| TicketError::Denied("the token does not fit into a header".to_owned());
        let mut bearer = HeaderValue::try_from(bearer).map_err(denied)?;
        bearer.set_sensitive(true);
        Ok(self
            .client
            .request(method, url)
            .header(reqwest::header::AUTHORIZATION, bearer)
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", VERSION))
    }

    /// Asks and changes nothing: what is lost was not done.
    async fn read(&self, request: RequestBuilder, about: About) -> Result<Answer, TicketError> {
        self.pace().may_ask(self.clock.now())?;
        let answer = http::send(request, ANSWER_BYTES).await.map_err(|lost| match lost {
            Lost::NotSent(why) | Lost::Perhaps(why) => TicketError::Away(self.told(&why)),
        })?;
        self.judge(answer, about).map_err(|error| match error {
            TicketError::Unknown(why) => TicketError::Away(why),
            other => other,
        })
    }

    /// Changes something, when it is due.
    async fn write(
        &self,
        method: Method,
        path: &str,
        body: &serde_json::Value,
        about: About,
    ) -> Result<Answer, TicketError> {
        let pause = self.pace().may_write(self.clock.now())?;
        if !pause.is_zero() {
            self.clock.sleep(pause).await;
        }
        let request = self.request(method, self.url(path))?.json(body);
        let answer = http::send(request, ANSWER_BYTES).await.map_err(|lost| match lost {
            Lost::NotSent(why) => TicketError::Away(self.told(&why)),
            Lost::Perhaps(why) => TicketError::Unknown(self.told(&why)),
        })?;
        self.judge(answer, about)
    }

    fn judge(&self, answer: Answer, about: About) -> Result<Answer, TicketError> {
        let now = self.clock.now();
        answers::judge(answer, about, now, &mut self.pace()).map_err(|error| self.name(error))
    }

    /// Who the token belongs to.
    async fn me(&self) -> Result<String, TicketError> {
        let secret = self.secret()?;
        {
            let known = self.me.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, login)) = known.as_ref().filter(|(of, _)| *of == secret) {
                return Ok(login.clone());
            }
        }
        let request = self.request(Method::GET, self.settings.base.join("user"))?;
        let answer = self.read(request, About::Account).await?;
        let user: wire::User = self.parse(&answer.body)?;
        let mut known = self.me.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((secret, user.login.clone()));
        Ok(user.login)
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, body: &[u8]) -> Result<T, TicketError> {
        serde_json::from_slice(body).map_err(|error| {
            TicketError::Away(self.told(&format!("its answer is not what GitHub answers: {error}")))
        })
    }

    /// The ticket in the answer to a change. Unreadable means that it was done and not heard.
    fn ticket(&self, answer: &Answer, me: &str) -> Result<Option<Ticket>, TicketError> {
        let issue: wire::Issue = serde_json::from_slice(&answer.body).map_err(|error| {
            TicketError::Unknown(self.told(&format!("its answer is not an issue: {error}")))
        })?;
        Ok(issue.ticket(me))
    }

    /// All pages from `first` on, as long as `take` wants more; the ETag if one was all.
    async fn pages<T: serde::de::DeserializeOwned>(
        &self,
        first: Url,
        mut take: impl FnMut(Vec<T>) -> bool + Send,
    ) -> Result<Option<HeaderValue>, TicketError> {
        let mut url = first;
        for page in 0..PAGES_MAX {
            let request = self.request(Method::GET, url.clone())?;
            let answer = self.read(request, About::Repository).await?;
            let wants_more = take(self.parse(&answer.body)?);
            let Some(next) = next_page(&answer.headers).filter(|_| wants_more) else {
                return Ok(answer.headers.get(ETAG).filter(|_| page == 0).cloned());
            };
            let elsewhere = || TicketError::Away(self.told("its next page is at another place"));
            url = self.settings.base.same_place(&next).ok_or_else(elsewhere)?;
        }
        Err(TicketError::Away(self.told("it lists more pages than are read")))
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, what: &str) -> String {
        format!("{} ({}): {what}", self.settings.repository, self.settings.base)
    }

    fn name(&self, error: TicketError) -> TicketError {
        match error {
            TicketError::Away(why) => TicketError::Away(self.told(&why)),
            TicketError::Unknown(why) => TicketError::Unknown(self.told(&why)),
            TicketError::Refused(why) => TicketError::Refused(self.told(&why)),
            TicketError::Denied(why) => TicketError::Denied(self.told(&why)),
            other => other,
        }
    }
}

impl Tracker for GitHub {
    fn recall(&self) -> Recall {
        Recall::Lists
    }

    async fn changes(&self, since: Option<Timestamp>) -> Result<Vec<Ticket>, TicketError> {
        let me = self.me().await?;
        let mut url = self.url("issues");
        url.query_pairs_mut()
            .append_pair("creator", &me)
            .append_pair("state", "all")
            .append_pair("sort", "created")
            .append_pair("direction", "asc")
            .append_pair("per_page", PAGE);
        if let Some(since) = since {
            // Seconds are all that it knows.
            let since = format!("{since:.0}");
            url.query_pairs_mut().append_pair("since", &since);
        }
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(listed) = listed.filter(|it| it.url == url) {
            let request = self.request(Method::GET, url.clone())?;
            let request = request.header(IF_NONE_MATCH, listed.etag.clone());
            let answer = self.read(request, About::Repository).await?;
            if answer.status == StatusCode::NOT_MODIFIED {
                return Ok(listed.tickets);
            }
        }
        let mut tickets = Vec::new();
        let etag = self
            .pages(url.clone(), |issues: Vec<wire::Issue>| {
                tickets.extend(issues.into_iter().filter_map(|it| it.ticket(&me)));
                true
            })
            .await?;
        let short = etag.map(|etag| Listed { url, etag, tickets: tickets.clone() });
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = short;
        Ok(tickets)
    }

    async fn perform(&self, deed: &Deed<'_>) -> Result<Option<Ticket>, TicketError> {
        let me = self.me().await?;
        let wanted = deed.wanted;
        let (method, path, body, about) = match (deed.step, deed.place) {
            (Step::Create, _) => {
                let (title, body) = (wanted.short_title(), wanted.marked_body());
                let body = json!({ "title": title, "body": body, "labels": wanted.labels });
                (Method::POST, "issues".to_owned(), body, About::Repository)
            }
            (step, Some(place)) => {
                let path = format!("issues/{}", number(place)?);
                let (method, path, body) = match step {
                    Step::Comment(note) => {
                        let body = json!({ "body": comment(note) });
                        (Method::POST, format!("{path}/comments"), body)
                    }
                    Step::Close(state) => {
                        let reason = match state {
                            Desired::Done => "completed",
                            _ => "not_planned",
                        };
                        let body = json!({ "state": "closed", "state_reason": reason });
                        (Method::PATCH, path, body)
                    }
                    Step::Reopen => {
                        let body = json!({ "state": "open", "state_reason": "reopened" });
                        (Method::PATCH, path, body)
                    }
                    _ => {
                        let (title, body) = (wanted.short_title(), wanted.marked_body());
                        (Method::PATCH, path, json!({ "title": title, "body": body }))
                    }
                };
                (method, path, body, About::Ticket)
            }
            (_, None) => return Err(TicketError::Gone("there is no ticket".to_owned())),
        };
        let answer = self.write(method, &path, &body, about).await?;
        match deed.step {
            Step::Comment(_) => Ok(None),
            Step::Create => {
                let theirs = || TicketError::Unknown(self.told("what it made is not ours"));
                self.ticket(&answer, &me)?.ok_or_else(theirs).map(Some)
            }
            _ => self.ticket(&answer, &me),
        }
    }

    async fn has_told(&self, place: &Place, note: &Note) -> Result<bool, TicketError> {
        let me = self.me().await?;
        let mut url = self.url(&format!("issues/{}/comments", number(place)?));
        url.query_pairs_mut().append_pair("per_page", PAGE);
        let (marker, mut found) = (note_marker(note.id), false);
        self.pages(url, |comments: Vec<wire::Comment>| {
            found |= comments.iter().any(|it| it.is_by(&me) && it.holds(&marker));
            !found
        })
        .await?;
        Ok(found)
    }
}

fn comment(note: &Note) -> String {
    format!("{}\n\n{}\n", note.text, note_marker(note.id))
}

fn number(place: &Place) -> Result<u64, TicketError> {
    let gone = |_| TicketError::Gone(why("its number on record is none"));
    place.id.parse().map_err(gone)
}

/// `owner/name`, of the characters that GitHub has there.
fn is_repository(text: &str) -> bool {
    let is_name = |name: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !name.is_empty()
            && name.len() <= 100
            && name.chars().all(plain)
            && name.trim_matches('.') == name
    };
    text.split_once('/').is_some_and(|(owner, name)| is_name(owner) && is_name(name))
}
