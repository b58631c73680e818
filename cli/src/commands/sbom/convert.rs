//! `attestry sbom convert`: SPDX 2.3, or another version of CycloneDX.

use std::{fs, io::Write, path::PathBuf};

use clap::ValueEnum;
use documents::{
    convert::{self, Converted},
    cyclonedx::SpecVersion,
    spdx,
};
use jiff::Timestamp;
use serde_json::json;

use super::{at_fault, read_document};
use crate::{
    failure::Failure,
    output::{self, Format},
};

#[derive(clap::Args)]
#[command(
    after_help = "A file with a timestamp always gives the same bytes. What the other format cannot tell is said on standard error.\n\nExample:\n  attestry sbom convert sbom.json --to spdx-2.3 -o sbom.spdx.json"
)]
pub(crate) struct Args {
    /// The SBOM: valid CycloneDX 1.2 to 1.7 as JSON or XML
    file: PathBuf,
    /// Format to write
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Target,
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Time of creation if the SBOM has none, seconds since 1970 [default: now]
    #[arg(long, env, value_name = "SECONDS")]
    source_date_epoch: Option<i64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Target {
    #[value(name = "spdx-2.3")]
    Spdx2_3,
    #[value(name = "cyclonedx-1.6")]
    CycloneDx1_6,
    #[value(name = "cyclonedx-1.7")]
    CycloneDx1_7,
}

pub(super) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let bytes = read_document(&args.file)?;
    let converted = match args.to {
        Target::Spdx2_3 => spdx::write(&bytes, time(args)?, env!("CARGO_PKG_VERSION"))
            .map_err(|error| at_fault(&args.file, error))?,
        Target::CycloneDx1_6 => to_cyclonedx(args, &bytes, SpecVersion::V1_6)?,
        Target::CycloneDx1_7 => to_cyclonedx(args, &bytes, SpecVersion::V1_7)?,
    };
    for loss in &converted.losses {
        output::note(&format!("left out: {loss}"));
    }
    let Some(file) = &args.output else {
        return match std::io::stdout().lock().write_all(&converted.document) {
            // Whoever reads has read enough, for example `head`.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(Failure::unknown),
        };
    };
    fs::write(file, &converted.document).map_err(|error| at_fault(file, error))?;
    let losses = converted.losses.iter().map(|it| json!({ "what": it.what, "count": it.count }));
    let told = json!({ "file": file, "left_out": losses.collect::<Vec<_>>() });
    output::result(format, &output::plain(&format!("Wrote {}", file.display())), &told)
}

fn to_cyclonedx(args: &Args, bytes: &[u8], to: SpecVersion) -> Result<Converted, Failure> {
    convert::to_cyclonedx(bytes, to).map_err(|error| at_fault(&args.file, error))
}

fn time(args: &Args) -> Result<Timestamp, Failure> {
    match args.source_date_epoch {
        Some(seconds) => Timestamp::from_second(seconds).map_err(Failure::input),
        #[allow(clippy::disallowed_methods, reason = "the document is made now")]
        None => Ok(Timestamp::now()),
    }
}
