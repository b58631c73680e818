//! What is known to be all there is, as `compositions` say it.

use super::SbomInput;
use super::assembly::{Assembly, Found, PROJECT};
use super::wire::Composition;
use crate::inventory::Inventory;
use hashbrown::HashSet;

/// CycloneDX, `aggregateType`; the later, the less is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Aggregate {
    Complete,
    Unknown,
    /// Known to lack something.
    Incomplete,
}

/// Every node once under `dependencies`; the project and the artifacts under `assemblies`, too.
pub(super) fn compositions<'a>(
    input: &SbomInput<'_>,
    assembly: &'a Assembly<'a>,
) -> Vec<Composition<'a>> {
    let lacking = lacking(input, assembly);
    let parts = |node: usize| match lacking.contains(&node) {
        true => Aggregate::Incomplete,
        // What else is in a file, or belongs to a project, no lockfile tells.
        false => Aggregate::Unknown,
    };
    let first_component = assembly.first_component();
    let mut dependencies = vec![of_project(input, assembly)];
    dependencies.extend((1..first_component).map(parts));
    dependencies.extend(assembly.components.iter().map(|found| of_component(found)));
    let parts: Vec<_> = (0..first_component).map(parts).collect();
    let all = [
        (Aggregate::Complete, "complete"),
        (Aggregate::Unknown, "unknown"),
        (Aggregate::Incomplete, "incomplete"),
    ];
    let compositions = all.map(|(wanted, aggregate)| {
        let of = |known: &[Aggregate]| {
            let nodes = assembly.refs.iter().zip(known).filter(|(_, known)| **known == wanted);
            nodes.map(|(bom_ref, _)| &**bom_ref).collect::<Vec<_>>()
        };
        Composition { aggregate, assemblies: of(&parts), dependencies: of(&dependencies) }
    });
    let compositions = compositions.into_iter();
    compositions.filter(|it| !it.assemblies.is_empty() || !it.dependencies.is_empty()).collect()
}

/// Nodes of the project and of artifacts of which something could not be read, or whose inventories
/// do not name everything. What an artifact lacks, the project lacks.
fn lacking(input: &SbomInput<'_>, assembly: &Assembly<'_>) -> HashSet<usize> {
    let mut lacking: HashSet<usize> = HashSet::new();
    for (inventory, &owner) in assembly.inventories.iter().zip(&assembly.owners) {
        if !inventory.complete {
            lacking.extend([PROJECT, owner]);
        }
    }
    for missing in input.missing {
        lacking.insert(PROJECT);
        let container = missing.path.split('!').next().unwrap_or_default();
        let from = assembly.artifacts.partition_point(|artifact| artifact.name < container);
        let artifacts = assembly.artifacts[from..].iter();
        let named = artifacts.take_while(|artifact| artifact.name == container).count();
        lacking.extend((from..from + named).map(|artifact| 1 + artifact));
    }
    lacking
}

/// What the project itself asks for: known only if every inventory of it says so.
fn of_project(input: &SbomInput<'_>, assembly: &Assembly<'_>) -> Aggregate {
    let is_of_project = |path: &str| {
        let container = path.split('!').next().unwrap_or_default();
        assembly.artifacts.binary_search_by(|artifact| artifact.name.cmp(container)).is_err()
    };
    if input.missing.iter().any(|missing| is_of_project(&missing.path)) {
        return Aggregate::Incomplete;
    }
    let mut of_project = assembly.inventories.iter().filter(|it| it.artifact.is_none()).peekable();
    match of_project.peek().is_some() && of_project.all(|inventory| inventory.direct_known) {
        true => Aggregate::Complete,
        false => Aggregate::Unknown,
    }
}

/// What a package asks for: as well known as the inventory that knows least.
fn of_component(found: &[Found<'_>]) -> Aggregate {
    let of_inventory = |inventory: &Inventory| match (inventory.edges_known, inventory.complete) {
        (true, true) => Aggregate::Complete,
        (true, false) => Aggregate::Incomplete,
        (false, _) => Aggregate::Unknown,
    };
    found.iter().map(|found| of_inventory(found.inventory)).max().unwrap_or(Aggregate::Unknown)
}
