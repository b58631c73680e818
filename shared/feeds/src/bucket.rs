//! The folder of an ecosystem in OSV's bucket: a list of what was changed when, each record by its id, and an archive of
//! all of them (<https://google.github.io/osv.dev/data/>).
//!
//! List and archive are kept as every file is. In a directory of its own a bucket has beside them
//!
//! - `noted`: which lines of the list the archive covers,
//! - `records/`: a file for each line that it does not, named after the line.
//!
//! A line is settled when it is noted or has its file. So there is nothing to remember between one record and the next: a
//! run that dies at any point leaves what it has fetched, and the next one fetches the rest. Lines are compared, not only
//! times, for a record may be listed late, with a time that was passed long ago.

mod lines;
mod noted;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use events::Digest;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::{Client, Url};
use serde::Deserialize;

use self::{
    lines::{Key, Line, Tally},
    noted::Noted,
};
use crate::{
    Feed, FeedError, Format,
    cache::{self, Cached, Place},
    fetch::{self, Remote},
    files,
};

const LIST: &str = "modified_id.csv";
const ARCHIVE: &str = "all.zip";
const RECORDS: &str = "records";
/// Most records that are kept beside an archive; where more were changed, the archive is taken anew.
const MAX_CHANGED: usize = 2_000;
/// Largest list, in bytes; that of all of OSV has half of it.
const MAX_LIST_BYTES: u64 = 256 * 1024 * 1024;
/// Largest record, in bytes: that which is read.
const MAX_RECORD_BYTES: u64 = 32 * 1024 * 1024;
/// How long it may take until what was changed is in the archive that is served.
const MAKING: SignedDuration = SignedDuration::from_hours(24);
/// After that an archive is taken anew whatever was changed: records that are gone go then.
const RENEWED_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long all records of one run may take.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// After so many records that cannot be had the server is left alone.
const MAX_REFUSED: usize = 20;

/// A bucket, and where it is kept.
pub(crate) struct Bucket {
    url: Url,
    list: Remote,
    list_place: Place,
    archive: Remote,
    archive_place: Place,
    directory: PathBuf,
    /// Most bytes of all records of one run.
    max_bytes: u64,
    max_changed: usize,
}

/// Lines that the archive does not cover.
struct Pending {
    lines: BTreeMap<Key, (Timestamp, String)>,
    tally: Tally,
}

/// Of a record, what tells that it is the one that is listed.
#[derive(Deserialize)]
struct Record {
    id: String,
    modified: Timestamp,
}

impl Bucket {
    pub(crate) fn of(feed: &Feed, cache: &Path) -> Self {
        let part = |name, format, max_bytes| {
            let url = below(&feed.url, name);
            let place = Place::of(&url, format, cache);
            (Remote { url, format, max_bytes }, place)
        };
        let (list, list_place) = part(LIST, Format::Csv, MAX_LIST_BYTES);
        let (archive, archive_place) = part(ARCHIVE, Format::Zip, feed.max_bytes);
        Self {
            url: feed.url.clone(),
            list,
            list_place,
            archive,
            archive_place,
            directory: cache::directory_of(&feed.url, cache),
            max_bytes: feed.max_bytes,
            max_changed: MAX_CHANGED,
        }
    }

    /// The archive, and the records that were changed since; nothing before the first archive.
    pub(crate) fn cached(&self) -> Vec<Cached> {
        let Some(about) = self.archive_place.about() else { return Vec::new() };
        let mut cached = vec![self.archive_place.cached(&self.url, &about)];
        let path = self.directory.join(RECORDS);
        // What cannot be listed cannot be read either, and that is told by who reads it.
        let names = self.records().unwrap_or_default();
        if path.is_dir() {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let digest = Digest::of(names.join("/").as_bytes());
            let (url, fetched) = (self.url.to_string(), about.fetched());
            cached.push(Cached { path, url, digest, fetched });
        }
        cached
    }

