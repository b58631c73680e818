//! Texts of a lockfile: decoded, and checked before anything believes them.

use super::error::{Fault, Problem};
use super::{Hash, HashAlgorithm, MAX_LOCATION_BYTES, MAX_LOCKFILE_BYTES, MAX_WORD_BYTES};

/// The bytes as text, if they are few enough and UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.len() > MAX_LOCKFILE_BYTES {
        return Err(Problem::TooLarge { bytes: bytes.len() }.anywhere());
    }
    std::str::from_utf8(bytes).map_err(|error| Problem::NotUtf8.at(error.valid_up_to()))
}

/// A name or version: not empty, of sane length, without white space or control characters.
pub(crate) fn word(field: &'static str, value: &str) -> Result<(), Problem> {
    limited(field, value, MAX_WORD_BYTES)?;
    if value.is_empty() || has(value, |c| c.is_whitespace() || c.is_control()) {
        let expected = "a text without white space and control characters";
        return Err(invalid(field, value, expected));
    }
    Ok(())
}

/// A name or version that the project gives itself, which no registry has checked; nothing where it is
/// no [`word`]: npm writes `My Project`, the name of a folder, and templates have `{{ name }}`.
pub(super) fn own_word<'a>(field: &'static str, value: Option<&'a str>) -> Option<&'a str> {
    value.filter(|value| word(field, value).is_ok())
}

/// A URL or path: of sane length, without control characters.
pub(crate) fn location(field: &'static str, value: &str) -> Result<(), Problem> {
    limited(field, value, MAX_LOCATION_BYTES)?;
    if value.is_empty() || has(value, char::is_control) {
        return Err(invalid(field, value, "a URL or path without control characters"));
    }
    Ok(())
}

/// Whether `text` has a character that is so.
fn has(text: &str, is_so: impl Fn(char) -> bool) -> bool {
    // Of plain ASCII, blanks and what is before them are all that could be.
    let is_plain = every(text, |byte| matches!(byte, b'!'..=b'~'));
    !is_plain && text.contains(is_so)
}

/// Whether every byte is so; all are looked at, for that is faster than to stop at the first.
pub(crate) fn every(text: &str, mut is_so: impl FnMut(u8) -> bool) -> bool {
    text.bytes().fold(true, |every, byte| every & is_so(byte))
}

/// What a file says in its own words, such as a licence; none where it is empty, too long, or not
/// one line of text.
pub(super) fn remark(value: &str) -> Option<&str> {
    let value = value.trim();
    let is_sound =
        !value.is_empty() && value.len() <= MAX_LOCATION_BYTES && !value.contains(char::is_control);
    is_sound.then_some(value)
}

/// A digest written `algorithm:hex`.
pub(super) fn hash(field: &'static str, value: &str) -> Result<Hash, Problem> {
    let expected = "a digest such as sha256:…";
    let (algorithm, hex) = value.split_once(':').ok_or_else(|| invalid(field, value, expected))?;
    let (algorithm, digits) =
        hash_algorithm(algorithm).ok_or_else(|| invalid(field, value, expected))?;
    if hex.len() != digits || !every(hex, |byte| byte.is_ascii_hexdigit()) {
        return Err(invalid(field, value, "a digest with the hex digits of its algorithm"));
    }
    Ok(Hash { algorithm, hex: hex.to_ascii_lowercase() })
}

/// The hash function of this name, as Python and npm write it, and its number of hex digits.
pub(super) fn hash_algorithm(name: &str) -> Option<(HashAlgorithm, usize)> {
    Some(match name {
        "md5" => (HashAlgorithm::Md5, 32),
        "sha1" => (HashAlgorithm::Sha1, 40),
        "sha256" => (HashAlgorithm::Sha256, 64),
        "sha384" => (HashAlgorithm::Sha384, 96),
        "sha512" => (HashAlgorithm::Sha512, 128),
        "blake2b" => (HashAlgorithm::Blake2b512, 128),
        _ => return None,
    })
}

/// A text that is told as it is, such as a licence; nothing if it is empty, or no line of sane length.
pub(super) fn said(value: &str) -> Option<String> {
    let value = value.trim();
    let is_line = value.len() <= MAX_WORD_BYTES && !value.contains(char::is_control);
    (is_line && !value.is_empty()).then(|| value.to_owned())
}

/// Offset of the first conflict marker at the start of a line.
pub(super) fn conflict_marker(text: &str) -> Option<usize> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") {
            return Some(offset);
        }
        offset += line.len();
    }
    None
}

/// Counts the lines of a text up to any offset, quickly.
#[derive(Default)]
pub(super) struct Lines<'a> {
    text: &'a str,
    /// How many line ends there are before each block of [`BLOCK`](Self::BLOCK) bytes.
    before: Vec<usize>,
}

impl<'a> Lines<'a> {
    const BLOCK: usize = 1024;

    /// The lines of `text`.
    pub(super) fn of(text: &'a str) -> Self {
        let mut ends = 0;
        let blocks = text.as_bytes().chunks(Self::BLOCK);
        let before = blocks.map(|block| {
            let before = ends;
            ends += line_ends(block);
            before
        });
        Self { text, before: before.collect() }
    }

    /// The line of byte `offset`, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        let block = (offset / Self::BLOCK).min(self.before.len().saturating_sub(1));
        let before = self.before.get(block).copied().unwrap_or_default();
        let bytes = self.text.as_bytes();
        let within = bytes.get(block * Self::BLOCK..offset.min(bytes.len())).unwrap_or_default();
        before + line_ends(within) + 1
    }
}

fn line_ends(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

/// The problem of a value that is not as `expected`, shortened to fit a line.
pub(crate) fn invalid(field: &'static str, value: &str, expected: &'static str) -> Problem {
    Problem::InvalidValue { field, value: value.chars().take(80).collect(), expected }
}

fn limited(field: &'static str, value: &str, limit: usize) -> Result<(), Problem> {
    match value.len() {
        bytes if bytes > limit => Err(Problem::TooLong { field, bytes, limit }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn lines_are_counted_in_every_block() {
        let text = "a\n\nb\r\n".repeat(2 * Lines::BLOCK / 5);
        let lines = Lines::of(&text);
        let mut line = 1;
        for (offset, byte) in text.bytes().enumerate() {
            assert_eq!(lines.line(offset), line, "at {offset}");
            line += usize::from(byte == b'\n');
        }
        assert_eq!(lines.line(text.len()), line);
        assert_eq!(lines.line(text.len() + 1), line);
        assert_eq!(Lines::of("").line(0), 1);
    }
}
