//! What a reader makes of a file, and the list of packages of formats that state scopes themselves.

use std::collections::HashMap;

use super::error::Problem;
use super::graph::Graph;
use super::{MAX_PACKAGES, Note, Package, Scope, Source, text};

/// Most edges of one file: a hundred times the most we have seen.
const MAX_EDGES: usize = 2_000_000;

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
    found: HashMap<(String, Source), usize>,
    /// The packages of a name, and those of a name and version.
    named: HashMap<(String, Option<String>), Vec<usize>>,
    edges: usize,
}

impl Catalog {
    /// Takes a package in, and tells its place. Where its purl and source are there already, the two
    /// become one, with the files of both and the stronger scope.
    pub(crate) fn add(&mut self, package: Package) -> Result<usize, Problem> {
        let key = (package.purl.clone(), package.source.clone());
        if let Some(&at) = self.found.get(&key) {
            let known = &mut self.packages[at];
            known.scope = known.scope.min(package.scope);
            known.root |= package.root;
            known.direct |= package.direct;
            known.distributions.extend(package.distributions);
            return Ok(at);
        }
        let at = self.packages.len();
        if at == MAX_PACKAGES {
            return Err(Problem::TooManyPackages { packages: at + 1 });
        }
        self.found.insert(key, at);
        self.named.entry((package.name.clone(), None)).or_default().push(at);
        if let Some(version) = &package.version {
            let key = (package.name.clone(), Some(version.clone()));
            self.named.entry(key).or_default().push(at);
        }
        self.packages.push(package);
        Ok(at)
    }

    /// Notes that one package may need another.
    pub(crate) fn depend(&mut self, from: usize, to: usize) -> Result<(), Problem> {
        if from == to {
            return Ok(());
        }
        self.edges += 1;
        if self.edges > MAX_EDGES {
            return Err(Problem::TooManyEdges { limit: MAX_EDGES });
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
        let key = |version: Option<&str>| (name.to_owned(), version.map(str::to_owned));
        let found = self.named.get(&key(version)).or_else(|| self.named.get(&key(None)));
        let found = found.cloned().unwrap_or_default();
        for &to in &found {
            self.depend(from, to)?;
        }
        Ok(!found.is_empty())
    }

    /// Marks what no package asks for as asked for by the project: nobody else can have done it.
    pub(crate) fn mark_unasked_as_direct(&mut self) {
        let mut asked = vec![false; self.packages.len()];
        for &to in self.packages.iter().flat_map(|package| &package.dependencies) {
            asked[to] = true;
        }
        for (package, asked) in self.packages.iter_mut().zip(asked) {
            package.direct |= !asked && !package.root;
        }
    }

    /// The packages, with files and edges in order, each once.
    pub(crate) fn into_packages(mut self) -> Vec<Package> {
        for package in &mut self.packages {
            package.distributions.sort_unstable();
            package.distributions.dedup();
            package.dependencies.sort_unstable();
            package.dependencies.dedup();
        }
        self.packages
    }
}
