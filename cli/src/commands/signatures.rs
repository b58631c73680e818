//! `attestry signatures`: what somebody signed.

use events::{Label, SignedEvidence, SignedQuery};
use jiff::Timestamp;

use crate::{
    client::{self, ClientArgs},
    failure::Failure,
    output::{self, Format, note, plain},
};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List what a signer signed, in every build and submission
    #[command(
        after_help = "Examples:\n  attestry signatures list --signer 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n  attestry signatures list --signer https://github.com/acme/attestry/.github/workflows/sign.yml@refs/heads/main --since 2026-11-01T00:00:00Z --format json"
    )]
    List {
        /// Fingerprint of a key, or the identity in certificates
        #[arg(long, value_name = "SIGNER")]
        signer: Label,
        /// Only what was signed then or later, RFC 3339
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
        #[command(flatten)]
        client: ClientArgs,
    },
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let Command::List { signer, since, client } = command;
    let bus = client.connect().await?;
    let mut query = SignedQuery { signer, since, after: None };
    loop {
        let page: Vec<SignedEvidence> = client::ask(&bus, SignedQuery::TOPIC, &query).await?;
        let Some(last) = page.last() else { break };
        query.after = Some((last.correlation, last.producer));
        for evidence in &page {
            output::result(format, &text(evidence), evidence)?;
        }
    }
    if query.after.is_none() {
        note(&format!("{} signed nothing that the registry knows", query.signer));
    }
    Ok(())
}

fn text(evidence: &SignedEvidence) -> String {
    let SignedEvidence { correlation, producer, scope, time, bundles, .. } = evidence;
    let mut text = format!("{time}  {scope}  {correlation}  {}\n", producer.as_str());
    for bundle in bundles {
        text.push_str(&format!("  {}  {}\n", bundle.bundle, bundle.name));
    }
    plain(&text)
}
