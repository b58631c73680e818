//! FIRST's list of EPSS scores, one row after the other: a line about the model, the header, a row a vulnerability.

use std::str;

use jiff::Timestamp;

use crate::{Epss, exploitation::CveId};

const HEADER: &str = "cve,epss,percentile";

/// How far a list was read.
#[derive(Default)]
pub(crate) struct Scores {
    part: Part,
    /// When the scores were computed (`score_date`); older lists and excerpts do not say.
    pub(crate) date: Option<Timestamp>,
}

#[derive(Default, PartialEq)]
enum Part {
    #[default]
    Head,
    Rows,
    /// The header is another one, so that no row means anything.
    Foreign,
}

impl Scores {
    /// Reads the next line; none where it holds no row.
    ///
    /// # Errors
    /// What is wrong with it, for people; it is left out.
    pub(crate) fn line(&mut self, line: &[u8]) -> Result<Option<(CveId, Epss)>, String> {
        let line = str::from_utf8(line).unwrap_or_default().trim();
        match self.part {
            Part::Head => self.head(line).map(|()| None),
            Part::Rows => row(line).map(Some),
            Part::Foreign => Ok(None),
        }
    }

    /// Whether the list ended before its header.
    pub(crate) fn is_headless(&self) -> bool {
        self.part == Part::Head
    }

    fn head(&mut self, line: &str) -> Result<(), String> {
        if let Some(about) = line.strip_prefix('#') {
            let mut fields = about.split(',').map(str::trim);
            if let Some(date) = fields.find_map(|it| it.strip_prefix("score_date:")) {
                let date = date.parse();
                self.date = Some(date.map_err(|_| "score_date is no time as RFC 3339 writes it")?);
            }
            return Ok(());
        }
        self.part = if line == HEADER { Part::Rows } else { Part::Foreign };
        match self.part {
            Part::Foreign => Err(format!("no list of EPSS scores, whose header is `{HEADER}`")),
            _ => Ok(()),
        }
    }
}

fn row(line: &str) -> Result<(CveId, Epss), String> {
    let fields: Vec<_> = line.splitn(4, ',').collect();
    let [id, score, percentile] = fields[..] else {
        return Err(format!("the row is not of the form {HEADER}"));
    };
    let id = CveId::parse(id).ok_or("cve is no CVE id")?;
    let epss = Epss { score: share("epss", score)?, percentile: share("percentile", percentile)? };
    Ok((id, epss))
}

/// A number from 0 to 1, which NaN is not.
fn share(field: &str, text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|it| (0.0..=1.0).contains(it));
    // Minus zero is within, but reads odd.
    number.map(f64::abs).ok_or_else(|| format!("{field} is no number from 0 to 1"))
}
