//! Which rule needs which, as a graph over paths.

use std::collections::{BTreeMap, BTreeSet};

use super::references::Path;

/// Paths and what they need. To need a package is to need every rule below it.
pub(super) struct Graph {
    nodes: BTreeMap<Path, usize>,
    paths: Vec<Path>,
    needs: Vec<BTreeSet<usize>>,
    rules: BTreeSet<usize>,
}

impl Graph {
    /// A graph of rules that need nothing yet.
    pub(super) fn new<'a>(rules: impl Iterator<Item = &'a Path>) -> Self {
        let (nodes, paths, needs) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut graph = Self { nodes, paths, needs, rules: BTreeSet::new() };
        for rule in rules {
            let node = graph.node(rule);
            graph.rules.insert(node);
        }
        graph
    }

    /// Records that `path` needs whatever `needed` names: a rule, one above it that holds it, or
    /// everything below it.
    pub(super) fn needs(&mut self, path: &Path, needed: &Path) {
        let from = self.node(path);
        for length in 0..=needed.len() {
            if let Some(&to) = self.nodes.get(&needed[..length])
                && (length == needed.len() || self.rules.contains(&to))
            {
                self.needs[from].insert(to);
            }
        }
    }

    /// Adds `path` as something that can be needed, below all its prefixes.
    pub(super) fn node(&mut self, path: &Path) -> usize {
        let mut below = None;
        for length in (0..=path.len()).rev() {
            let known = self.nodes.get(&path[..length]).copied();
            let node = known.unwrap_or_else(|| {
                self.nodes.insert(path[..length].to_vec(), self.paths.len());
                self.paths.push(path[..length].to_vec());
                self.needs.push(BTreeSet::new());
                self.paths.len() - 1
            });
            if let Some(below) = below {
                self.needs[node].insert(below);
            }
            below = Some(node);
            if known.is_some() {
                break;
            }
        }
        self.nodes[path]
    }

    /// The length of the longest chain from each path on, or some circle.
    pub(super) fn chains(&self) -> Result<BTreeMap<&Path, usize>, Vec<Path>> {
        let mut lengths: Vec<Option<usize>> = vec![None; self.paths.len()];
        for root in 0..self.paths.len() {
            let mut on_stack = BTreeSet::from([root]);
            let mut stack = vec![(root, self.needs[root].iter())];
            while let Some((node, pending)) = stack.last_mut() {
                let node = *node;
                match pending.next() {
                    Some(next) if on_stack.contains(next) => {
                        let stacked = stack.iter().map(|(node, _)| *node);
                        let circle = stacked.skip_while(|node| node != next).chain([*next]);
                        return Err(circle.map(|node| self.paths[node].clone()).collect());
                    }
                    Some(&next) if lengths[next].is_none() => {
                        on_stack.insert(next);
                        stack.push((next, self.needs[next].iter()));
                    }
                    Some(_) => {}
                    None => {
                        let below = self.needs[node].iter().filter_map(|&next| lengths[next]);
                        lengths[node] = Some(1 + below.max().unwrap_or(0));
                        on_stack.remove(&node);
                        stack.pop();
                    }
                }
            }
        }
        Ok(self.nodes.iter().map(|(path, &node)| (path, lengths[node].unwrap_or(0))).collect())
    }

    /// Everything that some of `roots` needs, themselves included.
    pub(super) fn reachable_from<'a>(
        &self,
        roots: impl Iterator<Item = &'a Path>,
    ) -> BTreeSet<&Path> {
        let mut pending: Vec<usize> =
            roots.filter_map(|root| self.nodes.get(root)).copied().collect();
        let mut reached = BTreeSet::new();
        while let Some(node) = pending.pop() {
            if reached.insert(node) {
                pending.extend(&self.needs[node]);
            }
        }
        reached.into_iter().map(|node| &self.paths[node]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        text.split('.').map(str::to_owned).collect()
    }

    fn graph(rules: &[&str], needs: &[(&str, &str)]) -> Graph {
        let rules: Vec<Path> = rules.iter().map(|rule| path(rule)).collect();
        let mut graph = Graph::new(rules.iter());
        needs.iter().for_each(|(from, to)| graph.needs(&path(from), &path(to)));
        graph
    }

    #[test]
    fn a_chain_is_as_long_as_its_longest_branch() {
        let graph =
            graph(&["p.a", "p.b", "p.c"], &[("p.a", "p.b"), ("p.b", "p.c"), ("p.a", "p.c")]);

        assert_eq!(graph.chains().expect("no circle")[&path("p.a")], 3);
    }

    #[test]
    fn a_circle_is_found_through_a_package_and_through_a_field() {
        let through_package = graph(&["p.a", "p.b"], &[("p.a", "p")]);
        let through_field = graph(&["p.a", "p.b"], &[("p.a", "p.b.field"), ("p.b", "p.a")]);

        assert!(through_package.chains().is_err());
        assert!(through_field.chains().is_err());
    }

    #[test]
    fn twins_that_need_the_same_rule_are_no_circle() {
        let graph = graph(&["p.a", "p.b", "p.c"], &[("p.a", "p.c"), ("p.b", "p.c")]);

        assert!(graph.chains().is_ok());
    }

    #[test]
    fn a_rule_that_nothing_needs_is_not_reached() {
        let graph = graph(&["p.deny", "p.helper", "p.dney"], &[("p.deny", "p.helper")]);
        let roots = [path("p.deny")];
        let reached = graph.reachable_from(roots.iter());

        assert!(reached.contains(&path("p.helper")) && !reached.contains(&path("p.dney")));
    }
}
