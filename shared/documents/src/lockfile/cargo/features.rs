//! Which optional dependencies of a workspace's packages its own members turn on.

use std::collections::{HashMap, HashSet};

use super::manifest::Manifest;

/// For each manifest, the keys of its dependencies that its default features turn on, and those that
/// another manifest asks for; so they are built unless somebody takes care that they are not.
pub(super) fn turned_on(manifests: &[Manifest]) -> Vec<HashSet<&str>> {
    let mut asked: HashMap<&str, Vec<&str>> = HashMap::new();
    for ask in manifests.iter().flat_map(|manifest| &manifest.asks) {
        asked.entry(&ask.package).or_default().extend(ask.features.iter().map(String::as_str));
    }
    // `dependency/feature` of one package turns on a feature of another.
    for manifest in manifests {
        let names: HashMap<&str, &str> =
            manifest.asks.iter().map(|ask| (&*ask.key, &*ask.package)).collect();
        for (dependency, feature) in
            manifest.features.iter().flat_map(|(_, on)| on).filter_map(|it| it.split_once('/'))
        {
            if let Some(package) = names.get(dependency.trim_end_matches('?')) {
                asked.entry(package).or_default().push(feature);
            }
        }
    }
    let none = Vec::new();
    let of = |manifest| turned_on_in(manifest, asked.get(&*manifest.name).unwrap_or(&none));
    manifests.iter().map(of).collect()
}

fn turned_on_in<'a>(manifest: &'a Manifest, asked: &[&'a str]) -> HashSet<&'a str> {
    let features: HashMap<&str, &Vec<String>> =
        manifest.features.iter().map(|(name, on)| (name.as_str(), on)).collect();
    let mut seen = HashSet::new();
    let mut pending: Vec<&str> = asked.iter().copied().chain(["default"]).collect();
    let mut on = HashSet::new();
    while let Some(feature) = pending.pop() {
        if !seen.insert(feature) {
            continue;
        }
        match (features.get(feature), feature.split_once('/')) {
            (Some(more), _) => pending.extend(more.iter().map(String::as_str)),
            // `dependency?/feature` turns nothing on that is not on anyway.
            (None, Some((dependency, _))) if dependency.ends_with('?') => {}
            (None, Some((dependency, _))) => drop(on.insert(dependency)),
            (None, None) => drop(on.insert(feature.strip_prefix("dep:").unwrap_or(feature))),
        }
    }
    on
}
