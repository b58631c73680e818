//! Text from outside, bounded and free of control characters by construction.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// One line of 1 to `MAX` bytes without control characters (C0, C1, DEL, line separators).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

/// A name that people gave: a branch, a run, a parameter.
pub type Label = Text<256>;
/// A URI or something of that length, kept as it came.
pub type Uri = Text<2048>;

/// Name of a project or id of a supplier: whose event it is.
///
/// May hold `/`, `.` and spaces; a subject carries it encoded, as [`crate::subject::token`] says.
pub type Scope = Text<128>;

/// A short name that NATS, file systems and command lines read as one word: 1 to 64 of
/// `A-Z a-z 0-9 - _`; a `LOWER` one has neither capitals nor `_`, and no hyphen first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token<const LOWER: bool>(String);

/// Longest [`Token`] in bytes.
const TOKEN_MAX: usize = 64;

/// A relative path below the build's root, `/`-separated: no `..`, no `.`, no backslash, so that
/// writing a file under that name cannot leave its directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath(String);

/// Longest [`FilePath`] in bytes.
const FILE_PATH_MAX: usize = 1024;

/// Why a text is refused. The offending text is not repeated: it may be a megabyte long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing there.
    #[error("must not be empty")]
    Empty,
    /// Longer than allowed.
    #[error("is {length} bytes long; at most {max} are allowed")]
    TooLong {
        /// Bytes found.
        length: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A control character, a NUL among them.
    #[error("holds the control character U+{0:04X}; remove it")]
    Control(u32),
    /// A character that a token cannot have.
    #[error("may hold only {0}, 1 to {TOKEN_MAX} of them")]
    NotAToken(&'static str),
    /// Begins or ends with white space.
    #[error("begins or ends with white space; trim it")]
    Untrimmed,
    /// Not a relative path that stays below its root.
    #[error(
        "must be a relative path with `/` between names, without `.`, `..`, `\\` or empty names"
    )]
    NotBelowRoot,
}

impl<const MAX: usize> Text<MAX> {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `text` made to fit: control characters become spaces, the ends are trimmed, what is too long
    /// is cut, and nothing at all becomes `-`. For text of our own, and for naming what others wrote.
    pub fn of(text: &str) -> Self {
        let line: String = text.chars().map(|c| if breaks_line(c) { ' ' } else { c }).collect();
        let mut line = line.trim();
        if line.len() > MAX {
            let end = (0..=MAX).rev().find(|end| line.is_char_boundary(*end)).unwrap_or_default();
            line = line[..end].trim();
        }
        Self(if line.is_empty() { "-".to_owned() } else { line.to_owned() })
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        check_line(&text, MAX)?;
        Ok(Self(text))
    }
}

impl<const MAX: usize> std::str::FromStr for Text<MAX> {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        check_line(text, MAX)?;
        Ok(Self(text.to_owned()))
    }
}

impl<const LOWER: bool> Token<LOWER> {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Token<false> {
    /// A token that no two texts share: the digest of `text`.
    pub fn for_text(text: &str) -> Self {
        Self(crate::Digest::of(text.as_bytes()).hex())
    }
}

impl<const LOWER: bool> TryFrom<String> for Token<LOWER> {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        let allowed = |byte: u8| match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => true,
            b'A'..=b'Z' | b'_' => !LOWER,
            _ => false,
        };
        let fits = (1..=TOKEN_MAX).contains(&text.len()) && text.bytes().all(allowed);
        match fits && !(LOWER && text.starts_with('-')) {
            true => Ok(Self(text)),
            false if LOWER => Err(InvalidText::NotAToken("`a-z 0-9 -`, no `-` first")),
            false => Err(InvalidText::NotAToken("`A-Z a-z 0-9 - _`")),
        }
    }
}

impl<const LOWER: bool> std::str::FromStr for Token<LOWER> {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        text.to_owned().try_into()
    }
}

impl<const LOWER: bool> From<Token<LOWER>> for String {
    fn from(token: Token<LOWER>) -> Self {
        token.0
    }
}

impl<const LOWER: bool> fmt::Display for Token<LOWER> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const LOWER: bool> JsonSchema for Token<LOWER> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        if LOWER { "SupplierId".into() } else { "SubmissionId".into() }
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = if LOWER { "^[a-z0-9][a-z0-9-]{0,63}$" } else { "^[A-Za-z0-9_-]{1,64}$" };
        json_schema!({ "type": "string", "pattern": pattern })
    }
}

impl FilePath {
    /// The path itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last name of the path.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl TryFrom<String> for FilePath {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        check_line(&text, FILE_PATH_MAX)?;
        let stays_below = |name: &str| !matches!(name, "" | "." | "..");
        if text.contains('\\') || !text.split('/').all(stays_below) {
            return Err(InvalidText::NotBelowRoot);
        }
        Ok(Self(text))
    }
}

impl std::str::FromStr for FilePath {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        text.to_owned().try_into()
    }
}

fn check_line(text: &str, max: usize) -> Result<(), InvalidText> {
    if text.is_empty() {
        return Err(InvalidText::Empty);
    }
    if text.len() > max {
        return Err(InvalidText::TooLong { length: text.len(), max });
    }
    if let Some(control) = text.chars().find(|c| breaks_line(*c)) {
        return Err(InvalidText::Control(u32::from(control)));
    }
    if text.trim() != text {
        return Err(InvalidText::Untrimmed);
    }
    Ok(())
}

/// U+2028 and U+2029 break lines in logs and terminals although Unicode calls them separators, and
/// bidirectional controls make one name look like another (Unicode Technical Report 36).
fn breaks_line(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> Self {
        path.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Text{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX, "pattern": "^[^\\u0000-\\u001f]+$" })
    }
}

impl JsonSchema for FilePath {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FilePath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": FILE_PATH_MAX,
            "pattern": "^[^\\u0000-\\u001f\\\\]+$",
            "description": "A relative path below the build's root, `/` between names."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_and_repositories_are_accepted() {
        for name in ["hotpass", "IAmJonoBo/Hotpass", "Müller & Söhne", "a b.c", "日本"] {
            assert!(name.parse::<Scope>().is_ok(), "{name}");
        }
    }

    #[test]
    fn hostile_text_is_refused_with_its_reason() {
        let refusal = |text: &str| text.parse::<Label>().expect_err("refused");
        assert_eq!(refusal(""), InvalidText::Empty);
        assert_eq!(refusal("a\0b"), InvalidText::Control(0));
        assert_eq!(refusal("a\nb"), InvalidText::Control(10));
        assert_eq!(refusal("a\u{2028}b"), InvalidText::Control(0x2028));
        assert_eq!(refusal("rtl\u{202e}lhw.whl"), InvalidText::Control(0x202e));
        assert_eq!(refusal(" a"), InvalidText::Untrimmed);
        let long = "x".repeat(1 << 20);
        assert_eq!(refusal(&long), InvalidText::TooLong { length: 1 << 20, max: 256 });
    }

    #[test]
    fn text_made_to_fit_is_valid() {
        for text in ["", "\0", " a\nb ", &"é".repeat(300)] {
            let fitted = Label::of(text);
            assert!(fitted.as_str().parse::<Label>().is_ok(), "{fitted}");
        }
    }

    #[test]
    fn paths_that_leave_their_root_are_refused() {
        for path in ["/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/.", "a\\..\\b", "a/"] {
            assert_eq!(path.parse::<FilePath>(), Err(InvalidText::NotBelowRoot), "{path}");
        }
        assert_eq!("apps/web/uv.lock".parse::<FilePath>().expect("fine").file_name(), "uv.lock");
    }
}
