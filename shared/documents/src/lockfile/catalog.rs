//! What a reader makes of a file, and the list of packages of formats that state scopes themselves.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::error::Problem;
use super::graph::Graph;
use super::{MAX_PACKAGES, Note, Package, Scope, Source, text};

/// Most edges of one file: a hundred times the most we have seen.
pub(super) const MAX_EDGES: usize = 2_000_000;

/// What a file holds; see [`Inventory`](super::Inventory) for the fields.
pub(crate) struct Contents {
    pub(crate) packages: Vec<Package>,
    pub(crate) notes: Vec<Note>,
    pub(crate) edges_known: bool,
    pub(crate) direct_known: bool,
    pub(crate) complete: bool,
}

impl From<Graph> for Contents {
    fn from(graph: Graph) -> Self {
        let packages = graph.into_packages();
        Self { packages, notes: Vec::new(), edges_known: true, direct_known: true, complete: true }
    }
}

impl Package {
    /// A required package without files and edges; its version and its folder are checked here.
    pub(crate) fn new(
        name: String,
        version: Option<&str>,
        purl: String,
        source: Source,
    ) -> Result<Self, Problem> {
        if let Some(version) = version {
            text::word("version", version)?;
        }
        if let Source::Local { path: Some(path) } = &source
            && !path.is_empty()
        {
            text::location("path", path)?;
        }
        Ok(Self {
            name,
            version: version.map(str::to_owned),
            purl,
            source,
            distributions: Vec::new(),
            scope: Scope::Required,
            root: false,
            direct: false,
            dependencies: Vec::new(),
            line: None,
            licence: None,
            supplier: None,
            groups: Vec::new(),
            conditions: Vec::new(),
        })
    }
}

/// Packages as they are met; what a file names several times is one package.
#[derive(Default)]
pub(crate) struct Catalog {
    packages: Vec<Package>,
    /// The packages by purl and source.
    found: HashTable<usize>,
    hasher: DefaultHashBuilder,
    named: Named,
    edges: usize,
}

impl Catalog {
    /// With room for so many packages.
    pub(super) fn with_capacity(count: usize) -> Self {
        let (packages, found) = (Vec::with_capacity(count), HashTable::with_capacity(count));
        Self { packages, found, ..Self::default() }
    }

    /// Takes a package in, and tells its place. Where its purl and source are there already, the two
    /// become one, with the files and groups of both and the stronger scope.
    pub(crate) fn add(&mut self, package: Package) -> Result<usize, Problem> {
        let hash = |it: &Package| self.hasher.hash_one((&it.purl, &it.source));
        let is_same = |at: &usize| {
            let known = &self.packages[*at];
            known.purl == package.purl && known.source == package.source
        };
        if let Some(&at) = self.found.find(hash(&package), is_same) {
            let known = &mut self.packages[at];
            known.scope = known.scope.min(package.scope);
            known.root |= package.root;
            known.direct |= package.direct;
            known.distributions.extend(package.distributions);
            known.groups.extend(package.groups);
            // What is there without a condition is there always.
            match known.conditions.is_empty() || package.conditions.is_empty() {
                true => known.conditions.clear(),
                false => known.conditions.extend(package.conditions),
            }
            return Ok(at);
        }
        let at = self.packages.len();
        if at == MAX_PACKAGES {
            return Err(Problem::TooManyPackages { packages: at + 1 });
        }
        self.found.insert_unique(hash(&package), at, |at| hash(&self.packages[*at]));
        self.packages.push(package);
        Ok(at)
    }

    /// Whether a package is the project itself, or a member of its workspace.
    pub(super) fn is_root(&self, package: usize) -> bool {
        self.packages[package].root
    }

    /// Notes that one package may need another.
    pub(crate) fn depend(&mut self, from: usize, to: usize) -> Result<(), Problem> {
        self.edges += 1;
        if self.edges > MAX_EDGES {
            return Err(Problem::TooManyEdges { limit: MAX_EDGES });
        }
        if from == to {
            return Ok(());
        }
        let is_root = self.packages[to].root;
        self.packages[to].direct |= self.packages[from].root && !is_root;
        self.packages[from].dependencies.push(to);
        Ok(())
    }

    /// Notes that a package may need every one of this name: of this version where one has it, of
    /// any otherwise. Tells whether there is one.
    pub(super) fn depend_on_named(
        &mut self,
        from: usize,
        name: &str,
        version: Option<&str>,
    ) -> Result<bool, Problem> {
        let named = self.named.of(&self.packages);
        let found = named.get(name, version).or_else(|| named.get(name, None));
        let found = found.cloned().unwrap_or_default();
        for &to in &found {
            self.depend(from, to)?;
        }
        Ok(!found.is_empty())
    }

