//! `attestry retention`: how long everything is kept, and removing what is over.

use bus::StreamState;
use jiff::Timestamp;
use registrar::queries::{RECONCILE, Reconciled};
use registry::sweep::{ClassAccount, Swept, sweep};
use serde_json::json;

use super::registry::Place;
use crate::{
    client::{self, ClientArgs},
    failure::Failure,
    output::{self, Format, note},
};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show how long streams and classes of evidence are kept, and what is due
    #[command(after_help = "Example:\n  attestry retention list")]
    List {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Remove evidence whose time is over and that no live build needs
    #[command(
        after_help = "A build is live while it is not finished, for a year after its verdict, and as long as it is the\nnewest passed release of its project. Workers may run meanwhile; so must the registrar.\n\nExamples:\n  attestry retention sweep --dry-run\n  attestry retention sweep"
    )]
    Sweep {
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        client: ClientArgs,
    },
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::List { place, client } => list(&place, &client, format).await,
        Command::Sweep { dry_run, place, client } => remove(&place, &client, format, dry_run).await,
    }
}

async fn list(place: &Place, client: &ClientArgs, format: Format) -> Result<(), Failure> {
    let bus = client.connect().await?;
    for state in bus.streams().await? {
        let StreamState { name, messages, bytes, max_age, .. } = &state;
        let days = max_age.as_secs() / (24 * 60 * 60);
        let text = format!("{name:26} {messages:>9} messages  {bytes:>12} bytes  kept {days} days");
        let value = json!({
            "stream": name, "messages": messages, "bytes": bytes, "kept_days": days,
        });
        output::result(format, &text, &value)?;
    }
    let swept = survey(place, |_| false).await?;
    for (class, account) in &swept.classes {
        let ClassAccount { documents, bytes, due, needed, next, .. } = account;
        let kept = if class == "segment" { "for good" } else { "365 days" };
        let next = next.map(|time| format!(", the next on {time:.0}")).unwrap_or_default();
        let text = format!(
            "{class:26} {documents:>9} documents {bytes:>12} bytes  kept {kept}: {due} due, {needed} due but needed{next}"
        );
        output::result(format, &text, &json!({ "class": class, "account": account }))?;
    }
    damaged(&swept);
    Ok(())
}

async fn remove(
    place: &Place,
    client: &ClientArgs,
    format: Format,
    dry_run: bool,
) -> Result<(), Failure> {
    let bus = client.connect().await?;
    // What a build needs is known from the registry: one that is behind would let too much go.
    let Reconciled { behind, .. } = client::ask(&bus, RECONCILE, &()).await?;
    if behind > 0 {
        let why = format!("the registry is {behind} messages behind; wait until it has caught up");
        return Err(Failure::Unknown(why));
    }
    let action = if dry_run { "would remove" } else { "removed" };
    let mut told = Ok(());
    let swept = survey(place, |document| {
        let text = format!(
            "{action} {}  {:?}, {} bytes, kept until {:.0}",
            document.digest, document.class, document.size, document.retain_until
        );
        let value = json!({ "action": action, "document": document });
        told = std::mem::replace(&mut told, Ok(())).and(output::result(format, &text, &value));
        !dry_run
    });
    let swept = swept.await?;
    told?;
    let (due, bytes) = swept
        .classes
        .values()
        .fold((0, 0), |(due, bytes), account| (due + account.due, bytes + account.due_bytes));
    let text = format!("{action} {due} documents of {bytes} bytes");
    output::result(format, &text, &json!({ "action": action, "due": due, "bytes": bytes }))?;
    damaged(&swept);
    Ok(())
}

/// Looks at everything, and removes what `due` says.
async fn survey(
    place: &Place,
    due: impl FnMut(&archive::Metadata) -> bool,
) -> Result<Swept, Failure> {
    let archive = place.open_archive()?;
    let view = place.open_view()?;
    #[allow(clippy::disallowed_methods, reason = "what is over depends on the time of day")]
    let now = Timestamp::now();
    sweep(&archive, &view, now, due).await.map_err(Failure::unknown)
}

fn damaged(swept: &Swept) {
    if swept.damaged > 0 {
        note(&format!(
            "{} documents have damaged metadata and stay; restore it from a backup",
            swept.damaged
        ));
    }
}
