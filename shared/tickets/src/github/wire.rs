//! What GitHub sends, as far as it matters.

use jiff::Timestamp;
use serde::Deserialize;

use crate::{Key, Place, Seen, Ticket};

/// The label that says what an assignee says, too.
const IN_PROGRESS: &str = "in progress";

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) login: String,
}

#[derive(Deserialize)]
pub(super) struct Issue {
    number: u64,
    html_url: String,
    #[serde(default)]
    body: Option<String>,
    state: State,
    user: Option<User>,
    #[serde(default)]
    assignees: Vec<User>,
    #[serde(default)]
    labels: Vec<Label>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// Pull requests are listed among issues.
    #[serde(default)]
    pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Open,
    Closed,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Text(String),
    Object { name: Option<String> },
}

#[derive(Deserialize)]
pub(super) struct Comment {
    user: Option<User>,
    #[serde(default)]
    body: Option<String>,
}

impl Issue {
    /// It as a ticket, if `me` made it: anybody can write our key into an issue of a public repository.
    pub(super) fn ticket(self, me: &str) -> Option<Ticket> {
        let mine = self.user.as_ref().is_some_and(|user| user.is(me));
        if !mine || self.pull_request.is_some() {
            return None;
        }
        let assignee = self.assignees.into_iter().next().map(|user| user.login);
        let has_label = self.labels.iter().any(|label| label.is(IN_PROGRESS));
        let seen = Seen {
            open: self.state == State::Open,
            in_progress: has_label || assignee.is_some(),
            assignee,
            updated: self.updated_at,
        };
        let place =
            Place { id: self.number.to_string(), url: self.html_url, created: self.created_at };
        let key = self.body.as_deref().and_then(Key::in_text);
        Some(Ticket { place, key, seen })
    }
}

impl User {
    /// Logins have one owner whatever their case.
    fn is(&self, login: &str) -> bool {
        self.login.eq_ignore_ascii_case(login)
    }
}

impl Label {
    fn is(&self, name: &str) -> bool {
        let text = match self {
            Self::Text(text) => Some(text),
            Self::Object { name } => name.as_ref(),
        };
        text.is_some_and(|text| text.replace(['-', '_'], " ").eq_ignore_ascii_case(name))
    }
}

impl Comment {
    pub(super) fn is_by(&self, me: &str) -> bool {
        self.user.as_ref().is_some_and(|user| user.is(me))
    }

    pub(super) fn holds(&self, marker: &str) -> bool {
        self.body.as_ref().is_some_and(|body| body.contains(marker))
    }
}

#[cfg(test)]
mod tests {
    use events::Digest;
    use serde_json::{Value, json};

    use super::*;

    fn issue(change: impl Fn(&mut Value)) -> Value {
        let key = Key::of(Digest::of(b"entry")).marker();
        let mut issue = json!({
            "number": 7, "html_url": "https://github.com/acme/app/issues/7", "state": "open",
            "body": format!("text\n\n{key}\n"), "user": { "login": "Attestry-Bot" },
            "assignees": [], "labels": [{ "name": "security" }], "pull_request": null,
            "created_at": "2026-11-30T10:00:00Z", "updated_at": "2026-11-30T11:00:00Z",
        });
        change(&mut issue);
        issue
    }

    fn ticket(issue: Value) -> Option<Ticket> {
        serde_json::from_value::<Issue>(issue).expect("an issue").ticket("attestry-bot")
    }

    #[test]
    fn issue_of_ours_is_a_ticket() {
        let ticket = ticket(issue(|_| ())).expect("ours");
        assert_eq!(ticket.key, Some(Key::of(Digest::of(b"entry"))));
        assert_eq!((ticket.place.id.as_str(), ticket.seen.open), ("7", true));
        assert!(!ticket.seen.in_progress);
    }

    #[test]
    fn what_others_made_and_pull_requests_are_not_ours() {
        for change in [
            |it: &mut Value| it["user"] = json!({ "login": "stranger" }),
            |it: &mut Value| it["user"] = Value::Null,
            |it: &mut Value| it["pull_request"] = json!({ "url": "https://x" }),
        ] {
            assert_eq!(ticket(issue(change)), None);
        }
        assert_eq!(ticket(issue(|it| it["body"] = Value::Null)).and_then(|it| it.key), None);
    }

    #[test]
    fn assignee_and_label_mean_that_somebody_is_at_it() {
        for change in [
            |it: &mut Value| it["assignees"] = json!([{ "login": "dev" }]),
            |it: &mut Value| it["labels"] = json!([{ "name": "In-Progress" }]),
            |it: &mut Value| it["labels"] = json!(["in progress"]),
        ] {
            assert!(ticket(issue(change)).expect("ours").seen.in_progress);
        }
    }
}
