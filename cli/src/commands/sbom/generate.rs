//! `attestry sbom generate`: an SBOM from lockfiles.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use documents::{
    cyclonedx::{self, SbomInput, SpecVersion},
    lockfile,
};
use events::Digest;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    commands::build::{lockfile_names, lockfiles_below, project_name, read_lockfile},
    failure::Failure,
};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  attestry sbom generate . -o sbom.json")]
pub(crate) struct Args {
    /// A lockfile, or a directory whose lockfiles are read
    #[arg(value_name = "DIR|FILE")]
    source: PathBuf,
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Version of CycloneDX
    #[arg(long, value_enum, default_value_t = Version::V1_6)]
    spec_version: Version,
    /// Name of the project [default: from pyproject.toml or Cargo.toml, else the folder]
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Time in the SBOM, seconds since 1970: the same gives the same bytes [default: now]
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

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let sources = match args.source.is_dir() {
        true => lockfiles_below(&args.source)?,
        false => vec![(file_name(&args.source), read_lockfile(&args.source)?)],
    };
    if sources.is_empty() {
        let why = format!("holds no lockfile ({})", lockfile_names());
        return Err(Failure::Input(format!("{}: {why}", args.source.display())));
    }
    let parse = |(path, bytes): &(String, bytes::Bytes)| lockfile::parse(path, bytes);
    let lockfiles: Vec<_> =
        sources.iter().map(parse).collect::<Result<_, _>>().map_err(Failure::input)?;
    let project = match (&args.project, args.source.is_dir()) {
        (Some(name), _) => name.parse().map_err(Failure::input)?,
        (None, true) => project_name(Some(&args.source))?,
        (None, false) => project_name(Some(folder_of(&args.source)))?,
    };
    let timestamp = match args.source_date_epoch {
        Some(seconds) => Timestamp::from_second(seconds).map_err(Failure::input)?,
        #[allow(clippy::disallowed_methods, reason = "the SBOM is made now")]
        None => Timestamp::from_second(Timestamp::now().as_second()).map_err(Failure::unknown)?,
    };
    let content: Vec<u8> = sources.iter().flat_map(|(_, it)| *Digest::of(it).as_bytes()).collect();
    let name = format!("{timestamp}/{project}/{}", Digest::of(&content));
    let sbom = cyclonedx::write(&SbomInput {
        project: project.as_str(),
        version: None,
        serial: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()),
        timestamp,
        artifacts: &[],
        inventories: &lockfiles,
        missing: &[],
        author: None,
        supplier: None,
        spec_version: args.spec_version.into(),
        tool_version: env!("CARGO_PKG_VERSION"),
    });
    match &args.output {
        Some(file) => fs::write(file, &sbom)
            .map_err(|error| Failure::Input(format!("{}: {error}", file.display()))),
        None => std::io::stdout().lock().write_all(&sbom).map_err(Failure::unknown),
    }
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
