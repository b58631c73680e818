//! TOML files: memory bounded, faults with their place, merge conflicts named as such.

use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;
use toml::Spanned;

use super::error::{Fault, Problem};
use super::text;

/// Most weight of one file. The parser takes some 150 bytes of memory for each unit, and real
/// lockfiles have one unit in 20 bytes.
const MAX_WEIGHT: usize = 4_000_000;
/// Weight of a dot in a key: it makes a table of its own.
const DOT_WEIGHT: usize = 8;
/// Weight of an opening bracket: it may be a table header, which has no other mark.
const BRACKET_WEIGHT: usize = 2;

/// Reads `text` as TOML.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    if weight(text) > MAX_WEIGHT {
        return Err(Problem::TooManyValues { limit: MAX_WEIGHT }.anywhere());
    }
    toml::from_str(text).map_err(|error| match text::conflict_marker(text) {
        Some(offset) => Problem::MergeConflict.at(offset),
        None => Fault {
            offset: error.span().map(|span| span.start),
            problem: Problem::Syntax { message: error.message().to_owned() },
        },
    })
}

/// Checks that `version`, such as `"4.5.0"`, begins with a number that is known; an absent one is as
/// old as the format.
pub(super) fn check_major(
    version: Option<&Spanned<String>>,
    known: RangeInclusive<i64>,
) -> Result<(), Fault> {
    let Some(version) = version else { return Ok(()) };
    let text = version.get_ref();
    let problem = match text.split('.').next().unwrap_or(text).parse() {
        Ok(major) if known.contains(&major) => return Ok(()),
        Ok(version) => Problem::UnsupportedVersion { version },
        Err(_) => text::invalid("lock-version", text, "a version such as 1.0"),
    };
    Err(problem.at(version.span().start))
}

/// What parsing `text` costs: its marks that begin a key or value, those in strings left out.
fn weight(text: &str) -> usize {
    // Lockfiles have no strings of several lines; where there are some, every mark counts.
    if text.contains("\"\"\"") || text.contains("'''") {
        return text.bytes().map(mark_weight).sum();
    }
    text.lines().map(line_weight).sum()
}

fn line_weight(line: &str) -> usize {
    let mut weight = 0;
    let mut quote = None;
    let mut bytes = line.bytes();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (None, b'#') => break,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, _) => weight += mark_weight(byte),
            // The escaped byte may be a quote, which ends nothing.
            (Some(b'"'), b'\\') => drop(bytes.next()),
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
        }
    }
    weight
}

fn mark_weight(byte: u8) -> usize {
    match byte {
        b'.' => DOT_WEIGHT,
        b'[' => BRACKET_WEIGHT,
        b'=' | b',' | b'{' => 1,
        _ => 0,
    }
}
