//! What GitHub's answers mean: limits, refusals, and what may have been done all the same.

use jiff::{SignedDuration, Timestamp};
use reqwest::{
    StatusCode,
    header::{HeaderMap, LINK, RETRY_AFTER},
};
use serde::Deserialize;

use crate::{TicketError, http::Answer, pace::Pace};

/// How long to wait when a limit does not say.
const DEFAULT_WAIT: SignedDuration = SignedDuration::from_secs(60);
/// Most characters of a message that are repeated.
const MESSAGE_CHARS: usize = 300;

/// What was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Whose token it is.
    Account,
    /// A repository's issues.
    Repository,
    /// One issue.
    Ticket,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    message: String,
}

/// The answer, if it is one to what was asked. Notes limits in `pace`.
pub(super) fn judge(
    answer: Answer,
    about: About,
    now: Timestamp,
    pace: &mut Pace,
) -> Result<Answer, TicketError> {
    let status = answer.status;
    let rest = number(&answer.headers, "x-ratelimit-remaining");
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        if rest == Some(0) {
            // The next request would be refused.
            drop(pace.block(limit_ends(&answer.headers, now), now, limit("requests an hour")));
        }
        return Ok(answer);
    }
    let message = message(&answer.body);
    let said = format!("answers {}: {message}", status.as_u16());
    let lower = message.to_ascii_lowercase();
    let secondary = lower.contains("secondary rate limit") || lower.contains("abuse detection");
    let after = number(&answer.headers, RETRY_AFTER.as_str());
    // Either status may be either limit; 403 may be neither.
    let limited = status == StatusCode::TOO_MANY_REQUESTS
        || (status == StatusCode::FORBIDDEN && (secondary || after.is_some() || rest == Some(0)));
    if limited {
        return Err(pace.block(limit_ends(&answer.headers, now), now, said));
    }
    Err(match (status, about) {
        (StatusCode::UNAUTHORIZED, _) => {
            TicketError::Denied(format!("{said}; the token is wrong or has expired"))
        }
        (StatusCode::FORBIDDEN, _) => {
            TicketError::Denied(format!("{said}; the token needs write access to issues"))
        }
        (StatusCode::NOT_FOUND | StatusCode::GONE, About::Ticket) => TicketError::Gone(said),
        (status, About::Ticket) if status.is_redirection() => {
            TicketError::Gone("it was transferred to another repository".to_owned())
        }
        (StatusCode::GONE, _) => TicketError::Denied(format!("{said}; turn its issues on")),
        (StatusCode::NOT_FOUND, _) => TicketError::Denied(format!(
            "{said}; check the repository's name, and that the token may see it"
        )),
        (status, _) if status.is_redirection() => {
            TicketError::Denied("the repository was renamed: configure its new name".to_owned())
        }
        (status, _) if status.is_server_error() => TicketError::Unknown(said),
        _ => TicketError::Refused(said),
    })
}

/// When the limit that the headers tell of ends.
fn limit_ends(headers: &HeaderMap, now: Timestamp) -> Timestamp {
    let after = number(headers, RETRY_AFTER.as_str());
    let after = after.map(|it| now.checked_add(SignedDuration::from_secs(it)));
    let reset = number(headers, "x-ratelimit-reset").map(Timestamp::from_second);
    let ends = after.map(Result::ok).or_else(|| reset.map(Result::ok)).flatten();
    ends.unwrap_or(now + DEFAULT_WAIT)
}

fn limit(of: &str) -> String {
    format!("the limit of {of} is reached")
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    let text = headers.get(name)?.to_str().ok()?;
    text.trim().parse().ok().filter(|it| *it >= 0)
}

/// What it says, of bounded length.
fn message(body: &[u8]) -> String {
    let refusal = serde_json::from_slice::<Refusal>(body).map(|it| it.message).unwrap_or_default();
    match refusal.trim() {
        "" => "no reason given".to_owned(),
        text => why(text),
    }
}

/// `text` on one line, of bounded length.
pub(super) fn why(text: &str) -> String {
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(MESSAGE_CHARS).collect()
}

