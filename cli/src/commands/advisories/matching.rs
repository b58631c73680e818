//! `attestry advisories match`: findings of one SBOM or lockfile, and which of them VEX suppresses.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use advisories::{Index, Match, Package};
use documents::vex::{self, Part, Statement, Status, Target};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    Knowledge,
    inventory::{Inventory, Item, Unmatched},
    render,
};
use crate::{
    failure::Failure,
    output::{self, Format},
    read,
};

/// Largest VEX document that is read, in bytes.
const MAX_VEX_BYTES: usize = 64 * 1024 * 1024;
/// Remarks about the file that are told one by one.
const SHOWN_NOTES: usize = 10;

#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 nothing found that counts, 1 findings that count, 2 wrong input, 3 could not find out.\nSuppressed findings and records that only inform (such as unmaintained) do not count.\n\nExamples:\n  attestry advisories match uv.lock\n  attestry advisories match sbom.json --from osv/ --vex product.openvex.json --format text"
)]
pub(crate) struct Args {
    /// A CycloneDX SBOM (JSON) or a lockfile
    #[arg(value_name = "SBOM|LOCKFILE")]
    file: PathBuf,
    /// VEX document, OpenVEX, CycloneDX or CSAF: what it says is not affected or fixed is suppressed
    #[arg(long, value_name = "FILE")]
    vex: Vec<PathBuf>,
    #[command(flatten)]
    knowledge: Knowledge,
}

/// A vulnerability in one component.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// The SBOM or lockfile, as it was named.
    pub(super) file: String,
    /// `bom-ref` of the component.
    pub(super) component: Option<String>,
    pub(super) purl: Option<String>,
    /// Ecosystem, name and version that were looked up.
    #[serde(flatten)]
    pub(super) package: Package,
    #[serde(flatten)]
    pub(super) vulnerability: Match,
    pub(super) state: State,
    /// The VEX statement that was said last.
    pub(super) vex: Option<Said>,
}

/// Whether a finding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Affected,
    Suppressed,
}

/// What a VEX statement says.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Said {
    pub(super) status: &'static str,
    pub(super) justification: Option<String>,
    pub(super) statement: Option<String>,
    pub(super) timestamp: Option<Timestamp>,
    /// The file that says it.
    pub(super) file: String,
}

/// A statement and the file that makes it.
struct Spoken {
    file: String,
    statement: Statement,
}

/// How much was looked up, and what was found.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) components: usize,
    pub(super) unmatched: BTreeMap<Unmatched, usize>,
    pub(super) affected: usize,
    pub(super) suppressed: usize,
    pub(super) informational: usize,
}

pub(super) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let inventory = Inventory::read(&args.file)?;
    let spoken = statements(args, &inventory)?;
    let index = args.knowledge.index()?;
    let (findings, tally) = find(&args.file, &inventory, &spoken, &index);
    for note in inventory.notes.iter().take(SHOWN_NOTES) {
        output::note(&format!("{}: {note}", args.file.display()));
    }
    if format == Format::Json {
        findings.iter().try_for_each(|it| output::result(format, "", it))?;
    } else {
        output::result(format, &render::findings(&findings), &())?;
    }
    output::note(&render::summary(&args.file, &tally, &index));
    if tally.affected > 0 { Err(Failure::No(String::new())) } else { Ok(()) }
}

/// All that is said: by the SBOM itself, and then by the documents in the order given.
fn statements(args: &Args, inventory: &Inventory) -> Result<Vec<Spoken>, Failure> {
    let own = inventory.statements.iter().map(|statement| Spoken {
        file: args.file.display().to_string(),
        statement: statement.clone(),
    });
    let mut spoken: Vec<_> = own.collect();
    for path in &args.vex {
        let file = path.display().to_string();
        let bytes = read(path).map_err(|why| Failure::Input(format!("{file}: {why}")))?;
        let document =
            vex::read(&bytes).map_err(|error| Failure::Input(format!("{file}: {error}")))?;
        let said = |statement| Spoken { file: file.clone(), statement };
        spoken.extend(document.statements.into_iter().map(said));
    }
    Ok(spoken)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = read::up_to(MAX_VEX_BYTES, path).map_err(|error| error.to_string())?;
    if bytes.len() > MAX_VEX_BYTES {
        return Err(format!("is larger than {} MiB", MAX_VEX_BYTES / (1024 * 1024)));
    }
    Ok(bytes)
}

fn find(
    file: &Path,
    inventory: &Inventory,
    spoken: &[Spoken],
    index: &Index,
) -> (Vec<Finding>, Tally) {
    let mut findings = Vec::new();
    let mut tally = Tally { components: inventory.items.len(), ..Tally::default() };
    for item in &inventory.items {
        let package = match &item.package {
            Ok(package) => package,
            Err(why) => {
                *tally.unmatched.entry(why.clone()).or_default() += 1;
                continue;
            }
        };
        for vulnerability in index.matches(package) {
            let (state, vex) = judge(&vulnerability, item, inventory, spoken);
            match state {
                State::Suppressed => tally.suppressed += 1,
                State::Affected if vulnerability.informational.is_some() => {
                    tally.informational += 1
                }
                State::Affected => tally.affected += 1,
            }
            findings.push(Finding {
                file: file.display().to_string(),
                component: item.bom_ref.clone(),
                purl: item.purl.clone(),
                package: package.clone(),
                vulnerability,
                state,
                vex,
            });
        }
    }
    let key =
        |it: &Finding| (it.package.clone(), it.vulnerability.id.clone(), it.component.clone());
    findings.sort_by_cached_key(key);
    (findings, tally)
}

/// The statement made last counts: by its time, and at one time by its place.
fn judge(
    vulnerability: &Match,
    item: &Item,
    inventory: &Inventory,
    spoken: &[Spoken],
) -> (State, Option<Said>) {
    let target = Target {
        vulnerability: &vulnerability.id,
        aliases: &vulnerability.aliases,
        component: item.part(),
        subject: inventory.subject.as_ref().map_or_else(Part::default, Item::part),
        serial: inventory.serial.as_deref(),
        bom_version: inventory.bom_version,
        digests: &[inventory.digest],
    };
    let applying = spoken.iter().filter(|it| it.statement.applies_to(&target));
    let Some(last) = applying.max_by_key(|it| it.statement.timestamp) else {
        return (State::Affected, None);
    };
    let state = match last.statement.status {
        Status::NotAffected | Status::Fixed => State::Suppressed,
        Status::Affected | Status::UnderInvestigation => State::Affected,
    };
    let said = Said {
        status: last.statement.status.as_str(),
        justification: last.statement.justification.clone(),
        statement: last.statement.statement.clone(),
        timestamp: last.statement.timestamp,
        file: last.file.clone(),
    };
    (state, Some(said))
}
