//! The index: every advisory, found by package and by id.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use events::Digest;

use crate::{
    Advisory, BuildReport, Epss, IndexError, Kev, Match, Package,
    judge::judge,
    source::Reader,
    store::{self, Stored},
    tables::Tables,
};

/// Every advisory of the sources it was built from. Immutable, and cheap to clone.
#[derive(Clone)]
pub struct Index {
    stored: Arc<Stored>,
    tables: Arc<Tables>,
}

impl Index {
    /// Builds an index from directories and from `.json`, `.jsonl` and `.zip` files of OSV records, the `.json` of CISA's
    /// KEV and the `.csv` or `.csv.gz` of FIRST's EPSS, which may lie in directories and archives too.
    ///
    /// # Errors
    /// A source cannot be read at all, or there is too much of it. A record that cannot be read is reported instead.
    pub fn build(sources: &[PathBuf]) -> Result<(Self, BuildReport), IndexError> {
        let mut reader = Reader::default();
        for source in sources {
            reader.read(source)?;
        }
        let (content, report) = reader.finish().finish();
        let stored = Stored::new(&content)?;
        Ok((Self { stored: Arc::new(stored), tables: Arc::new(Tables::new(content)) }, report))
    }

    /// Reads the index file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, is no index, is damaged, or of another format.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let (stored, content) = store::open(path)?;
        Ok(Self { stored: Arc::new(stored), tables: Arc::new(Tables::new(content)) })
    }

    /// Writes `<digest>.index` to `directory`, points the file `current` to it, and removes all but two older indexes.
    ///
    /// Whoever reads meanwhile finds the old index or the new one, whole, even after a loss of power.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn save(&self, directory: &Path) -> Result<Digest, IndexError> {
        store::save(&self.stored, directory)?;
        Ok(self.digest())
    }

    /// The index that `current` in `directory` points to; none before the first [`Index::save`].
    ///
    /// # Errors
    /// As for [`Index::open`].
    pub fn current(directory: &Path) -> Result<Option<Self>, IndexError> {
        Ok(store::current(directory)?.map(|(stored, content)| Self {
            stored: Arc::new(stored),
            tables: Arc::new(Tables::new(content)),
        }))
    }

    /// Digest of what the index holds: the same records and lists give the same one, in whatever order they came.
    pub fn digest(&self) -> Digest {
        self.stored.digest()
    }

    /// How many advisories there are, withdrawn ones included.
    pub fn len(&self) -> usize {
        self.tables.len()
    }

    /// How many vulnerabilities KEV and EPSS have: none where the list was not among the sources.
    pub fn exploitation(&self) -> (usize, usize) {
        (self.tables.kev.len(), self.tables.epss.len())
    }

    /// Whether there is no advisory.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The vulnerabilities of `package`, sorted by id; each once, however many records tell of it.
    pub fn matches(&self, package: &Package) -> Vec<Match> {
        let told = self.tables.told(package.ecosystem, &package.name);
        let mut matches = judge(&told, package);
        for found in &mut matches {
            let (kev, epss) = (self.kev(found.ids()), self.epss(found.ids()));
            (found.kev, found.epss) = (kev, epss);
        }
        matches
    }

    /// Every record about the vulnerability of that id or alias, sorted by id; case does not matter.
    pub fn advisory(&self, id_or_alias: &str) -> Vec<Advisory> {
        self.tables.by_id(id_or_alias).into_iter().cloned().collect()
    }

    /// What CISA's catalogue of exploited vulnerabilities says of the vulnerability that goes by all of `ids`: the
    /// earliest dates, and whether ransomware uses any of them. Case does not matter.
    pub fn kev<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Option<Kev> {
        self.tables.kev.of(ids)
    }

    /// The highest EPSS score of the vulnerability that goes by all of `ids`. Case does not matter.
    pub fn epss<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Option<Epss> {
        self.tables.epss.of(ids)
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("digest", &self.digest()).field("len", &self.len()).finish()
    }
}
