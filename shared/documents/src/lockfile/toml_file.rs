//! TOML files: memory bounded, faults with their place, merge conflicts named as such.

mod plain;
mod split;

use std::ops::RangeInclusive;

use serde::de::{Deserialize, DeserializeOwned};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, ValueDeserializer};

use super::error::{Fault, Problem};
use super::{MAX_PACKAGES, text};
use crate::both::in_order;
use split::Split;

/// Most weight of what is parsed at once. The parser takes some 150 bytes of memory for each unit,
/// and real lockfiles have one unit in 20 bytes.
const MAX_WEIGHT: usize = 4_000_000;

/// Most weight of a file whose tables are parsed one by one: what is kept of them takes less.
const MAX_SUM_OF_WEIGHTS: usize = 2 * MAX_WEIGHT;

/// Tables are read in pieces of so many: few enough to be gone soon, more than a thread costs.
const TABLES_OF_PIECE: usize = 128;

/// Reads `text` as TOML.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    if is_heavy(text) {
        return Err(Problem::TooManyValues { limit: MAX_WEIGHT }.anywhere());
    }
    toml::from_str(text).map_err(|error| fault(text, &error, |offset| offset))
}

/// A file that is one long array of tables, `[[package]]` say, and little else.
///
/// A lockfile of ten megabytes is a tree of a hundred: so each table is parsed by itself, and what
/// is not wanted of it is gone before the next.
pub(super) struct Tables<'a> {
    text: &'a str,
    key: &'static str,
    /// Where each part of the rest begins, among the rest and in the file.
    rest: Vec<(usize, usize)>,
    parts: Parts<'a>,
}

