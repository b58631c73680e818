//! Places as IRI references, which is all that `externalReferences[].url` may hold.

use std::borrow::Cow;
use std::fmt::Write;

use crate::lockfile::text::every;

/// `place` as it is if it is plainly an `http(s)` URL, otherwise with everything escaped that could
/// break the grammar of RFC 3987: a lockfile may hold a Windows path, or anything.
pub(super) fn reference(place: &str) -> Cow<'_, str> {
    if is_plain_url(place) {
        return Cow::Borrowed(place);
    }
    let mut escaped = String::with_capacity(place.len());
    for byte in place.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                escaped.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => drop(write!(escaped, "%{byte:02X}")),
        }
    }
    // Two slashes would begin a host.
    match escaped.strip_prefix("//") {
        Some(rest) => Cow::Owned(format!("/%2F{rest}")),
        None => Cow::Owned(escaped),
    }
}

const SCHEMES: [&str; 5] = ["https://", "http://", "ssh://", "git://", "git+ssh://"];

/// A host of letters, digits, dots and dashes, perhaps a port, then harmless characters and whole
/// escapes only.
fn is_plain_url(place: &str) -> bool {
    let Some(rest) = SCHEMES.iter().find_map(|scheme| place.strip_prefix(scheme)) else {
        return false;
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // The user of a repository over SSH is part of its address.
    let authority = authority.strip_prefix("git@").unwrap_or(authority);
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let host_char = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    !host.is_empty()
        && host.bytes().all(host_char)
        && port.len() <= 5
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && (every(path, is_plain_byte) || is_path(path))
}

fn is_path(path: &str) -> bool {
    path.matches('#').count() <= 1
        && path.bytes().all(is_path_byte)
        && path.split('%').skip(1).all(begins_with_two_hex_digits)
}

fn is_path_byte(byte: u8) -> bool {
    is_plain_byte(byte) || matches!(byte, b'#' | b'%')
}

/// What may stand anywhere in a path, however often.
fn is_plain_byte(byte: u8) -> bool {
    matches!(
        byte,
        b'A'..=b'Z'
            | b'a'..=b'z'
            | b'!' | b'$' | b'&'..=b';' // with digits and most marks
            | b'=' | b'?' | b'@' | b'_' | b'~'
    )
}

fn begins_with_two_hex_digits(text: &str) -> bool {
    text.len() >= 2 && text.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn plain_urls_stay_and_anything_else_becomes_a_relative_reference() {
        for (given, expected) in [
            (
                "https://h.example/a%2Bb/c-1.0+x.whl#sha256=0",
                "https://h.example/a%2Bb/c-1.0+x.whl#sha256=0",
            ),
            ("http://h.example:8080", "http://h.example:8080"),
            ("https://h.example/100%", "https%3A//h.example/100%25"),
            ("https://h.example:port/", "https%3A//h.example%3Aport/"),
            ("C:\\wheels\\a b.whl", "C%3A%5Cwheels%5Ca%20b.whl"),
            ("../wheels/a.whl", "../wheels/a.whl"),
            ("ssh://git@h.example/acme/app.git", "ssh://git@h.example/acme/app.git"),
            ("git://h.example/app.git", "git://h.example/app.git"),
            ("ssh://git@a@h.example/app", "ssh%3A//git%40a%40h.example/app"),
            ("//host/share", "/%2Fhost/share"),
        ] {
            assert_eq!(reference(given), expected);
        }
    }
}
