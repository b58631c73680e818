//! Where an event travels: `attestry.v1.<noun>.<verb>.<priority>.<scope>.<key>`.

use std::fmt::Write;

use uuid::Uuid;

use crate::{Event, Priority, Scope};

/// First tokens of every subject; the version changes when an old consumer could misread an event.
pub const ROOT: &str = "attestry.v1";

/// Subject of one event.
///
/// The key is the correlation id, behind the producer's name where several services emit this type:
/// NATS permissions and the signer's configuration then tell producers apart by subject alone.
pub fn subject<E: Event>(
    event: &E,
    priority: Priority,
    scope: &Scope,
    correlation: Uuid,
) -> String {
    let scope = token(scope.as_str());
    let stage = stage::<E>();
    match event.producer() {
        Some(producer) => {
            format!("{stage}.{priority}.{scope}.{}.{correlation}", producer.as_str())
        }
        None => format!("{stage}.{priority}.{scope}.{correlation}"),
    }
}

/// Root of every subject of this type of event, which is also its CloudEvents `type`.
pub fn stage<E: Event>() -> String {
    format!("{ROOT}.{}.{}", E::NOUN, E::VERB)
}

/// Encodes a name as one NATS token: every byte but `A-Z a-z 0-9 _ -` becomes `%XX`.
///
/// One to one, so two projects never share a subject.
pub fn token(name: &str) -> String {
    let mut token = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => token.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => write!(token, "%{byte:02X}").unwrap_or_default(),
        }
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_holds_nothing_that_nats_reads_as_structure() {
        assert_eq!(token("IAmJonoBo/Hotpass v1.0"), "IAmJonoBo%2FHotpass%20v1%2E0");
        assert_eq!(token("*.>"), "%2A%2E%3E");
    }

    #[test]
    fn different_names_have_different_tokens() {
        assert_ne!(token("a.b"), token("a%2Eb"));
    }
}
