//! Reading what clients ask.

use std::collections::BTreeMap;

/// The parameters of a query.
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub(crate) fn of(query: &str) -> Self {
        let pairs = query.split('&').filter(|it| !it.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Self(pairs.collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn number(&self, name: &str, default: usize) -> usize {
        self.get(name).and_then(|it| it.parse().ok()).unwrap_or(default)
    }

    /// The query with another page.
    pub(crate) fn with_page(&self, page: usize) -> String {
        let rest = self.0.iter().filter(|(name, _)| *name != "page");
        let mut query: Vec<String> =
            rest.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        query.push(format!("page={page}"));
        query.join("&")
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let byte = hex.and_then(|it| u8::from_str_radix(it, 16).ok()).filter(|_| *first == b'%');
        let (byte, taken) = match byte {
            Some(byte) => (byte, 3),
            None if *first == b'+' => (b' ', 1),
            None => (*first, 1),
        };
        bytes.push(byte);
        rest = &rest[taken..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_read_and_written_again() {
        let query = Parameters::of("since=2026-11-30T10%3A00%3A00Z&state=all&a=b+c&page=2");
        assert_eq!(query.get("since"), Some("2026-11-30T10:00:00Z"));
        assert_eq!((query.get("a"), query.number("page", 1)), (Some("b c"), 2));
        let next = query.with_page(3);
        assert_eq!(next, "a=b%20c&since=2026-11-30T10%3A00%3A00Z&state=all&page=3");
        assert_eq!(Parameters::of(&next).get("a"), Some("b c"));
    }
}
