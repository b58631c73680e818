//! `attestry sbom diff`: what changed between two SBOMs or lockfiles.

use std::{
    cmp::Ordering,
    fmt::Write,
    path::{Path, PathBuf},
};

use advisories::Ecosystem;
use documents::{
    Kind,
    cyclonedx::{self, SbomInput, SpecVersion},
    detect,
    diff::{self, Change, ChangeKind, CompareError, Difference, Side},
    lockfile,
};
use serde_json::Value;

use super::{at_fault, read_document};
use crate::{
    failure::Failure,
    output::{self, Format},
};

/// Changes of one kind that are told to people; `--format json` has more.
const SHOWN_CHANGES: usize = 50;

#[derive(clap::Args)]
#[command(
    after_help = "Versions are compared by the rules of their ecosystem. Exit code 0: the same; 1: different.\n\nExample:\n  attestry sbom diff release-1.json release-2.json"
)]
pub(crate) struct Args {
    /// The SBOM (CycloneDX 1.2 to 1.7 as JSON or XML) or lockfile that came first
    old: PathBuf,
    /// The one that came later
    new: PathBuf,
}

pub(super) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let [old, new] = [read(&args.old)?, read(&args.new)?];
    let difference = diff::compare(&old, &new, order).map_err(|error| match error {
        CompareError::Old(error) => at_fault(&args.old, error),
        CompareError::New(error) => at_fault(&args.new, error),
    })?;
    let text = text(args, &difference);
    output::result(format, &output::plain(&text), &difference)?;
    if difference.same { Ok(()) } else { Err(Failure::No(String::new())) }
}

fn order(purl_type: &str, a: &str, b: &str) -> Option<Ordering> {
    Ecosystem::ordering(purl_type).map(|it| it.order(a, b))
}

/// The bytes of an SBOM; of a lockfile, the SBOM that would be made of it.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = read_document(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match detect(&bytes) {
        Kind::Unknown if lockfile::is_known(&name) => {
            let inventory = lockfile::parse(&name, &bytes).map_err(|it| at_fault(path, it))?;
            Ok(of_lockfile(inventory))
        }
        _ => Ok(bytes),
    }
}

/// Without a subject: a lockfile does not say what is built.
fn of_lockfile(inventory: documents::inventory::Inventory) -> Vec<u8> {
    let sbom = cyclonedx::write(&SbomInput {
        project: "project",
        inventories: &[inventory],
        spec_version: SpecVersion::V1_6,
        tool_version: env!("CARGO_PKG_VERSION"),
        ..SbomInput::default()
    });
    let Ok(mut document) = serde_json::from_slice::<Value>(&sbom) else { return sbom };
    if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("component");
    }
    document.to_string().into_bytes()
}

fn text(args: &Args, difference: &Difference) -> String {
    let Difference { same, old, new, counts, changes } = difference;
    let [from, to] = [(&args.old, old), (&args.new, new)].map(|(path, side)| about(path, side));
    if *same {
        return format!("{from}\n{to}\nNothing changed.");
    }
    let mut text = format!("{from}\n{to}\n");
    // Writing to a `String` cannot fail.
    for (&kind, &count) in counts {
        _ = writeln!(text, "\n{} ({count})", title(kind));
        let of_kind = changes.iter().filter(|it| it.kind == kind);
        for change in of_kind.take(SHOWN_CHANGES) {
            _ = writeln!(text, "  {}", line(change));
        }
        if count > SHOWN_CHANGES {
            _ = writeln!(text, "  … and {} more; --format json tells more", count - SHOWN_CHANGES);
        }
    }
    text
}

fn about(path: &Path, side: &Side) -> String {
    let subject = side.subject.as_deref().map(|it| format!("{it}, ")).unwrap_or_default();
    format!("{}: {subject}{} components", path.display(), side.components)
}

fn title(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::HashChanged => {
            "SUSPICIOUS: OTHER BYTES UNDER THE SAME VERSION. Find out why before you use them"
        }
        ChangeKind::Downgraded => "Downgraded",
        ChangeKind::Upgraded => "Upgraded",
        ChangeKind::VersionChanged => "Another version, in no known order",
        ChangeKind::Added => "Added",
        ChangeKind::Removed => "Removed",
        ChangeKind::LicenceChanged => "Licence changed",
        ChangeKind::SupplierChanged => "Supplier changed",
        ChangeKind::ScopeChanged => "Scope changed",
        ChangeKind::SubjectChanged => "Another subject",
    }
}

fn line(change: &Change) -> String {
    let Change { kind, package, version, from, to } = change;
    let mark = match kind {
        ChangeKind::HashChanged => '!',
        ChangeKind::Downgraded => '↓',
        ChangeKind::Upgraded => '↑',
        ChangeKind::Added => '+',
        ChangeKind::Removed => '-',
        _ => '~',
    };
    let version = version.as_deref().map(|it| format!(" {it}")).unwrap_or_default();
    let side = |it: &Option<String>| it.clone().unwrap_or_else(|| "(none)".to_owned());
    match kind {
        ChangeKind::Added | ChangeKind::Removed => {
            let which = to.as_ref().or(from.as_ref()).map(|it| format!(" {it}"));
            format!("{mark} {package}{}", which.unwrap_or_default())
        }
        ChangeKind::HashChanged => {
            format!("{mark} {package}{version}\n      was {}\n      is  {}", side(from), side(to))
        }
        _ => format!("{mark} {package}{version}  {} → {}", side(from), side(to)),
    }
}
