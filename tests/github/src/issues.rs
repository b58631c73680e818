//! What a repository holds.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{LOGIN, REPOSITORY};

/// When its clock begins.
const BEGINNING: i64 = 1_800_000_000;

/// An issue, or a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Who made it.
    pub login: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Whether it is open.
    pub open: bool,
    /// Why it is where it is: `completed`, `not_planned`, `reopened`.
    pub reason: Option<String>,
    /// Its labels.
    pub labels: Vec<String>,
    /// Who it is assigned to.
    pub assignees: Vec<String>,
    /// Whether it is a pull request.
    pub pull_request: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// After how many more listings it is listed.
    hidden: u32,
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Number of its issue.
    pub issue: u64,
    /// Who made it.
    pub login: String,
    /// Its text.
    pub body: String,
    hidden: u32,
}

pub(crate) struct Repository {
    pub(crate) issues: Vec<Issue>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) lag: u32,
    pub(crate) may_push: bool,
    pub(crate) now: Timestamp,
    last: u64,
}

impl Default for Repository {
    fn default() -> Self {
        Self {
            issues: Vec::new(),
            comments: Vec::new(),
            lag: 0,
            may_push: true,
            now: Timestamp::from_second(BEGINNING).unwrap_or_default(),
            last: 0,
        }
    }
}

impl Repository {
    pub(crate) fn tick(&mut self) {
        self.now += SignedDuration::from_secs(1);
    }

    pub(crate) fn create(
        &mut self,
        login: &str,
        title: &str,
        body: &str,
        labels: &[String],
    ) -> u64 {
        self.last += 1;
        self.issues.push(Issue {
            number: self.last,
            login: login.to_owned(),
            title: title.to_owned(),
            body: body.to_owned(),
            open: true,
            reason: None,
            labels: if self.may_push { labels.to_vec() } else { Vec::new() },
            assignees: Vec::new(),
            pull_request: false,
            created: self.now,
            updated: self.now,
            hidden: self.lag,
        });
        self.last
    }

    pub(crate) fn comment(&mut self, issue: u64, body: &str) {
        let (login, body, hidden) = (LOGIN.to_owned(), body.to_owned(), self.lag);
        self.comments.push(Comment { issue, login, body, hidden });
        self.change(issue, |_| ());
    }

    pub(crate) fn find(&self, number: u64) -> Option<&Issue> {
        self.issues.iter().find(|it| it.number == number)
    }

    pub(crate) fn change(&mut self, number: u64, change: impl FnOnce(&mut Issue)) {
        self.tick();
        let now = self.now;
        if let Some(issue) = self.issues.iter_mut().find(|it| it.number == number) {
            change(issue);
            issue.updated = now;
        }
    }

    pub(crate) fn delete(&mut self, number: u64) {
        self.issues.retain(|it| it.number != number);
    }

    /// Numbers are never given twice.
    pub(crate) fn was_deleted(&self, number: u64) -> bool {
        number <= self.last && self.find(number).is_none()
    }

    /// What a replica lists now.
    pub(crate) fn listed(&mut self) -> Vec<Issue> {
        let listed = self.issues.iter().filter(|it| it.hidden == 0).cloned().collect();
        self.issues.iter_mut().for_each(|it| it.hidden = it.hidden.saturating_sub(1));
        listed
    }

    pub(crate) fn listed_comments(&mut self, issue: u64) -> Vec<Comment> {
        let of = |it: &&mut Comment| it.issue == issue;
        let listed = self.comments.iter().filter(|it| it.issue == issue && it.hidden == 0);
        let listed = listed.cloned().collect();
        self.comments.iter_mut().filter(of).for_each(|it| it.hidden = it.hidden.saturating_sub(1));
        listed
    }
}

impl Issue {
    pub(crate) fn json(&self, url: &str) -> Value {
        let users = |logins: &[String]| -> Vec<Value> {
            logins.iter().map(|login| json!({ "login": login, "type": "User" })).collect()
        };
        let number = self.number;
        let mut issue = json!({
            "id": 1_000_000 + number,
            "number": number,
            "url": format!("{url}/repos/{REPOSITORY}/issues/{number}"),
            "html_url": format!("https://github.com/{REPOSITORY}/issues/{number}"),
            "title": self.title,
            "body": self.body,
            "state": if self.open { "open" } else { "closed" },
            "state_reason": self.reason,
            "user": { "login": self.login, "type": "User" },
            "labels": self.labels.iter().map(|it| json!({ "name": it })).collect::<Vec<_>>(),
            "assignees": users(&self.assignees),
            "created_at": self.created,
            "updated_at": self.updated,
            "closed_at": (!self.open).then_some(self.updated),
        });
        if self.pull_request {
            issue["pull_request"] = json!({ "url": format!("{url}/pulls/{number}") });
        }
        issue
    }
}

impl Comment {
    pub(crate) fn json(&self) -> Value {
        json!({ "user": { "login": self.login }, "body": self.body })
    }
}
