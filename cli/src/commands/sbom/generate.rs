//! `attestry sbom generate`: an SBOM from the lockfiles of a tree, or from what an artifact holds.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use clap::ValueEnum;
use documents::{
    both,
    cyclonedx::{self, SbomInput, SpecVersion},
    inventory::{Inventory, Missing},
    lockfile::{self, File},
};
use events::Digest;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    commands::build::project_name,
    failure::Failure,
    output::note,
    read,
    scan::{self, Tree},
};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  attestry sbom generate . -o sbom.json\n  attestry sbom generate dist/app.whl\n\nA file that cannot be read does not keep others from it: the SBOM is written and names what is\nmissing (attestry:missing), standard error says why, and the exit code is 2."
)]
pub(crate) struct Args {
    /// A directory whose lockfiles are read; a lockfile; or an artifact: wheel, sdist, jar, crate,
    /// npm package, Rust or Go binary, OCI layout, image of `docker save`
    #[arg(value_name = "DIR|FILE")]
    source: PathBuf,
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Version of CycloneDX
    #[arg(long, value_enum, default_value_t = Version::V1_6)]
    spec_version: Version,
    /// Name of the project [default: from pyproject.toml, Cargo.toml or package.json, else the folder]
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Time in the SBOM, seconds since 1970 [default: of the commit that git has checked out, else 0:
    /// the same input gives the same bytes]
    #[arg(long, env, value_name = "SECONDS")]
    source_date_epoch: Option<i64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Version {
    #[value(name = "1.6")]
    V1_6,
    #[value(name = "1.7")]
    V1_7,
}

impl From<Version> for SpecVersion {
    fn from(version: Version) -> Self {
        match version {
            Version::V1_6 => Self::V1_6,
            Version::V1_7 => Self::V1_7,
        }
    }
}

/// What an SBOM is made from.
#[derive(Default)]
struct Found {
    inventories: Vec<Inventory>,
    missing: Vec<Missing>,
    artifacts: Vec<(String, Digest)>,
    /// Of everything that was read.
    content: Vec<u8>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let found = find(&args.source)?;
    let is_dir = args.source.is_dir();
    let folder = if is_dir { args.source.clone() } else { scan::folder_of(&args.source) };
    let project: events::Scope = match &args.project {
        Some(name) => name.parse().map_err(Failure::input)?,
        None => project_name(Some(&folder))?,
    };
    let timestamp = match args.source_date_epoch.or_else(|| commit_time(&folder)) {
        Some(seconds) => Timestamp::from_second(seconds).map_err(Failure::input)?,
        None => Timestamp::UNIX_EPOCH,
    };
    let name = format!("{timestamp}/{project}/{}", Digest::of(&found.content));
    let sbom = SbomInput {
        project: project.as_str(),
        serial: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()),
        timestamp,
        artifacts: &found.artifacts,
        inventories: &found.inventories,
        missing: &found.missing,
        spec_version: args.spec_version.into(),
        tool_version: env!("CARGO_PKG_VERSION"),
        ..SbomInput::default()
    };
    match &args.output {
        Some(file) => fs::File::create(file)
            .and_then(|mut file| cyclonedx::write_to(&sbom, &mut file))
            .map_err(|error| Failure::Input(format!("{}: {error}", file.display())))?,
        None => cyclonedx::write_to(&sbom, &mut io::stdout().lock()).map_err(Failure::unknown)?,
    }
    let complaint = complain(&found);
    // The process ends: who waits for it need not wait until a million texts are given back.
    std::mem::forget(found);
    complaint
}

fn find(source: &Path) -> Result<Found, Failure> {
    if source.is_dir() && !source.join("oci-layout").is_file() {
        let tree = scan::tree(source)?;
        if tree.files.is_empty() && tree.missing.is_empty() {
            let why = format!("holds no lockfile ({})", scan::lockfile_names());
            return Err(Failure::Input(format!("{}: {why}", source.display())));
        }
        return Ok(of_tree(tree));
    }
    let name = source.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    if lockfile::is_readable(&name) {
        return of_lockfile(source, &name);
    }
    match scan::artifact(source)? {
        Some(contents) => {
            let (digest, name) = (contents.digest(), contents.artifact().to_owned());
            let (inventories, missing) = contents.into_parts();
            let content = digest.as_bytes().to_vec();
            Ok(Found { inventories, missing, artifacts: vec![(name, digest)], content })
        }
        None => {
            let why = "is no lockfile and no artifact that can be looked into";
            let names = scan::lockfile_names();
            Err(Failure::Input(format!("{}: {why}; lockfiles are {names}", source.display())))
        }
    }
}

fn of_tree(tree: Tree) -> Found {
    let files: Vec<File<'_>> =
        tree.files.iter().map(|(path, bytes)| File { path, bytes }).collect();
    let ((inventories, failed), content) =
        both(|| lockfile::parse_all(&files), || digests_of(&files));
    let mut missing = tree.missing;
    missing.extend(failed.into_iter().map(Missing::from));
    Found { inventories, missing, content, ..Found::default() }
}

/// One lockfile, with what lies beside it; a fault in it is the only answer there is.
fn of_lockfile(source: &Path, name: &str) -> Result<Found, Failure> {
    let at_source = |error| Failure::Input(format!("{}: {error}", source.display()));
    let mut files = Vec::new();
    for path in fs::read_dir(scan::folder_of(source)).map_err(at_source)?.flatten() {
        let beside = path.file_name().to_string_lossy().into_owned();
        let is_file = path.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && beside != name && lockfile::is_companion(&beside) {
            files.push((beside, read(&path.path())?.into()));
        }
    }
    // Their order is the directory's, which is any.
    files.sort();
    files.push((name.to_owned(), read(source)?.into()));
    let Tree { files, mut missing } = scan::with_included(&scan::folder_of(source), files);
    let all: Vec<File<'_>> = files.iter().map(|(path, bytes)| File { path, bytes }).collect();
    let (inventory, content) = both(|| lockfile::parse_one(name, &all), || digests_of(&all));
    let (inventory, lacking) = inventory.map_err(Failure::input)?;
    missing.extend(lacking.into_iter().map(Missing::from));
    Ok(Found { inventories: vec![inventory], missing, content, ..Found::default() })
}

fn digests_of(files: &[File<'_>]) -> Vec<u8> {
    files.iter().flat_map(|file| *Digest::of(file.bytes).as_bytes()).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = read::up_to(lockfile::MAX_LOCKFILE_BYTES, path);
    read.map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
}

/// Says what the SBOM lacks, if it lacks something.
fn complain(found: &Found) -> Result<(), Failure> {
    for Missing { path, line, reason } in &found.missing {
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        note(&format!("{}{line}: {reason}", path.escape_debug()));
    }
    match found.missing.len() {
        0 => Ok(()),
        1 => Err(Failure::input("the SBOM is written, but one file could not be read: see above")),
        count => {
            let why =
                format!("the SBOM is written, but {count} files could not be read: see above");
            Err(Failure::Input(why))
        }
    }
}

/// When the commit was made that git has checked out in `folder`, in seconds since 1970.
fn commit_time(folder: &Path) -> Option<i64> {
    let is_checkout = folder.canonicalize().ok()?.ancestors().any(|it| it.join(".git").exists());
    if !is_checkout {
        return None;
    }
    let git = ["log", "-1", "--format=%ct"];
    let output = Command::new("git").arg("-C").arg(folder).args(git).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
