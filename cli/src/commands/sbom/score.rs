//! `attestry sbom score`: which elements of the standards an SBOM has.

use std::{fmt::Write, path::PathBuf};

use clap::ValueEnum;
use documents::score::{self, Element, Level, Report, Score};

use super::{at_fault, read_document};
use crate::{
    failure::Failure,
    output::{self, Format},
};

/// Places that are told to people of each element; `--format json` has more.
const SHOWN_PLACES: usize = 3;

#[derive(clap::Args)]
#[command(
    after_help = "Values that say nothing (NOASSERTION, unknown, empty text) are told apart and do not count. Exit code 1 only with --minimum or --require.\n\nExample:\n  attestry sbom score sbom.json --require ntia"
)]
pub(crate) struct Args {
    /// The SBOM: CycloneDX 1.2 to 1.7 as JSON or XML, of any tool
    file: PathBuf,
    /// Tell of this standard only; may be repeated [default: all]
    #[arg(long, value_enum, value_name = "STANDARD")]
    standard: Vec<Standard>,
    /// Exit with 1 if a standard that is told scores less
    #[arg(long, value_name = "0-100", value_parser = clap::value_parser!(u8).range(..=100))]
    minimum: Option<u8>,
    /// Exit with 1 unless this standard is met in full; may be repeated
    #[arg(long, value_enum, value_name = "STANDARD")]
    require: Vec<Standard>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Standard {
    /// Minimum elements of CISA, 2026
    Cisa,
    /// Minimum elements of NTIA, 2021
    Ntia,
    /// Technical guideline TR-03183-2 2.1.0 of BSI
    Bsi,
}

impl From<Standard> for score::Standard {
    fn from(standard: Standard) -> Self {
        match standard {
            Standard::Cisa => Self::Cisa,
            Standard::Ntia => Self::Ntia,
            Standard::Bsi => Self::Bsi,
        }
    }
}

pub(super) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let bytes = read_document(&args.file)?;
    let mut report = score::score(&bytes).map_err(|error| at_fault(&args.file, error))?;
    let is_in = |list: &[Standard], of: &Score| list.iter().any(|&it| of.standard == it.into());
    let unmet = report.scores.iter().filter(|it| is_in(&args.require, it) && !it.met);
    let mut unmet: Vec<String> = unmet.map(|it| format!("{} is not met", it.title)).collect();
    if !args.standard.is_empty() {
        report.scores.retain(|it| is_in(&args.standard, it) || is_in(&args.require, it));
    }
    if let Some(minimum) = args.minimum {
        let low = report.scores.iter().filter(|it| it.score < minimum);
        unmet.extend(low.map(|it| format!("{}: {} is less than {minimum}", it.title, it.score)));
    }
    let text = text(&args.file.display().to_string(), &report);
    output::result(format, &output::plain(&text), &report)?;
    if unmet.is_empty() { Ok(()) } else { Err(Failure::No(unmet.join("; "))) }
}

fn text(file: &str, report: &Report) -> String {
    let Report { spec_version, components, left_out, scores } = report;
    let mut text = format!("{file}: CycloneDX {spec_version}, {components} components");
    // Writing to a `String` cannot fail.
    if *left_out > 0 {
        _ = write!(text, " ({left_out} files, data and cryptographic assets left out)");
    }
    text.push_str("\n\n");
    for Score { title, score, grade, elements, .. } in scores {
        let lacking = elements.iter().filter(|it| it.level == Level::Required);
        let outcome = match lacking.filter(|it| it.present < it.of || it.of == 0).count() {
            0 => "met".to_owned(),
            1 => "lacks 1 required element".to_owned(),
            count => format!("lacks {count} required elements"),
        };
        _ = writeln!(text, "{title:<28} {grade} {score:>4} of 100  {outcome}");
    }
    for score in scores {
        _ = writeln!(text, "\n{}", score.title);
        for element in &score.elements {
            describe(element, &mut text);
        }
    }
    text
}

fn describe(element: &Element, text: &mut String) {
    let Element { name, level, of, present, why, remedy, .. } = element;
    let is_there = present == of && *of > 0;
    let mark = match (is_there, level) {
        (true, _) => "ok ",
        (false, Level::Required) => "LACKS",
        (false, _) => "-  ",
    };
    let level = match level {
        Level::Required => "",
        Level::Additional => " (if it exists)",
        Level::Optional => " (optional)",
    };
    _ = write!(text, "  {mark:<5} {name}{level}");
    if is_there {
        text.push('\n');
        return;
    }
    let counts = [
        (element.absent, "absent"),
        (element.declared_unknown, "said to be unknown"),
        (element.invalid, "of no use"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts.map(|(count, what)| format!("{count} {what}")).collect();
    match of {
        0 => _ = writeln!(text, ": there is no component"),
        1 => _ = writeln!(text, ": {}", counts.join(", ").trim_start_matches("1 ")),
        _ => _ = writeln!(text, ": {present} of {of}; {}", counts.join(", ")),
    }
    for place in element.lacking.iter().take(SHOWN_PLACES) {
        let pointer = if place.pointer.is_empty() { "/" } else { &place.pointer };
        let name = place.name.as_deref().map(|it| format!(" {it}")).unwrap_or_default();
        let detail = place.detail.as_deref().map(|it| format!(": {it}")).unwrap_or_default();
        _ = writeln!(text, "          {pointer}{name}{detail}");
    }
    let hidden = (of - present).saturating_sub(SHOWN_PLACES);
    if hidden > 0 {
        _ = writeln!(text, "          … and {hidden} more");
    }
    _ = writeln!(text, "        {why}\n        {remedy}");
}
