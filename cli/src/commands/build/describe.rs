//! Describes a build from flags, files, CI's environment and git.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use documents::{
    inventory::{ArtifactContents, Missing},
    lockfile::{self, MAX_LOCKFILE_BYTES},
};
use events::{
    Artifact, BuildCompleted, BuildKind, Builder, Commit, Digest, Envelope, FilePath, Input, Label,
    Listing, MAX_EVENT_BYTES, Source, Uri, cdevent, without_credentials,
};
use globset::GlobBuilder;
use jiff::Timestamp;

use super::{Args, Upload, chunks, ci::Surroundings, project};
use crate::{
    failure::Failure,
    hash,
    output::note,
    read,
    scan::{self, Tree},
};

/// Most entries below a glob that are looked at.
const MAX_ENTRIES: usize = 1_000_000;
/// Most files of --source that are sent: an event names 1,000, those about its artifacts included.
const MAX_SOURCE_FILES: usize = 900;

/// What is uploaded before the event.
struct Uploads {
    inputs: Vec<Upload>,
    sboms: Vec<Upload>,
}

/// The event to publish and the documents to upload before it.
pub(super) fn event(args: &Args) -> Result<(Envelope<BuildCompleted>, Vec<Upload>), Failure> {
    let artifacts = artifacts(&args.artifact)?;
    let mut inputs = match &args.source {
        Some(source) => uploads(source)?,
        None => vec![],
    };
    inputs.extend(contents(&artifacts)?);
    let artifacts: Vec<Artifact> = artifacts.into_iter().map(|(_, it)| it).collect();
    let uploads = Uploads {
        inputs,
        sboms: args.sbom.iter().map(|file| sbom(file)).collect::<Result<_, _>>()?,
    };
    let data = match &args.event {
        Some(file) => from_event(args, file, artifacts, &uploads)?,
        None => from_flags(args, artifacts, &uploads)?,
    };
    let Uploads { inputs, sboms } = uploads;
    Ok((root(data), inputs.into_iter().chain(sboms).collect()))
}

fn from_flags(
    args: &Args,
    artifacts: Vec<Artifact>,
    uploads: &Uploads,
) -> Result<BuildCompleted, Failure> {
    let source = args.source.as_deref();
    let project = match &args.project {
        Some(name) => name.parse().map_err(|error| at("--project", error))?,
        None => project::name(source)?,
    };
    let around = Surroundings::look(source);
    let mut data = BuildCompleted {
        project,
        kind: args.kind.map_or(BuildKind::Pr, Into::into),
        environment: args.environment,
        run: Label::of("-"),
        version: args.product_version.clone(),
        source: source_of(args, &around)?,
        builder: Builder {
            invocation: around.invocation,
            version: around.builder_version,
            ..Builder::new(around.builder_id.unwrap_or_else(|| Uri::of("urn:attestry:local")))
        },
        started_at: around.started_at,
        finished_at: None,
        parameters: around.parameters,
        internal_parameters: around.internal_parameters,
        dependencies: around.dependencies.try_into().map_err(|error| at("--dependency", error))?,
        artifacts: artifacts.try_into().map_err(|error| at("--artifact", error))?,
        inputs: listed("--source", &uploads.inputs)?,
        sboms: listed("--sbom", &uploads.sboms)?,
    };
    args.provenance.add_to(&mut data)?;
    data.run = match &args.run {
        Some(run) => run.clone(),
        // The same content in the same CI run is the same build, so a submit that is repeated is one.
        None => content_run(around.run.as_ref(), &data)?,
    };
    Ok(data)
}

