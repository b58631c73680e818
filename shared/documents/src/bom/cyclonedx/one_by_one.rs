//! The way of documents in which little is wrong: each component is judged, read, scored and forgotten before
//! the next one is parsed.
//!
//! It comes to what reading the whole comes to, or to nothing; then the whole has to be read.

use serde_json::{Value, json};

use super::{Parts, assemble, components, references};
use crate::bill::{Bill, parts_of};
use crate::bom::{Bom, Component, Names, Problems};
use crate::schema::json::{self, Apart, decode};
use crate::schema::validator::Validator;
use crate::schema::{CycloneDxVersion, Format, format, validator};
use crate::score::{Report, Scoring};

/// Reads a document of version `oldest` or later; none if it is not CycloneDX in JSON, or there is something
/// to be said against it that takes a look at the whole.
pub(in crate::bom) fn read(bytes: &[u8], oldest: CycloneDxVersion) -> Option<Bom> {
    read_as_wanted(bytes, oldest, false).map(|(bom, _)| bom)
}

/// As [`read`], and scores it.
pub(in crate::bom) fn read_and_score(
    bytes: &[u8],
    oldest: CycloneDxVersion,
) -> Option<(Bom, Report)> {
    let (bom, report) = read_as_wanted(bytes, oldest, true)?;
    Some((bom, report?))
}

fn read_as_wanted(
    bytes: &[u8],
    oldest: CycloneDxVersion,
    is_scored: bool,
) -> Option<(Bom, Option<Report>)> {
    let mut apart = Apart::read(decode(bytes).ok()?, "components")?;
    let Ok(Format::CycloneDx(version)) = format(&apart.document, oldest) else { return None };
    let judge = Judge::of(version)?;
    if !judge.validator.is_valid(&apart.document) {
        return None;
    }
    let bill = Bill { document: std::mem::take(&mut apart.document), version, weight: 0 };
    let mut scoring = is_scored.then(|| Scoring::of(&bill, vec![]));
    if let Some(scoring) = &mut scoring {
        bill.parts().iter().for_each(|part| scoring.add(part));
    }
    let mut problems = Problems::default();
    let Parts { subject, components: found, of_subject } =
        components::read(&bill.document, &mut problems);
    let mut components = Components { judge, index: 0, found, names: references::no_names() };
    if !apart.each(|it| components.add(it, scoring.as_mut(), &mut problems)) {
        return None;
    }
    let Components { found, names, .. } = components;
    let edges = references::check(&bill.document, names, &mut problems);
    let parts = Parts { subject, components: found, of_subject };
    let bom = assemble(&bill.document, version, parts, edges, problems).ok()?;
    // Which of two is the second depends on where in the whole they are.
    (!bom.problem_counts.contains_key("duplicate-bom-ref"))
        .then(|| (bom, scoring.map(Scoring::report)))
}

/// Components as they come by.
struct Components {
    judge: Judge,
    index: usize,
    found: Vec<Component>,
    names: Names<'static>,
}

impl Components {
    /// Whether the component needs no look at the rest.
    fn add(
        &mut self,
        component: Value,
        scoring: Option<&mut Scoring<'_>>,
        problems: &mut Problems,
    ) -> bool {
        // The schema wants no component twice; those with names of their own are not the same.
        let has_name = json::text(&component, "bom-ref").is_some_and(|it| !it.is_empty());
        if !has_name || !references::add_names(&component, &mut self.names) {
            return false;
        }
        let Some(component) = self.judge.valid(component) else { return false };
        if let Some(scoring) = scoring {
            parts_of(&component, self.index).iter().for_each(|part| scoring.add(part));
        }
        components::read_one(&component, self.index, &mut self.found, problems);
        self.index += 1;
        true
    }
}

/// The schema, as one component is held against it.
struct Judge {
    validator: &'static Validator,
    /// A document with a list for one component.
    frame: Value,
}

impl Judge {
    fn of(version: CycloneDxVersion) -> Option<Self> {
        let frame = json!({
            "bomFormat": "CycloneDX", "specVersion": version.as_str(), "version": 1, "components": [],
        });
        Some(Self { validator: validator::cyclonedx(version).ok()?, frame })
    }

    /// The component, if it keeps to the schema.
    fn valid(&mut self, component: Value) -> Option<Value> {
        let list = self.frame.get_mut("components")?.as_array_mut()?;
        list.push(component);
        let is_valid = self.validator.is_valid(&self.frame);
        let component = self.frame.get_mut("components")?.as_array_mut()?.pop();
        component.filter(|_| is_valid)
    }
}

#[cfg(test)]
mod tests;
