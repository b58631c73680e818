//! Package URLs (purl, ECMA-427): read, built, and written in their one canonical form.

mod percent;
mod rules;

use std::{collections::BTreeMap, fmt, str::FromStr};

/// Longest text that is read as a package URL, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// Qualifiers that any type may have ("Known qualifiers key/value pairs").
const COMMON_KEYS: [&str; 6] =
    ["checksum", "download_url", "file_name", "repository_url", "vcs_url", "vers"];

/// A package URL whose parts follow the rules of its type; [`canonical`](Self::canonical) and
/// [`Display`](fmt::Display) write its canonical form, so two that mean the same are the same text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purl {
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<String, String>,
    subpath: Option<String>,
}

/// A text or part that makes no package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PurlError {
    /// More than [`MAX_BYTES`].
    #[error("has {0} bytes, more than the {MAX_BYTES} that are read")]
    TooLong(usize),
    /// Another scheme, or none.
    #[error("does not begin with `pkg:`")]
    Scheme,
    /// A type with other characters than letters, digits, `.` and `-`, or with a digit first.
    #[error("has the type {0:?}, which is not letters, digits, `.` and `-` after a letter")]
    Type(String),
    /// No name.
    #[error("has no name after its type")]
    NoName,
    /// A name that its type does not admit.
    #[error("has the name {0:?}, which packages of its type cannot have")]
    Name(String),
    /// A version that its type does not admit.
    #[error("has the version {0:?}, which packages of its type cannot have")]
    Version(String),
    /// A type whose packages have a namespace.
    #[error("has no namespace, which packages of type {0} have")]
    NoNamespace(String),
    /// A type whose packages have no namespace.
    #[error("has a namespace, which packages of type {0} do not have")]
    Namespace(String),
    /// A key with other characters than lower-case letters, digits, `.`, `-` and `_`.
    #[error("has the qualifier {0:?}, which is not lower-case letters, digits, `.`, `-` and `_`")]
    QualifierKey(String),
    /// The same key twice.
    #[error("has the qualifier {0} twice")]
    DuplicateQualifier(String),
    /// A qualifier that its type demands.
    #[error("has no qualifier `{0}`, which its type demands")]
    NoQualifier(&'static str),
    /// Escapes that are none, or that are not UTF-8.
    #[error("has escapes in {0:?} that are not those of UTF-8 text")]
    Escape(String),
}

impl Purl {
    /// A package URL of this type and name, to be completed with the other parts; the rules of the
    /// type are checked by [`checked`](Self::checked).
    pub fn new(kind: &str, name: &str) -> Self {
        Self {
            kind: kind.to_ascii_lowercase(),
            namespace: None,
            name: name.to_owned(),
            version: None,
            qualifiers: BTreeMap::new(),
            subpath: None,
        }
    }

    /// With this namespace, whose segments are separated by `/`; an empty one is none.
    pub fn with_namespace(mut self, namespace: &str) -> Self {
        self.namespace = match namespace.contains('/') {
            true => joined(namespace.split('/')),
            false => (!namespace.is_empty()).then(|| namespace.to_owned()),
        };
        self
    }

    /// With this version; an empty one is none.
    pub fn with_version(mut self, version: &str) -> Self {
        self.version = (!version.is_empty()).then(|| version.to_owned());
        self
    }

    /// With this qualifier; one without value is none.
    pub fn with_qualifier(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.qualifiers.insert(key.to_owned(), value.to_owned());
        }
        self
    }

    /// With this path below the package.
    pub fn with_subpath(mut self, subpath: &str) -> Self {
        self.subpath = joined(subpath.split('/').filter(|it| !matches!(*it, "." | "..")));
        self
    }

    /// The package URL in the form that its type asks for, such as a name in lower case.
    ///
    /// # Errors
    /// The first part that its type, or any package URL, cannot have.
    pub fn checked(mut self) -> Result<Self, PurlError> {
        let first = self.kind.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
        let is_type = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        if !first || !self.kind.bytes().all(is_type) {
            return Err(PurlError::Type(shortened(&self.kind)));
        }
        for key in self.qualifiers.keys() {
            check_key(key)?;
        }
        rules::normalize(&mut self);
        if self.name.is_empty() {
            return Err(PurlError::NoName);
        }
        rules::check(&self)?;
        Ok(self)
    }

    /// Reads a package URL as people write it: as [`FromStr`], and all keys of qualifiers may have
    /// capital letters.
    ///
    /// # Errors
    /// What is wrong with the text, so that it names no package.
    pub fn canonicalize(text: &str) -> Result<Self, PurlError> {
        read(text, true)
    }

    /// Its canonical form, the only text of what it means.
    pub fn canonical(&self) -> String {
        let Self { kind, namespace, name, version, qualifiers, subpath } = self;
        let parts = [Some(kind), namespace.as_ref(), Some(name), version.as_ref()];
        let length = parts.into_iter().flatten().map(|part| part.len() + 2).sum::<usize>();
        let mut text = String::with_capacity("pkg:".len() + length);
        text.push_str("pkg:");
        text.push_str(kind);
        text.push('/');
        if let Some(namespace) = namespace {
            percent::append_path(&mut text, namespace);
            text.push('/');
        }
        match rules::name_is_path(kind) {
            true => percent::append_path(&mut text, name),
            false => percent::append(&mut text, name),
        }
        if let Some(version) = version {
            text.push('@');
            percent::append(&mut text, version);
        }
        for (index, (key, value)) in qualifiers.iter().enumerate() {
            text.push(if index == 0 { '?' } else { '&' });
            text.push_str(key);
            text.push('=');
            percent::append(&mut text, value);
        }
        if let Some(subpath) = subpath {
            text.push('#');
            percent::append_path(&mut text, subpath);
        }
        text
    }

    /// Type, such as `pypi`; in lower case.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Namespace, decoded: a group, a scope, an organisation; its segments separated by `/`.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Name, decoded.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version, decoded.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Qualifiers by key, decoded.
    pub fn qualifiers(&self) -> &BTreeMap<String, String> {
        &self.qualifiers
    }

    /// Path below the package, decoded.
    pub fn subpath(&self) -> Option<&str> {
        self.subpath.as_deref()
    }
}

