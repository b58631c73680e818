//! Who depends on whom: what depends on itself, and what does over others.

use std::collections::HashMap;
use std::fmt;

use super::cycle;
use super::problems::{Problems, Quoted};

/// Most members of a cycle that are named.
const MAX_MEMBERS: usize = 10;

/// The dependencies of one document. Every dependent is added before the first edge, because only
/// what depends on something itself can be on a cycle.
#[derive(Default)]
pub(crate) struct Dependencies<'a> {
    nodes: HashMap<&'a str, usize>,
    /// Each with the number of the first entry that says what it depends on.
    dependents: Vec<(&'a str, usize)>,
    successors: Vec<Vec<usize>>,
    edges: usize,
}

impl<'a> Dependencies<'a> {
    /// Adds what depends on something, as entry number `entry` says.
    pub(crate) fn add_dependent(&mut self, name: &'a str, entry: usize) {
        self.nodes.entry(name).or_insert_with(|| {
            self.dependents.push((name, entry));
            self.successors.push(Vec::new());
            self.dependents.len() - 1
        });
    }

    /// Adds that `name` depends on `target`, as is said at `place`.
    pub(crate) fn add_edge(
        &mut self,
        name: &str,
        target: &str,
        place: impl fmt::Display,
        problems: &mut Problems,
    ) {
        self.edges += 1;
        if target == name {
            let message = format_args!("{} depends on itself", Quoted(name));
            problems.add("self-dependency", place, message);
        } else if let (Some(&from), Some(&to)) = (self.nodes.get(name), self.nodes.get(target)) {
            self.successors[from].push(to);
        }
    }

    /// Looks for a cycle; returns how many edges there are. `list` is the array of the entries.
    pub(crate) fn check(self, list: &str, problems: &mut Problems) -> usize {
        if let Some(cycle) = cycle::find(&self.successors) {
            let first = cycle.first().map_or(0, |&node| self.dependents[node].1);
            let names = cycle.iter().take(MAX_MEMBERS).map(|&node| self.dependents[node].0);
            let names = names.map(|name| Quoted(name).to_string()).collect::<Vec<_>>();
            let more = if cycle.len() > MAX_MEMBERS { " → …" } else { "" };
            let (count, members) = (cycle.len(), names.join(" → "));
            let message = format_args!("{count} elements depend on one another: {members}{more}");
            problems.add("dependency-cycle", format_args!("/{list}/{first}"), message);
        }
        self.edges
    }
}
