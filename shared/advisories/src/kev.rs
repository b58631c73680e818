//! CISA's catalogue of known exploited vulnerabilities, as its JSON schema has it.

use jiff::{Timestamp, civil::Date};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Kev, exploitation::CveId};

/// Most entries of one catalogue: fifty times what the real one holds.
const MAX_ENTRIES: usize = 100_000;

/// What one catalogue gave.
pub(crate) struct Catalogue {
    /// When it was released (`dateReleased`).
    pub(crate) released: Option<Timestamp>,
    /// Its entries, and where in it they stand.
    pub(crate) entries: Vec<(String, CveId, Kev)>,
    /// Parts that could not be read and are left out.
    pub(crate) left_out: Vec<String>,
}

/// By these a catalogue is told from an OSV record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow)]
    catalog_version: Option<&'a RawValue>,
    #[serde(borrow)]
    date_released: Option<&'a RawValue>,
    #[serde(borrow)]
    vulnerabilities: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an entry of the catalogue")]
struct WireEntry {
    #[serde(rename = "cveID")]
    cve_id: String,
    date_added: String,
    due_date: String,
    known_ransomware_campaign_use: Option<String>,
}

/// Reads a catalogue, as far as it can be read; none if the text is no catalogue.
pub(crate) fn read(bytes: &[u8]) -> Option<Result<Catalogue, String>> {
    let wire: Wire<'_> = serde_json::from_slice(bytes).ok()?;
    let (_, vulnerabilities) = (wire.catalog_version?, wire.vulnerabilities?);
    Some(catalogue(wire.date_released, vulnerabilities))
}

fn catalogue(released: Option<&RawValue>, listed: &RawValue) -> Result<Catalogue, String> {
    let Ok(listed) = serde_json::from_str::<Vec<&RawValue>>(listed.get()) else {
        return Err("vulnerabilities is not a list".to_owned());
    };
    if listed.len() > MAX_ENTRIES {
        return Err(format!("vulnerabilities has more than {MAX_ENTRIES} entries"));
    }
    let released = released.map(|it| serde_json::from_str(it.get()));
    let mut left_out = Vec::new();
    if !matches!(released, Some(Ok(_))) {
        left_out.push("dateReleased is no time as RFC 3339 writes it".to_owned());
    }
    let released = released.and_then(Result::ok);
    let mut entries = Vec::with_capacity(listed.len());
    for (position, listed) in listed.into_iter().enumerate() {
        let at = format!("vulnerabilities[{position}]");
        match entry(listed) {
            Ok((id, kev, remark)) => {
                left_out.extend(remark.map(|it| format!("{at}: {it}")));
                entries.push((at, id, kev));
            }
            Err(reason) => left_out.push(format!("{at}: {reason}; the entry was left out")),
        }
    }
    Ok(Catalogue { released, entries, left_out })
}

/// An entry, and what of it means nothing here: that the vulnerability is exploited holds all the same.
fn entry(raw: &RawValue) -> Result<(CveId, Kev, Option<&'static str>), String> {
    let wire: WireEntry = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
    let id = CveId::parse(&wire.cve_id).ok_or("cveID is no CVE id")?;
    let (ransomware, remark) = match wire.known_ransomware_campaign_use.as_deref() {
        Some("Known") => (true, None),
        Some("Unknown") | None => (false, None),
        Some(_) => (false, Some("knownRansomwareCampaignUse is neither Known nor Unknown")),
    };
    let date_added = date("dateAdded", &wire.date_added)?;
    let due_date = date("dueDate", &wire.due_date)?;
    Ok((id, Kev { date_added, due_date, ransomware }, remark))
}

fn date(field: &str, text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| format!("{field} is no date of the form YYYY-MM-DD"))
}
