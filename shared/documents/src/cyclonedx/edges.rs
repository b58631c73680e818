//! What depends on what: the edges of every inventory, and what the project and its artifacts ask for.

use super::assembly::PROJECT;
use crate::inventory::Inventory;
use hashbrown::HashSet;

/// The nodes that each of `count` nodes depends on, ascending, each once, never itself.
pub(super) fn of(
    inventories: &[&Inventory],
    nodes: &[Vec<usize>],
    owners: &[usize],
    count: usize,
) -> Vec<Vec<usize>> {
    let mut edges = vec![Vec::new(); count];
    for ((inventory, nodes), &owner) in inventories.iter().zip(nodes).zip(owners) {
        for (package, &node) in inventory.packages.iter().zip(nodes) {
            edges[node].extend(package.dependencies.iter().filter_map(|&to| nodes.get(to)));
        }
        let asked = match owner {
            PROJECT => asked_by_project(inventory),
            _ => asked_by_artifact(inventory),
        };
        edges[owner].extend(asked.into_iter().map(|package| nodes[package]));
    }
    for (node, targets) in edges.iter_mut().enumerate() {
        targets.sort_unstable();
        targets.dedup();
        targets.retain(|&target| target != node);
    }
    edges
}

/// Its roots, and what the workspace asks for without a package.
fn asked_by_project(inventory: &Inventory) -> Vec<usize> {
    let roots = inventory.packages.iter().filter(|package| package.root);
    let asked_by_root: HashSet<usize> =
        roots.flat_map(|root| root.dependencies.iter().copied()).collect();
    let packages = inventory.packages.iter().enumerate();
    let asked = packages
        .filter(|(at, package)| package.root || (package.direct && !asked_by_root.contains(at)));
    asked.map(|(at, _)| at).collect()
}

/// Its roots and what nobody else asks for, and so much more that everything in it is reached: of
/// packages that need each other, the first.
fn asked_by_artifact(inventory: &Inventory) -> Vec<usize> {
    let packages = &inventory.packages;
    let mut is_needed = vec![false; packages.len()];
    for (at, package) in packages.iter().enumerate() {
        for &to in package.dependencies.iter().filter(|&&to| to != at) {
            if let Some(needed) = is_needed.get_mut(to) {
                *needed = true;
            }
        }
    }
    let begins = |at: &usize| packages[*at].root || !is_needed[*at];
    let first = (0..packages.len()).filter(begins);
    let rest = (0..packages.len()).filter(|at| !begins(at));
    let mut reached = vec![false; packages.len()];
    let mut asked = Vec::new();
    for start in first.chain(rest) {
        // A root is asked for even if another root needs it.
        if !reached[start] || packages[start].root {
            asked.push(start);
        }
        let mut pending = vec![start];
        while let Some(at) = pending.pop() {
            if std::mem::replace(&mut reached[at], true) {
                continue;
            }
            let dependencies = packages[at].dependencies.iter().copied();
            pending.extend(dependencies.filter(|&to| to < packages.len()));
        }
    }
    asked
}
