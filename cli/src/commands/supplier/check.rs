//! `attestry supplier check`: what would be decided about a document, before it is sent.

use std::{path::PathBuf, sync::Arc};

use advisories::CurrentIndex;
use attestation::TrustRoot;
use events::{DocumentKind, Label, SupplierId};
use jiff::Timestamp;
use supplier_ingest::{Checked, CheckedBy, MAX_DOCUMENT_BYTES, Passport, PassportDirectory, check};

use super::{passport, receipt, submit::Upload};
use crate::{
    commands::policy,
    failure::Failure,
    output::{self, Format},
};

#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 it would be accepted, 1 rejected, 2 wrong input.\n\nExamples:\n  attestry supplier check widget.cdx.json\n  attestry supplier check widget.cdx.json --bundle widget.cdx.json.sigstore.json --supplier acme"
)]
pub(crate) struct Args {
    /// The document
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Sigstore bundle over the document
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// By whose passport [default: one that asks for nothing but what everybody is asked for]
    #[arg(long, value_name = "ID")]
    supplier: Option<SupplierId>,
    #[command(flatten)]
    directory: passport::DirectoryArgs,
    /// Trusted root behind the certificates of identities [default: Sigstore's public good instance]
    #[arg(long, env, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// Directory of Rego policies, or an OPA bundle (*.tar.gz) [default: the library that ships with Attestry]
    #[arg(long, env, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// Directory of advisory indexes [default: no malware is known]
    #[arg(long, value_name = "DIR")]
    advisories: Option<PathBuf>,
    /// As if it were that time [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

pub(super) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let document = Upload::read(&args.file, MAX_DOCUMENT_BYTES)?.bytes;
    let max_bundle = attestation::verify::MAX_BUNDLE_BYTES as u64;
    let bundle = args.bundle.as_ref().map(|path| Upload::read(path, max_bundle)).transpose()?;
    let policy = policy::load(args.policy.as_deref())?;
    #[allow(clippy::disallowed_methods, reason = "what is at hand is judged as of now")]
    let now = args.at.unwrap_or_else(Timestamp::now);
    let by = CheckedBy {
        passport: Arc::new(args.passport()?),
        root: Arc::new(args.root()?),
        policy: &policy,
        advisories: match &args.advisories {
            Some(directory) => CurrentIndex::new(directory).get().map_err(Failure::input)?,
            None => None,
        },
        now,
    };
    let checked = check(document, bundle.map(|it| it.bytes), by).map_err(Failure::unknown)?;
    output::result(format, &text(&checked), &checked)?;
    match checked.accepted {
        true => Ok(()),
        false => Err(Failure::No(String::new())),
    }
}

impl Args {
    fn passport(&self) -> Result<Passport, Failure> {
        match &self.supplier {
            Some(supplier) => {
                let passports =
                    PassportDirectory::open(&self.directory.passports).map_err(Failure::input)?;
                passport::read(&passports, supplier)
            }
            None => {
                let id = "anybody".parse().map_err(Failure::unknown)?;
                Ok(Passport::new(id, Label::of("anybody"), vec![]))
            }
        }
    }

    fn root(&self) -> Result<TrustRoot, Failure> {
        let Some(path) = &self.trusted_root else {
            return TrustRoot::public_good().map_err(Failure::unknown);
        };
        let at_fault = |why: String| Failure::Input(format!("{}: {why}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| at_fault(error.to_string()))?;
        TrustRoot::from_json(&bytes).map_err(|error| at_fault(error.to_string()))
    }
}

fn text(checked: &Checked) -> String {
    let result = if checked.accepted { "WOULD BE ACCEPTED" } else { "WOULD BE REJECTED" };
    let mut text = format!("{result} {}\n", checked.digest);
    let kind = checked.kind.map(DocumentKind::as_str);
    receipt::add_read(&mut text, kind, checked.document.as_ref());
    receipt::add_steps(&mut text, &checked.steps);
    receipt::add_findings(&mut text, &checked.findings, checked.finding_count);
    text
}
