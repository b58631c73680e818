//! `attestry registry`: the books, and the journal in the archive that they follow from.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use archive::Archive;
use events::Digest;
use jiff::Timestamp;
use registry::{
    Closed, Registry, RegistryError, View,
    journal::{self, JournalError},
};
use serde_json::json;

use crate::{
    failure::Failure,
    output::{self, Format, note},
};

/// Records of one segment when a rebuild seals what the old registry alone has.
const SEGMENT_RECORDS: usize = 10_000;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make the registry anew from the archive alone, and compare it with the one that was there
    #[command(
        after_help = "Stop the registrar first, or give --to: then the registry in use is left alone.\n\nExit codes: 0 rebuilt, and the same as before; 1 rebuilt, but not the same.\n\nExamples:\n  attestry registry rebuild\n  attestry registry rebuild --to /tmp/registry.db"
    )]
    Rebuild {
        #[command(flatten)]
        place: Place,
        /// Make it here instead, where nothing may lie
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Walk the journal in the archive: every segment whole, in its chain, without holes
    #[command(after_help = "Example:\n  attestry registry check")]
    Check {
        #[command(flatten)]
        place: Place,
    },
    /// Print every fact, as JSON Lines in a fixed order
    #[command(after_help = "Example:\n  attestry registry dump | sha256sum")]
    Dump {
        #[command(flatten)]
        place: Place,
    },
}

/// Where registry and archive lie.
#[derive(clap::Args, Debug)]
pub(crate) struct Place {
    /// Database file of the registry
    #[arg(long, env, value_name = "FILE", default_value = "data/registry/registry.db")]
    registry: PathBuf,
    /// Directory of the archive
    #[arg(long, env, value_name = "DIR", default_value = "data/artifacts/supply-chain")]
    archive: PathBuf,
}

impl Place {
    /// The archive, which is not made here if it is not there.
    pub(crate) fn open_archive(&self) -> Result<Archive, Failure> {
        if !self.archive.is_dir() {
            let place = self.archive.display();
            return Err(Failure::Input(format!("no archive at {place}; name it with --archive")));
        }
        Archive::open(&self.archive.display().to_string()).map_err(Failure::unknown)
    }

    /// The registry, to look into.
    pub(crate) fn open_view(&self) -> Result<View, Failure> {
        View::open(&self.registry).map_err(|error| failure(error.into()))
    }
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::Rebuild { place, to: Some(to) } => {
            let rebuilt = journal::rebuild(&place.open_archive()?, &to).await.map_err(failure)?;
            report(format, &to, &rebuilt, None)
        }
        Command::Rebuild { place, to: None } => rebuild(&place, format).await,
        Command::Check { place } => check(&place, format).await,
        Command::Dump { place } => dump(&place),
    }
}

/// Seals what only the old registry has, makes a new one beside it, compares, and puts it there.
async fn rebuild(place: &Place, format: Format) -> Result<(), Failure> {
    let archive = place.open_archive()?;
    let path = &place.registry;
    // Held until the new one is in place: a registrar that stands by would write to a file that is gone.
    let (before, _closed) = match before(path, &archive).await {
        Ok(before) => before.unzip(),
        // What is damaged is what a rebuild is for; what is in use is not ours to replace.
        Err(JournalError::Registry(error @ RegistryError::Database(_))) => {
            note(&format!("the registry that was there cannot be read: {error}"));
            (None, None)
        }
        Err(error) => return Err(failure(error)),
    };
    let draft = path.with_added_extension("rebuilt");
    remove(&draft)?;
    let rebuilt = journal::rebuild(&archive, &draft).await.map_err(failure)?;
    if before.is_some_and(|it| it != rebuilt.dump) {
        let kept = path.with_added_extension("before");
        remove(&kept)?;
        replace(path, &kept)?;
        note(&format!("the registry that was there is kept as {}", kept.display()));
    }
    remove(path)?;
    replace(&draft, path)?;
    remove(&draft.with_added_extension("lock"))?;
    report(format, path, &rebuilt, before)
}

