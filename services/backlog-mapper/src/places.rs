//! Where components are: the lockfiles that name them, what they are needed for, and what brings them in.

use std::collections::BTreeMap;

use documents::{
    bom::{self, Scope, Via},
    lockfile,
};
use events::Text;
use serde::{Deserialize, Serialize};

use crate::inventory::Component;

/// Most lockfiles of one component.
pub const LOCKS_MAX: usize = bom::MAX_LOCATIONS;
/// Most names of a path that are told; of a longer one those at both ends.
pub const PATH_MAX: usize = 12;
/// Longest path that is followed; a longer one is no help.
const FOLLOWED_MAX: usize = 50;
/// Most bytes of one name in a path.
const NAME_BYTES: usize = 200;
/// Longest path of a lockfile, in bytes.
const LOCK_BYTES: usize = 256;
/// What stands for names that are left out.
const LEFT_OUT: &str = "…";

/// Where a component is in what a document describes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Lockfiles that name it, sorted; none where the document tells none, and in suppliers' products.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<String>,
    /// Names from what the product itself needs to the component, on a shortest way; empty if the
    /// document does not tell, or the way is a very long one. At most [`PATH_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// What it is needed for; where the document does not say, to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

/// Where each component of an inventory is, by its position.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// Every lockfile.
    locks: Vec<String>,
    /// By position; empty if nothing is told of any component.
    placed: Vec<Placed>,
}

/// Numbers of lockfiles, scope, and what brings it in: a position, or [`SUBJECT`]. A list of three in JSON,
/// as there are many of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Placed(Vec<u32>, Option<Scope>, Option<i64>);

/// Stands for what the document describes, where a position could.
const SUBJECT: i64 = -1;

/// What a document says of a component beside what it is.
pub(crate) struct Told {
    pub(crate) locations: Vec<String>,
    pub(crate) scope: Option<Scope>,
    pub(crate) via: Via,
}

impl Place {
    /// Whether nothing is known of it.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Where something is that is in all of `places`: by the shortest path, and for what needs it most.
    pub(crate) fn joined(places: impl Iterator<Item = Self>) -> Self {
        let mut places = places.peekable();
        let Some(mut joined) = places.next() else { return Self::default() };
        for Self { locks, path, scope } in places {
            joined.locks.extend(locks);
            let is_shorter = joined.path.is_empty() || path.len() < joined.path.len();
            if !path.is_empty() && is_shorter {
                joined.path = path;
            }
            joined.scope = joined.scope.min(scope);
        }
        joined.locks.sort_unstable();
        joined.locks.dedup();
        joined.locks.truncate(LOCKS_MAX);
        joined
    }
}

impl Places {
    /// What is `told` of components by their numbers in a document; each has a position of `positions` in
    /// the inventory of `count` components.
    pub(crate) fn of(told: Vec<Told>, positions: &[usize], count: usize) -> Self {
        let mut places = Self { locks: Vec::new(), placed: vec![Placed::default(); count] };
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        let mut is_new = vec![true; count];
        for (Told { locations, scope, via }, &position) in told.into_iter().zip(positions) {
            let Some(Placed(locks, known, before)) = places.placed.get_mut(position) else {
                continue;
            };
            let is_first = std::mem::replace(&mut is_new[position], false);
            *known = if is_first { scope } else { (*known).min(scope) };
            *before = before.or(match via {
                Via::Nothing => None,
                Via::Subject => Some(SUBJECT),
                Via::Component(number) => {
                    positions.get(number as usize).and_then(|it| i64::try_from(*it).ok())
                }
            });
            for location in locations.into_iter().filter(|it| is_lock(it)) {
                if locks.len() == LOCKS_MAX {
                    break;
                }
                let next = u32::try_from(places.locks.len()).unwrap_or(u32::MAX);
                let number = *numbers.entry(location).or_insert_with_key(|location| {
                    places.locks.push(location.clone());
                    next
                });
                if !locks.contains(&number) {
                    locks.push(number);
                }
            }
        }
        if places.placed.iter().all(|it| *it == Placed::default()) {
            return Self::default();
        }
        places
    }

    /// Whether nothing is known of any component.
    pub fn is_empty(&self) -> bool {
        self.placed.is_empty()
    }

    /// Positions from what the product itself needs to the component at `position`; empty if no way is
    /// known, or it is a very long one.
    pub(crate) fn way(&self, position: usize) -> Vec<usize> {
        let (mut way, mut at) = (Vec::new(), position);
        loop {
            way.push(at);
            match self.placed.get(at).and_then(|it| it.2) {
                Some(SUBJECT) => break,
                Some(before) if way.len() < FOLLOWED_MAX => {
                    let Ok(before) = usize::try_from(before) else { return Vec::new() };
                    at = before;
                }
                _ => return Vec::new(),
            }
        }
        way.reverse();
        way
    }

    /// Where the component at `position` is, to which a path of these `names` leads.
    pub(crate) fn place(&self, position: usize, names: &[String]) -> Place {
        let Some(Placed(locks, scope, _)) = self.placed.get(position) else {
            return Place::default();
        };
        let locks = locks.iter().filter_map(|it| self.locks.get(*it as usize));
        let mut locks: Vec<String> = locks.cloned().collect();
        locks.sort_unstable();
        Place { locks, path: shortened(names), scope: *scope }
    }
}

