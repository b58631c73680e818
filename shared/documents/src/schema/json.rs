//! JSON from outside: as a `Value`, but with every key once, and in bounded memory.

mod apart;

use std::cell::Cell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

pub(crate) use apart::Apart;

/// Largest document that is read, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;
/// Deepest nesting of arrays and objects that is read; real SBOMs have 9.
pub const MAX_DEPTH: usize = 64;
/// Most weight of one document. A value weighs 1, and an object, for which memory is set aside
/// at once, 5 more. Real SBOMs weigh 1 in 11 bytes or less.
pub const MAX_WEIGHT: usize = 6_000_000;

/// What an object weighs more than another value.
pub(crate) const OBJECT_WEIGHT: usize = 5;
pub(crate) const MAX_QUOTED_CHARS: usize = 80;
const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why bytes are not read as JSON, or as XML in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// More than [`MAX_DOCUMENT_BYTES`].
    #[error(
        "the document has {bytes} bytes, more than the {MAX_DOCUMENT_BYTES} that are read; \
         split it and link the parts by BOM-Link"
    )]
    TooLarge {
        /// Size of the document.
        bytes: usize,
    },
    /// Nothing, or nothing but white space.
    #[error("the document is empty; send it whole")]
    Empty,
    /// Compressed data.
    #[error("the document is {format} data; send it unpacked")]
    Compressed {
        /// The format by its first bytes.
        format: &'static str,
    },
    /// XML where only JSON is read.
    #[error("the document is XML; send the JSON form")]
    Xml,
    /// A web page.
    #[error("the document is a web page, perhaps an error or a login; send what it should link to")]
    Html,
    /// Bytes that are not UTF-8.
    #[error("the document is not UTF-8 text: byte {offset} {hint}; save it as UTF-8")]
    NotUtf8 {
        /// The first byte that cannot be, from 0.
        offset: usize,
        /// What it may be instead.
        hint: &'static str,
    },
    /// Text, but not JSON (RFC 8259).
    #[error("not JSON at line {line}, column {column}: {message}; write the document again")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// Nested more than [`MAX_DEPTH`].
    #[error(
        "line {line}, column {column} is nested more than {MAX_DEPTH} deep; \
         list components side by side and relate them by `dependencies`"
    )]
    TooDeep {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// A key twice in one object: two readers may see two different documents.
    #[error("line {line}, column {column}: key {key:?} is there twice; keep one of the two")]
    DuplicateKey {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// The key, shortened.
        key: String,
    },
    /// More than [`MAX_WEIGHT`].
    #[error(
        "the document has more values than memory is set aside for ({MAX_WEIGHT}, objects count \
         several times); split it and link the parts by BOM-Link"
    )]
    TooManyValues,
    /// Sound, but what is written once in it applies in so many places that its copies would take
    /// too much memory.
    #[error(
        "what is written once applies to so many products that over {texts} texts or {bytes} bytes \
         would be copied; name fewer products in one statement, or split the document"
    )]
    TooManyCopies {
        /// Most texts that are copied.
        texts: usize,
        /// Most bytes that are copied.
        bytes: usize,
    },
}

impl JsonError {
    /// The kind of refusal in a word, such as `duplicate-key`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too-large",
            Self::Empty => "empty",
            Self::Compressed { .. } => "compressed",
            Self::Xml => "xml",
            Self::Html => "html",
            Self::NotUtf8 { .. } => "not-utf8",
            Self::Syntax { .. } => "not-json",
            Self::TooDeep { .. } => "too-deep",
            Self::DuplicateKey { .. } => "duplicate-key",
            Self::TooManyValues | Self::TooManyCopies { .. } => "too-many-values",
        }
    }
}

/// Which keys of an object are wanted, each with what is wanted below it: all of it where nothing is
/// said. Lists are looked through.
pub(crate) struct Outline(pub(crate) &'static [(&'static str, Option<&'static Outline>)]);

/// Reads `bytes`; their weight comes along. A byte-order mark is passed over.
pub(crate) fn read(bytes: &[u8]) -> Result<(Value, usize), JsonError> {
    parse(decode(bytes)?)
}

/// Reads what [`decode`] or [`form`] gave; the weight comes along.
pub(crate) fn parse(text: &str) -> Result<(Value, usize), JsonError> {
    parse_as_wanted(text, None)
}

/// Reads of what [`decode`] gave what `outline` wants. The rest is JSON, but a key may be there twice.
pub(crate) fn parse_part(text: &str, outline: &'static Outline) -> Result<Value, JsonError> {
    parse_as_wanted(text, Some(outline)).map(|(value, _)| value)
}

fn parse_as_wanted(
    text: &str,
    outline: Option<&'static Outline>,
) -> Result<(Value, usize), JsonError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let state = State::default();
    let read = Strict { state: &state, depth: 0, outline }.deserialize(&mut deserializer);
    let read = read.and_then(|value| deserializer.end().map(|()| value));
    let weight = state.weight.get();
    read.map(|value| (value, weight)).map_err(|error| state.explain(&error))
}

