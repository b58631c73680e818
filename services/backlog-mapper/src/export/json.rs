//! Registers as JSON, with everything that is known.

use events::Digest;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    register::{EntryRow, Register},
    risk::RiskRow,
};

/// The backlog as it is exported.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Backlog {
    /// Day, in UTC, of the newest document or change in it.
    pub last_updated: Option<Date>,
    /// The advisory index that was asked.
    pub advisories: Option<Digest>,
    /// Its entries.
    pub entries: Vec<EntryRow>,
}

/// The risk register as it is exported.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Risks {
    /// Day, in UTC, of the newest document or change in it.
    pub last_updated: Option<Date>,
    /// Its rows.
    pub risks: Vec<RiskRow>,
}

pub(super) fn backlog(register: &Register) -> String {
    let Register { last_updated, advisories, entries, .. } = register.clone();
    text(&Backlog { last_updated, advisories, entries })
}

pub(super) fn risk(register: &Register) -> String {
    let Register { last_updated, risks, .. } = register.clone();
    text(&Risks { last_updated, risks })
}

fn text(value: &impl Serialize) -> String {
    // Maps with text keys always encode.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
