//! The components of a document, nested ones included, and whether each can be told from others.

use serde_json::Value;

use super::Parts;
use crate::bom::{Component, MAX_LOCATIONS, MAX_PURL_BYTES, Problems, Scope, non_empty};
use crate::lockfile;
use crate::schema::json;

/// What the document describes, and everything it lists.
pub(super) fn read(document: &Value, problems: &mut Problems) -> Parts {
    let mut reader = Reader { pointer: String::new(), found: Vec::new(), problems };
    let mut subject = None;
    if let Some(described) = document.get("metadata").and_then(|it| it.get("component")) {
        reader.pointer.push_str("/metadata/component");
        subject = Some(reader.component(described));
        reader.parts(described);
        reader.pointer.clear();
    }
    let of_subject = reader.found.len();
    reader.parts(document);
    Parts { subject, components: reader.found, of_subject }
}

/// The component at `/components/<index>` and its parts, added to `found`.
pub(super) fn read_one(
    component: &Value,
    index: usize,
    found: &mut Vec<Component>,
    problems: &mut Problems,
) {
    let mut reader = Reader { pointer: String::new(), found: std::mem::take(found), problems };
    reader.part(component, index);
    *found = reader.found;
}

fn scope(word: &str) -> Option<Scope> {
    match word {
        "required" => Some(Scope::Required),
        "optional" => Some(Scope::Optional),
        "excluded" => Some(Scope::Excluded),
        _ => None,
    }
}

/// Where it was found; what can be edited comes first, whatever else there is.
fn locations(value: &Value) -> Vec<String> {
    let Some(evidence) = value.get("evidence") else { return Vec::new() };
    let occurrences = json::items(evidence, "occurrences").iter();
    let told = occurrences.filter_map(|it| json::text(it, "location"));
    let usable = told.filter(|it| !it.is_empty() && it.len() <= MAX_PURL_BYTES);
    let (locks, others): (Vec<&str>, Vec<&str>) = usable.partition(|it| lockfile::is_known(it));
    let mut locations: Vec<String> = Vec::new();
    for location in locks.into_iter().chain(others) {
        if locations.len() == MAX_LOCATIONS {
            break;
        }
        if !locations.iter().any(|it| it == location) {
            locations.push(location.to_owned());
        }
    }
    locations
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
            self.part(part, index);
        }
    }

    fn part(&mut self, part: &Value, index: usize) {
        let length = self.pointer.len();
        self.pointer.push_str("/components/");
        self.pointer.push_str(&index.to_string());
        let component = self.component(part);
        self.found.push(component);
        self.parts(part);
        self.pointer.truncate(length);
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
            scope: json::text(value, "scope").and_then(scope),
            locations: locations(value),
        };
        self.check_names(value);
        self.check_identity(value, &component);
        component
    }

    fn purl(&mut self, value: &Value) -> Option<String> {
        let purl = self.bounded(value, "purl")?;
        self.problems.check_purl(purl, format_args!("{}/purl", self.pointer));
        Some(purl.to_owned())
    }

    /// The text under `key`, unless it is longer than any purl, CPE or reference.
    fn bounded<'v>(&mut self, value: &'v Value, key: &str) -> Option<&'v str> {
        let text = json::text(value, key)?;
        self.problems.bounded(text, format_args!("{}/{key}", self.pointer))
    }

    fn check_names(&mut self, value: &Value) {
        for key in ["bom-ref", "type", "name", "group", "version", "purl"] {
            let Some(text) = json::text(value, key) else { continue };
            self.problems.check_visible(text, format_args!("{}/{key}", self.pointer));
        }
    }

    fn check_identity(&mut self, value: &Value, component: &Component) {
        let is_identified =
            ["purl", "cpe", "swid", "hashes", "swhid", "omniborId"].iter().any(|key| {
                match value.get(key) {
                    Some(Value::String(text)) => !text.is_empty(),
                    Some(Value::Array(array)) => !array.is_empty(),
                    Some(Value::Object(_)) => true,
                    _ => false,
                }
            });
        self.problems.check_identity(component, is_identified, "version", &self.pointer);
    }
}
