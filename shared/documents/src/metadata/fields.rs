//! Fields `Name: value` with folded lines, as e-mail headers and Debian's control files have them.

use std::borrow::Cow;
use std::iter::{Enumerate, Peekable};
use std::str;

use super::error::Fault;
use crate::lockfile::Problem;

/// Most fields of one package: many times the most we have seen.
pub(super) const MAX_FIELDS: usize = 100_000;

/// One field.
pub(super) struct Field<'a> {
    /// Line of its name, from 1.
    pub(super) line: usize,
    pub(super) name: &'a str,
    /// Its value without white space around it; further lines follow after `\n`, trimmed.
    pub(super) value: Cow<'a, str>,
}

/// The lines of a text, to take stanzas from.
pub(super) struct Lines<'a>(Peekable<Enumerate<str::Lines<'a>>>);

impl<'a> Lines<'a> {
    /// The lines of `text`.
    pub(super) fn of(text: &'a str) -> Self {
        Self(text.lines().enumerate().peekable())
    }

    /// The next stanza of a control file; absent when there is none left.
    pub(super) fn stanza(&mut self) -> Result<Option<Stanza<'a>>, Fault> {
        let is_blank = |line: &str| line.trim().is_empty();
        while self.0.next_if(|(_, line)| is_blank(line)).is_some() {}
        let fields = self.fields(is_blank)?;
        Ok((!fields.is_empty()).then_some(Stanza(fields)))
    }

    /// The headers that a message begins with. As in Python's reader, the first line that can be no
    /// header ends them.
    pub(super) fn headers(&mut self) -> Result<Stanza<'a>, Fault> {
        let is_end =
            |line: &str| line.is_empty() || !(line.starts_with([' ', '\t']) || line.contains(':'));
        self.fields(is_end).map(Stanza)
    }

    fn fields(&mut self, is_end: impl Fn(&str) -> bool) -> Result<Vec<Field<'a>>, Fault> {
        let mut fields: Vec<Field<'a>> = Vec::new();
        while let Some((at, line)) = self.0.next_if(|(_, line)| !is_end(line)) {
            match fields.last_mut() {
                Some(folded) if line.starts_with([' ', '\t']) => {
                    let value = folded.value.to_mut();
                    value.push('\n');
                    value.push_str(line.trim());
                }
                _ => {
                    let (name, value) = line
                        .split_once(':')
                        .ok_or_else(|| Fault::syntax(at + 1, "a line that is no `Field: value`"))?;
                    if fields.len() == MAX_FIELDS {
                        let problem = Problem::TooManyValues { limit: MAX_FIELDS };
                        return Err(Fault::from(problem).on(at + 1));
                    }
                    let value = Cow::Borrowed(value.trim());
                    fields.push(Field { line: at + 1, name: name.trim(), value });
                }
            }
        }
        Ok(fields)
    }
}

/// Fields that belong together.
pub(super) struct Stanza<'a>(Vec<Field<'a>>);

impl<'a> Stanza<'a> {
    /// The field of this name, in any case.
    ///
    /// # Errors
    /// It is there twice: two readers may see two different packages.
    pub(super) fn only(&self, name: &'static str) -> Result<Option<&Field<'a>>, Fault> {
        let mut found = self.all(name);
        let field = found.next();
        match found.next() {
            Some(again) => Err(Fault::syntax(again.line, format!("`{name}` is there twice"))),
            None => Ok(field),
        }
    }

    /// The field of this name, which the stanza cannot be without.
    pub(super) fn required(&self, name: &'static str) -> Result<&Field<'a>, Fault> {
        let line = self.0.first().map_or(1, |field| field.line);
        self.only(name)?.ok_or_else(|| Fault::missing("the package", name).on(line))
    }

    /// The value of the first field of this name; empty where there is none.
    pub(super) fn first(&self, name: &'static str) -> &str {
        self.all(name).next().map_or("", |field| &field.value)
    }

    /// Every field of this name.
    pub(super) fn all(&self, name: &'static str) -> impl Iterator<Item = &Field<'a>> {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
    }
}
