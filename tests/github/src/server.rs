//! The HTTP interface.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, RawQuery, State as Shared},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, patch},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{Fault, Issue, LOGIN, Operation, REPOSITORY, State, TOKEN, request::Parameters};

/// Requests of an hour.
const AN_HOUR: i64 = 5000;
const TITLE_CHARS_MAX: usize = 256;
const BODY_CHARS_MAX: usize = 65_536;

type Server = Shared<Arc<Mutex<State>>>;
/// Status, headers besides the usual ones, and content.
type Reply = (StatusCode, HeaderMap, Value);

pub(crate) fn router(state: Arc<Mutex<State>>) -> Router {
    Router::new()
        .route("/user", get(user))
        .route("/repos/{owner}/{name}/issues", get(list).post(create))
        .route("/repos/{owner}/{name}/issues/{number}", patch(edit))
        .route("/repos/{owner}/{name}/issues/{number}/comments", get(comments).post(comment))
        .with_state(state)
}

/// A request, as far as all have it.
struct Asked<'a> {
    state: &'a Mutex<State>,
    operation: Operation,
    method: &'static str,
    path: String,
    headers: &'a HeaderMap,
    repository: Option<String>,
}

impl Asked<'_> {
    /// What is answered to it, unless it fails on demand.
    async fn answer(self, work: impl FnOnce(&mut State) -> Reply) -> Response {
        let (fault, reply) = {
            let mut state = locked(self.state);
            state.repository.tick();
            state.requests.push((self.method.to_owned(), self.path.clone()));
            if let Some(refused) = self.refused() {
                return usual(&state, refused);
            }
            let fault = state.faults.next(self.operation);
            let reply = match fault {
                Some(fault) if !fault.does() => failed(fault, state.repository.now),
                _ => work(&mut state),
            };
            (fault, usual(&state, reply))
        };
        match fault {
            Some(Fault::Silent | Fault::Hung) => std::future::pending().await,
            Some(Fault::AnswerLost) => {
                refusal(StatusCode::INTERNAL_SERVER_ERROR, "Server Error").0.into_response()
            }
            Some(Fault::Cut) => cut(reply),
            _ => reply,
        }
    }

    /// What GitHub asks of every request.
    fn refused(&self) -> Option<Reply> {
        let token = self.headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
        if !self.headers.contains_key(header::USER_AGENT) {
            return Some(refusal(
                StatusCode::FORBIDDEN,
                "Request forbidden by administrative rules.",
            ));
        }
        if token != Some(&format!("Bearer {TOKEN}")) {
            return Some(refusal(StatusCode::UNAUTHORIZED, "Bad credentials"));
        }
        let elsewhere = self.repository.as_ref().is_some_and(|it| it != REPOSITORY);
        elsewhere.then(|| refusal(StatusCode::NOT_FOUND, "Not Found"))
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refusal(status: StatusCode, message: &str) -> Reply {
    (status, HeaderMap::new(), json!({ "message": message, "status": status.as_u16().to_string() }))
}

fn done(status: StatusCode, content: Value) -> Reply {
    (status, HeaderMap::new(), content)
}

fn failed(fault: Fault, now: Timestamp) -> Reply {
    let of = |status: u16| StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut headers = HeaderMap::new();
    let (status, message) = match fault {
        Fault::RetryAfter(status, seconds) => {
            headers.insert(header::RETRY_AFTER, seconds.into());
            (of(status), "Too many requests. Please slow down.")
        }
        Fault::Spent(seconds) => {
            headers.insert("x-ratelimit-remaining", 0.into());
            headers.insert("x-ratelimit-reset", (now.as_second() + seconds).into());
            (StatusCode::FORBIDDEN, "API rate limit exceeded for user ID 1.")
        }
        Fault::Secondary => {
            let message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
            (StatusCode::FORBIDDEN, message)
        }
        Fault::Status(status) => (of(status), "failing on demand"),
        _ => (StatusCode::BAD_GATEWAY, "failing on demand"),
    };
    let (status, _, content) = refusal(status, message);
    (status, headers, content)
}

/// With the headers that every answer has.
fn usual(state: &State, (status, extra, content): Reply) -> Response {
    let spent = i64::try_from(state.requests.len()).unwrap_or(AN_HOUR);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-ratelimit-limit", AN_HOUR.into());
    headers.insert("x-ratelimit-remaining", (AN_HOUR - spent % AN_HOUR).into());
    headers.insert("x-ratelimit-reset", (state.repository.now.as_second() + 3600).into());
    headers.extend(extra);
    match status == StatusCode::NOT_MODIFIED {
        true => (status, headers).into_response(),
        false => (status, headers, content.to_string()).into_response(),
    }
}

/// The answer ends in its middle, and the connection with it: it has promised more than arrives.
fn cut(reply: Response) -> Response {
    let (mut parts, _) = reply.into_parts();
    parts.headers.insert(header::CONTENT_LENGTH, 10_000.into());
    let half = futures::stream::iter([Ok::<_, std::io::Error>("{\"number\":")]);
    Response::from_parts(parts, Body::from_stream(half))
}

async fn user(Shared(state): Server, headers: HeaderMap) -> Response {
    let (operation, path) = (Operation::User, "/user".to_owned());
    let asked = Asked {
        state: &state,
        operation,
        method: "GET",
        path,
        headers: &headers,
        repository: None,
    };
    asked.answer(|_| done(StatusCode::OK, json!({ "login": LOGIN, "type": "User" }))).await
}

async fn list(
    Shared(state): Server,
    Path((owner, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let parameters = Parameters::of(&query.unwrap_or_default());
    let path = format!("/repos/{owner}/{name}/issues");
    let asked = Asked {
        state: &state,
        operation: Operation::List,
        method: "GET",
        path: path.clone(),
        headers: &headers,
        repository: Some(format!("{owner}/{name}")),
    };
    let known = headers.get(header::IF_NONE_MATCH).cloned();
    asked
        .answer(|state| {
            let issues = selected(state.repository.listed(), &parameters);
            let shown: Vec<Value> = issues.iter().map(|it| it.json(&state.url)).collect();
            page(shown, &parameters, &format!("{}{path}", state.url), known.as_ref())
        })
        .await
}

/// Which issues, in which order.
fn selected(mut issues: Vec<Issue>, parameters: &Parameters) -> Vec<Issue> {
    let state = parameters.get("state").unwrap_or("open").to_owned();
    issues.retain(|it| state == "all" || (state == "open") == it.open);
    if let Some(creator) = parameters.get("creator") {
        issues.retain(|it| it.login.eq_ignore_ascii_case(creator));
    }
    if let Some(since) = parameters.get("since").and_then(|it| it.parse::<Timestamp>().ok()) {
        issues.retain(|it| it.updated >= since);
    }
    match parameters.get("sort") {
        Some("updated") => issues.sort_by_key(|it| (it.updated, it.number)),
        _ => issues.sort_by_key(|it| (it.created, it.number)),
    }
    if parameters.get("direction") != Some("asc") {
        issues.reverse();
    }
    issues
}

fn page(
    items: Vec<Value>,
    parameters: &Parameters,
    url: &str,
    known: Option<&HeaderValue>,
) -> Reply {
    let size = parameters.number("per_page", 30).clamp(1, 100);
    let page = parameters.number("page", 1).max(1);
    let pages = items.len().div_ceil(size).max(1);
    let mut links = Vec::new();
    let mut link = |to: usize, relation: &str| {
        links.push(format!("<{url}?{}>; rel=\"{relation}\"", parameters.with_page(to)));
    };
    if page > 1 {
        link(page - 1, "prev");
    }
    if page < pages {
        link(page + 1, "next");
        link(pages, "last");
    }
    let content = Value::Array(items.into_iter().skip((page - 1) * size).take(size).collect());
    let mut headers = HeaderMap::new();
    if let Ok(links) = HeaderValue::from_str(&links.join(", "))
        && !links.is_empty()
    {
        headers.insert(header::LINK, links);
    }
    let mut hasher = DefaultHasher::new();
    content.to_string().hash(&mut hasher);
    let tag = format!("W/\"{:016x}\"", hasher.finish());
    if known.is_some_and(|it| it.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, headers, Value::Null);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    (StatusCode::OK, headers, content)
}

async fn create(
    Shared(state): Server,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked {
        state: &state,
        operation: Operation::Create,
        method: "POST",
        path: format!("/repos/{owner}/{name}/issues"),
        headers: &headers,
        repository: Some(format!("{owner}/{name}")),
    };
    asked
        .answer(|state| {
            let request = match valid(&body) {
                Ok(request) => request,
                Err(refusal) => return *refusal,
            };
            let Some(title) = request["title"].as_str() else {
                return refusal(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed");
            };
            let labels = request["labels"].as_array().cloned().unwrap_or_default();
            let labels: Vec<String> =
                labels.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect();
            let body = request["body"].as_str().unwrap_or_default();
            let number = state.repository.create(LOGIN, title, body, &labels);
            shown(state, number, StatusCode::CREATED)
        })
        .await
}

/// JSON with a title and text of allowed length, where there are any.
fn valid(body: &[u8]) -> Result<Value, Box<Reply>> {
    let refused = |message| Box::new(refusal(StatusCode::UNPROCESSABLE_ENTITY, message));
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return Err(Box::new(refusal(StatusCode::BAD_REQUEST, "Problems parsing JSON")));
    };
    let length = |field: &str| request[field].as_str().map(|it| it.chars().count());
    if length("title").is_some_and(|it| it == 0 || it > TITLE_CHARS_MAX) {
        return Err(refused("title is missing or too long (maximum is 256 characters)"));
    }
    if length("body").is_some_and(|it| it > BODY_CHARS_MAX) {
        return Err(refused("body is too long (maximum is 65536 characters)"));
    }
    Ok(request)
}

fn shown(state: &State, number: u64, status: StatusCode) -> Reply {
    match state.repository.find(number) {
        Some(issue) => done(status, issue.json(&state.url)),
        None if state.repository.was_deleted(number) => {
            refusal(StatusCode::GONE, "This issue was deleted")
        }
        None => refusal(StatusCode::NOT_FOUND, "Not Found"),
    }
}

async fn edit(
    Shared(state): Server,
    Path((owner, name, number)): Path<(String, String, u64)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked {
        state: &state,
        operation: Operation::Edit,
        method: "PATCH",
        path: format!("/repos/{owner}/{name}/issues/{number}"),
        headers: &headers,
        repository: Some(format!("{owner}/{name}")),
    };
    asked
        .answer(|state| {
            let request = match valid(&body) {
                Ok(request) => request,
                Err(refusal) => return *refusal,
            };
            let text = |field: &str| request[field].as_str().map(str::to_owned);
            let reason = text("state_reason");
            let known = ["completed", "not_planned", "duplicate", "reopened"];
            if reason.as_deref().is_some_and(|it| !known.contains(&it)) {
                return refusal(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed");
            }
            state.repository.change(number, |issue| {
                issue.title = text("title").unwrap_or_else(|| issue.title.clone());
                issue.body = text("body").unwrap_or_else(|| issue.body.clone());
                if let Some(to) = text("state") {
                    issue.open = to == "open";
                    issue.reason = reason;
                }
            });
            shown(state, number, StatusCode::OK)
        })
        .await
}

async fn comment(
    Shared(state): Server,
    Path((owner, name, number)): Path<(String, String, u64)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked {
        state: &state,
        operation: Operation::Comment,
        method: "POST",
        path: format!("/repos/{owner}/{name}/issues/{number}/comments"),
        headers: &headers,
        repository: Some(format!("{owner}/{name}")),
    };
    asked
        .answer(|state| {
            if state.repository.find(number).is_none() {
                return shown(state, number, StatusCode::OK);
            }
            match valid(&body) {
                Ok(request) => {
                    let body = request["body"].as_str().unwrap_or_default();
                    state.repository.comment(number, body);
                    done(StatusCode::CREATED, json!({ "body": body, "user": { "login": LOGIN } }))
                }
                Err(refusal) => *refusal,
            }
        })
        .await
}

async fn comments(
    Shared(state): Server,
    Path((owner, name, number)): Path<(String, String, u64)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let parameters = Parameters::of(&query.unwrap_or_default());
    let path = format!("/repos/{owner}/{name}/issues/{number}/comments");
    let asked = Asked {
        state: &state,
        operation: Operation::Comments,
        method: "GET",
        path: path.clone(),
        headers: &headers,
        repository: Some(format!("{owner}/{name}")),
    };
    asked
        .answer(|state| {
            if state.repository.find(number).is_none() {
                return shown(state, number, StatusCode::OK);
            }
            let comments = state.repository.listed_comments(number);
            let shown = comments.iter().map(crate::Comment::json).collect();
            page(shown, &parameters, &format!("{}{path}", state.url), None)
        })
        .await
}
