//! Who made the document, with what, when, and what it says about itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::packages::agent;
use super::wire::{Annotation, CreationInfo};
use crate::bill::{Bill, says_unknown, tools};
use crate::convert::Losses;
use crate::schema::json::{items, text};

pub(super) struct Creation {
    pub(super) info: CreationInfo,
    annotator: String,
}

impl Creation {
    pub(super) fn of(bill: &Bill, at: Timestamp, tool_version: &str, losses: &mut Losses) -> Self {
        let metadata = bill.metadata();
        let told = text(metadata, "timestamp").and_then(|it| it.parse::<Timestamp>().ok());
        let created = told.unwrap_or(at).as_second();
        // SPDX has no fractions of seconds (section 6.9).
        let created = Timestamp::from_second(created).unwrap_or(at).to_string();
        let annotator = format!("Tool: attestry-{tool_version}");
        let makers = ["manufacturer", "manufacture"].into_iter();
        let makers = makers.filter_map(|key| agent("Organization", metadata.get(key)?));
        let authors = items(metadata, "authors").iter().filter_map(|it| agent("Person", it));
        let tools = tools(metadata).filter_map(tool);
        let mut creators: Vec<_> = makers.chain(authors).chain(tools).collect();
        creators.push(annotator.clone());
        let mut seen = std::collections::HashSet::new();
        creators.retain(|it| seen.insert(it.clone()));
        for key in ["supplier", "licenses", "properties", "distributionConstraints"] {
            let count = metadata.get(key).map_or(0, |it| it.as_array().map_or(1, Vec::len));
            losses.add(format!("`metadata.{key}`"), count);
        }
        let info = CreationInfo {
            created,
            creators,
            comment: lifecycles(metadata),
            license_list_version: spdx_list_version(),
        };
        Self { info, annotator }
    }

    /// What `compositions` say, which SPDX can only say in words.
    pub(super) fn annotations(&self, bill: &Bill) -> Vec<Annotation> {
        let mut told: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        for composition in items(&bill.document, "compositions") {
            let aggregate = text(composition, "aggregate").unwrap_or("not_specified");
            let counts = told.entry(aggregate).or_default();
            let [assemblies, dependencies] =
                ["assemblies", "dependencies"].map(|it| items(composition, it).len());
            counts[0] += assemblies;
            counts[1] += dependencies;
            counts[2] += usize::from(assemblies + dependencies == 0);
        }
        let annotation = |(aggregate, [parts, dependencies, whole]): (&str, [usize; 3])| {
            let of_all = if whole > 0 { "the document as a whole, " } else { "" };
            Annotation {
                annotation_date: self.info.created.clone(),
                annotation_type: "OTHER",
                annotator: self.annotator.clone(),
                comment: format!(
                    "Completeness is {aggregate} for {of_all}the parts of {parts} packages and the \
                     dependencies of {dependencies} packages"
                ),
            }
        };
        told.into_iter().map(annotation).collect()
    }
}

/// `MAJOR.MINOR` of the list of licences that expressions were read with.
fn spdx_list_version() -> &'static str {
    let version = ::spdx::license_version();
    match version.match_indices('.').nth(1) {
        Some((end, _)) => &version[..end],
        None => version,
    }
}

fn tool(tool: &Value) -> Option<String> {
    let told = |key| text(tool, key).filter(|it| !says_unknown(it));
    let name = told("name")?;
    let name = told("version").map_or(name.to_owned(), |version| format!("{name}-{version}"));
    Some(format!("Tool: {}", name.split_whitespace().collect::<Vec<_>>().join(" ")))
}

fn lifecycles(metadata: &Value) -> Option<String> {
    let lifecycles = items(metadata, "lifecycles").iter();
    let names = lifecycles.filter_map(|it| text(it, "phase").or_else(|| text(it, "name")));
    let names = names.collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| format!("Lifecycle of the data: {names}"))
}

/// Where the document comes from.
pub(super) fn comment(bill: &Bill) -> String {
    let serial = text(&bill.document, "serialNumber").map(|it| format!(" {it}"));
    let version = bill.document.get("version").and_then(Value::as_u64);
    let version = version.map(|it| format!(", version {it}"));
    format!(
        "Converted from CycloneDX {}{}{}",
        bill.version,
        serial.unwrap_or_default(),
        version.unwrap_or_default()
    )
}
