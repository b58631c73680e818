//! The index: every advisory, found by package and by id.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use events::Digest;
use jiff::Timestamp;

use crate::{
    Advisory, BuildReport, Epss, Fingerprint, IndexError, Kev, Known, Match, Package, PackageKey,
    Source,
    arena::Arena,
    build::Builder,
    judge::Judge,
    provenance::Origin,
    source::Reader,
    store::{self, Opened},
};

/// Every advisory of the sources it was built from. Immutable, and cheap to clone.
#[derive(Clone)]
pub struct Index(Arc<Opened>);

impl Index {
    /// Builds an index from directories and from `.json`, `.jsonl` and `.zip` files of OSV records, the `.json` of CISA's
    /// KEV and the `.csv` or `.csv.gz` of FIRST's EPSS, which may lie in directories and archives too.
    ///
    /// # Errors
    /// A source cannot be read at all, or there is too much of it. A record that cannot be read is reported instead.
    pub fn build(sources: &[PathBuf]) -> Result<(Self, BuildReport), IndexError> {
        let sources: Vec<_> = sources.iter().cloned().map(Source::from).collect();
        let builder = read(Reader::default(), &sources)?;
        let (arena, _, report) = builder.finish(None, Timestamp::UNIX_EPOCH)?;
        Ok((Self::of(Opened { arena, provenance: None }), report))
    }

    /// [`Self::build`], and remembers where each record comes from and since when it is known: what `before` has as well is
    /// known as long as it says, and everything else since `now`.
    ///
    /// What `before` has and no source does is gone, lists of exploitation too.
    ///
    /// # Errors
    /// As for [`Self::build`].
    pub fn sync(
        sources: &[Source],
        before: Option<&Self>,
        now: Timestamp,
    ) -> Result<(Self, BuildReport), IndexError> {
        let builder = read(Reader::default(), sources)?;
        let (arena, provenance, report) = builder.finish(before, now)?;
        Ok((Self::of(Opened { arena, provenance: Some(provenance) }), report))
    }

    /// This index with what the sources have beside it: new records, and those that were changed later than the ones here.
    /// What they do not speak of stays. A list of exploitation that is not older than the one here takes its place.
    ///
    /// # Errors
    /// As for [`Self::build`].
    pub fn update(
        &self,
        sources: &[Source],
        now: Timestamp,
    ) -> Result<(Self, BuildReport), IndexError> {
        let mut reader = Reader::default();
        reader.builder.take_over(self)?;
        let mut builder = read(reader, sources)?;
        builder.keep_lists(self);
        let (arena, provenance, report) = builder.finish(Some(self), now)?;
        Ok((Self::of(Opened { arena, provenance: Some(provenance) }), report))
    }

    fn of(opened: Opened) -> Self {
        Self(Arc::new(opened))
    }