/// A ready event: our own, or a CDEvent; lockfiles and SBOMs are added where it names none.
fn from_event(
    args: &Args,
    file: &Path,
    artifacts: Vec<Artifact>,
    uploads: &Uploads,
) -> Result<BuildCompleted, Failure> {
    let at_fault = |why: String| Failure::Input(format!("--event {}: {why}", file.display()));
    let read = match file.as_os_str() == "-" {
        true => {
            let mut bytes = Vec::new();
            let limit = MAX_EVENT_BYTES as u64 + 1;
            std::io::stdin().take(limit).read_to_end(&mut bytes).map(|_| bytes)
        }
        false => read::up_to(MAX_EVENT_BYTES, file),
    };
    let bytes = read.map_err(|error| at_fault(error.to_string()))?;
    let mut data = if cdevent::is_cdevent(&bytes) {
        let project = args.project.as_deref().map(str::parse).transpose();
        let defaults = cdevent::Defaults {
            project: project.map_err(|error| at("--project", error))?,
            kind: args.kind.map_or(BuildKind::Pr, Into::into),
            artifacts: artifacts.clone(),
        };
        cdevent::build_completed(&bytes, &defaults).map_err(|error| at_fault(error.to_string()))?
    } else {
        let event = events::decode_content::<BuildCompleted>(&bytes);
        event.map_err(|error| at_fault(error.to_string()))?.data
    };
    data.environment = args.environment.or(data.environment);
    if let Some(source) = &mut data.source {
        source.repository = Uri::of(&without_credentials(source.repository.as_str()));
    }
    if data.inputs.is_empty() {
        data.inputs = listed("--source", &uploads.inputs)?;
    }
    if data.sboms.is_empty() {
        data.sboms = listed("--sbom", &uploads.sboms)?;
    }
    args.provenance.add_to(&mut data)?;
    check_files(&data, &artifacts, uploads)?;
    Ok(data)
}

/// Files that are at hand must be the ones that the event names.
fn check_files(
    data: &BuildCompleted,
    artifacts: &[Artifact],
    uploads: &Uploads,
) -> Result<(), Failure> {
    let differs = |name: &str, event: Digest, file: Digest| {
        let remedy = "build and announce the same files";
        Failure::Input(format!("{name}: the event says {event}, the file has {file}; {remedy}"))
    };
    for artifact in artifacts {
        let Some(named) = data.artifacts.iter().find(|it| it.name == artifact.name) else {
            let why = "the event does not name this artifact";
            return Err(at(&format!("--artifact {}", artifact.name), why));
        };
        if named.digest != artifact.digest {
            return Err(differs(artifact.name.as_str(), named.digest, artifact.digest));
        }
    }
    let inputs = data.inputs.iter().map(|it| (it, &uploads.inputs, "not below --source"));
    let sboms = data.sboms.iter().map(|it| (it, &uploads.sboms, "not given with --sbom"));
    for (input, uploads, absent) in inputs.chain(sboms) {
        match uploads.iter().find(|upload| upload.path == input.path.as_str()) {
            Some(upload) if upload.digest != input.digest => {
                return Err(differs(&upload.path, input.digest, upload.digest));
            }
            Some(_) => {}
            None => note(&format!("{}: {absent}; uploaded before?", input.path)),
        }
    }
    Ok(())
}

fn root(data: BuildCompleted) -> Envelope<BuildCompleted> {
    #[allow(clippy::disallowed_methods, reason = "the event comes to be now")]
    let now = data.finished_at.unwrap_or_else(Timestamp::now);
    let (priority, project) = (data.kind.priority(), data.project.clone());
    Envelope::root(Label::of("/attestry/cli"), now, priority, project, data)
}

fn content_run(run: Option<&Label>, data: &BuildCompleted) -> Result<Label, Failure> {
    let content = serde_json::to_vec(data).map_err(Failure::unknown)?;
    let content = Digest::of(&content).hex();
    Ok(match run {
        Some(run) => Label::of(&format!("{run}/{}", &content[..16])),
        None => Label::of(&format!("content/{content}")),
    })
}

fn source_of(args: &Args, around: &Surroundings) -> Result<Option<Source>, Failure> {
    let commit = match &args.commit {
        Some(commit) => {
            Some(Commit::try_from(commit.clone()).map_err(|error| at("--commit", error))?)
        }
        None => around.commit.clone(),
    };
    let repository = args.repository.as_ref().or(around.repository.as_ref());
    Ok(repository.map(|repository| Source {
        repository: Uri::of(&without_credentials(repository.as_str())),
        reference: args.reference.clone().or_else(|| around.reference.clone()),
        commit,
    }))
}

/// The files below `source` that tell what the project is made of.
fn uploads(source: &Path) -> Result<Vec<Upload>, Failure> {
    let Tree { mut files, missing } = scan::tree(source)?;
    if let Some(Missing { path, reason, .. }) = missing.first() {
        let path = source.join(path);
        return Err(Failure::Input(format!("{}: {reason}", path.display())));
    }
    if files.is_empty() {
        note(&format!(
            "No lockfile ({}) below {}: the SBOM will name no dependency.",
            scan::lockfile_names(),
            source.display()
        ));
    }
    if files.len() > MAX_SOURCE_FILES {
        note("Manifests beside lockfiles are too many to be sent; the lockfiles are.");
        files.retain(|(path, _)| lockfile::is_known(path));
    }
    Ok(files.into_iter().map(|(path, bytes)| Upload::new(path, bytes)).collect())
}

