//! What two documents say about the same version of a package.

use std::collections::BTreeSet;

use super::item::{Hashes, Item};
use super::{ChangeKind, Changes};

pub(super) fn compare(
    name: &str,
    version: Option<&str>,
    old: &Item,
    new: &Item,
    changes: &mut Changes,
) {
    let texts = [
        (ChangeKind::LicenceChanged, &old.licences, &new.licences),
        (ChangeKind::SupplierChanged, &old.suppliers, &new.suppliers),
        (ChangeKind::ScopeChanged, &old.scopes, &new.scopes),
    ];
    for (kind, old, new) in texts {
        if old != new {
            let [from, to] = [old, new].map(listed);
            changes.add(kind, name, version, from.as_deref(), to.as_deref());
        }
    }
    if let Some((algorithm, from, to)) = changed_hash(old, new) {
        let [from, to] = [from, to].map(|it| format!("{algorithm} {it}"));
        // Of what has no version, such as a file, the digest is the version.
        let kind = version.map_or(ChangeKind::VersionChanged, |_| ChangeKind::HashChanged);
        changes.add(kind, name, version, Some(&from), Some(&to));
    }
}

fn listed(texts: &BTreeSet<String>) -> Option<String> {
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// The first digest that is another, of a file that both know by its place, or of the component.
///
/// Two documents may know different files of one version, which alarms nobody.
fn changed_hash<'a>(old: &'a Item, new: &'a Item) -> Option<(&'a str, &'a str, &'a str)> {
    let files = old.files.iter().filter_map(|(url, hashes)| Some((hashes, new.files.get(url)?)));
    let mut pairs = files.chain([(&old.hashes, &new.hashes)]);
    pairs.find_map(|(old, new)| nothing_in_common(old, new))
}

/// A hash function that both use, and for which they have no digest in common.
fn nothing_in_common<'a>(old: &'a Hashes, new: &'a Hashes) -> Option<(&'a str, &'a str, &'a str)> {
    old.iter().find_map(|(algorithm, digests)| {
        let others = new.get(algorithm).filter(|it| it.is_disjoint(digests))?;
        Some((algorithm.as_str(), digests.first()?.as_str(), others.first()?.as_str()))
    })
}
