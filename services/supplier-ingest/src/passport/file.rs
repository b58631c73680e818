//! The file of a passport: read with line numbers, and written.

use std::ops::Range;

use attestation::{PublicKey, trust::IdentityEntry};
use bus::UserKey;
use documents::score::Standard;
use events::{Digest, Grade, Label, SupplierId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{
    FORMATS, GRADE_BY, Key, MAX_AGE_DAYS, MAX_PASSPORT_BYTES, Mode, Passport, PassportError,
    SPEC_VERSIONS, TOLERABLE, TOLERATED, VERSION,
};
use crate::Limits;

/// A passport as its file has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default = "version")]
    version: Spanned<u32>,
    id: SpannedText,
    name: Label,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    contacts: Vec<Label>,
    #[serde(default)]
    products: Vec<String>,
    #[serde(default)]
    namespaces: Vec<SpannedText>,
    #[serde(default = "default_formats")]
    formats: Vec<SpannedText>,
    #[serde(default = "default_spec_versions")]
    spec_versions: Vec<SpannedText>,
    #[serde(default = "default_max_age_days")]
    max_age_days: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum_grade: Option<Grade>,
    #[serde(default = "default_standard")]
    grade_by: Standard,
    #[serde(default = "yes")]
    vex: bool,
    #[serde(default = "default_tolerates")]
    tolerates: Vec<SpannedText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nkey: Option<UserKey>,
    #[serde(default, skip_serializing_if = "Limits::are_usual")]
    limits: Limits,
    #[serde(default)]
    keys: Vec<KeyEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    identities: Vec<Spanned<IdentityEntry>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    label: Label,
    pem: SpannedText,
    #[serde(default, skip_serializing_if = "is_false")]
    development: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_after: Option<Timestamp>,
}

type SpannedText = Spanned<String>;

fn version() -> Spanned<u32> {
    Spanned::new(0..0, VERSION)
}

/// Texts that stand nowhere.
fn spanned<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Vec<SpannedText> {
    texts.into_iter().map(|it| Spanned::new(0..0, it.as_ref().to_owned())).collect()
}

fn default_formats() -> Vec<SpannedText> {
    spanned(FORMATS)
}

fn default_spec_versions() -> Vec<SpannedText> {
    spanned(SPEC_VERSIONS)
}

fn default_tolerates() -> Vec<SpannedText> {
    spanned(TOLERATED)
}

fn default_standard() -> Standard {
    GRADE_BY
}

fn default_max_age_days() -> u32 {
    MAX_AGE_DAYS
}

fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_false(value: &bool) -> bool {
    !value
}

fn plain(texts: Vec<SpannedText>) -> Vec<String> {
    texts.into_iter().map(Spanned::into_inner).collect()
}

/// What purls may begin with: a type, and perhaps a namespace or a name.
fn check_namespace(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix("pkg:").filter(|it| !it.contains(['@', '?', '#', ' ']));
    let parts = rest.and_then(|it| it.split_once('/'));
    let example = "write a type and what follows, such as pkg:npm/%40acme/ or pkg:pypi/acme-widget";
    match parts {
        Some((kind, _)) if !kind.is_empty() => Ok(()),
        _ => Err(format!("has {text:?}, which no purl of a package begins with; {example}")),
    }
}

/// Where something is wrong in the text, and what.
type Wrong = (Range<usize>, String);

fn at_line(text: &str, span: Range<usize>, problem: String) -> PassportError {
    let line = text.get(..span.start).map(|before| before.matches('\n').count() + 1);
    PassportError { line, problem }
}

impl File {
    /// Refuses words that mean nothing.
    fn check(&self) -> Result<(), Wrong> {
        if *self.version.as_ref() != VERSION {
            let found = self.version.as_ref();
            let problem = format!("`version` is {found}; this release reads {VERSION}");
            return Err((self.version.span(), problem));
        }
        for (field, texts, known) in [
            ("tolerates", &self.tolerates, &TOLERABLE[..]),
            ("formats", &self.formats, &FORMATS[..]),
            ("spec_versions", &self.spec_versions, &SPEC_VERSIONS[..]),
        ] {
            let unknown = texts.iter().find(|it| !known.contains(&it.as_ref().as_str()));
            if let Some(text) = unknown {
                let (found, known) = (text.as_ref(), known.join(", "));
                return Err((text.span(), format!("`{field}` has {found:?}; known are {known}")));
            }
        }
        for namespace in &self.namespaces {
            let wrong = |problem| (namespace.span(), format!("`namespaces` {problem}"));
            check_namespace(namespace.as_ref()).map_err(wrong)?;
        }
        Ok(())
    }

