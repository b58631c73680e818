//! Scopes by reach, for lockfiles that do not state them.

use crate::inventory::Scope;

/// What needs what, and what a project begins with.
pub(in crate::lockfile) struct Reach {
    /// By node: the nodes it needs, and whether it can do without.
    edges: Vec<Vec<(usize, bool)>>,
    starts: Vec<(Scope, usize)>,
}

impl Reach {
    pub(in crate::lockfile) fn new(nodes: usize) -> Self {
        Self { edges: vec![Vec::new(); nodes], starts: Vec::new() }
    }

    /// A node needs another, or can do without.
    pub(in crate::lockfile) fn need(&mut self, from: usize, to: usize, optional: bool) {
        self.edges[from].push((to, optional));
    }

    /// The project asks for a node.
    pub(in crate::lockfile) fn start(&mut self, scope: Scope, node: usize) {
        self.starts.push((scope, node));
    }

    /// The strongest scope by which each node is reached, in linear time; what nothing reaches is
    /// required.
    pub(in crate::lockfile) fn scopes(self) -> Vec<Scope> {
        let mut found = vec![None; self.edges.len()];
        let mut spared = Vec::new();
        for scope in [Scope::Required, Scope::Optional, Scope::Dev] {
            let starts = self.starts.iter().filter(|(of, _)| *of == scope);
            let mut pending: Vec<usize> = starts.map(|(_, node)| *node).collect();
            if scope == Scope::Optional {
                pending.append(&mut spared);
            }
            while let Some(node) = pending.pop() {
                if found[node].is_some() {
                    continue;
                }
                found[node] = Some(scope);
                for &(to, optional) in &self.edges[node] {
                    let list = if optional && scope == Scope::Required {
                        &mut spared
                    } else {
                        &mut pending
                    };
                    list.push(to);
                }
            }
        }
        found.into_iter().map(|scope| scope.unwrap_or(Scope::Required)).collect()
    }
}
