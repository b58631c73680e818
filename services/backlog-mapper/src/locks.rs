//! Which finding belongs to which entry: by lockfile, as far as documents name one.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    entry::{Action, Entry, Status},
    finding::Finding,
};

/// The findings by what is to be done about them: of a component in two lockfiles two things.
///
/// Documents of one product may name the lockfile of a package or not. An entry without one becomes that of
/// the first lockfile which has no entry yet; and what is found without a lockfile belongs to the entries
/// with one that are not closed, or to the only one there is.
pub(crate) fn by_action(
    entries: &mut BTreeMap<Action, Entry>,
    findings: &[Finding],
) -> BTreeMap<Action, Vec<Finding>> {
    let mut wanted: BTreeMap<Action, Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        let package = &finding.found.package;
        let mut push = |lock: Option<&String>| {
            let (ecosystem, package) = (package.ecosystem, package.name.clone());
            let action = Action { ecosystem, package, lock: lock.cloned() };
            wanted.entry(action).or_default().push(finding.clone());
        };
        match finding.found.place.locks.as_slice() {
            [] => push(None),
            locks => locks.iter().for_each(|lock| push(Some(lock))),
        }
    }
    let gained: Vec<(Action, Action)> =
        without_lock(entries.keys(), &wanted).filter(|(_, to)| !entries.contains_key(to)).collect();
    for (from, to) in gained {
        if let Some(entry) = entries.remove(&from) {
            entries.insert(to.clone(), Entry { action: to, ..entry });
        }
    }
    let lost: Vec<Action> = wanted.keys().filter(|it| it.lock.is_none()).cloned().collect();
    for action in lost.into_iter().filter(|it| !entries.contains_key(it)) {
        let named: Vec<&Entry> = of_package(entries, &action).map(|(_, entry)| entry).collect();
        let going = named.iter().filter(|it| it.status != Status::Fixed);
        let mut belongs: Vec<Action> = going.map(|it| it.action.clone()).collect();
        if let ([], [only]) = (belongs.as_slice(), named.as_slice()) {
            belongs.push(only.action.clone());
        }
        if belongs.is_empty() {
            continue;
        }
        let findings = wanted.remove(&action).unwrap_or_default();
        for action in belongs {
            wanted.entry(action).or_default().extend(findings.iter().cloned());
        }
    }
    wanted
}

/// Entries of `before` that were kept without a lockfile and are those of one now: a release that did not
/// ask for it kept them, or the document came again.
pub(crate) fn follow(before: &mut BTreeMap<String, Entry>, now: &BTreeMap<Action, Entry>) {
    let known: BTreeSet<Action> = before.values().map(|it| it.action.clone()).collect();
    let mut gained: BTreeMap<Action, Action> = BTreeMap::new();
    for (from, to) in without_lock(known.iter(), now).filter(|(_, to)| !known.contains(to)) {
        gained.entry(from).or_insert(to);
    }
    for entry in before.values_mut() {
        if let Some(action) = gained.get(&entry.action) {
            entry.action = action.clone();
        }
    }
}

/// Each of `known` without a lockfile of whose package `wanted` has some with one only, with those.
fn without_lock<'a, T>(
    known: impl Iterator<Item = &'a Action>,
    wanted: &BTreeMap<Action, T>,
) -> impl Iterator<Item = (Action, Action)> {
    let bare = known.filter(move |it| it.lock.is_none() && !wanted.contains_key(*it));
    bare.flat_map(move |it| of_package(wanted, it).map(move |(to, _)| (it.clone(), to.clone())))
}

/// What there is of the package, in order.
fn of_package<'a, T>(
    all: &'a BTreeMap<Action, T>,
    action: &Action,
) -> impl Iterator<Item = (&'a Action, &'a T)> {
    let (ecosystem, package) = (action.ecosystem, action.package.clone());
    let first = Action { lock: None, ..action.clone() };
    all.range(first..).take_while(move |(it, _)| it.ecosystem == ecosystem && it.package == package)
}
