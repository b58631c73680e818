//! `attestry link`: what went into a step and what came out, signed, for supply-chain layouts.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use attestation::{
    Link, ResourceDescriptor, Statement, Subject,
    link_file::{LinkError, Step, key_id},
};
use events::Digest;
use serde::Serialize;
use signer::KeyArgs;

use crate::{
    failure::Failure,
    hash,
    output::{self, Format},
};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  attestry link --step build --signing-key key.pem --material uv.lock --product dist/app.whl -- uv build\n  attestry link --step build --signing-key key.pem --product dist/app.whl --bundle build.link.sigstore.json"
)]
pub(crate) struct Args {
    /// Name of the step in the layout
    #[arg(long, value_name = "NAME")]
    step: String,
    /// File that went in, by the path that the layout matches; repeat for several
    #[arg(long, value_name = "FILE")]
    material: Vec<PathBuf>,
    /// File that came out; repeat for several
    #[arg(long, value_name = "FILE", required = true)]
    product: Vec<PathBuf>,
    /// The command that ran, told and not run
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Directory to write `STEP.KEYID.link` to
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Write the step as a statement (link v0.3) in a Sigstore bundle, too
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// The id by which the layout knows the key [default: as securesystemslib computes it]
    #[arg(long, value_name = "ID")]
    key_id: Option<String>,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Serialize)]
struct Written {
    /// As layouts name the key.
    key_id: String,
    files: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let key = args.key.load().map_err(Failure::input)?;
    let step = Step {
        name: args.step.clone(),
        command: args.command.clone(),
        materials: digests(&args.material)?,
        products: digests(&args.product)?,
        key_id: args.key_id.clone(),
    };
    let link = step.sign(&key).map_err(|error| match error {
        LinkError::Unfit { .. } => Failure::input(error),
        _ => Failure::unknown(error),
    })?;
    let mut files = vec![write(&args.out.join(&link.name), &link.bytes)?];
    if let Some(path) = &args.bundle {
        let bundle = key.sign_statement(&statement(&step)?).map_err(Failure::unknown)?;
        files.push(write(path, &bundle)?);
    }
    let written =
        Written { key_id: args.key_id.clone().unwrap_or_else(|| key_id(key.public_key())), files };
    let lines = written.files.iter().map(|it| format!("wrote {}\n", it.display()));
    let text = format!("key id {}\n{}", written.key_id, lines.collect::<String>());
    output::result(format, &text, &written)
}

fn digests(paths: &[PathBuf]) -> Result<BTreeMap<String, Digest>, Failure> {
    let digest = |path: &PathBuf| {
        let fault = |why: String| Failure::Input(format!("{}: {why}", path.display()));
        let (digest, _) = hash::file(path).map_err(|error| fault(error.to_string()))?;
        let name = path.to_str().ok_or_else(|| fault("its name is not UTF-8".to_owned()))?;
        Ok((name.strip_prefix("./").unwrap_or(name).to_owned(), digest))
    };
    paths.iter().map(digest).collect()
}

fn statement(step: &Step) -> Result<Statement, Failure> {
    let subject = |(name, digest): (&String, &Digest)| Subject {
        name: Some(name.clone()),
        uri: None,
        digest: *digest,
    };
    let material = |(name, digest): (&String, &Digest)| ResourceDescriptor {
        name: Some(name.clone()),
        digest: BTreeMap::from([("sha256".to_owned(), digest.hex())]),
        ..ResourceDescriptor::default()
    };
    let link = Link {
        name: step.name.clone(),
        command: step.command.clone(),
        materials: step.materials.iter().map(material).collect(),
        ..Link::default()
    };
    let subjects: Vec<Subject> = step.products.iter().map(subject).collect();
    Statement::new(&subjects, &link).map_err(Failure::input)
}

fn write(path: &Path, bytes: &[u8]) -> Result<PathBuf, Failure> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all);
    written
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    Ok(path.to_owned())
}
