//! JSON from strangers: bounded, and with one meaning only.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

/// Characters of foreign text that an error message repeats.
const EXCERPT_CHARS: usize = 120;

/// Reads an object as `T`, after refusing duplicate keys at any depth: two parsers may each believe another twin.
///
/// Nesting is limited to 128 levels by `serde_json`.
///
/// # Errors
/// What is wrong and where, safe to print.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    check(bytes)?;
    read(bytes)
}

/// Whether `bytes` are an object that [`parse`] would read as something.
///
/// # Errors
/// What is wrong and where, safe to print.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    serde_json::from_slice::<UniqueKeys>(bytes).map_err(|error| excerpt(&error.to_string()))?;
    // serde would take the fields of a struct from an array, too.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err("a JSON object is needed".to_owned());
    }
    Ok(())
}

/// Reads as `T` what [`parse`] has let pass before.
///
/// # Errors
/// The path of the field and what is wrong with it, safe to print.
pub(crate) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut json).map_err(|error| excerpt(&error.to_string()))
}

/// The beginning of a foreign text, with everything unprintable escaped, so that it cannot forge log lines.
pub(crate) fn excerpt(text: &str) -> String {
    excerpt_of(text, EXCERPT_CHARS)
}

/// An [`excerpt`] of at most `max` characters.
pub(crate) fn excerpt_of(text: &str, max: usize) -> String {
    let mut printable = String::new();
    for character in text.chars().take(max) {
        match character {
            '"' | '\'' | '\\' => printable.push(character),
            other => printable.extend(other.escape_debug()),
        }
    }
    if text.chars().nth(max).is_some() {
        printable.push('…');
    }
    printable
}

/// Any JSON value whose objects have each key once.
struct UniqueKeys;

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueKeys)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if seen.contains(&key) {
                return Err(A::Error::custom(format_args!("duplicate key `{}`", excerpt(&key))));
            }
            seen.insert(key);
            map.next_value::<Self>()?;
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn duplicate_keys_are_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"b":[{"c":{"a":1,"\u0061":2}}]}"#] {
            let error = parse::<Value>(text.as_bytes()).unwrap_err();
            assert!(error.contains("duplicate key `a`"), "{error}");
        }
        assert!(
            parse::<Value>(br#" {"b":[{"a":1},{"a":{"a":null}}, -1, 1.5, true, "x"]}"#).is_ok()
        );
    }

    #[test]
    fn array_of_the_right_values_is_no_object() {
        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only its shape matters")]
        struct Pair(u8, u8);

        assert!(read::<Pair>(b"[1,2]").is_ok());
        assert_eq!(parse::<Pair>(b"[1,2]").unwrap_err(), "a JSON object is needed");
    }

    #[test]
    fn a_tower_of_brackets_is_refused_without_overflowing_the_stack() {
        let error = parse::<Value>("[".repeat(1_000_000).as_bytes()).unwrap_err();

        assert!(error.contains("recursion limit"), "{error}");
    }

    #[test]
    fn messages_repeat_foreign_text_shortly_and_without_control_characters() {
        let printable = excerpt(&format!("\u{1b}[31m\n\u{202e}{}", "x".repeat(1000)));

        assert!(!printable.contains(['\u{1b}', '\n', '\u{202e}']), "{printable}");
        assert!(printable.len() < 200, "{printable}");
    }
}
