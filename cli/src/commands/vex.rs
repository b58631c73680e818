//! `attestry vex`: what operators know about vulnerabilities.

use std::{path::PathBuf, time::Duration};

use bus::{Bus, Published};
use events::{
    BacklogMapped, Content, DecisionResult, DocumentSubmitted, Envelope, EvidenceSigned, Label,
    Manifest, OPERATOR, Priority, Producer, Scope, Sender, SubmissionId,
};
use jiff::Timestamp;
use supplier_ingest::MAX_DOCUMENT_BYTES;

use super::supplier::{
    receipt,
    submit::{Upload, quarantined},
};
use crate::{
    client::{self, ClientArgs, patience},
    failure::Failure,
    output::{Format, note, progress},
};

/// How long the mapper may take after the receipt is there, before the answer is given without it.
const MAPPING_PATIENCE: Duration = Duration::from_secs(10);

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Add a VEX document in the operator's name, and wait for what it changes
    Add(AddArgs),
}

#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 accepted, 1 rejected, 2 wrong input, 3 could not find out.\n\nExample:\n  attestry vex add not-affected.openvex.json --project hotpass"
)]
pub(crate) struct AddArgs {
    /// The document: OpenVEX, CycloneDX with analyses, or CSAF 2.0
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The project or supplier whose findings it may suppress [default: all]
    #[arg(long, visible_alias = "supplier", value_name = "NAME")]
    project: Option<Scope>,
    /// How long to wait for the receipt
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = patience)]
    wait: Duration,
    /// Public key, PEM: the receipt must be signed with it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let Command::Add(args) = command;
    let upload = Upload::read(&args.file, MAX_DOCUMENT_BYTES)?;
    let bus = args.client.connect().await?;
    let scope = args.project.clone().unwrap_or_else(|| Scope::of(OPERATOR));
    let event = submitted(&upload, scope);
    bus.upload(&event.scope, upload.input.digest, &upload.bytes).await?;
    let published = bus.publish(&event, None).await?;
    progress(format, "Submitted; waiting for the receipt");
    let producer = Some(Producer::SupplierIngest);
    let signed = bus.wait_for::<EvidenceSigned>(&event.scope, producer, event.correlation);
    let Ok(signed) = tokio::time::timeout(args.wait, signed).await else {
        let remedy = "are supplier-ingest and signer running? Ask again with the same command";
        return Err(Failure::Unknown(format!("no receipt yet; {remedy}")));
    };
    let signed = signed?.map_err(|entry| quarantined(&entry))?;
    let bundle = signed.data.bundles.first();
    let bundle = bundle.ok_or_else(|| Failure::unknown("the event names no receipt"))?.bundle;
    let bundle = client::document(&bus, bundle).await?;
    let accepted = signed.data.decision.as_ref().map(|it| it.result);
    let told = &event.data;
    receipt::tell(&bundle, &told.from, &told.submission, args.key.as_deref(), format)?;
    if published == Published::AlreadyThere {
        note(
            "This very document was added before; nothing changed. Another `@id` or timestamp makes it another one.",
        );
    } else if accepted == Some(DecisionResult::Accepted) {
        tell_changes(&bus, &event, format).await?;
    }
    Ok(())
}

/// The same document about the same project is the same submission.
fn submitted(upload: &Upload, scope: Scope) -> Envelope<DocumentSubmitted> {
    let submission = SubmissionId::for_text(&upload.input.digest.to_string());
    let manifest = Manifest { document: upload.input.clone(), bundle: None };
    let from = Sender::Operator(scope);
    let data = DocumentSubmitted { from, submission, content: Content::Named(manifest) };
    #[allow(clippy::disallowed_methods, reason = "the document is submitted now")]
    let now = Timestamp::now();
    let (source, scope) = (Label::of("/attestry/cli"), data.from.scope());
    Envelope::root(source, now, Priority::Background, scope, data)
}

/// Says on stderr which backlog entries the document closed or opened.
async fn tell_changes(
    bus: &Bus,
    event: &Envelope<DocumentSubmitted>,
    format: Format,
) -> Result<(), Failure> {
    if format == Format::Json {
        return Ok(());
    }
    let mapped = bus.wait_for::<BacklogMapped>(&event.scope, None, event.correlation);
    let Ok(mapped) = tokio::time::timeout(MAPPING_PATIENCE, mapped).await else {
        note("The backlog-mapper has not answered yet; see `attestry backlog list`.");
        return Ok(());
    };
    let mapped = mapped?.map_err(|entry| quarantined(&entry))?.data;
    let listed =
        |labels: &[Label]| labels.iter().map(Label::to_string).collect::<Vec<_>>().join(", ");
    match (mapped.closed.is_empty(), mapped.opened.is_empty()) {
        (true, true) => note("No backlog entry changed."),
        _ => {
            for (what, labels) in [("Closed", &mapped.closed), ("Opened", &mapped.opened)] {
                if !labels.is_empty() {
                    note(&format!("{what} {}", listed(labels)));
                }
            }
        }
    }
    Ok(())
}
