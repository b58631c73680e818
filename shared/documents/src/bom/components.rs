//! The components of a document, nested ones included, and whether each can be told from others.

use purl::Purl;
use serde_json::Value;

use super::problems::{Problems, Quoted};
use super::{Component, MAX_PURL_BYTES, non_empty};
use crate::schema::json;

/// What the document describes, and everything it lists.
pub(super) fn read(
    document: &Value,
    problems: &mut Problems,
) -> (Option<Component>, Vec<Component>) {
    let mut reader = Reader { pointer: String::new(), found: Vec::new(), problems };
    let mut subject = None;
    if let Some(described) = document.get("metadata").and_then(|it| it.get("component")) {
        reader.pointer.push_str("/metadata/component");
        subject = Some(reader.component(described));
        reader.parts(described);
        reader.pointer.clear();
    }
    reader.parts(document);
    (subject, reader.found)
}

struct Reader<'a> {
    /// The place that is being read.
    pointer: String,
    found: Vec<Component>,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    /// Reads `components` of `whole` and theirs; the depth of the document bounds the recursion.
    fn parts(&mut self, whole: &Value) {
        for (index, part) in json::items(whole, "components").iter().enumerate() {
            let length = self.pointer.len();
            self.pointer.push_str("/components/");
            self.pointer.push_str(&index.to_string());
            let component = self.component(part);
            self.found.push(component);
            self.parts(part);
            self.pointer.truncate(length);
        }
    }

    fn component(&mut self, value: &Value) -> Component {
        let component = Component {
            bom_ref: self.bounded(value, "bom-ref").filter(|it| !it.is_empty()).map(str::to_owned),
            name: json::text(value, "name").unwrap_or_default().to_owned(),
            group: non_empty(value, "group"),
            version: non_empty(value, "version"),
            purl: self.purl(value),
            cpe: self.bounded(value, "cpe").filter(|it| !it.is_empty()).map(str::to_owned),
            kind: json::text(value, "type").unwrap_or_default().to_owned(),
        };
        self.check_names(value);
        self.check_identity(value, &component);
        component
    }

    fn purl(&mut self, value: &Value) -> Option<String> {
        let purl = self.bounded(value, "purl")?;
        let place = format_args!("{}/purl", self.pointer);
        match Purl::canonicalize(purl) {
            Err(error) => {
                let message = format_args!("{} is no package URL: {error}", Quoted(purl));
                self.problems.add("invalid-purl", place, message);
            }
            Ok(parsed) => {
                let canonical = parsed.to_string();
                if canonical != purl {
                    let (given, right) = (Quoted(purl), Quoted(&canonical));
                    let message = format_args!("{given} is written {right} by the rules of purl");
                    self.problems.add("non-canonical-purl", place, message);
                }
            }
        }
        Some(purl.to_owned())
    }

    /// The text under `key`, unless it is longer than any purl, CPE or reference.
    fn bounded<'v>(&mut self, value: &'v Value, key: &str) -> Option<&'v str> {
        let text = json::text(value, key)?;
        if text.len() <= MAX_PURL_BYTES {
            return Some(text);
        }
        let place = format_args!("{}/{key}", self.pointer);
        let message = format_args!("has {} bytes; {MAX_PURL_BYTES} are read", text.len());
        self.problems.add("purl-bomb", place, message);
        None
    }

    fn check_names(&mut self, value: &Value) {
        for key in ["bom-ref", "type", "name", "group", "version", "purl"] {
            let Some(text) = json::text(value, key) else { continue };
            if text.contains(is_invisible) {
                let message = format_args!("{} has control characters", Quoted(text));
                self.problems.add(
                    "control-character",
                    format_args!("{}/{key}", self.pointer),
                    message,
                );
            }
        }
    }

    fn check_identity(&mut self, value: &Value, component: &Component) {
        let name = Quoted(&component.name);
        if component.name.trim().is_empty() {
            let message = format_args!("the component has no name");
            self.problems.add("component-without-name", &self.pointer, message);
        }
        let may_lack_version = ["file", "data", "cryptographic-asset"];
        if component.version.is_none() && !may_lack_version.contains(&component.kind.as_str()) {
            let message = format_args!("{} {name} has no `version`", component.kind);
            self.problems.add("component-without-version", &self.pointer, message);
        }
        let identified =
            ["purl", "cpe", "swid", "hashes", "swhid", "omniborId"].iter().any(|key| {
                match value.get(key) {
                    Some(Value::String(text)) => !text.is_empty(),
                    Some(Value::Array(array)) => !array.is_empty(),
                    Some(Value::Object(_)) => true,
                    _ => false,
                }
            });
        if !identified {
            let message = format_args!("{} {name} has no purl, CPE, SWID or hash", component.kind);
            self.problems.add("component-without-identity", &self.pointer, message);
        }
    }
}

/// Control characters, and those that change the direction of text (Unicode TR 36, 2.10).
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}