enum Parts<'a> {
    /// Each table's text, and where it begins.
    Apart(Vec<(usize, &'a str)>),
    /// Of a file whose tables cannot be told apart without parsing it.
    Parsed(Vec<Spanned<DeValue<'a>>>),
}

/// One table of the array.
pub(super) struct Table<T> {
    pub(super) value: T,
    /// Where it begins in the file, in bytes.
    pub(super) offset: usize,
    /// What to add to the offsets within `value` to have them in the file.
    pub(super) base: usize,
}

impl<'a> Tables<'a> {
    /// Reads what `text` has apart from the array `key`, and finds the tables of the array.
    pub(super) fn read<R: DeserializeOwned>(
        text: &'a str,
        key: &'static str,
    ) -> Result<(R, Self), Fault> {
        let Some(split) = Split::of(text, key) else { return Self::read_whole(text, key) };
        let mut parts = [&*split.rest].into_iter().chain(split.tables.iter().map(|(_, it)| *it));
        if split.weight > MAX_SUM_OF_WEIGHTS || parts.any(is_heavy) {
            return Err(Problem::TooManyValues { limit: MAX_WEIGHT }.anywhere());
        }
        if split.tables.len() > MAX_PACKAGES {
            return Err(Problem::TooManyPackages { packages: split.tables.len() }.anywhere());
        }
        let at_fault =
            |error| fault(text, &error, |offset| split::in_file(&split.rest_parts, offset));
        let rest = DeTable::parse(&split.rest).map_err(at_fault)?;
        if rest.get_ref().contains_key(key) {
            // Its header is written in some other way, or it is no array of tables.
            return Self::read_whole(text, key);
        }
        let rest = R::deserialize(Deserializer::from(rest)).map_err(at_fault)?;
        Ok((rest, Self { text, key, rest: split.rest_parts, parts: Parts::Apart(split.tables) }))
    }

    fn read_whole<R: DeserializeOwned>(
        text: &'a str,
        key: &'static str,
    ) -> Result<(R, Self), Fault> {
        if is_heavy(text) {
            return Err(Problem::TooManyValues { limit: MAX_WEIGHT }.anywhere());
        }
        let at_fault = |error| fault(text, &error, |offset| offset);
        let mut whole = DeTable::parse(text).map_err(at_fault)?;
        let array = whole.get_mut().remove(key);
        let rest = R::deserialize(Deserializer::from(whole)).map_err(at_fault)?;
        let tables = match array.map(|it| (it.span().start, it.into_inner())) {
            None => Vec::new(),
            Some((_, DeValue::Array(tables))) => tables.into_iter().collect(),
            Some((offset, _)) => {
                let message = format!("`{key}` is no array of tables");
                return Err(Problem::Syntax { message }.at(offset));
            }
        };
        if tables.len() > MAX_PACKAGES {
            return Err(Problem::TooManyPackages { packages: tables.len() }.anywhere());
        }
        Ok((rest, Self { text, key, rest: vec![(0, 0)], parts: Parts::Parsed(tables) }))
    }

    /// Where in the file `part` of the rest begins.
    pub(super) fn offset_of<U>(&self, part: &Spanned<U>) -> usize {
        split::in_file(&self.rest, part.span().start)
    }

    /// How many tables the array has.
    pub(super) fn count(&self) -> usize {
        match &self.parts {
            Parts::Apart(tables) => tables.len(),
            Parts::Parsed(tables) => tables.len(),
        }
    }

    /// Reads the tables, makes of each what is kept of it, on two threads, and has that taken in the
    /// order of the file.
    pub(super) fn each<T: Deserialize<'a>, U: Send>(
        self,
        make: impl Fn(Table<T>) -> Result<U, Fault> + Sync,
        mut take: impl FnMut(U) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let Self { text, key, parts, .. } = self;
        match parts {
            Parts::Apart(tables) => {
                let read = |&(base, table): &(usize, &'a str)| {
                    let at_fault = |error| fault(text, &error, |offset| base + offset);
                    let value = match plain::table(table, key) {
                        Some(value) => value,
                        None => only(table, key).map_err(at_fault)?,
                    };
                    make(Table { value, offset: base, base })
                };
                let pieces: Vec<_> = tables.chunks(TABLES_OF_PIECE).collect();
                let made = |at: usize| until_fault(pieces[at].iter().map(read));
                in_order(pieces.len(), made, |piece| {
                    piece.into_iter().try_for_each(|made| take(made?))
                })
            }
            Parts::Parsed(tables) => tables.into_iter().try_for_each(|table| {
                let offset = table.span().start;
                let value = T::deserialize(ValueDeserializer::from(table));
                let value = value.map_err(|error| fault(text, &error, |offset| offset))?;
                take(make(Table { value, offset, base: 0 })?)
            }),
        }
    }
}

/// All up to the first fault: each looks at the whole file for what caused it, so one must be enough.
fn until_fault<T>(results: impl Iterator<Item = Result<T, Fault>>) -> Vec<Result<T, Fault>> {
    let mut made = Vec::with_capacity(results.size_hint().0);
    for result in results {
        let is_fault = result.is_err();
        made.push(result);
        if is_fault {
            break;
        }
    }
    made
}

/// Whether parsing `text` would take too much memory.
fn is_heavy(text: &str) -> bool {
    text.len() > MAX_WEIGHT / split::MAX_WEIGHT_OF_BYTE && split::weight(text) > MAX_WEIGHT
}

/// The one table that `text` has in the array `key`.
fn only<'a, T: Deserialize<'a>>(text: &'a str, key: &str) -> Result<T, toml::de::Error> {
    let mut document = DeTable::parse(text)?;
    let table = match document.get_mut().remove(key).map(Spanned::into_inner) {
        Some(DeValue::Array(tables)) => tables.into_iter().next(),
        _ => None,
    };
    // A text that was cut out at its header has the table, so nothing stands in for it.
    let nothing = || Spanned::new(0..0, DeValue::Table(DeTable::new()));
    T::deserialize(ValueDeserializer::from(table.unwrap_or_else(nothing)))
}

fn fault(text: &str, error: &toml::de::Error, offset_in_text: impl Fn(usize) -> usize) -> Fault {
    match text::conflict_marker(text) {
        Some(offset) => Problem::MergeConflict.at(offset),
        None => Fault {
            offset: error.span().map(|span| offset_in_text(span.start)),
            problem: Problem::Syntax { message: error.message().to_owned() },
        },
    }
}

/// Checks that `version`, such as `"4.5.0"`, begins with a number that is known; an absent one is as
/// old as the format.
pub(super) fn check_major(
    version: Option<&Spanned<String>>,
    tables: &Tables<'_>,
    known: RangeInclusive<i64>,
) -> Result<(), Fault> {
    let Some(version) = version else { return Ok(()) };
    let text = version.get_ref();
    let problem = match text.split('.').next().unwrap_or(text).parse() {
        Ok(major) if known.contains(&major) => return Ok(()),
        Ok(version) => Problem::UnsupportedVersion { version },
        Err(_) => text::invalid("lock-version", text, "a version such as 1.0"),
    };
    Err(problem.at(tables.offset_of(version)))
}

#[cfg(test)]
mod tests {
    use super::{Problem, until_fault};

    #[test]
    fn after_a_fault_no_other_is_made() {
        let mut made = 0;
        let results = (0..9).map(|number| {
            made += 1;
            if number < 3 { Ok(number) } else { Err(Problem::NotUtf8.anywhere()) }
        });
        assert_eq!(until_fault(results).len(), 4);
        assert_eq!(made, 4);
    }
}
