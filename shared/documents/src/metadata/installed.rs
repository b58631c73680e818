//! Packages of an operating system, and which of them provides what another needs.

use std::collections::HashMap;

use crate::inventory::Package;
use crate::lockfile::Problem;
use crate::lockfile::catalog::{Catalog, Contents};

/// Most bytes of such names.
const MAX_NAME_BYTES: usize = 64 * 1024 * 1024;
/// Most names that packages provide and need in one database: a hundred times the most we have seen.
const MAX_NAMES: usize = 2_000_000;

/// The packages of one database, as they are met.
#[derive(Default)]
pub(super) struct Installed {
    catalog: Catalog,
    providers: HashMap<Box<str>, Vec<usize>>,
    needs: Vec<(usize, Box<str>)>,
    architectures: HashMap<usize, Box<str>>,
    names: usize,
    name_bytes: usize,
}

impl Installed {
    /// Takes a package in, with every name that it provides, its own among them, and every name that
    /// it may need.
    ///
    /// With an `architecture`, providers of the same or of `all` are preferred to others, as several
    /// architectures of one package can be installed.
    pub(super) fn add<'a>(
        &mut self,
        package: Package,
        architecture: Option<&str>,
        provided: impl IntoIterator<Item = &'a str>,
        needed: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), Problem> {
        let at = self.catalog.add(package)?;
        for name in provided {
            self.count(name)?;
            self.provide(at, name.into());
            if let Some(architecture) = architecture {
                self.provide(at, qualified(name, architecture));
            }
        }
        for name in needed {
            self.count(name)?;
            self.needs.push((at, name.into()));
        }
        if let Some(architecture) = architecture {
            self.architectures.insert(at, architecture.into());
        }
        Ok(())
    }

    /// Everything taken in, with an edge from each package to those that provide what it needs; what
    /// nothing provides is not installed.
    pub(super) fn into_contents(mut self) -> Result<Contents, Problem> {
        for (from, name) in &self.needs {
            let own = self.architectures.get(from);
            let same = own.and_then(|own| self.providers.get(&qualified(name, own)));
            let all = || self.providers.get(&qualified(name, "all"));
            let found = same.or_else(|| own.and_then(|_| all()));
            let found = found.or_else(|| self.providers.get(name));
            for &to in found.into_iter().flatten() {
                self.catalog.depend(*from, to)?;
            }
        }
        self.catalog.mark_unasked_as_direct();
        Ok(Contents {
            packages: self.catalog.into_packages(),
            notes: Vec::new(),
            edges_known: true,
            direct_known: false,
            complete: true,
        })
    }

    fn provide(&mut self, at: usize, name: Box<str>) {
        let providers = self.providers.entry(name).or_default();
        if providers.last() != Some(&at) {
            providers.push(at);
        }
    }

    fn count(&mut self, name: &str) -> Result<(), Problem> {
        self.names += 1;
        self.name_bytes += name.len();
        match self.names > MAX_NAMES || self.name_bytes > MAX_NAME_BYTES {
            true => Err(Problem::TooManyEdges { limit: MAX_NAMES }),
            false => Ok(()),
        }
    }
}

fn qualified(name: &str, architecture: &str) -> Box<str> {
    format!("{name}:{architecture}").into()
}