    /// The project itself, if it is among the packages.
    pub(super) fn root(&self) -> Option<usize> {
        self.packages.iter().position(|package| package.root)
    }

    /// The package of this name, if it is the only one.
    pub(super) fn only(&mut self, name: &str) -> Option<usize> {
        match self.named.of(&self.packages).get(name, None).map(Vec::as_slice) {
            Some([only]) => Some(*only),
            _ => None,
        }
    }

    /// The package at a place that [`add`](Self::add) told.
    pub(super) fn package_mut(&mut self, at: usize) -> &mut Package {
        &mut self.packages[at]
    }

    /// Notes that the project, which is the package `root` if it is one, asks for every package of
    /// this name, in a group if one is given.
    pub(super) fn ask_for(
        &mut self,
        root: Option<usize>,
        name: &str,
        group: Option<&str>,
    ) -> Result<(), Problem> {
        let found = self.named.of(&self.packages).get(name, None).cloned().unwrap_or_default();
        for to in found {
            // Counted without a project, too: one name may be that of many packages.
            self.depend(root.unwrap_or(to), to)?;
            let package = &mut self.packages[to];
            package.direct |= !package.root;
            package.groups.extend(group.filter(|_| !package.root).map(str::to_owned));
        }
        Ok(())
    }

    /// Gives each package the strongest scope of those that reach it from the packages that `starts`
    /// name; what is not reached is required.
    pub(super) fn assign_scopes<'a>(&mut self, starts: impl Iterator<Item = (Scope, &'a str)>) {
        let mut starts: Vec<_> = starts.collect();
        // The strongest last, to be taken first.
        starts.sort_unstable_by(|one, other| other.cmp(one));
        starts.dedup();
        let mut scopes = vec![None; self.packages.len()];
        while let Some((scope, name)) = starts.pop() {
            let named = self.named.of(&self.packages).get(name, None);
            let mut pending = named.cloned().unwrap_or_default();
            while let Some(at) = pending.pop() {
                if scopes[at].is_none() {
                    scopes[at] = Some(scope);
                    pending.extend(&self.packages[at].dependencies);
                }
            }
        }
        for (package, scope) in self.packages.iter_mut().zip(scopes) {
            package.scope = scope.unwrap_or(Scope::Required);
        }
    }

    /// Forgets the groups of all packages, which are those that bring them in whatever way, before a
    /// project tells which it asks for by name.
    pub(super) fn clear_groups(&mut self) {
        self.packages.iter_mut().for_each(|package| package.groups.clear());
    }

    /// Marks what no package asks for as asked for by the project: nobody else can have done it. Only
    /// these keep the groups that bring them.
    pub(crate) fn mark_unasked_as_direct(&mut self) {
        let mut asked = vec![false; self.packages.len()];
        for &to in self.packages.iter().flat_map(|package| &package.dependencies) {
            asked[to] = true;
        }
        for (package, asked) in self.packages.iter_mut().zip(asked) {
            package.direct |= !asked && !package.root;
            if asked {
                package.groups.clear();
            }
        }
    }

    /// The packages; files, edges, groups and conditions are in order, each once.
    pub(crate) fn into_packages(mut self) -> Vec<Package> {
        for package in &mut self.packages {
            package.distributions.sort_unstable();
            package.distributions.dedup();
            package.dependencies.sort_unstable();
            package.dependencies.dedup();
            package.groups.sort_unstable();
            package.groups.dedup();
            package.conditions.sort_unstable();
            package.conditions.dedup();
        }
        self.packages
    }
}

/// The packages of a name, and those of a name and version; many formats ask for neither.
#[derive(Default)]
struct Named {
    found: HashMap<(String, Option<String>), Vec<usize>>,
    /// How many of the packages are in `found`.
    known: usize,
}

impl Named {
    /// With all of `packages`, the first of which are known.
    fn of(&mut self, packages: &[Package]) -> &Self {
        for (at, Package { name, version, .. }) in packages.iter().enumerate().skip(self.known) {
            self.found.entry((name.clone(), None)).or_default().push(at);
            if version.is_some() {
                self.found.entry((name.clone(), version.clone())).or_default().push(at);
            }
        }
        self.known = packages.len();
        self
    }

    fn get(&self, name: &str, version: Option<&str>) -> Option<&Vec<usize>> {
        self.found.get(&(name.to_owned(), version.map(str::to_owned)))
    }
}
