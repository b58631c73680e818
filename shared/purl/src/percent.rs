//! Escapes of package URLs: everything but letters, digits, `.`, `-`, `_`, `~` and `:`.

use crate::{PurlError, shortened};

/// Appends `text` escaped.
pub(crate) fn append(to: &mut String, text: &str) {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':');
    // All are looked at, for that is faster than to stop at the first.
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        return to.push_str(text);
    }
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate().filter(|&(_, byte)| !is_plain(byte)) {
        to.push_str(text.get(plain_from..at).unwrap_or_default());
        to.push('%');
        to.extend(
            [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])),
        );
        plain_from = at + 1;
    }
    to.push_str(text.get(plain_from..).unwrap_or_default());
}

/// Appends the segments of `path` escaped, with `/` between them.
pub(crate) fn append_path(to: &mut String, path: &str) {
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            to.push('/');
        }
        append(to, segment);
    }
}

/// `text` without escapes.
pub(crate) fn decode(text: &str) -> Result<String, PurlError> {
    let fault = || PurlError::Escape(shortened(text));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (high, low) = (hex(rest.next()), hex(rest.next()));
        bytes.push(high.zip(low).map(|(high, low)| high * 16 + low).ok_or_else(fault)?);
    }
    String::from_utf8(bytes).map_err(|_| fault())
}

fn hex(digit: Option<u8>) -> Option<u8> {
    // A digit of base 16 is less than 256.
    char::from(digit?).to_digit(16).and_then(|it| u8::try_from(it).ok())
}
