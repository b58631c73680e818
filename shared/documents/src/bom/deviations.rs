//! Harmless ways in which generators in wide use depart from the schema, each by its name.
//!
//! Only a document that breaks its schema is looked at for them; what is mended is what is read, and
//! the bytes that were sent stay as they are. Nothing here may make a document say something else:
//! what is taken away says nothing, or nothing that can be used.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::problems::{Problems, Quoted};
use crate::schema::validator;

/// The deviations that are tolerated: the code of the problem that is reported, and what is done.
pub const DEVIATIONS: [(&str, &str); 10] = [
    ("null-field", "a field that is null is read as absent"),
    ("empty-field", "an optional field without text is read as absent"),
    ("odd-url", "a URL that is no IRI reference (RFC 3987) is not read"),
    ("odd-email", "an address that is no e-mail address is not read"),
    ("odd-serial-number", "a serial number in capitals, or a bare UUID, is read as urn:uuid:…"),
    ("repeated-item", "an entry that is there again, with the same content, counts once"),
    (
        "several-expressions",
        "licence expressions in a list (1.5 and later allow one) are read as names",
    ),
    ("absent-download-location", "a package of SPDX without downloadLocation says NOASSERTION"),
    (
        "other-spelling",
        "a word of SPDX that older tools spell otherwise is read as the schema has it",
    ),
    ("licence-named-twice", "of a licence with an id and a name the id is read"),
];

/// Optional fields that must not be empty where they are there.
const MAY_BE_ABSENT: [&str; 6] =
    ["bom-ref", "scope", "mime-type", "serialNumber", "severity", "email"];
/// Lists whose entries must differ, of those that generators fill from several sources.
const SETS: [&str; 11] = [
    "components",
    "services",
    "dependencies",
    "dependsOn",
    "provides",
    "vulnerabilities",
    "compositions",
    "assemblies",
    "affects",
    "annotations",
    "tools",
];

/// Mends what deviates in a known way, and says so; whether there was anything.
pub(super) fn mend(document: &mut Value, problems: &mut Problems) -> bool {
    let mut mender = Mender { pointer: String::new(), problems, found: false };
    if let Some(top) = document.as_object_mut() {
        mender.serial_number(top);
        if top.contains_key("spdxVersion") {
            mender.spdx(top);
        }
    }
    mender.value(document);
    mender.found
}

struct Mender<'a> {
    pointer: String,
    problems: &'a mut Problems,
    found: bool,
}

