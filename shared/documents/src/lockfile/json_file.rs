//! JSON files: memory bounded, keys once, faults with their place, merge conflicts named as such.

use serde::de::DeserializeOwned;

use super::error::{Fault, Problem};
use super::text;
use crate::schema::json::{self, JsonError, MAX_WEIGHT};

/// Reads `text` as JSON.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let (value, _) = json::read(text.as_bytes()).map_err(|error| match error {
        JsonError::TooManyValues => Problem::TooManyValues { limit: MAX_WEIGHT }.anywhere(),
        error => match text::conflict_marker(text) {
            Some(offset) => Problem::MergeConflict.at(offset),
            None => syntax(text, &error),
        },
    })?;
    // The place is lost here; the message names field and type.
    serde_json::from_value(value)
        .map_err(|error| Problem::Syntax { message: error.to_string() }.anywhere())
}

fn syntax(text: &str, error: &JsonError) -> Fault {
    let (place, message) = match error {
        JsonError::Syntax { line, column, message } => (Some((*line, *column)), message.clone()),
        JsonError::DuplicateKey { line, column, key } => {
            (Some((*line, *column)), format!("key {key:?} is there twice"))
        }
        JsonError::TooDeep { line, column } => {
            (Some((*line, *column)), "nested too deeply".to_owned())
        }
        other => (None, other.to_string()),
    };
    let offset = place.map(|(line, column)| {
        let before = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len);
        before.sum::<usize>() + column.saturating_sub(1)
    });
    Fault { offset, problem: Problem::Syntax { message } }
}
