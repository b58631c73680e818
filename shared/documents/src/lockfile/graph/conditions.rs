//! When a package is installed: from the conditions under which others ask for it.

use std::collections::BTreeSet;

use super::{Node, Package};

/// Most conditions that are told of one package; with more, it counts as installed always.
const MAX_CONDITIONS: usize = 16;

/// Fills [`Package::conditions`] in: of each way in from a start, the last condition on it, as it is
/// written. So they say where a package can be left out, but of conditions one after another not
/// all; a package that can be reached without any has none.
pub(super) fn assign(packages: &mut [Package], nodes: &[Node], starts: &[usize]) {
    let mut ways = Ways { nodes, found: vec![Way::Unknown; nodes.len()], pending: Vec::new() };
    for &start in starts {
        ways.open(start);
    }
    while let Some(node) = ways.pending.pop() {
        ways.follow(node);
    }
    for (package, way) in packages.iter_mut().zip(ways.found) {
        if let Way::Some(conditions) = way {
            package.conditions = conditions.into_iter().map(str::to_owned).collect();
        }
    }
}

/// What is known of the ways to a node; it only ever gets wider, which happens to a node a limited
/// number of times.
#[derive(Clone)]
enum Way<'a> {
    Unknown,
    Some(BTreeSet<&'a str>),
    Always,
}

struct Ways<'a> {
    nodes: &'a [Node],
    found: Vec<Way<'a>>,
    /// Nodes whose way got wider since they were followed.
    pending: Vec<usize>,
}

impl<'a> Ways<'a> {
    fn follow(&mut self, node: usize) {
        let (nodes, way) = (self.nodes, self.found[node].clone());
        for edge in &nodes[node].dependencies {
            match (edge.condition.as_deref(), &way) {
                (Some(condition), _) => self.widen(edge.to, &[condition].into()),
                (None, Way::Some(conditions)) => self.widen(edge.to, conditions),
                (None, _) => self.open(edge.to),
            }
        }
    }

    fn open(&mut self, node: usize) {
        if !matches!(self.found[node], Way::Always) {
            self.found[node] = Way::Always;
            self.pending.push(node);
        }
    }

    fn widen(&mut self, node: usize, by: &BTreeSet<&'a str>) {
        let (known, mut all) = match &self.found[node] {
            Way::Always => return,
            Way::Some(conditions) => (conditions.len(), conditions.clone()),
            Way::Unknown => (0, BTreeSet::new()),
        };
        all.extend(by);
        if all.len() > MAX_CONDITIONS {
            self.open(node);
        } else if all.len() > known {
            self.found[node] = Way::Some(all);
            self.pending.push(node);
        }
    }
}
