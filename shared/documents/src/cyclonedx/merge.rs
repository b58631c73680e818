//! Which packages of the same purl are the same, and the files they may be installed from.

use hashbrown::{HashMap, HashSet};

use crate::inventory::{Distribution, Hash, HashAlgorithm, Package};
use crate::lockfile::text;

/// Packages are compared with so many different ones of their purl; further ones stay apart, so
/// that a hostile input costs linear time.
const MAX_COMPARED: usize = 16;

/// Types of package URL whose registries hold one file for each version.
const ONE_FILE_PER_VERSION: [&str; 4] = ["pkg:cargo/", "pkg:npm/", "pkg:nuget/", "pkg:pub/"];

/// A file that may be installed for a package.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File<'a> {
    pub(super) location: Option<&'a str>,
    /// At most one where there is no location.
    pub(super) hashes: Vec<&'a Hash>,
}

/// `members`, which share a purl, in groups that can be the same package: no digest contradicts.
pub(super) fn clusters<T: Ord + Copy>(mut members: Vec<(&Package, T)>) -> Vec<Vec<T>> {
    if members.iter().all(|(it, _)| it.distributions == members[0].0.distributions) {
        return vec![members.into_iter().map(|(_, member)| member).collect()];
    }
    // Those that have most to say come first, so that a bare one joins what it fits.
    members.sort_by_key(|&(it, member)| {
        (std::cmp::Reverse(it.distributions.len()), &it.distributions, member)
    });
    let mut clusters: Vec<(Digests<'_>, Vec<T>)> = Vec::new();
    for equal in members.chunk_by(|(one, _), (other, _)| one.distributions == other.distributions) {
        let digests = Digests::of(equal[0].0);
        let equal = equal.iter().map(|&(_, member)| member);
        let mut compared = clusters.iter_mut().take(MAX_COMPARED);
        match compared.find(|(known, _)| !known.contradicts(&digests)) {
            Some((known, cluster)) => {
                known.add(digests);
                cluster.extend(equal);
            }
            None => clusters.push((digests, equal.collect())),
        }
    }
    let sorted = clusters.into_iter().map(|(_, mut cluster)| {
        cluster.sort_unstable();
        cluster
    });
    sorted.collect()
}

/// Every file of `packages`, by location; a digest without a place only if no place has it.
pub(super) fn files<'a>(packages: &[&'a Package]) -> Vec<File<'a>> {
    let all = packages.iter().flat_map(|package| &package.distributions);
    let mut all: Vec<&Distribution> = all.collect();
    all.sort_unstable();
    all.dedup();
    // Nowhere is before everywhere.
    let (anywhere, somewhere) = all.split_at(all.partition_point(|it| it.location.is_none()));
    let by_location = somewhere.chunk_by(|one, other| one.location == other.location);
    let mut files: Vec<_> = by_location
        .map(|of_one| File {
            location: of_one[0].location.as_deref(),
            hashes: of_one.iter().filter_map(|it| sound(it)).collect(),
        })
        .collect();
    let placed: HashSet<&Hash> = match anywhere.is_empty() {
        true => HashSet::new(),
        false => files.iter().flat_map(|file| file.hashes.iter().copied()).collect(),
    };
    let unplaced = anywhere.iter().filter_map(|it| sound(it));
    let unplaced = unplaced.filter(|hash| !placed.contains(hash));
    files.extend(unplaced.map(|hash| File { location: None, hashes: vec![hash] }));
    files
}

/// The digest, if it can be one: an inventory may come from elsewhere.
fn sound(distribution: &Distribution) -> Option<&Hash> {
    let hash = distribution.hash.as_ref()?;
    let digits = match hash.algorithm {
        HashAlgorithm::Md5 => 32,
        HashAlgorithm::Sha1 => 40,
        HashAlgorithm::Sha256 => 64,
        HashAlgorithm::Sha384 => 96,
        HashAlgorithm::Sha512 | HashAlgorithm::Blake2b512 => 128,
    };
    let is_hex = || text::every(&hash.hex, |byte| byte.is_ascii_hexdigit());
    (hash.hex.len() == digits && is_hex()).then_some(hash)
}

/// Whether there is no more than one file, whatever its places: all digests are then of it.
pub(super) fn is_one_file(purl: &str, files: &[File<'_>]) -> bool {
    files.len() == 1 || ONE_FILE_PER_VERSION.iter().any(|kind| purl.starts_with(kind))
}

/// The part of a location that names the file.
pub(super) fn file_name(location: &str) -> &str {
    let path = location.split(['?', '#']).next().unwrap_or(location);
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The digests of each file, by its name and the hash function.
struct Digests<'a>(HashMap<(&'a str, HashAlgorithm), HashSet<&'a str>>);

impl<'a> Digests<'a> {
    fn of(package: &'a Package) -> Self {
        let is_one = ONE_FILE_PER_VERSION.iter().any(|kind| package.purl.starts_with(kind));
        let mut digests: HashMap<_, HashSet<_>> = HashMap::new();
        for Distribution { location, hash } in &package.distributions {
            let name = match location {
                _ if is_one => Some(""),
                location => location.as_deref().map(file_name),
            };
            if let (Some(name), Some(Hash { algorithm, hex })) = (name, hash) {
                digests.entry((name, *algorithm)).or_default().insert(hex.as_str());
            }
        }
        Self(digests)
    }

    fn contradicts(&self, other: &Self) -> bool {
        let (few, many) = if self.0.len() < other.0.len() { (self, other) } else { (other, self) };
        few.0.iter().any(|(file, some)| many.0.get(file).is_some_and(|it| it.is_disjoint(some)))
    }

    fn add(&mut self, other: Self) {
        for (file, digests) in other.0 {
            self.0.entry(file).or_default().extend(digests);
        }
    }
}