    /// Reads the index file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, is no index, is damaged, or of another format.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        store::open(path).map(Self::of)
    }

    /// Writes `<digest>.index` to `directory`, points the file `current` to it, and removes all but two older indexes.
    ///
    /// Whoever reads meanwhile finds the old index or the new one, whole, even after a loss of power.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn save(&self, directory: &Path) -> Result<Digest, IndexError> {
        store::save(&self.0, directory)?;
        Ok(self.digest())
    }

    /// The index that `current` in `directory` points to; none before the first [`Index::save`].
    ///
    /// # Errors
    /// As for [`Index::open`].
    pub fn current(directory: &Path) -> Result<Option<Self>, IndexError> {
        Ok(store::current(directory)?.map(Self::of))
    }

    /// The index of that digest in `directory`, current or not; none where it is not kept any more.
    ///
    /// # Errors
    /// As for [`Index::open`]. The file holds another index than its name says.
    pub fn of_digest(directory: &Path, digest: Digest) -> Result<Option<Self>, IndexError> {
        Ok(store::of_digest(directory, digest)?.map(Self::of))
    }

    /// Digest of what the index holds: the same records and lists give the same one, in whatever order they came.
    pub fn digest(&self) -> Digest {
        self.0.arena.digest()
    }

    /// How many advisories there are, withdrawn ones included.
    pub fn len(&self) -> usize {
        self.0.arena.len()
    }

    /// How many vulnerabilities KEV and EPSS have: none where the list was not among the sources.
    pub fn exploitation(&self) -> (usize, usize) {
        (self.0.arena.kev.len(), self.0.arena.epss.len())
    }

    /// Whether there is no advisory.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The vulnerabilities of `package`, sorted by id; each once, however many records tell of it.
    pub fn matches(&self, package: &Package) -> Vec<Match> {
        let told = self.0.arena.told(package.key());
        self.with_exploitation(Judge::of(&told).matches(package))
    }

    /// [`Self::matches`] of many packages, told to `found` in any order. Records about one package are read once for all of
    /// its versions, which pays where there are several.
    pub fn matches_of<'a>(
        &self,
        packages: &'a [Package],
        mut found: impl FnMut(&'a Package, Vec<Match>),
    ) {
        let mut keyed: Vec<_> = packages.iter().map(|it| (it.key(), it)).collect();
        keyed.sort_unstable_by_key(|(key, _)| *key);
        for same in keyed.chunk_by(|one, other| one.0 == other.0) {
            let told = self.0.arena.told(same[0].0);
            let judge = Judge::of(&told);
            for (_, package) in same {
                found(package, self.with_exploitation(judge.matches(package)));
            }
        }
    }

    /// What records say of `package` by commits alone, so that nobody can say whether it is affected: sorted by id, and
    /// nothing of what [`Self::matches`] finds.
    pub fn undecided(&self, package: &Package) -> Vec<Match> {
        let told = self.0.arena.told(package.key());
        self.with_exploitation(Judge::of(&told).undecided(package))
    }

    fn with_exploitation(&self, mut matches: Vec<Match>) -> Vec<Match> {
        for found in &mut matches {
            let (kev, epss) = (self.kev(found.ids()), self.epss(found.ids()));
            (found.kev, found.epss) = (kev, epss);
        }
        matches
    }

    /// What stays the same as long as [`Index::matches`] answers alike for every version of the package, whatever becomes
    /// of KEV and EPSS; none where no record names it.
    pub fn fingerprint(&self, key: PackageKey) -> Option<Fingerprint> {
        self.0.arena.fingerprint(key)
    }

    /// The packages whose fingerprint differs from that in `older`, or that only one of both knows; sorted.
    pub fn changed_since(&self, older: &Self) -> Vec<PackageKey> {
        changed(self.0.arena.fingerprints(), older.0.arena.fingerprints())
    }

    /// Every record about the vulnerability of that id or alias, sorted by id; case does not matter.
    pub fn advisory(&self, id_or_alias: &str) -> Vec<Advisory> {
        self.0.arena.by_id(id_or_alias)
    }

    /// Where the record of exactly that id comes from, and since when it is known; none for a record that is not there, and
    /// for all of an index from [`Self::build`].
    pub fn known(&self, record: &str) -> Option<Known> {
        self.0.provenance.as_ref()?.known(self.0.arena.number(record)?)
    }

    /// What CISA's catalogue of exploited vulnerabilities says of the vulnerability that goes by all of `ids`: the
    /// earliest dates, and whether ransomware uses any of them. Case does not matter.
    pub fn kev<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Option<Kev> {
        self.0.arena.kev.of(ids)
    }

    /// The highest EPSS score of the vulnerability that goes by all of `ids`. Case does not matter.
    pub fn epss<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Option<Epss> {
        self.0.arena.epss.of(ids)
    }
}

impl Index {
    pub(crate) fn downgrade(&self) -> Weak<Opened> {
        Arc::downgrade(&self.0)
    }

    /// None where nobody else has it any more.
    pub(crate) fn upgrade(weak: &Weak<Opened>) -> Option<Self> {
        weak.upgrade().map(Self)
    }

    pub(crate) fn arena(&self) -> &Arena {
        &self.0.arena
    }

    pub(crate) fn origin(&self, record: u32) -> Option<Origin> {
        self.0.provenance.as_ref()?.origin(record)
    }

    /// The name of the source of that number.
    pub(crate) fn source(&self, number: u32) -> &str {
        self.0.provenance.as_ref().map_or("", |it| it.source(number))
    }

    /// The dates of KEV and EPSS.
    pub(crate) fn lists(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        self.0.provenance.as_ref().map_or((None, None), |it| (it.kev.date, it.epss.date))
    }
}

fn read(mut reader: Reader, sources: &[Source]) -> Result<Builder, IndexError> {
    sources.iter().try_for_each(|source| reader.read(source))?;
    Ok(reader.builder)
}

/// Keys of what is not in both; both are sorted by key.
fn changed(
    one: impl Iterator<Item = (PackageKey, Fingerprint)>,
    other: impl Iterator<Item = (PackageKey, Fingerprint)>,
) -> Vec<PackageKey> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    let mut changed = Vec::new();
    while let Some(first) = one.peek().into_iter().chain(other.peek()).map(|(key, _)| *key).min() {
        let of_first = |(key, _): &(PackageKey, Fingerprint)| *key == first;
        if one.next_if(of_first) != other.next_if(of_first) {
            changed.push(first);
        }
    }
    changed
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("digest", &self.digest()).field("len", &self.len()).finish()
    }
}