    /// The keys, each once.
    fn keys(&self) -> Result<Vec<Key>, Wrong> {
        let mut keys: Vec<Key> = Vec::new();
        for entry in &self.keys {
            let wrong = |problem: String| (entry.pem.span(), format!("`pem` {problem}"));
            let key = PublicKey::from_pem(entry.pem.as_ref());
            let key = key.map_err(|error| wrong(error.to_string()))?;
            if let Some(twin) = keys.iter().find(|it| it.key == key) {
                return Err(wrong(format!("is the key `{}` again; list it once", twin.label)));
            }
            keys.push(Key {
                label: entry.label.clone(),
                key,
                development: entry.development,
                not_before: entry.not_before,
                not_after: entry.not_after,
            });
        }
        Ok(keys)
    }
}

impl Passport {
    /// Reads the text of a passport.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, PassportError> {
        let at = |span, problem| at_line(text, span, problem);
        if text.len() > MAX_PASSPORT_BYTES {
            let problem =
                format!("has {} bytes; at most {MAX_PASSPORT_BYTES} are read", text.len());
            return Err(PassportError { line: None, problem });
        }
        let file: File = toml::from_str(text).map_err(|error| {
            at(error.span().unwrap_or_default(), error.message().replace('\n', " "))
        })?;
        let id = file.id.as_ref().parse::<SupplierId>();
        let id = id.map_err(|error| at(file.id.span(), format!("`id` {error}")))?;
        file.check().map_err(|(span, problem)| at(span, problem))?;
        let keys = file.keys().map_err(|(span, problem)| at(span, problem))?;
        for entry in &file.identities {
            let rule = entry.get_ref().rule();
            rule.map_err(|error| at(entry.span(), error.to_string()))?;
        }
        Ok(Self {
            id,
            name: file.name,
            mode: file.mode,
            contacts: file.contacts,
            products: file.products,
            namespaces: plain(file.namespaces),
            formats: plain(file.formats),
            spec_versions: plain(file.spec_versions),
            max_age_days: file.max_age_days,
            minimum_grade: file.minimum_grade,
            grade_by: file.grade_by,
            vex: file.vex,
            tolerates: plain(file.tolerates),
            keys,
            identities: file.identities.into_iter().map(Spanned::into_inner).collect(),
            nkey: file.nkey,
            limits: file.limits,
            digest: Digest::of(text.as_bytes()),
        })
    }

    /// The text of this passport, as [`Passport::parse`] reads it.
    pub fn to_toml(&self) -> String {
        let entry = |key: &Key| KeyEntry {
            label: key.label.clone(),
            pem: Spanned::new(0..0, key.key.to_pem()),
            development: key.development,
            not_before: key.not_before,
            not_after: key.not_after,
        };
        let file = File {
            version: version(),
            id: Spanned::new(0..0, self.id.to_string()),
            name: self.name.clone(),
            mode: self.mode,
            contacts: self.contacts.clone(),
            products: self.products.clone(),
            namespaces: spanned(&self.namespaces),
            formats: spanned(&self.formats),
            spec_versions: spanned(&self.spec_versions),
            max_age_days: self.max_age_days,
            minimum_grade: self.minimum_grade,
            grade_by: self.grade_by,
            vex: self.vex,
            tolerates: spanned(&self.tolerates),
            nkey: self.nkey.clone(),
            limits: self.limits.clone(),
            keys: self.keys.iter().map(entry).collect(),
            identities: self.identities.iter().map(|it| Spanned::new(0..0, it.clone())).collect(),
        };
        // Texts, numbers and lists of them always encode.
        toml::to_string_pretty(&file).unwrap_or_default()
    }
}
