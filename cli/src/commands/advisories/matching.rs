//! `attestry advisories match`: findings of one SBOM or lockfile, and which of them VEX suppresses.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use advisories::{Index, Match, Package};
use documents::vex::{self, Authority, Court, Part, Source, Target};
use events::Digest;
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
    after_help = "Exit codes: 0 nothing found that counts, 1 findings that count, 2 wrong input, 3 could not find out.\nSuppressed and undecided findings and records that only inform (such as unmaintained) do not count.\n\nExamples:\n  attestry advisories match uv.lock\n  attestry advisories match sbom.json --from osv/ --vex product.openvex.json --format text"
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
    /// The VEX statement that counts.
    pub(super) vex: Option<Said>,
}

/// Whether a finding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Affected,
    Suppressed,
    /// Records name the package only by commits, so that nobody can say.
    Undecided,
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

/// What is said: by the SBOM about itself, and by the documents that were named beside it.
struct Voices {
    own: Court,
    named: Court,
    /// Where each document lies.
    files: BTreeMap<Digest, String>,
    now: Timestamp,
}

/// How much was looked up, and what was found.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) components: usize,
    pub(super) unmatched: BTreeMap<Unmatched, usize>,
    pub(super) affected: usize,
    pub(super) suppressed: usize,
    pub(super) undecided: usize,
    pub(super) informational: usize,
}

pub(super) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let inventory = Inventory::read(&args.file)?;
    let voices = Voices::hear(args, &inventory)?;
    let index = args.knowledge.index()?;
    let (findings, tally) = find(&args.file, &inventory, &voices, &index);
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

impl Voices {
    /// Whoever names a document answers for it: it counts more than what the SBOM says of itself.
    fn hear(args: &Args, inventory: &Inventory) -> Result<Self, Failure> {
        #[allow(clippy::disallowed_methods, reason = "nothing was said later than now")]
        let now = Timestamp::now();
        let source = |authority, document| Source {
            who: "caller".to_owned(),
            authority,
            document,
            edition: None,
            said: None,
            accepted: now,
            valid_for: None,
        };
        let files = BTreeMap::from([(inventory.digest, args.file.display().to_string())]);
        let mut voices = Self { own: Court::default(), named: Court::default(), files, now };
        voices.own.hear(source(Authority::Itself, inventory.digest), &inventory.statements);
        for path in &args.vex {
            let file = path.display().to_string();
            let bytes = read(path).map_err(|why| Failure::Input(format!("{file}: {why}")))?;
            let document =
                vex::read(&bytes).map_err(|error| Failure::Input(format!("{file}: {error}")))?;
            let digest = Digest::of(&bytes);
            let source = Source {
                edition: document.edition,
                said: document.timestamp,
                ..source(Authority::Scope, digest)
            };
            voices.named.hear(source, &document.statements);
            voices.files.entry(digest).or_insert(file);
        }
        Ok(voices)
    }
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
    voices: &Voices,
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
        let matches = index.matches(package).into_iter().map(|it| (it, State::Affected));
        let undecided = index.undecided(package).into_iter().map(|it| (it, State::Undecided));
        for (vulnerability, found) in matches.chain(undecided) {
            let (state, vex) = judge(&vulnerability, found, item, inventory, voices);
            tally.add(state, &vulnerability);
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

impl Tally {
    fn add(&mut self, state: State, vulnerability: &Match) {
        match state {
            State::Suppressed => self.suppressed += 1,
            State::Undecided => self.undecided += 1,
            State::Affected if vulnerability.informational.is_some() => self.informational += 1,
            State::Affected => self.affected += 1,
        }
    }
}

/// Which statement counts, by the table that backlog and gate rule by, and what it makes of what was `found`.
fn judge(
    vulnerability: &Match,
    found: State,
    item: &Item,
    inventory: &Inventory,
    voices: &Voices,
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
    let ruling = voices.named.rule(&voices.own, &target, voices.now);
    let Some(counts) = ruling.counts() else { return (found, None) };
    let said = counts.statement;
    let state = if said.status.suppresses() { State::Suppressed } else { found };
    let said = Said {
        status: said.status.as_str(),
        justification: said.justification.clone(),
        statement: said.statement.clone(),
        timestamp: said.timestamp,
        file: voices.files.get(&counts.source.document).cloned().unwrap_or_default(),
    };
    (state, Some(said))
}
