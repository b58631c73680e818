//! Escapes of package URLs: everything but letters, digits, `.`, `-`, `_`, `~` and `:`.

use std::fmt::{self, Write};

use crate::{PurlError, shortened};

/// Writes `text` escaped.
pub(crate) fn write(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':');
    if text.bytes().all(is_plain) {
        return f.write_str(text);
    }
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate().filter(|&(_, byte)| !is_plain(byte)) {
        f.write_str(text.get(plain_from..at).unwrap_or_default())?;
        write!(f, "%{byte:02X}")?;
        plain_from = at + 1;
    }
    f.write_str(text.get(plain_from..).unwrap_or_default())
}

/// Writes the segments of `path` escaped, with `/` between them.
pub(crate) fn write_path(f: &mut fmt::Formatter<'_>, path: &str) -> fmt::Result {
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            f.write_char('/')?;
        }
        write(f, segment)?;
    }
    Ok(())
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
