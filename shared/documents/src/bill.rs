//! CycloneDX of anybody, looked at as it stands: what breaks the schema is read as far as it goes.

use serde_json::Value;

use crate::schema::json::{items, text};
use crate::schema::{CycloneDxVersion, SchemaError, Violation, judge, read_unjudged, violations};

/// Longest text of a document that is repeated in a result, in characters.
pub(crate) const MAX_TEXT_CHARS: usize = 300;

/// A document whose JSON is sound, and that says it is CycloneDX.
pub(crate) struct Bill {
    pub(crate) document: Value,
    pub(crate) version: CycloneDxVersion,
    pub(crate) weight: usize,
}

/// A component, the one that the document describes included.
pub(crate) struct Part<'a> {
    pub(crate) value: &'a Value,
    /// The place, as a JSON Pointer (RFC 6901).
    pub(crate) pointer: String,
    /// Index of the component that it is a part of.
    pub(crate) within: Option<usize>,
    /// Whether it is `metadata.component`.
    pub(crate) is_subject: bool,
}

impl Bill {
    /// Reads a document of version 1.2 or later.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, SchemaError> {
        let (document, version, weight) = read_unjudged(bytes)?;
        Ok(Self { document, version, weight })
    }

    /// Reads a document that keeps to the schema of its version.
    pub(crate) fn read_valid(bytes: &[u8]) -> Result<Self, SchemaError> {
        let bill = Self::read(bytes)?;
        judge(&bill.document, bill.version, bill.weight)?;
        Ok(bill)
    }

    /// Where it breaks the schema of its version.
    pub(crate) fn violations(&self) -> Result<Vec<Violation>, SchemaError> {
        violations(&self.document, self.version, self.weight)
    }

    pub(crate) fn metadata(&self) -> &Value {
        self.document.get("metadata").unwrap_or(&Value::Null)
    }

    /// `metadata.component`, if it is one.
    pub(crate) fn subject(&self) -> Option<&Value> {
        self.metadata().get("component").filter(|it| it.is_object())
    }

    /// Every component in document order, an assembly before its parts; the subject comes first.
    pub(crate) fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = Vec::new();
        if let Some(value) = self.subject() {
            let pointer = "/metadata/component".to_owned();
            parts.push(Part { value, pointer, within: None, is_subject: true });
            collect(value, Some(0), &mut parts);
        }
        collect(&self.document, None, &mut parts);
        parts
    }
}

/// The component at `/components/<index>`, and its parts.
pub(crate) fn parts_of(component: &Value, index: usize) -> Vec<Part<'_>> {
    let pointer = format!("/components/{index}");
    let mut parts = vec![Part { value: component, pointer, within: None, is_subject: false }];
    collect(component, Some(0), &mut parts);
    parts
}

/// The depth of the document bounds the recursion.
fn collect<'a>(whole: &'a Value, within: Option<usize>, parts: &mut Vec<Part<'a>>) {
    for (index, value) in items(whole, "components").iter().enumerate() {
        let above = within.map_or("", |it| &parts[it].pointer);
        let pointer = format!("{above}/components/{index}");
        parts.push(Part { value, pointer, within, is_subject: false });
        collect(value, Some(parts.len() - 1), parts);
    }
}

impl<'a> Part<'a> {
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        text(self.value, key)
    }

    pub(crate) fn items(&self, key: &str) -> &'a [Value] {
        items(self.value, key)
    }

    pub(crate) fn bom_ref(&self) -> Option<&'a str> {
        self.text("bom-ref").filter(|it| !it.is_empty())
    }

    /// The value of the property `name`, where it has one.
    pub(crate) fn property(&self, name: &str) -> Option<&'a str> {
        let found = self.items("properties").iter().find(|it| text(it, "name") == Some(name));
        found.and_then(|it| text(it, "value"))
    }

    /// Its external references of one of the `kinds`.
    pub(crate) fn references(&self, kinds: &'static [&str]) -> impl Iterator<Item = &'a Value> {
        let references = self.items("externalReferences").iter();
        references.filter(|it| text(it, "type").is_some_and(|kind| kinds.contains(&kind)))
    }
}

/// The tools that made the document: objects in a list until 1.4, components and services since.
pub(crate) fn tools(metadata: &Value) -> impl Iterator<Item = &Value> {
    let since_1_5 = metadata.get("tools").unwrap_or(&Value::Null);
    let until_1_4 = items(metadata, "tools").iter();
    until_1_4.chain(items(since_1_5, "components")).chain(items(since_1_5, "services"))
}

/// Whether a text stands where an answer should, but says that there is none.
pub(crate) fn says_unknown(text: &str) -> bool {
    const WORDS: [&str; 13] = [
        "",
        "noassertion",
        "none",
        "unknown",
        "n/a",
        "na",
        "not specified",
        "not_specified",
        "unspecified",
        "undefined",
        "null",
        "-",
        "?",
    ];
    let text = text.trim();
    text.len() <= 16 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// `text` for a result: shortened, so that results are bounded.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