/// What is inside the artifacts, of those that can be looked into.
fn contents(artifacts: &[(PathBuf, Artifact)]) -> Result<Vec<Upload>, Failure> {
    let mut uploads = Vec::new();
    for (path, artifact) in artifacts {
        let Some(contents) = scan::artifact(path)? else { continue };
        if contents.inventories().is_empty() && contents.missing().is_empty() {
            continue;
        }
        let name = format!("{}{}", artifact.name, ArtifactContents::SUFFIX);
        uploads.push(Upload::new(name, contents.write().into()));
    }
    Ok(uploads)
}

/// An SBOM of the build's own, whatever is in it: the gate judges it.
fn sbom(file: &Path) -> Result<Upload, Failure> {
    let at_fault = |why: &str| Failure::Input(format!("--sbom {}: {why}", file.display()));
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| at_fault("its name is not UTF-8; rename it"))?;
    let bytes = read_bounded(file, "an SBOM").map_err(|why| at_fault(&why))?;
    match bytes.is_empty() {
        true => Err(at_fault("is empty; did the tool that makes it fail?")),
        false => Ok(Upload::new(name.to_owned(), bytes)),
    }
}

fn read_bounded(path: &Path, what: &str) -> Result<Bytes, String> {
    let bytes = read::up_to(MAX_LOCKFILE_BYTES, path).map_err(|error| error.to_string())?;
    if bytes.len() > MAX_LOCKFILE_BYTES {
        let mib = MAX_LOCKFILE_BYTES / (1024 * 1024);
        return Err(format!("is larger than {mib} MiB, the most that is read of {what}"));
    }
    Ok(bytes.into())
}

/// Uploads as the event names them; `flag` is what gave them.
fn listed<const MAX: usize>(
    flag: &str,
    uploads: &[Upload],
) -> Result<Listing<Input, 0, MAX>, Failure> {
    let input = |upload: &Upload| {
        Ok(Input {
            path: upload.path.parse().map_err(|error| at(&upload.path, error))?,
            digest: upload.digest,
            size: upload.bytes.len() as u64,
            chunks: chunks(upload.bytes.len()),
        })
    };
    let inputs: Vec<Input> = uploads.iter().map(input).collect::<Result<_, Failure>>()?;
    inputs.try_into().map_err(|error| at(flag, error))
}

/// The artifacts that `patterns` name, each hashed in pieces: they may be of any size.
fn artifacts(patterns: &[String]) -> Result<Vec<(PathBuf, Artifact)>, Failure> {
    let mut files = Vec::new();
    for pattern in patterns {
        let found = match_pattern(pattern)?;
        if found.is_empty() {
            let remedy = "build first, or correct the pattern (quote globs from the shell)";
            return Err(Failure::Input(format!("--artifact {pattern}: no such file; {remedy}")));
        }
        files.extend(found);
    }
    files.sort();
    files.dedup();
    files.into_iter().map(|file| artifact(&file).map(|it| (file, it))).collect()
}

fn artifact(file: &Path) -> Result<Artifact, Failure> {
    let at_fault = |why: String| Failure::Input(format!("--artifact {}: {why}", file.display()));
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| at_fault("its name is not UTF-8; rename it".to_owned()))?;
    let name: FilePath = name.parse().map_err(|error| at_fault(format!("its name {error}")))?;
    let (digest, size) = hash::file(file).map_err(|error| at_fault(error.to_string()))?;
    Ok(Artifact { name, digest, size: Some(size) })
}

fn match_pattern(pattern: &str) -> Result<Vec<PathBuf>, Failure> {
    let path = Path::new(pattern);
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob = glob.map_err(|error| at("--artifact", error))?.compile_matcher();
    // Only the part before the first wildcard is walked.
    let fixed: PathBuf = path
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
        .collect();
    let root = if fixed.as_os_str().is_empty() { Path::new(".") } else { &fixed };
    let bare = fixed.as_os_str().is_empty();
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root).into_iter().take(MAX_ENTRIES).flatten() {
        let path = match bare {
            true => entry.path().strip_prefix(".").unwrap_or(entry.path()),
            false => entry.path(),
        };
        if entry.file_type().is_file() && glob.is_match(path) {
            found.push(path.to_owned());
        }
    }
    Ok(found)
}

fn at(flag: &str, error: impl std::fmt::Display) -> Failure {
    Failure::Input(format!("{flag}: {error}"))
}
