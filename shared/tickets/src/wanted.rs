//! What a ticket should be.

use events::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Key, text};

/// What one ticket should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Id of the backlog entry, for people.
    pub entry: String,
    /// What tells it from all others.
    pub key: Key,
    /// One line.
    pub title: String,
    /// Markdown, without the key.
    pub body: String,
    /// Labels that it begins with. Later ones are people's.
    pub labels: Vec<String>,
    /// Where it should stand.
    pub state: Desired,
    /// Whether a ticket is made if there is none.
    pub worth_one: bool,
    /// The latest change, told to who watches the ticket.
    pub change: Note,
    /// What shows that there is something to do. When people close a ticket and this changes after that, it is still so.
    pub evidence: Digest,
    /// When it is overdue.
    pub due: Timestamp,
}

/// Where a ticket should stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Desired {
    /// There is something to do.
    Open,
    /// It was done.
    Done,
    /// It is not to be done.
    NotPlanned,
}

/// Something to tell once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its identity.
    pub id: Digest,
    /// Markdown.
    pub text: String,
}

impl Desired {
    /// Whether there is something to do.
    pub fn is_open(self) -> bool {
        self == Self::Open
    }
}

impl Wanted {
    /// Identity of title and text.
    pub fn content(&self) -> Digest {
        Digest::of(format!("{}\0{}", self.title, self.body).as_bytes())
    }

    /// The title, no longer than trackers take.
    pub fn short_title(&self) -> &str {
        text::cut(&self.title, text::TITLE_CHARS)
    }

    /// The text with the key below it, no longer than trackers take.
    pub fn marked_body(&self) -> String {
        let body = text::cut(&self.body, text::BODY_CHARS);
        let cut = if body.len() < self.body.len() { "\n\n…" } else { "" };
        format!("{}{cut}\n\n{}\n", body.trim_end(), self.key.marker())
    }
}
