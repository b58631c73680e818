//! CSAF 2.0 (OASIS Standard of 18 November 2022), after its schema was applied: the profiles VEX
//! (4.5) and security advisory (4.4), of which only `product_status` (3.2.3.9) is a statement.

mod statements;
mod tree;

use std::fmt::Display;

use serde_json::Value;

use self::{statements::Reader, tree::Tree};
use super::{Copies, Document, Edition, Format, Version, VexError, owned, time};
use crate::schema::json::{self, text};
use crate::schema::{MAX_VIOLATIONS, Violation, validator};

const MAX_QUOTED_CHARS: usize = 80;

pub(super) fn read(bytes: &[u8]) -> Result<Document, VexError> {
    let (document, weight) = json::read(bytes)?;
    let head = document.get("document").unwrap_or(&Value::Null);
    let version = text(head, "csaf_version").unwrap_or("missing");
    if version != "2.0" {
        return Err(VexError::UnsupportedCsaf { found: quoted(version) });
    }
    let format = Format::Csaf2_0;
    let validator = validator::csaf_2_0()
        .map_err(|message| VexError::BrokenSchema { format: format.name(), message })?;
    let violations = validator.violations(&document, weight);
    if !violations.is_empty() {
        return Err(VexError::Invalid { format: format.name(), violations });
    }
    let profile = profile(head)?;
    let tracking = head.get("tracking").unwrap_or(&Value::Null);
    // A draft is not released yet, and anything may change in it (3.1.11).
    if text(tracking, "status") == Some("draft") {
        return Err(VexError::Draft);
    }
    let mut faults = Faults::default();
    let tree = Tree::of(document.get("product_tree").unwrap_or(&Value::Null), &mut faults);
    let timestamp = time(tracking, "current_release_date");
    let mut reader = Reader { tree: &tree, profile, timestamp, faults, copies: Copies::default() };
    let statements = reader.statements(&document)?;
    match reader.faults.0 {
        violations if !violations.is_empty() => Err(VexError::Unsound { violations }),
        _ if statements.is_empty() => Err(VexError::NoStatus),
        _ => Ok(Document {
            format,
            id: owned(tracking, "id").unwrap_or_default(),
            author: head.get("publisher").and_then(|it| owned(it, "name")),
            timestamp,
            edition: edition(head, tracking),
            tlp: head.pointer("/distribution/tlp").and_then(|it| owned(it, "label")),
            statements,
        }),
    }
}

/// An id is unique for its publisher only (3.2.1.12.4).
fn edition(head: &Value, tracking: &Value) -> Option<Edition> {
    let publisher = head.pointer("/publisher/namespace").and_then(Value::as_str)?;
    let id = text(tracking, "id").filter(|id| !id.is_empty())?;
    Edition::of(Some(format!("{publisher} {id}")), Version::of(tracking.get("version")))
}

/// What `category` promises of the document (section 4).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    Vex,
    Advisory,
}

fn profile(head: &Value) -> Result<Profile, VexError> {
    match text(head, "category").unwrap_or_default() {
        "csaf_vex" => Ok(Profile::Vex),
        "csaf_security_advisory" => Ok(Profile::Advisory),
        found => Err(VexError::OtherProfile { found: quoted(found) }),
    }
}

/// The first places that fail one of the mandatory tests (6.1).
#[derive(Default)]
struct Faults(Vec<Violation>);

impl Faults {
    /// Nothing is formatted once there are enough: a document may fail a million times.
    fn add(&mut self, pointer: impl Display, message: impl Display) {
        if self.0.len() < MAX_VIOLATIONS {
            let (pointer, message) = (pointer.to_string(), message.to_string());
            self.0.push(Violation { pointer, message });
        }
    }
}

fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED_CHARS).collect()
}