    /// Fetches what was changed. What came before something failed is there.
    pub(crate) async fn refresh(&self, client: &Client, now: Timestamp) -> Result<(), FeedError> {
        let _lock = self.lock()?;
        let listed = self.list.refresh(client, &self.list_place, now).await;
        listed.map_err(|error| FeedError::part(LIST, error))?;
        let mut pending = match self.noted() {
            Some(noted) => self.pending(|_, key| noted.has(&key))?,
            None => None,
        };
        let mut renewed = Ok(());
        if pending.is_none() || self.is_old(now) {
            let taken = self.archive.refresh(client, &self.archive_place, now).await;
            renewed = taken.map_err(|error| FeedError::part(ARCHIVE, error));
            match &renewed {
                Ok(()) => pending = self.note(now)?,
                Err(_) if pending.is_none() => return renewed,
                Err(_) => {}
            }
        }
        // Where there are too many, the archive was just asked for, and holds what is not of these hours.
        let Some(pending) = pending else { return renewed };
        let fetched = self.fetch(client, &pending.lines, now).await;
        renewed.and(fetched).and(pending.tally.told())
    }

    /// Two at a time would take away from each other what they fetch.
    fn lock(&self) -> Result<File, FeedError> {
        let path = self.directory.join("lock");
        let io = |error| FeedError::io(&path, error);
        fs::create_dir_all(&self.directory).map_err(io)?;
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(FeedError::Locked),
            Err(TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// What is noted of the archive that is there.
    fn noted(&self) -> Option<Noted> {
        let archive = self.archive_place.about()?.digest();
        Noted::read(&self.directory).filter(|it| it.archive == archive)
    }

    fn is_old(&self, now: Timestamp) -> bool {
        let about = self.archive_place.about();
        about.is_none_or(|it| now.duration_since(it.fetched()) > RENEWED_AFTER)
    }

    /// Notes what the archive covers, by the list that was fetched before it, and says what it does not.
    ///
    /// The list is made before its archive, which may be an older one still, or come out of some cache. Taken for granted is
    /// what was changed before the archive was written, and no later than so long ago that a newer one would be there.
    fn note(&self, now: Timestamp) -> Result<Option<Pending>, FeedError> {
        let gone = || FeedError::io(self.archive_place.path(), io::ErrorKind::NotFound.into());
        let about = self.archive_place.about().ok_or_else(gone)?;
        let written = about.modified.as_deref().and_then(|it| rfc2822::parse(it).ok());
        let made = now.checked_sub(MAKING).unwrap_or(Timestamp::MIN);
        let since = written.map_or(made, |it| it.timestamp().min(made));
        let mut keys = Vec::new();
        let pending = self.pending(|line, key| {
            let is_covered = line.at < since;
            keys.extend(is_covered.then_some(key));
            is_covered
        })?;
        let noted = Noted::new(about.digest(), keys).write(&self.directory, now);
        noted.map_err(|error| FeedError::io(&self.directory, error))?;
        Ok(pending)
    }

    /// The lines that are not covered; none where there are too many of them.
    fn pending(
        &self,
        mut is_covered: impl FnMut(Line<'_>, Key) -> bool,
    ) -> Result<Option<Pending>, FeedError> {
        let mut lines = BTreeMap::new();
        let tally = lines::read(self.list_place.path(), |line| {
            let key = line.key();
            if !is_covered(line, key) && lines.len() <= self.max_changed {
                lines.insert(key, (line.at, line.id.to_owned()));
            }
        })?;
        if tally.usable == 0 {
            let error = FeedError::Foreign("list of times and ids");
            return Err(FeedError::part(LIST, error));
        }
        Ok((lines.len() <= self.max_changed).then_some(Pending { lines, tally }))
    }

    /// Fetches each record that is not there yet, and then removes what the list does not name any more.
    async fn fetch(
        &self,
        client: &Client,
        lines: &BTreeMap<Key, (Timestamp, String)>,
        now: Timestamp,
    ) -> Result<(), FeedError> {
        let listed: BTreeMap<_, _> =
            lines.iter().map(|(key, line)| (file_name(&line.1, key), line)).collect();
        let there = self.records()?;
        let missing: Vec<_> = listed.iter().filter(|(name, _)| !there.contains(*name)).collect();
        let outdated: Vec<_> = there.iter().filter(|it| !listed.contains_key(*it)).collect();
        if there.len() + missing.len() > 2 * self.max_changed {
            // A server that never lets a run end must not fill the disk.
            self.remove(&outdated)?;
        }
        let (began, mut left, mut bytes) = (Instant::now(), missing.len(), 0);
        let mut failed: Vec<(&str, FeedError)> = Vec::new();
        for (name, (at, id)) in missing {
            let line = Line { at: *at, id };
            let fetched = match began.elapsed() > LONGEST {
                true => Err(FeedError::Slow { minutes: LONGEST.as_secs() / 60 }),
                false if bytes > self.max_bytes => {
                    Err(FeedError::TooLarge { most: self.max_bytes })
                }
                false => self.record(client, line, name, now).await,
            };
            match fetched {
                Ok(size) => (left, bytes) = (left - 1, bytes + size),
                Err(error) => {
                    let ends = !is_of_one(&error) || failed.len() >= MAX_REFUSED;
                    failed.push((id.as_str(), error));
                    if ends {
                        break;
                    }
                }
            }
        }
        match failed.into_iter().next() {
            Some((id, error)) => {
                Err(FeedError::Records { missing: left, id: id.to_owned(), error: Box::new(error) })
            }
            None => self.remove(&outdated),
        }
    }

    /// Fetches one record into the file of that name, and says how large it is.
    async fn record(
        &self,
        client: &Client,
        line: Line<'_>,
        name: &str,
        now: Timestamp,
    ) -> Result<u64, FeedError> {
        let url = below(&self.url, &format!("{}.json", line.id));
        let body = fetch::bytes_of(client, &url, MAX_RECORD_BYTES, now).await;
        let body = body.map_err(|error| match error {
            FeedError::TooLarge { .. } => FeedError::Foreign("record of 32 MiB at most"),
            error => error,
        })?;
        let read = serde_json::from_slice::<Record>(&body);
        let record = read.map_err(|_| FeedError::Foreign("OSV record"))?;
        if record.id != line.id {
            return Err(FeedError::Foreign("record of that id"));
        }
        // Lists have been seen with finer times than records.
        if record.modified.as_second() < line.at.as_second() {
            return Err(FeedError::Outdated);
        }
        let records = self.directory.join(RECORDS);
        let keep = || {
            fs::create_dir_all(&records)?;
            let mut file = files::begin(&self.directory, now)?;
            file.write_all(&body)?;
            files::put(file, &records.join(name))
        };
        keep().map_err(|error| FeedError::io(&records, error))?;
        Ok(body.len() as u64)
    }

    /// Names of the files in `records/`.
    fn records(&self) -> Result<BTreeSet<String>, FeedError> {
        let records = self.directory.join(RECORDS);
        let names = || -> io::Result<BTreeSet<String>> {
            let names = fs::read_dir(&records)?.map(|it| Ok(it?.file_name().into_string().ok()));
            names.filter_map(Result::transpose).collect()
        };
        match names() {
            Ok(names) => Ok(names),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
            Err(error) => Err(FeedError::io(&records, error)),
        }
    }

    fn remove(&self, names: &[&String]) -> Result<(), FeedError> {
        let records = self.directory.join(RECORDS);
        let mut names = names.iter();
        let removed = names.try_for_each(|it| files::remove(&records.join(it)));
        removed.map_err(|error| FeedError::io(&records, error))
    }
}

/// The URL of something in the folder at `url`.
fn below(url: &Url, name: &str) -> Url {
    let mut url = url.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push(name);
    }
    url
}

fn file_name(id: &str, key: &Key) -> String {
    let key: String = key.iter().map(|it| format!("{it:02x}")).collect();
    format!("{id}@{key}.json")
}

/// Whether a failure is that of one record, so that the next one may come.
fn is_of_one(error: &FeedError) -> bool {
    matches!(error, FeedError::Status { .. } | FeedError::Foreign(_) | FeedError::Outdated)
}
