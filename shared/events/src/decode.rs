//! From hostile bytes to an event that cannot be wrong.

use serde::Deserialize;

use crate::{Envelope, Event, subject};

/// Largest event in bytes; a document never travels inside one.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// Why bytes are not the event that they claim to be.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Larger than [`MAX_EVENT_BYTES`].
    #[error(
        "the event is {0} bytes long; at most {MAX_EVENT_BYTES} are allowed: upload documents in chunks and name them by digest"
    )]
    TooLarge(usize),
    /// Not JSON, or nested too deeply.
    #[error("the event is not JSON: {0}")]
    NotJson(String),
    /// Another version of CloudEvents.
    #[error("`specversion` is `{0}`; send CloudEvents `1.0`")]
    UnknownVersion(String),
    /// Another type, or another version of the type, than this subject carries.
    #[error(
        "`type` is `{found}`, but this subject carries `{expected}`; publish to the subject of that type, or use a release that knows it"
    )]
    UnknownType {
        /// What the event says.
        found: String,
        /// What the subject says.
        expected: String,
    },
    /// A field is missing or wrong.
    #[error("`{field}`: {problem}")]
    Invalid {
        /// Path of the field, for example `data.artifacts[0].digest`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The id is not the one that correlation, type and natural key give.
    #[error(
        "`id` or `correlation` is not derived from this event's own data: let `attestry build submit --event` derive both"
    )]
    ForeignId,
    /// Subject and content disagree on priority, scope, producer or key.
    #[error("the event says `{expected}`, but arrived on `{found}`; publish it to its own subject")]
    SubjectMismatch {
        /// Subject that belongs to the content.
        expected: String,
        /// Subject that it arrived on.
        found: String,
    },
}

impl DecodeError {
    /// Stable reason code, for quarantine and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "event-too-large",
            Self::NotJson(_) => "event-not-json",
            Self::UnknownVersion(_) => "event-unknown-version",
            Self::UnknownType { .. } => "event-unknown-type",
            Self::Invalid { .. } => "event-invalid",
            Self::ForeignId => "event-foreign-id",
            Self::SubjectMismatch { .. } => "event-subject-mismatch",
        }
    }
}

#[derive(Deserialize)]
struct Header {
    specversion: Option<String>,
    #[serde(rename = "type")]
    event_type: Option<String>,
}

/// Reads an event that arrived on `subject`.
pub fn decode<E: Event>(subject: &str, bytes: &[u8]) -> Result<Envelope<E>, DecodeError> {
    let event = decode_content::<E>(bytes)?;
    if !event.id_is_derived() {
        return Err(DecodeError::ForeignId);
    }
    let expected = event.subject();
    if expected != subject {
        return Err(DecodeError::SubjectMismatch { expected, found: clip(subject) });
    }
    Ok(event)
}

/// Reads an event whose way and id are not known yet, for example from a file.
pub fn decode_content<E: Event>(bytes: &[u8]) -> Result<Envelope<E>, DecodeError> {
    if bytes.len() > MAX_EVENT_BYTES {
        return Err(DecodeError::TooLarge(bytes.len()));
    }
    check_header::<E>(bytes)?;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let event = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = clip(&error.path().to_string());
        DecodeError::Invalid { field, problem: clip(&error.into_inner().to_string()) }
    })?;
    deserializer.end().map_err(|error| DecodeError::NotJson(error.to_string()))?;
    Ok(event)
}

fn check_header<E: Event>(bytes: &[u8]) -> Result<(), DecodeError> {
    let header: Header = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => DecodeError::Invalid {
            field: "specversion, type".to_owned(),
            problem: clip(&error.to_string()),
        },
        _ => DecodeError::NotJson(clip(&error.to_string())),
    })?;
    if let Some(version) = header.specversion
        && version != "1.0"
    {
        return Err(DecodeError::UnknownVersion(clip(&version)));
    }
    let expected = subject::stage::<E>();
    match header.event_type {
        Some(found) if found != expected => {
            Err(DecodeError::UnknownType { found: clip(&found), expected })
        }
        _ => Ok(()),
    }
}

/// At most 200 characters of what somebody else wrote.
fn clip(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{BuildCompleted, testing::build_completed};

    fn refusal(change: impl FnOnce(&mut serde_json::Value)) -> DecodeError {
        let event = build_completed("run-1");
        let mut value = serde_json::to_value(&event).expect("encodes");
        change(&mut value);
        let bytes = serde_json::to_vec(&value).expect("encodes");
        decode::<BuildCompleted>(&event.subject(), &bytes).expect_err("refused")
    }

    #[test]
    fn event_survives_a_round_trip() {
        let event = build_completed("run-1");
        let bytes = serde_json::to_vec(&event).expect("encodes");

        assert_eq!(decode::<BuildCompleted>(&event.subject(), &bytes).expect("decodes"), event);
    }

    #[test]
    fn refusal_names_the_field_and_the_reason() {
        let error = refusal(|it| it["data"]["artifacts"][0]["digest"] = json!("sha256:beef"));
        assert_eq!(error.code(), "event-invalid");
        assert!(
            error.to_string().starts_with("`data.artifacts[0].digest`: a digest is"),
            "{error}"
        );

        let error = refusal(|it| drop(it["data"].as_object_mut().map(|data| data.remove("run"))));
        assert!(error.to_string().contains("missing field `run`"), "{error}");

        let error = refusal(|it| it["data"]["artifacts"][0]["name"] = json!("../../etc/passwd"));
        assert!(error.to_string().contains("relative path"), "{error}");

        let error = refusal(|it| it["data"]["project"] = json!("x".repeat(1_000_000)));
        assert!(error.to_string().contains("at most 128"), "{error}");

        let error = refusal(|it| it["data"]["artifacts"] = json!([]));
        assert!(error.to_string().contains("has 0 entries"), "{error}");
    }

    #[test]
    fn every_kind_of_wrong_has_its_own_code() {
        assert_eq!(
            refusal(|it| it["type"] = json!("attestry.v9.x.y")).code(),
            "event-unknown-type"
        );
        assert_eq!(refusal(|it| it["specversion"] = json!("2.0")).code(), "event-unknown-version");
        assert_eq!(refusal(|it| it["data"]["run"] = json!("other")).code(), "event-foreign-id");
        assert_eq!(
            refusal(|it| it["priority"] = json!("release")).code(),
            "event-subject-mismatch"
        );
        assert_eq!(refusal(|it| *it = json!([1])).code(), "event-invalid");
        for bytes in [b"not json".as_slice(), b"", b"{}trailing", b"\xff"] {
            let error = decode::<BuildCompleted>("s", bytes).expect_err("refused");
            assert!(matches!(error.code(), "event-not-json"), "{error}");
        }
        let deep = [b"{\"specversion\":".as_slice(), &b"[".repeat(100_000)].concat();
        let error = decode::<BuildCompleted>("s", &deep).expect_err("refused");
        assert!(matches!(error.code(), "event-not-json" | "event-invalid"), "{error}");
        let large = vec![b' '; MAX_EVENT_BYTES + 1];
        let error = decode::<BuildCompleted>("s", &large).expect_err("refused");
        assert_eq!(error.code(), "event-too-large");
    }
}