/// Text by what it begins with.
pub(crate) enum Form<'a> {
    Json(&'a str),
    Xml(&'a str),
}

/// The bytes as text, if they can be JSON at all; nothing is parsed.
pub(crate) fn decode(bytes: &[u8]) -> Result<&str, JsonError> {
    match form(bytes)? {
        Form::Json(text) => Ok(text),
        Form::Xml(_) => Err(JsonError::Xml),
    }
}

/// The bytes as text, if they can be JSON or XML at all; nothing is parsed.
pub(crate) fn form(bytes: &[u8]) -> Result<Form<'_>, JsonError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(JsonError::TooLarge { bytes: bytes.len() });
    }
    if let Some(format) = compression(bytes) {
        return Err(JsonError::Compressed { format });
    }
    if let Some(hint) = wide_encoding(bytes) {
        return Err(JsonError::NotUtf8 { offset: 0, hint });
    }
    let marked = bytes.strip_prefix(UTF8_MARK);
    let skipped = bytes.len() - marked.unwrap_or(bytes).len();
    let text = str::from_utf8(marked.unwrap_or(bytes)).map_err(|error| JsonError::NotUtf8 {
        offset: skipped + error.valid_up_to(),
        hint: "belongs to another encoding, or to data that is not text",
    })?;
    match text.trim_start() {
        "" => Err(JsonError::Empty),
        start if is_web_page(start) => Err(JsonError::Html),
        start if start.starts_with('<') => Ok(Form::Xml(text)),
        _ => Ok(Form::Json(text)),
    }
}

fn compression(bytes: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 6] = [
        (b"\x1F\x8B", "gzip"),
        (b"PK\x03\x04", "zip"),
        (b"PK\x05\x06", "zip"),
        (b"\x28\xB5\x2F\xFD", "zstd"),
        (b"BZh", "bzip2"),
        (b"\xFD7zXZ\0", "xz"),
    ];
    MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, format)| *format)
}

/// UTF-16 and UTF-32, by their marks or by the zero bytes next to the first ASCII character.
fn wide_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] | [0, 0, 0, _, ..] | [_, 0, 0, 0, ..] => {
            Some("begins UTF-32")
        }
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, ..] | [_, 0, ..] => Some("begins UTF-16"),
        _ => None,
    }
}

fn is_web_page(start: &str) -> bool {
    ["<!doctype html", "<html"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag)))
}

/// What the visitors of one document share.
#[derive(Default)]
struct State {
    weight: Cell<usize>,
    fault: Cell<Option<Fault>>,
}

/// A fault that is ours, not the parser's.
enum Fault {
    Deep,
    Heavy,
    Twice(String),
}

impl State {
    fn weigh<E: Error>(&self, weight: usize) -> Result<(), E> {
        self.weight.set(self.weight.get() + weight);
        if self.weight.get() > MAX_WEIGHT { Err(self.fail(Fault::Heavy)) } else { Ok(()) }
    }

    fn fail<E: Error>(&self, fault: Fault) -> E {
        self.fault.set(Some(fault));
        E::custom("")
    }

    fn explain(&self, error: &serde_json::Error) -> JsonError {
        let (line, column) = (error.line(), error.column());
        match self.fault.take() {
            Some(Fault::Deep) => JsonError::TooDeep { line, column },
            Some(Fault::Heavy) => JsonError::TooManyValues,
            Some(Fault::Twice(key)) => JsonError::DuplicateKey { line, column, key },
            None => {
                let message = error.to_string();
                // The place is said apart.
                let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
                JsonError::Syntax { line, column, message }
            }
        }
    }
}

impl Outline {
    /// What is wanted below `key`, if it is wanted.
    fn below(&self, key: &str) -> Option<Option<&'static Self>> {
        self.0.iter().find(|(wanted, _)| *wanted == key).map(|(_, below)| *below)
    }
}

/// Reads one value at a depth.
#[derive(Clone, Copy)]
struct Strict<'a> {
    state: &'a State,
    depth: usize,
    outline: Option<&'static Outline>,
}

impl Strict<'_> {
    /// The reader of what is inside.
    fn inner<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            Err(self.state.fail(Fault::Deep))
        } else {
            Ok(Self { depth, ..self })
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.state.weigh(1)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        // Most lists have one item, and one that grows sets aside room for four.
        let first = items.next_element_seed(inner)?;
        let mut array = first.map_or_else(Vec::new, |item| vec![item]);
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        self.state.weigh(OBJECT_WEIGHT)?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let outline = match self.outline.map(|it| it.below(&key)) {
                None => None,
                Some(Some(below)) => below,
                Some(None) => {
                    entries.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if object.contains_key(&key) {
                let key = key.chars().take(MAX_QUOTED_CHARS).collect();
                return Err(self.state.fail(Fault::Twice(key)));
            }
            let value = entries.next_value_seed(Self { outline, ..inner })?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// The text under `key`; none if there is none, or something else.
pub(crate) fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// The entries of the array under `key`; none if there is none, or something else.
pub(crate) fn items<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