/// What a text that should be a package URL names, without version, qualifiers and subpath, in lower case; the `@` of
/// an npm scope is part of the name. None where nothing is left.
pub fn package_of(purl: &str) -> Option<String> {
    let bare = purl.split(['?', '#']).next()?.to_lowercase().replace("%40", "@");
    let package = match bare.rsplit_once('@') {
        Some((package, version)) if !version.contains('/') => package.to_owned(),
        _ => bare,
    };
    (!package.is_empty()).then_some(package)
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, PurlError> {
        read(text, false)
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical())
    }
}

/// Takes the text apart from its end, as the specification describes ("How to parse").
fn read(text: &str, keys_in_any_case: bool) -> Result<Purl, PurlError> {
    if text.len() > MAX_BYTES {
        return Err(PurlError::TooLong(text.len()));
    }
    let (rest, subpath) = split_last(text, '#');
    let (rest, qualifiers) = split_last(rest, '?');
    let (scheme, rest) = rest.split_once(':').ok_or(PurlError::Scheme)?;
    if !scheme.eq_ignore_ascii_case("pkg") {
        return Err(PurlError::Scheme);
    }
    let (kind, path) = rest.trim_matches('/').split_once('/').ok_or(PurlError::NoName)?;
    let mut purl = Purl::new(kind, "");
    let (path, version) = split_version(path);
    if let Some(version) = version {
        if path.ends_with('/') {
            return Err(PurlError::NoName);
        }
        purl = purl.with_version(&percent::decode(version)?);
    }
    let mut segments = decoded(path)?;
    if rules::name_is_path(&purl.kind) && segments.len() > 1 {
        let name = segments.split_off(1);
        purl.name = name.join("/");
    } else {
        purl.name = segments.pop().unwrap_or_default();
    }
    // An escaped `/` separates segments like any other: no segment can have one.
    purl = purl.with_namespace(&segments.join("/"));
    for pair in qualifiers.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let lower = key.to_ascii_lowercase();
        // The official suite admits the keys that all types share in any case, and no others.
        let is_free = keys_in_any_case || COMMON_KEYS.contains(&lower.as_str());
        let key = if is_free { lower } else { key.to_owned() };
        check_key(&key)?;
        if purl.qualifiers.contains_key(&key) {
            return Err(PurlError::DuplicateQualifier(key));
        }
        purl = purl.with_qualifier(&key, &percent::decode(value)?);
    }
    if let Some(subpath) = subpath {
        purl = purl.with_subpath(&decoded(subpath)?.join("/"));
    }
    purl.checked()
}

fn split_last(text: &str, mark: char) -> (&str, Option<&str>) {
    text.rsplit_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// The version stands after the last `@`, unless that one begins a segment: the scope of npm, which
/// people leave unescaped.
fn split_version(path: &str) -> (&str, Option<&str>) {
    match path.rsplit_once('@') {
        Some((before, after)) if before.ends_with('/') || before.is_empty() => {
            if after.contains('/') { (path, None) } else { (before, Some(after)) }
        }
        Some((before, after)) => (before, Some(after)),
        None => (path, None),
    }
}

/// The segments of a path, decoded, without empty ones.
fn decoded(path: &str) -> Result<Vec<String>, PurlError> {
    path.split('/').filter(|it| !it.is_empty()).map(percent::decode).collect()
}

fn joined<'a>(segments: impl Iterator<Item = &'a str>) -> Option<String> {
    let segments: Vec<&str> = segments.filter(|it| !it.is_empty()).collect();
    (!segments.is_empty()).then(|| segments.join("/"))
}

fn check_key(key: &str) -> Result<(), PurlError> {
    let first = key.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b);
    match first && key.bytes().all(rest) {
        true => Ok(()),
        false => Err(PurlError::QualifierKey(shortened(key))),
    }
}

/// As much of a text as fits a message.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