impl Mender<'_> {
    /// The depth of the document bounds the recursion.
    fn value(&mut self, value: &mut Value) {
        match value {
            Value::Object(object) => self.object(object),
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.within(&index.to_string(), |mender| mender.value(item));
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, object: &mut Map<String, Value>) {
        object.retain(|key, value| !self.is_nothing(key, value));
        for (key, value) in object.iter_mut() {
            self.within(key, |mender| {
                match (key.as_str(), &mut *value) {
                    ("url", Value::String(url)) => mender.url(url),
                    ("url", Value::Array(urls)) => mender.urls(urls),
                    ("licenses", Value::Array(licences)) => mender.licences(licences),
                    _ => {}
                }
                mender.value(value);
                // From the inside out, so that what became the same is noticed.
                if let (true, Value::Array(items)) = (SETS.contains(&key.as_str()), value) {
                    mender.set(items);
                }
            });
        }
    }

    fn is_nothing(&mut self, key: &str, value: &Value) -> bool {
        match value {
            Value::Null => self.at(key, "null-field", "is null"),
            Value::String(text) if text.is_empty() && MAY_BE_ABSENT.contains(&key) => {
                self.at(key, "empty-field", "is empty")
            }
            Value::String(text) if key == "email" && !validator::is_email(text) => {
                self.at(key, "odd-email", &format!("{} is no e-mail address", Quoted(text)))
            }
            _ => false,
        }
    }

    fn url(&mut self, url: &mut String) {
        if !validator::is_iri_reference(url) {
            self.here("odd-url", &format!("{} is no IRI reference", Quoted(url)));
            // The field may be required; an empty reference is one that leads nowhere.
            url.clear();
        }
    }

    fn urls(&mut self, urls: &mut [Value]) {
        for (index, url) in urls.iter_mut().enumerate() {
            if let Value::String(url) = url {
                self.within(&index.to_string(), |mender| mender.url(url));
            }
        }
    }

    fn licences(&mut self, licences: &mut [Value]) {
        let alone = licences.len() == 1;
        for (index, licence) in licences.iter_mut().enumerate() {
            self.within(&index.to_string(), |mender| {
                if let (false, Some(expression)) = (alone, licence.get("expression")) {
                    let licence_of_that_name = json!({ "license": { "name": expression } });
                    mender.here("several-expressions", "is one of several, with an expression");
                    *licence = licence_of_that_name;
                }
                let Some(inner) = licence.get_mut("license").and_then(Value::as_object_mut) else {
                    return;
                };
                if inner.contains_key("id") && inner.remove("name").is_some() {
                    mender.here("licence-named-twice", "has both `id` and `name`");
                }
            });
        }
    }

    fn set(&mut self, items: &mut Vec<Value>) {
        let mut seen = HashSet::with_capacity(items.len());
        let repeated: Vec<bool> = items.iter().map(|item| !seen.insert(item)).collect();
        drop(seen);
        if !repeated.contains(&true) {
            return;
        }
        for index in (0..items.len()).filter(|&index| repeated[index]) {
            self.at(&index.to_string(), "repeated-item", "is an entry of before again");
            if let Some(Value::String(name)) = items[index].get("bom-ref") {
                let place = format!("{}/{index}/bom-ref", self.pointer);
                let message = format_args!("{} names another element already", Quoted(name));
                self.problems.add("duplicate-bom-ref", place, message);
            }
        }
        let mut repeated = repeated.into_iter();
        items.retain(|_| !repeated.next().unwrap_or(false));
    }

    fn spdx(&mut self, top: &mut Map<String, Value>) {
        let spellings = [
            ("packages", "primaryPackagePurpose", "OPERATING_SYSTEM", "OPERATING-SYSTEM"),
            ("relationships", "relationshipType", "DESCRIBE", "DESCRIBES"),
        ];
        for (list, key, written, right) in spellings {
            let items = top.get_mut(list).and_then(Value::as_array_mut);
            for (index, item) in items.into_iter().flatten().enumerate() {
                if let Some(word) = item.get_mut(key).filter(|it| **it == written) {
                    *word = right.into();
                    let message = format!("is {written}, which is spelt {right}");
                    self.at_entry(list, index, key, "other-spelling", &message);
                }
            }
        }
        let packages = top.get_mut("packages").and_then(Value::as_array_mut);
        for (index, package) in packages.into_iter().flatten().enumerate() {
            let Some(package) = package.as_object_mut() else { continue };
            if !package.contains_key("downloadLocation") {
                package.insert("downloadLocation".to_owned(), "NOASSERTION".into());
                let code = "absent-download-location";
                self.at_entry("packages", index, "downloadLocation", code, "is missing");
            }
        }
    }

    fn serial_number(&mut self, top: &mut Map<String, Value>) {
        let Some(Value::String(serial)) = top.get_mut("serialNumber") else { return };
        let lower = serial.to_ascii_lowercase();
        let id = lower.strip_prefix("urn:uuid:").unwrap_or(&lower);
        // 36 characters: the forms without hyphens, and in braces, are somebody else's.
        if id.len() == 36 && uuid::Uuid::try_parse(id).is_ok() {
            let right = format!("urn:uuid:{id}");
            if *serial != right {
                let message = format!("{} is written {right}", Quoted(serial));
                *serial = right;
                self.at("serialNumber", "odd-serial-number", &message);
            }
        }
    }

    fn within(&mut self, key: &str, mend: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        mend(self);
        self.pointer.truncate(length);
    }

    /// Reports a deviation of the field `key`; true, for whoever asks whether there is one.
    fn at(&mut self, key: &str, code: &'static str, message: &str) -> bool {
        self.within(key, |mender| mender.here(code, message));
        true
    }

    /// Reports a deviation of the field `key` of an entry of `list`.
    fn at_entry(&mut self, list: &str, index: usize, key: &str, code: &'static str, message: &str) {
        self.within(list, |mender| {
            mender.within(&index.to_string(), |mender| {
                mender.at(key, code, message);
            });
        });
    }

    fn here(&mut self, code: &'static str, message: &str) {
        self.found = true;
        let done = DEVIATIONS.iter().find(|(known, _)| *known == code).map_or("", |(_, done)| done);
        self.problems.add(code, &self.pointer, format_args!("{message}: {done}"));
    }
}
