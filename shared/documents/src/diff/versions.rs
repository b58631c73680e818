//! The versions of one package: which are the same, and which followed which.

use std::cmp::Ordering;

use super::package::Versions;
use super::{ChangeKind, Changes, attributes};

type Order<'a> = dyn Fn(&str, &str) -> Option<Ordering> + 'a;

/// Tells every change from `old` to `new` of the package `name`.
pub(super) fn compare(
    name: &str,
    old: &Versions,
    new: &Versions,
    order: &Order<'_>,
    changes: &mut Changes,
) {
    for (version, item) in old {
        if let Some(other) = new.get(version) {
            attributes::compare(name, told(version), item, other, changes);
        }
    }
    let gone = old.keys().filter(|it| !new.contains_key(*it)).map(String::as_str).collect();
    let come = new.keys().filter(|it| !old.contains_key(*it)).map(String::as_str).collect();
    let (gone, come) = (sorted(gone, order), sorted(come, order));
    let followed = gone.len().min(come.len());
    // The highest are paired: an old version that is only dropped is more often the lowest.
    let (dropped, gone) = gone.split_at(gone.len() - followed);
    let (added, come) = come.split_at(come.len() - followed);
    for (from, to) in gone.iter().zip(come) {
        let kind = match order(from, to) {
            Some(Ordering::Less) => ChangeKind::Upgraded,
            Some(Ordering::Greater) => ChangeKind::Downgraded,
            _ => ChangeKind::VersionChanged,
        };
        changes.add(kind, name, None, told(from), told(to));
    }
    for version in dropped {
        changes.add(ChangeKind::Removed, name, None, told(version), None);
    }
    for version in added {
        changes.add(ChangeKind::Added, name, None, None, told(version));
    }
}

fn told(version: &str) -> Option<&str> {
    Some(version).filter(|it| !it.is_empty())
}

/// In their order if it has a place for all of them, else by their text, in which they come.
fn sorted<'a>(mut versions: Vec<&'a str>, order: &Order<'_>) -> Vec<&'a str> {
    let is_ordered = versions.windows(2).all(|it| order(it[0], it[1]).is_some());
    if is_ordered {
        versions.sort_by(|a, b| order(a, b).unwrap_or(Ordering::Equal).then_with(|| a.cmp(b)));
    }
    versions
}
