//! What is checked of every component, whatever its format calls the fields.

use std::fmt;

use purl::Purl;

use super::problems::{Problems, Quoted};
use super::{Component, MAX_PURL_BYTES};

impl Problems {
    /// `text`, unless it is longer than any purl.
    pub(crate) fn bounded<'v>(
        &mut self,
        text: &'v str,
        place: impl fmt::Display,
    ) -> Option<&'v str> {
        if text.len() <= MAX_PURL_BYTES {
            return Some(text);
        }
        let message = format_args!("has {} bytes; {MAX_PURL_BYTES} are read", text.len());
        self.add("purl-bomb", place, message);
        None
    }

    /// Checks that `purl` is one, in the one spelling that purl-spec wants.
    pub(crate) fn check_purl(&mut self, purl: &str, place: impl fmt::Display) {
        match Purl::canonicalize(purl) {
            Err(error) => {
                let message = format_args!("{} is no package URL: {error}", Quoted(purl));
                self.add("invalid-purl", place, message);
            }
            Ok(parsed) => {
                let canonical = parsed.to_string();
                if canonical != purl {
                    let (given, right) = (Quoted(purl), Quoted(&canonical));
                    let message = format_args!("{given} is written {right} by the rules of purl");
                    self.add("non-canonical-purl", place, message);
                }
            }
        }
    }

    /// Checks that `text` shows as what it is.
    pub(crate) fn check_visible(&mut self, text: &str, place: impl fmt::Display) {
        if text.contains(is_invisible) {
            let message = format_args!("{} has control characters", Quoted(text));
            self.add("control-character", place, message);
        }
    }

    /// Checks that `component` can be told from others; `version_key` is the field of its version.
    pub(crate) fn check_identity(
        &mut self,
        component: &Component,
        is_identified: bool,
        version_key: &str,
        place: impl fmt::Display,
    ) {
        let (kind, name) = (&component.kind, Quoted(&component.name));
        if component.name.trim().is_empty() {
            let message = format_args!("the component has no name");
            self.add("component-without-name", &place, message);
        }
        let may_lack_version = ["file", "data", "cryptographic-asset"];
        if component.version.is_none() && !may_lack_version.contains(&kind.as_str()) {
            let message = format_args!("{kind} {name} has no `{version_key}`");
            self.add("component-without-version", &place, message);
        }
        if !is_identified {
            let message = format_args!("{kind} {name} has no purl, CPE, SWID or hash");
            self.add("component-without-identity", &place, message);
        }
    }
}

/// Control characters, and those that change the direction of text (Unicode TR 36, 2.10).
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}
