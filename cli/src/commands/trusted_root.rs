//! `attestry trusted-root`: what Sigstore's evidence is verified with, as it is today.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;
use signer::{RefreshError, TufArgs};

use crate::{
    failure::Failure,
    output::{self, Format},
};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Fetch trusted_root.json and signing_config.json by TUF, and check them
    #[command(
        after_help = "Examples:\n  attestry trusted-root refresh --dir trust\n  attestry trusted-root refresh --dir trust --tuf-url https://tuf.acme.example --tuf-root root.json"
    )]
    Refresh {
        /// Where to write them; what was there stays if anything does not verify
        #[arg(long, value_name = "DIR", default_value = "data/trust")]
        dir: PathBuf,
        #[command(flatten)]
        tuf: TufArgs,
    },
}

#[derive(Serialize)]
struct Written {
    files: Vec<PathBuf>,
    changed: bool,
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let Command::Refresh { dir, tuf } = command;
    #[allow(clippy::disallowed_methods, reason = "metadata expires as of now")]
    let refreshed = tuf.refresh(&dir, Timestamp::now()).await.map_err(|error| match error {
        RefreshError::Tuf { .. } => Failure::unknown(error),
        _ => Failure::input(error),
    })?;
    let word = if refreshed.changed { "wrote" } else { "up to date:" };
    let lines = refreshed.files.iter().map(|it| format!("{word} {}\n", it.display()));
    let text: String = lines.collect();
    output::result(format, &text, &Written { files: refreshed.files, changed: refreshed.changed })
}
