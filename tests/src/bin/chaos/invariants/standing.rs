//! What is on record of accepted documents: each VEX document, of SBOMs the newest of each product.

use std::collections::BTreeMap;

use ::events::Accepted;
use jiff::Timestamp;

use crate::drops::Drop;

use super::{Invariant, Remains, Stories, archive::files_below};

/// When a document was made, and when it was ingested.
type Age = (Timestamp, Timestamp);

/// When an SBOM says that it was made.
fn made_at(drop: &Drop) -> Option<Timestamp> {
    let (_, document) = drop.uploads.iter().find(|(digest, _)| Some(*digest) == drop.document())?;
    let document: serde_json::Value = serde_json::from_slice(document).ok()?;
    document.pointer("/metadata/timestamp")?.as_str()?.parse().ok()
}

/// The archive's pointers, read as plain files.
pub(super) fn check(remains: &Remains<'_>, stories: &Stories<'_>) -> anyhow::Result<Invariant> {
    let mut newest: BTreeMap<(String, String), Age> = BTreeMap::new();
    let accepted = stories.drops.iter().filter(|it| it.drop.flaw.is_none());
    for (story, decision) in accepted.filter_map(|it| Some((it, it.signed.data.decision.as_ref()?)))
    {
        let of = (story.drop.supplier.to_string(), story.drop.product.clone());
        let made_at = made_at(story.drop).unwrap_or(decision.ingested_at);
        let age = (made_at, decision.ingested_at);
        let known = newest.entry(of).or_insert(age);
        *known = age.max(*known);
    }
    let root = remains.area.archive().join("pointers/accepted");
    let mut broken = Vec::new();
    let paths = if root.exists() { files_below(&root)? } else { Vec::new() };
    let mut count = 0;
    for path in paths.iter().filter(|it| !it.to_string_lossy().contains('#')) {
        count += 1;
        let read = std::fs::read(root.join(path))?;
        let path = path.display();
        let Ok(standing) = serde_json::from_slice::<Accepted>(&read) else {
            broken.push(format!("{path} cannot be read"));
            continue;
        };
        if format!("accepted/{path}") != standing.pointer() {
            broken.push(format!("{path} holds what stands at {}", standing.pointer()));
        }
        let product = match &standing.product {
            Some(product) => product.to_string(),
            None => standing.document.to_string(),
        };
        let supplier = standing.from.scope().to_string();
        match newest.remove(&(supplier.clone(), product.clone())) {
            None => broken.push(format!("{product} of {supplier} is on record, and nobody's")),
            Some((_, newest)) if newest != standing.accepted_at => {
                let found = standing.accepted_at;
                broken.push(format!("{product} of {supplier} stands as of {found}, not {newest}"));
            }
            Some(_) => {}
        }
    }
    broken.extend(newest.keys().map(|(who, what)| format!("{what} of {who} is not on record")));
    let numbers = format!("{count} documents on record");
    Ok(Invariant { name: "the newest of what was accepted is on record", numbers, broken })
}
