//! What a document holds that a reader may be deceived by: malware, and names that only look right.

use std::{borrow::Cow, cmp::Reverse};

use advisories::{Confidence, Index, Match, Package};
use documents::bom::{Bom, Component};
use unicode_security::skeleton;

use crate::passport::Passport;

/// Most that is told of each kind; the others are counted.
const MAX_TOLD: usize = 10;
/// Shorter names differ in one letter by chance.
const MIN_NAME_CHARS: usize = 5;
/// Longer names are no names.
const MAX_NAME_BYTES: usize = 256;

/// Something suspicious, as the policy learns of it.
pub(super) struct Suspicion {
    pub(super) code: &'static str,
    pub(super) place: String,
    pub(super) message: String,
}

/// What was found, and how many.
#[derive(Default)]
pub(super) struct Suspicions {
    pub(super) told: Vec<Suspicion>,
    pub(super) count: usize,
}

impl Suspicions {
    /// Looks at what `bom` is about and at everything that it lists.
    pub(super) fn of(bom: &Bom, passport: &Passport, advisories: Option<&Index>) -> Self {
        let mut found = Self::default();
        let allowed = Allowed::of(passport);
        if let Some(subject) = &bom.subject
            && let Some(name) = allowed.looks_like(subject)
        {
            let message = format!("{:?} only looks like {name:?}", shown(&subject.name));
            found.add("look-alike-product", "/metadata/component/name".to_owned(), message);
        }
        let (mut malware, mut look_alikes) = (0, 0);
        for component in &bom.components {
            if let Some(record) = advisories.and_then(|it| malicious(it, component)) {
                malware += 1;
                found.count += 1;
                if malware <= MAX_TOLD {
                    let purl = component.purl.as_deref().unwrap_or_default();
                    let message = format!("{} is malware: {}", shown(purl), told(&record));
                    found.push("malicious-package", place(component), message);
                }
            }
            if let Some(name) = allowed.looks_like(component) {
                look_alikes += 1;
                found.count += 1;
                if look_alikes <= MAX_TOLD {
                    let message = format!("{:?} only looks like {name:?}", shown(&component.name));
                    found.push("look-alike-component", place(component), message);
                }
            }
        }
        found
    }

    fn add(&mut self, code: &'static str, place: String, message: String) {
        self.count += 1;
        self.push(code, place, message);
    }

    fn push(&mut self, code: &'static str, place: String, message: String) {
        self.told.push(Suspicion { code, place, message });
    }
}

/// A component by what its document calls it.
fn place(component: &Component) -> String {
    let named = component.bom_ref.as_deref().or(component.purl.as_deref());
    shown(named.unwrap_or(&component.name)).into_owned()
}

fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_NAME_BYTES) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// What says that the package itself is the harm, the surest.
fn malicious(index: &Index, component: &Component) -> Option<Match> {
    let package = Package::from_purl(component.purl.as_deref()?).ok()?;
    let found = index.matches(&package).into_iter().filter(|it| it.malicious);
    found.min_by_key(|it| Reverse(it.confidence))
}

/// The id, and what there is to doubt, as findings of builds have it.
fn told(found: &Match) -> String {
    let Match { id, confidence, doubts, .. } = found;
    if *confidence == Confidence::High {
        return id.clone();
    }
    let doubts: Vec<_> = doubts.iter().map(|it| it.as_str()).collect();
    format!("{id}, {} confidence ({})", confidence.as_str(), doubts.join(", "))
}

/// The names that a passport allows, and what a reader takes for them.
struct Allowed<'a> {
    names: Vec<(&'a str, String)>,
    namespaces: &'a [String],
}

impl<'a> Allowed<'a> {
    fn of(passport: &'a Passport) -> Self {
        let names = passport.products.iter().map(String::as_str);
        let names = names.filter(|it| it.len() <= MAX_NAME_BYTES);
        let names = names.map(|it| (it, seen(it).into_owned())).collect();
        Self { names, namespaces: &passport.namespaces }
    }

