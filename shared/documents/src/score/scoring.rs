//! Scores as they grow, component by component.

use super::finding::Finding;
use super::rules::{Judge, Rule};
use super::view::View;
use super::{Element, Lacking, Level, MAX_LACKING, Report, Score, Standard, bsi, standards};
use crate::bill::{Bill, Part, shortened};
use crate::schema::Violation;

/// What the standards do not ask about.
const NO_SOFTWARE: [&str; 3] = ["file", "data", "cryptographic-asset"];

/// A document whose components are looked at in turn.
pub(crate) struct Scoring<'a> {
    view: View<'a>,
    /// Components so far.
    seen: usize,
    software: Tally,
    /// Everything, as long as no software was listed: somebody who lists nothing but files means them.
    everything: Option<Tally>,
}

/// What was found of each element of each standard.
#[derive(Clone)]
struct Tally {
    components: usize,
    elements: [Vec<Element>; Standard::ALL.len()],
}

impl<'a> Scoring<'a> {
    /// Looks at `bill`, but at none of its components, and not for `violations` of its schema.
    pub(crate) fn of(bill: &'a Bill, violations: Vec<Violation>) -> Self {
        let view = View::of(bill, violations);
        let software = Tally::of(&view);
        Self { everything: Some(software.clone()), view, seen: 0, software }
    }

    /// Looks at the next component. Each comes once, an assembly before its parts, the subject first.
    pub(crate) fn add(&mut self, part: &Part<'_>) {
        self.seen += 1;
        let is_software =
            part.is_subject || !NO_SOFTWARE.contains(&part.text("type").unwrap_or_default());
        if is_software && !part.is_subject {
            self.everything = None;
        }
        let tallies = is_software.then_some(&mut self.software).into_iter();
        for tally in tallies.chain(&mut self.everything) {
            tally.add(&self.view, part);
        }
    }

    /// The result, once every component was looked at.
    pub(crate) fn report(self) -> Report {
        let tally = self.everything.unwrap_or(self.software);
        let scores = Standard::ALL.into_iter().zip(tally.elements);
        Report {
            spec_version: self.view.version.as_str(),
            components: tally.components,
            left_out: self.seen - tally.components,
            scores: scores.map(|(standard, elements)| score(standard, elements)).collect(),
        }
    }
}

impl Tally {
    fn of(view: &View<'_>) -> Self {
        let elements = Standard::ALL
            .map(|standard| rules(standard).iter().map(|rule| Element::of(rule, view)).collect());
        Self { components: 0, elements }
    }

    fn add(&mut self, view: &View<'_>, part: &Part<'_>) {
        self.components += 1;
        for (standard, elements) in Standard::ALL.into_iter().zip(&mut self.elements) {
            for (rule, element) in rules(standard).iter().zip(elements) {
                if let Judge::Component(judge) = rule.judge {
                    element.count(judge(view, part), &part.pointer, Some(part));
                }
            }
        }
    }
}

fn rules(standard: Standard) -> &'static [Rule] {
    match standard {
        Standard::Cisa => standards::CISA,
        Standard::Ntia => standards::NTIA,
        Standard::Bsi => bsi::RULES,
    }
}

fn score(standard: Standard, elements: Vec<Element>) -> Score {
    let title = match standard {
        Standard::Cisa => "CISA minimum elements 2026",
        Standard::Ntia => "NTIA minimum elements 2021",
        Standard::Bsi => "BSI TR-03183-2 2.1.0",
    };
    let required: Vec<_> = elements.iter().filter(|it| it.level == Level::Required).collect();
    let met = required.iter().all(|it| it.present == it.of && it.of > 0);
    // In millionths, so that no sum of rounded shares makes a hundred.
    let share = |it: &&Element| (it.present * 1_000_000).checked_div(it.of).unwrap_or(0);
    let mean = required.iter().map(share).sum::<usize>().checked_div(required.len()).unwrap_or(0);
    let score = if met { 100 } else { u8::try_from(mean / 10_000).unwrap_or(99).min(99) };
    let grade = match score {
        90.. => 'A',
        80.. => 'B',
        70.. => 'C',
        60.. => 'D',
        _ => 'F',
    };
    Score { standard, title, score, grade, met, elements }
}

impl Element {
    /// What `rule` asks of the document itself is looked for; of components nothing is known yet.
    fn of(rule: &Rule, view: &View<'_>) -> Self {
        let Rule { id, name, level, why, remedy, .. } = *rule;
        let mut element = Self {
            id,
            name,
            level,
            of: 0,
            present: 0,
            declared_unknown: 0,
            invalid: 0,
            absent: 0,
            why,
            remedy,
            lacking: Vec::new(),
        };
        if let Judge::Document(pointer, judge) = rule.judge {
            element.count(judge(view), pointer, None);
        }
        element
    }

    fn count(&mut self, finding: Finding, pointer: &str, part: Option<&Part<'_>>) {
        self.of += 1;
        let (count, finding, detail) = match finding {
            Finding::Present => {
                self.present += 1;
                return;
            }
            Finding::DeclaredUnknown => (&mut self.declared_unknown, "unknown", None),
            Finding::Invalid(detail) => (&mut self.invalid, "invalid", Some(detail)),
            Finding::Absent => (&mut self.absent, "absent", None),
        };
        *count += 1;
        if self.lacking.len() < MAX_LACKING {
            let named = |key| part.and_then(|it| it.text(key)).map(shortened);
            self.lacking.push(Lacking {
                pointer: pointer.to_owned(),
                bom_ref: named("bom-ref"),
                name: named("name"),
                finding,
                detail: detail.map(|it| shortened(&it)),
            });
        }
    }
}
