//! `attestry explain`: the whole story of a digest, from event to verdict or receipt.

mod text;

use std::{path::Path, str::FromStr};

use events::{Digest, SubmissionId};
use jiff::Timestamp;
use registrar::queries::{EXPLAIN, ExplainQuery, Subject};
use registry::Explanation;
use uuid::Uuid;

use crate::{
    client::{self, ClientArgs},
    failure::Failure,
    hash,
    output::{self, Format},
};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  attestry explain sha256:$(sha256sum dist/app.whl | cut -d' ' -f1)\n  attestry explain dist/app.whl\n  attestry explain dist/app.whl --as-of 2026-11-22T12:00:00Z --format json\n  attestry explain 7c9e6679-7425-40de-944b-e07fc1f90ae7"
)]
pub(crate) struct Args {
    /// Digest of anything that evidence names, sha256:HEX; or a file with it; or the id of a build,
    /// submission or event
    #[arg(value_name = "DIGEST")]
    about: String,
    /// Only what was known then (RFC 3339)
    #[arg(long, value_name = "TIME")]
    as_of: Option<Timestamp>,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: Args, format: Format) -> Result<(), Failure> {
    let of = subject(&args.about)?;
    let bus = args.client.connect().await?;
    let query = ExplainQuery { of, as_of: args.as_of };
    let explanation: Explanation = client::ask(&bus, EXPLAIN, &query).await?;
    if explanation.is_empty() {
        let when = args.as_of.map(|time| format!(" as of {time}")).unwrap_or_default();
        return Err(Failure::No(format!("no build or submission names {}{when}", args.about)));
    }
    output::result(format, &text::of(&explanation), &explanation)?;
    // What is still on its way may wait for one of these.
    if args.as_of.is_none() {
        for (worker, pause) in bus.pauses().await.unwrap_or_default() {
            output::note(&format!("now {}", client::paused_text(&worker, &pause)));
        }
    }
    Ok(())
}

/// What is asked about: a digest, an id, the digest of a file, or a sender's name for a submission.
fn subject(about: &str) -> Result<Subject, Failure> {
    if let Ok(digest) = Digest::from_str(about) {
        return Ok(Subject::Digest(digest));
    }
    if let Ok(id) = Uuid::from_str(about) {
        return Ok(Subject::Id(id));
    }
    if Path::new(about).is_file() {
        let hashed = hash::file(Path::new(about));
        let (digest, _) = hashed.map_err(|error| Failure::Input(format!("{about}: {error}")))?;
        return Ok(Subject::Digest(digest));
    }
    if let Ok(name) = SubmissionId::from_str(about) {
        return Ok(Subject::Submission(name));
    }
    let why = format!("`{about}` is no digest, no id and no file; write a digest as sha256:HEX");
    Err(Failure::Input(why))
}