    /// The allowed name that a reader may take the component's for, which is not the same.
    fn looks_like(&self, component: &Component) -> Option<&'a str> {
        let name = component.name.as_str();
        if name.len() > MAX_NAME_BYTES || self.names.is_empty() || self.is_own(component) {
            return None;
        }
        let seen = seen(name);
        let found =
            self.names.iter().find(|(allowed, seen_as)| is_like(&seen, seen_as, name, allowed));
        found.filter(|_| self.names.iter().all(|(allowed, _)| *allowed != name)).map(|(it, _)| *it)
    }

    /// Whatever is of the supplier's own namespaces may be called as the supplier likes.
    fn is_own(&self, component: &Component) -> bool {
        let purl = component.purl.as_deref().unwrap_or_default();
        self.namespaces.iter().any(|it| purl.starts_with(it.as_str()))
    }
}

fn is_like(seen: &str, seen_as: &str, name: &str, allowed: &str) -> bool {
    if seen == seen_as {
        return name != allowed;
    }
    let lengths = (seen.len(), seen_as.len());
    let is_long = lengths.0.min(lengths.1) >= MIN_NAME_CHARS;
    is_long && lengths.0.abs_diff(lengths.1) <= 1 && strsim::osa_distance(seen, seen_as) == 1
}

/// What a reader sees: letters that look alike are one (Unicode TR 39, section 4), and case and what
/// stands between words makes no difference.
fn seen(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|it| it.is_ascii_lowercase() && it != b'm') {
        return Cow::Borrowed(name);
    }
    let lower = name.to_lowercase();
    let letters = skeleton(&lower).filter(|it| !matches!(it, '-' | '_' | '.' | ' '));
    Cow::Owned(letters.flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn like(name: &str, allowed: &str) -> bool {
        is_like(&seen(name), &seen(allowed), name, allowed)
    }

    #[test]
    fn malware_is_told_with_what_there_is_to_doubt() {
        let record = |id: &str, name: &str| {
            json!({
                "id": id, "modified": "2026-01-01T00:00:00Z",
                "affected": [{
                    "package": { "ecosystem": "npm", "name": name },
                    "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }] }],
                }],
            })
        };
        let directory = tempfile::tempdir().expect("temporary");
        let records = [
            record("MAL-2026-1", "Left"),
            record("MAL-2026-2", "right"),
            record("CVE-2026-1", "centre"),
        ];
        for (number, record) in records.iter().enumerate() {
            let file = directory.path().join(format!("{number}.json"));
            fs::write(file, record.to_string()).expect("writes");
        }
        let (index, _) = Index::build(&[directory.path().to_owned()]).expect("builds");
        let names = ["left", "right", "centre"];
        let components = names.map(|name| {
            let purl = format!("pkg:npm/{name}@1.0");
            json!({ "type": "library", "name": name, "version": "1.0", "purl": purl })
        });
        let bom = json!({
            "bomFormat": "CycloneDX", "specVersion": "1.6", "components": components,
        });
        let bom = documents::bom::read(bom.to_string().as_bytes()).expect("reads");
        let acme = "acme".parse().expect("valid");
        let passport = Passport::new(acme, events::Label::of("Acme Ltd"), vec![]);

        let found = Suspicions::of(&bom, &passport, Some(&index));

        let told: Vec<_> = found.told.iter().map(|it| (it.code, it.message.as_str())).collect();
        let left = "pkg:npm/left@1.0 is malware: MAL-2026-1, medium confidence (name-by-case)";
        let right = "pkg:npm/right@1.0 is malware: MAL-2026-2";
        assert_eq!(told, [("malicious-package", left), ("malicious-package", right)]);
        assert_eq!(found.count, 2);
    }

    #[test]
    fn names_that_only_look_right_are_told_from_right_and_other_ones() {
        for (name, allowed) in [
            ("wіdget", "widget"),
            ("w1dget", "widget"),
            ("wid-get", "widget"),
            ("Widget", "widget"),
            ("wigdet", "widget"),
            ("widgets", "widget"),
            ("rnarmot", "marmot"),
            ("g00gle", "google"),
            ("pаypal", "paypal"),
        ] {
            assert!(like(name, allowed), "{name} {allowed}: {} {}", seen(name), seen(allowed));
        }
        for (name, allowed) in [
            ("widget", "widget"),
            ("gadget", "widget"),
            ("left", "lift"),
            ("", "widget"),
            ("widget-server", "widget"),
        ] {
            assert!(!like(name, allowed), "{name} {allowed}");
        }
    }
}