/// Digest of the registry that is there, with everything of it in the archive.
async fn before(path: &Path, archive: &Archive) -> Result<Option<(Digest, Closed)>, JournalError> {
    if !path.exists() {
        return Ok(None);
    }
    let mut registry = Registry::open(path)?;
    journal::catch_up(&mut registry, archive).await?;
    #[allow(clippy::disallowed_methods, reason = "a segment is stored now")]
    let now = Timestamp::now();
    while journal::seal(&mut registry, archive, SEGMENT_RECORDS, now).await?.is_some() {}
    let dump = registry.dump(&mut io::sink())?;
    Ok(Some((dump, registry.close())))
}

fn report(
    format: Format,
    path: &Path,
    rebuilt: &journal::Rebuilt,
    before: Option<Digest>,
) -> Result<(), Failure> {
    let same = before.map(|before| before == rebuilt.dump);
    let compared = match same {
        None => "",
        Some(true) => "\nThe same as before, byte for byte.",
        Some(false) => "\nNOT the same as before.",
    };
    let journal::Rebuilt { segments, records, dump } = rebuilt;
    let place = path.display();
    let text =
        format!("Rebuilt {place}: {records} records of {segments} segments, dump {dump}{compared}");
    let value = json!({
        "registry": path, "segments": segments, "records": records, "dump": dump, "same": same,
    });
    output::result(format, &text, &value)?;
    match same {
        Some(false) => Err(Failure::No(
            "the registry had other facts than its journal; report it, with both files".to_owned(),
        )),
        _ => Ok(()),
    }
}

async fn check(place: &Place, format: Format) -> Result<(), Failure> {
    let checked = journal::check(&place.open_archive()?).await.map_err(failure)?;
    let mut text = format!("{} records in {} segments", checked.records, checked.segments);
    for (stream, (first, last)) in &checked.streams {
        text.push_str(&format!("\n  {stream}  {first} to {last}"));
    }
    let gaps = checked.gaps.iter().map(|gap| {
        format!("{} misses {} to {}: stored, and never recorded", gap.stream, gap.first, gap.last)
    });
    let conflicts = (checked.conflicts > 0)
        .then(|| format!("{} messages contradict an event with the same id", checked.conflicts));
    let wrong: Vec<String> =
        checked.problems.iter().cloned().chain(gaps).chain(conflicts).collect();
    for problem in &wrong {
        text.push_str(&format!("\nWRONG {problem}"));
    }
    let value = json!({
        "segments": checked.segments,
        "records": checked.records,
        "streams": checked.streams,
        "gaps": checked.gaps,
        "missing": checked.missing,
        "conflicts": checked.conflicts,
        "problems": checked.problems,
    });
    output::result(format, &text, &value)?;
    match wrong.len() {
        0 => Ok(()),
        1 => Err(Failure::No("1 thing is wrong".to_owned())),
        count => Err(Failure::No(format!("{count} things are wrong"))),
    }
}

fn dump(place: &Place) -> Result<(), Failure> {
    let view = place.open_view()?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let dumped = view.dump(&mut out).map_err(|error| failure(error.into()));
    dumped.and_then(|_| out.flush().map_err(Failure::unknown))
}

/// Removes a database with what SQLite keeps beside it.
fn remove(path: &Path) -> Result<(), Failure> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::Unknown(format!("{}: {error}", Path::new(&name).display())));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Renames a database that nobody has open.
fn replace(from: &Path, to: &Path) -> Result<(), Failure> {
    let renamed = std::fs::rename(from, to);
    renamed.map_err(|error| Failure::Unknown(format!("{}: {error}", to.display())))
}

fn failure(error: JournalError) -> Failure {
    match error {
        JournalError::Registry(
            RegistryError::Missing(_) | RegistryError::Exists(_) | RegistryError::Newer { .. },
        ) => Failure::input(error),
        _ => Failure::unknown(error),
    }
}
