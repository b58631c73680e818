//! Backlog and risk register as documents: the same state, the same bytes.

mod csv;
pub mod json;
mod markdown;

use serde::{Deserialize, Serialize};

use crate::register::Register;

/// Which register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Table {
    /// The remediation backlog.
    Backlog,
    /// The risk register.
    Risk,
}

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// One JSON object.
    Json,
    /// RFC 4180, with a header line.
    Csv,
    /// For people, in the shape of Hotpass's own registers.
    Markdown,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Backlog, Self::Risk];

    /// Name of its file in `form`.
    pub fn file_name(self, form: Form) -> String {
        let name = match self {
            Self::Backlog => "remediation-backlog",
            Self::Risk => "risk-register",
        };
        format!("{name}.{}", form.extension())
    }
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Json, Self::Csv, Self::Markdown];

    fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Markdown => "md",
        }
    }
}

/// `table` of `register` in `form`.
pub fn render(register: &Register, table: Table, form: Form) -> String {
    match (table, form) {
        (Table::Backlog, Form::Json) => json::backlog(register),
        (Table::Risk, Form::Json) => json::risk(register),
        (Table::Backlog, Form::Csv) => csv::backlog(register),
        (Table::Risk, Form::Csv) => csv::risk(register),
        (Table::Backlog, Form::Markdown) => markdown::backlog(register),
        (Table::Risk, Form::Markdown) => markdown::risk(register),
    }
}

#[cfg(test)]
mod tests;
