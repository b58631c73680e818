//! What tells a ticket from all others, for good.

use std::fmt;

use events::Digest;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const KEY_BEGINS: &str = "<!-- attestry:key=";
const KEY_ENDS: &str = ":v1 -->";
const NOTE_BEGINS: &str = "<!-- attestry:note=";
const NOTE_ENDS: &str = " -->";
/// Hex digits of a SHA-256.
const DIGITS: usize = 64;

/// Identity of what a ticket is about. It stands in the ticket's text, where nobody sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(Digest);

impl Key {
    /// The key of what has this natural identity.
    pub fn of(identity: Digest) -> Self {
        Self(identity)
    }

    /// The natural identity.
    pub fn digest(&self) -> Digest {
        self.0
    }

    /// As it stands in a ticket's text: a comment in HTML.
    pub fn marker(&self) -> String {
        format!("{KEY_BEGINS}{}{KEY_ENDS}", self.0.hex())
    }

    /// The last key in a text. Texts of others that we pass on hold none: see [`crate::text::quiet`].
    pub fn in_text(text: &str) -> Option<Self> {
        let start = text.rfind(KEY_BEGINS)? + KEY_BEGINS.len();
        let digits = text[start..].get(..DIGITS)?;
        text[start + DIGITS..].starts_with(KEY_ENDS).then_some(())?;
        format!("sha256:{digits}").parse().ok().map(Self)
    }

    /// A name for one attempt at something, the same when it is repeated.
    pub(crate) fn attempt(&self, what: &str) -> Uuid {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"https://attestry.dev/tickets");
        Uuid::new_v5(&namespace, format!("{} {what}", self.0.hex()).as_bytes())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.hex())
    }
}

/// As a note's identity stands in a comment.
pub(crate) fn note_marker(note: Digest) -> String {
    format!("{NOTE_BEGINS}{}{NOTE_ENDS}", note.hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_found_in_the_text_that_has_it() {
        let key = Key::of(Digest::of(b"entry"));
        let text = format!("Bump it\n\n{}\n", key.marker());
        assert_eq!(Key::in_text(&text), Some(key));
        assert_eq!(Key::in_text(&format!("{text}and what people wrote below")), Some(key));
        let other = Key::of(Digest::of(b"other"));
        assert_eq!(Key::in_text(&format!("{}\n{text}", other.marker())), Some(key), "the last");
    }

    #[test]
    fn what_only_looks_like_a_key_is_none() {
        let marker = Key::of(Digest::of(b"entry")).marker();
        for text in [
            "",
            KEY_BEGINS,
            &marker[..marker.len() - 1],
            &marker.replace(":v1", ":v2"),
            &marker.to_uppercase(),
            &marker.replacen("key=", "key=0", 1),
            &format!("{KEY_BEGINS}{}", "ö".repeat(40)),
        ] {
            assert_eq!(Key::in_text(text), None, "{text}");
        }
    }
}
