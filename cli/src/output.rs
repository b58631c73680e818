//! Results on stdout, everything else on stderr.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to its terminal")]

use std::io::{IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::failure::Failure;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object, or one per line.
    Json,
    /// For spreadsheets; `backlog export` and `risk export` only.
    Csv,
    /// For repositories; `backlog export` and `risk export` only.
    Markdown,
}

/// Prints a result: `text` for people, `value` for machines.
pub(crate) fn result(format: Format, text: &str, value: &impl Serialize) -> Result<(), Failure> {
    let line = match format {
        Format::Text | Format::Csv | Format::Markdown => text.trim_end().to_owned(),
        Format::Json => serde_json::to_string(value).map_err(Failure::unknown)?,
    };
    match writeln!(std::io::stdout().lock(), "{line}") {
        // Whoever reads has read enough, for example `head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Failure::unknown),
    }
}

/// Says what is being done, to people only.
pub(crate) fn progress(format: Format, line: &str) {
    if format == Format::Text && std::io::stderr().is_terminal() {
        note(line);
    }
}

/// Says something that is not the result.
pub(crate) fn note(line: &str) {
    eprintln!("{}", plain(line));
}

/// Says why there is no result.
pub(crate) fn failure(format: Format, failure: &Failure) {
    let message = failure.to_string();
    if message.is_empty() {
        return;
    }
    match format {
        Format::Text | Format::Csv | Format::Markdown => {
            note(&format!("attestry: {message}"));
        }
        Format::Json => {
            eprintln!("{}", serde_json::json!({ "error": message, "exit_code": failure.code() }));
        }
    }
}

/// Names of files and fields are other people's: none may steer the terminal.
pub(crate) fn plain(text: &str) -> String {
    let steers = |c: char| {
        let turns = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
        turns || (c.is_control() && c != '\n')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}
