//! `attestry sbom`: makes, checks, scores, compares and converts SBOMs without a broker.

mod convert;
mod diff;
mod generate;
mod score;
mod validate;

use std::path::Path;

use documents::schema::MAX_DOCUMENT_BYTES;

use crate::{failure::Failure, output::Format, read};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make a CycloneDX SBOM from lockfiles
    Generate(generate::Args),
    /// Check a CycloneDX SBOM (1.2 to 1.7) against its official schema
    Validate(validate::Args),
    /// Tell which elements that CISA, NTIA and BSI ask for an SBOM lacks, where, and what to do
    Score(score::Args),
    /// Tell what changed between two SBOMs or lockfiles
    Diff(diff::Args),
    /// Write a CycloneDX SBOM as SPDX 2.3, or as another version of CycloneDX
    Convert(convert::Args),
}

pub(crate) fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::Generate(args) => generate::run(&args),
        Command::Validate(args) => validate::run(&args, format),
        Command::Score(args) => score::run(&args, format),
        Command::Diff(args) => diff::run(&args, format),
        Command::Convert(args) => convert::run(&args, format),
    }
}

/// A document, refused if it is larger than any that is read.
fn read_document(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = read::up_to(MAX_DOCUMENT_BYTES, path).map_err(|error| at_fault(path, error))?;
    if bytes.len() > MAX_DOCUMENT_BYTES {
        let mib = MAX_DOCUMENT_BYTES / (1024 * 1024);
        let why = format!("is larger than {mib} MiB, the most that is read; split it");
        return Err(at_fault(path, why));
    }
    Ok(bytes)
}

fn at_fault(path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::Input(format!("{}: {why}", path.display()))
}