/// The address of the next page (RFC 8288).
pub(super) fn next_page(headers: &HeaderMap) -> Option<String> {
    let links = headers.get(LINK)?.to_str().ok()?;
    links.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|it| it.trim() == "rel=\"next\"");
        is_next.then(|| target.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_790_000_000).expect("in range")
    }

    fn judged(status: u16, headers: &[(&str, &str)], message: &str, about: About) -> TicketError {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: reqwest::header::HeaderName = name.parse().expect("a name");
            map.insert(name, value.parse().expect("a value"));
        }
        let answer = Answer {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: map,
            body: format!(r#"{{"message":"{message}"}}"#).into_bytes(),
        };
        judge(answer, about, now(), &mut Pace::default()).err().expect("refused")
    }

    fn wait(status: u16, headers: &[(&str, &str)], message: &str) -> Option<i64> {
        match judged(status, headers, message, About::Repository) {
            TicketError::Wait { until, .. } => Some(until.as_second() - now().as_second()),
            _ => None,
        }
    }

    #[test]
    fn either_status_may_be_either_limit() {
        let reset = ("x-ratelimit-reset", "1790000300");
        for status in [403, 429] {
            assert_eq!(wait(status, &[("retry-after", "30")], "slow down"), Some(30));
            let primary = [("x-ratelimit-remaining", "0"), reset];
            assert_eq!(wait(status, &primary, "API rate limit exceeded"), Some(300));
            let secondary = "You have exceeded a secondary rate limit";
            assert_eq!(wait(status, &[("x-ratelimit-remaining", "9")], secondary), Some(60));
        }
        assert_eq!(wait(429, &[], ""), Some(60));
        assert_eq!(wait(429, &[("retry-after", "Tue, 01 Dec 2026")], ""), Some(60));
        assert_eq!(wait(429, &[("retry-after", "9223372036854775807")], ""), Some(60));
        assert_eq!(wait(429, &[("retry-after", "-4")], ""), Some(60));
        assert_eq!(wait(429, &[("x-ratelimit-reset", "99999999999")], ""), Some(7200));
        assert_eq!(wait(403, &[("x-ratelimit-remaining", "9"), reset], "no"), None);
    }

    #[test]
    fn refusals_say_whom_they_concern() {
        use TicketError::{Denied, Gone, Refused, Unknown};
        let of = |status, about| judged(status, &[], "why", about);
        assert!(matches!(of(401, About::Ticket), Denied(_)));
        assert!(matches!(of(403, About::Ticket), Denied(_)));
        for (status, issue, repository) in
            [(404, true, false), (410, true, false), (301, true, false)]
        {
            assert_eq!(matches!(of(status, About::Ticket), Gone(_)), issue, "{status}");
            assert_eq!(matches!(of(status, About::Repository), Gone(_)), repository, "{status}");
            assert!(matches!(of(status, About::Repository), Denied(_)), "{status}");
        }
        assert!(matches!(of(422, About::Repository), Refused(_)));
        for status in [500, 502, 503, 504] {
            assert!(matches!(of(status, About::Repository), Unknown(_)), "{status}");
        }
    }

    #[test]
    fn last_request_of_the_hour_blocks_the_next() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-remaining", "0".parse().expect("a value"));
        headers.insert("x-ratelimit-reset", "1790000300".parse().expect("a value"));
        let answer = Answer { status: StatusCode::OK, headers, body: Vec::new() };
        let mut pace = Pace::default();
        assert!(judge(answer, About::Repository, now(), &mut pace).is_ok());
        assert!(matches!(pace.may_ask(now()), Err(TicketError::Wait { .. })));
    }

    #[test]
    fn next_page_is_the_link_that_says_so() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(LINK, text.parse().expect("a value"));
            next_page(&headers)
        };
        let both = r#"<https://x/i?page=1>; rel="prev", <https://x/i?page=3>; rel="next""#;
        assert_eq!(of(both).as_deref(), Some("https://x/i?page=3"));
        assert_eq!(of(r#"<https://x/i?page=1>; rel="last""#), None);
        assert_eq!(of("nonsense, <, <x"), None);
    }

    #[test]
    fn messages_are_short_and_on_one_line() {
        let long = format!(r#"{{"message":"a\nb{}"}}"#, "x".repeat(1000));
        let message = message(long.as_bytes());
        assert!(message.starts_with("a b") && message.chars().count() == MESSAGE_CHARS);
        assert_eq!(super::message(b"<html>"), "no reason given");
    }
}