/// Whether it is a lockfile, or a list of requirements: what a fix is written to, and called the same
/// whatever version it names.
fn is_lock(location: &str) -> bool {
    lockfile::is_known(location) && Text::<LOCK_BYTES>::of(location).as_str() == location
}

fn shortened(names: &[String]) -> Vec<String> {
    let short = |name: &String| String::from(Text::<NAME_BYTES>::of(name));
    if names.len() <= PATH_MAX {
        return names.iter().map(short).collect();
    }
    let (first, last) = (PATH_MAX / 2 - 1, PATH_MAX / 2);
    let ends = names[..first].iter().map(short);
    ends.chain([LEFT_OUT.to_owned()]).chain(names[names.len() - last..].iter().map(short)).collect()
}

impl Told {
    pub(crate) fn of(component: &mut bom::Component, via: Via) -> Self {
        let locations = std::mem::take(&mut component.locations);
        Self { locations, scope: component.scope, via }
    }
}

/// Positions of the numbers of a document's components, once they are sorted and each is there once.
pub(crate) fn sorted(components: Vec<Component>) -> (Vec<Component>, Vec<usize>) {
    let mut positions = vec![0; components.len()];
    let mut numbered: Vec<(Component, usize)> = components.into_iter().zip(0..).collect();
    numbered.sort_unstable();
    let mut sorted: Vec<Component> = Vec::with_capacity(numbered.len());
    for (component, number) in numbered {
        if sorted.last() != Some(&component) {
            sorted.push(component);
        }
        positions[number] = sorted.len() - 1;
    }
    (sorted, positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(locations: &[&str], scope: Option<Scope>, via: Via) -> Told {
        Told { locations: locations.iter().map(|it| (*it).to_owned()).collect(), scope, via }
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|it| format!("n{it}")).collect()
    }

    #[test]
    fn place_is_by_position_and_only_lockfiles_are_locks() {
        let installed = "app/site-packages/b-1.dist-info/METADATA";
        let all = vec![
            told(&[installed, "web/uv.lock", "uv.lock"], Some(Scope::Excluded), Via::Component(1)),
            told(&["uv.lock"], Some(Scope::Required), Via::Subject),
        ];
        let places = Places::of(all, &[1, 0], 2);
        assert_eq!(places.way(1), [0, 1]);
        let place = places.place(1, &names(2));
        assert_eq!(place.locks, ["uv.lock", "web/uv.lock"]);
        assert_eq!((place.path, place.scope), (names(2), Some(Scope::Excluded)));
        let text = serde_json::to_string(&places).expect("encodes");
        assert_eq!(serde_json::from_str::<Places>(&text).expect("reads"), places);
    }

    #[test]
    fn what_is_there_twice_is_in_both_places() {
        let all = vec![
            told(&["a/uv.lock"], Some(Scope::Excluded), Via::Nothing),
            told(&["b/uv.lock"], None, Via::Subject),
        ];
        let places = Places::of(all, &[0, 0], 1);
        let place = places.place(0, &names(1));
        assert_eq!((place.locks.len(), place.scope, places.way(0)), (2, None, vec![0]));
        assert!(Places::of(vec![told(&["x.py"], None, Via::Nothing)], &[0], 1).is_empty());
    }

    #[test]
    fn long_ways_are_cut_in_the_middle_and_endless_ones_told_by_nothing() {
        let chain = |count: u32| {
            let rest = (1..count).map(|it| told(&[], None, Via::Component(it - 1)));
            let all: Vec<Told> =
                std::iter::once(told(&[], None, Via::Subject)).chain(rest).collect();
            let positions: Vec<usize> = (0..all.len()).collect();
            Places::of(all, &positions, positions.len())
        };
        let places = chain(60);
        assert_eq!(places.way(49).len(), 50);
        assert_eq!(places.way(50), [0_usize; 0], "51 steps");
        let path = places.place(49, &names(50)).path;
        assert_eq!(path.len(), PATH_MAX);
        assert_eq!((path[0].as_str(), path[5].as_str(), path[11].as_str()), ("n0", "…", "n49"));
        // No document says so, but a damaged store may.
        let circle = Places { locks: vec![], placed: vec![Placed(vec![], None, Some(0))] };
        assert_eq!(circle.way(0), [0_usize; 0]);
    }

    #[test]
    fn joined_place_is_the_shortest_way_to_what_is_needed_most() {
        let place = |lock: &str, length, scope| Place {
            locks: vec![lock.to_owned()],
            path: names(length),
            scope,
        };
        let all = [
            place("b", 0, Some(Scope::Excluded)),
            place("a", 3, Some(Scope::Required)),
            place("a", 2, Some(Scope::Optional)),
        ];
        let joined = Place::joined(all.into_iter());
        assert_eq!(joined.locks, ["a", "b"]);
        assert_eq!((joined.path.len(), joined.scope), (2, Some(Scope::Required)));
        assert!(Place::joined(std::iter::empty()).is_unknown());
    }
}
