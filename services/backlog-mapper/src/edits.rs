//! What people say of risks: their own ones, and other words for those that are derived.

use events::{Label, Text};
use serde::Deserialize;

use crate::risk::{Edited, RiskRow, Treatment};

/// Most bytes of a text.
const TEXT_BYTES: usize = 2048;

/// The operator's file of risks.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edits {
    /// In no order.
    #[serde(default, rename = "risk")]
    pub risks: Vec<Edit>,
}

/// What somebody says of one risk; what is left out stays as it is derived.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Which risk. One that nothing is derived for is the operator's own.
    pub id: Label,
    /// The risk; what is the operator's own needs one.
    pub description: Option<Text<TEXT_BYTES>>,
    /// What is exposed.
    pub surface: Option<Text<TEXT_BYTES>>,
    /// How bad it would be.
    pub impact: Option<Level>,
    /// How likely it is.
    pub likelihood: Option<Level>,
    /// Who owns it.
    pub owner: Option<Label>,
    /// Where its treatment stands.
    pub status: Option<Treatment>,
    /// What is done about it.
    pub mitigation: Option<Text<TEXT_BYTES>>,
}

/// 1 to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub struct Level(u8);

impl TryFrom<u8> for Level {
    type Error = String;

    fn try_from(level: u8) -> Result<Self, String> {
        match level {
            1..=5 => Ok(Self(level)),
            _ => Err(format!("{level} is no level; from 1 to 5, 5 is the worst")),
        }
    }
}

impl Edits {
    /// Has the operator's words count in `rows`, and adds the operator's own risks, which belong to `owner`
    /// unless they say otherwise.
    pub fn apply(&self, rows: &mut Vec<RiskRow>, owner: &Label) {
        for edit in &self.risks {
            match rows.iter_mut().find(|row| row.id == edit.id.as_str()) {
                Some(row) => edit.change(row),
                None => rows.extend(edit.own(owner)),
            }
        }
    }

    /// Ids of edits that no row of `rows` has: what they were about is gone, or misspelt.
    pub fn lost(&self, rows: &[RiskRow]) -> Vec<Label> {
        let lost = |it: &&Edit| !rows.iter().any(|row| row.id == it.id.as_str());
        self.risks.iter().filter(lost).map(|it| it.id.clone()).collect()
    }
}

impl Edit {
    fn change(&self, row: &mut RiskRow) {
        let Self { description, surface, impact, likelihood, owner, status, mitigation, .. } = self;
        let mut edited = Vec::new();
        let mut text = |field: &'static str, said: Option<&str>, derived: &mut String| {
            if let Some(said) = said.filter(|it| it != derived) {
                let before = std::mem::replace(derived, said.to_owned());
                edited.push(Edited { field: field.to_owned(), derived: before });
            }
        };
        text("description", description.as_ref().map(Text::as_str), &mut row.description);
        text("surface", surface.as_ref().map(Text::as_str), &mut row.surface);
        text("mitigation", mitigation.as_ref().map(Text::as_str), &mut row.mitigation);
        let mut level = |field: &'static str, said: &Option<Level>, derived: &mut u8| {
            if let Some(Level(said)) = said.filter(|it| it.0 != *derived) {
                edited.push(Edited { field: field.to_owned(), derived: derived.to_string() });
                *derived = said;
            }
        };
        level("impact", impact, &mut row.impact);
        level("likelihood", likelihood, &mut row.likelihood);
        if let Some(said) = owner.as_ref().filter(|it| **it != row.owner) {
            edited.push(Edited { field: "owner".to_owned(), derived: row.owner.to_string() });
            row.owner = said.clone();
        }
        if let Some(said) = status.filter(|it| *it != row.status) {
            let derived = row.status.as_str().to_owned();
            edited.push(Edited { field: "status".to_owned(), derived });
            row.status = said;
        }
        row.exposure = row.impact * row.likelihood;
        row.edited.extend(edited);
    }

    fn own(&self, owner: &Label) -> Option<RiskRow> {
        let text = |text: &Option<Text<TEXT_BYTES>>| {
            text.as_ref().map(|it| it.to_string()).unwrap_or_default()
        };
        // What nobody rated counts as medium.
        let level = |level: Option<Level>| level.map_or(3, |it| it.0);
        let (impact, likelihood) = (level(self.impact), level(self.likelihood));
        Some(RiskRow {
            id: self.id.to_string(),
            description: self.description.as_ref()?.to_string(),
            surface: text(&self.surface),
            impact,
            likelihood,
            exposure: impact * likelihood,
            owner: self.owner.clone().unwrap_or_else(|| owner.clone()),
            status: self.status.unwrap_or(Treatment::Open),
            mitigation: text(&self.mitigation),
            edited: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    fn edits(text: &str) -> Edits {
        parse(Path::new("risks.toml"), text).expect("valid")
    }

    fn derived() -> Vec<RiskRow> {
        let text = "[[risk]]\nid = 'R-18aa'\ndescription = 'three known vulnerabilities'\nimpact = 4\nlikelihood = 2\n";
        let mut rows = Vec::new();
        edits(text).apply(&mut rows, &Label::of("Security"));
        rows
    }

    #[test]
    fn what_people_say_counts_and_what_was_derived_stays_visible() {
        let mut rows = derived();
        let text = "[[risk]]\nid = 'R-18aa'\nlikelihood = 5\nowner = 'Compliance'\nstatus = 'In progress'\nimpact = 4\n";
        edits(text).apply(&mut rows, &Label::of("Security"));
        let row = &rows[0];
        assert_eq!((row.impact, row.likelihood, row.exposure), (4, 5, 20));
        assert_eq!((row.owner.as_str(), row.status), ("Compliance", Treatment::InProgress));
        let told: Vec<String> =
            row.edited.iter().map(|it| format!("{} {}", it.field, it.derived)).collect();
        assert_eq!(told, ["likelihood 2", "owner Security", "status Open"]);
        assert_eq!(row.description, "three known vulnerabilities");
    }

    #[test]
    fn risk_of_ones_own_is_a_row_and_an_edit_of_nothing_is_told() {
        let text = "[[risk]]\nid = 'R-001'\ndescription = 'shared secret leaks'\nowner = 'Platform'\n[[risk]]\nid = 'R-beef'\nimpact = 1\n";
        let (edits, mut rows) = (edits(text), derived());
        edits.apply(&mut rows, &Label::of("Security"));
        assert_eq!(rows.len(), 2);
        assert_eq!(
            (rows[1].id.as_str(), rows[1].exposure, rows[1].owner.as_str()),
            ("R-001", 9, "Platform")
        );
        assert_eq!(edits.lost(&rows), [Label::of("R-beef")]);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let refusal = |text: &str| {
            parse::<Edits>(Path::new("risks.toml"), text).expect_err("refused").to_string()
        };
        let level = refusal("[[risk]]\nid = 'R-1'\nimpact = 6\n");
        assert!(level.starts_with("risks.toml:3: 6 is no level"), "{level}");
        let unknown = refusal("[[risk]]\nid = 'R-1'\nseverity = 3\n");
        assert!(unknown.starts_with("risks.toml:3: unknown field `severity`"), "{unknown}");
        let nameless = refusal("\n[[risk]]\nimpact = 3\n");
        assert!(nameless.starts_with("risks.toml:2: missing field `id`"), "{nameless}");
    }
}
