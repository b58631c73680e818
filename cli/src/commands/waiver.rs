//! `attestry waiver`: exceptions, signed by who may approve them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use attestation::Trust;
use events::Digest;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use policy_gate::{
    standing::{Standing, WAIVERS},
    waivers::{self, Scope, Waiver, bundle_of},
};
use serde::Serialize;
use signer::KeyArgs;

use crate::{
    client::{ANSWER_PATIENCE, ClientArgs},
    failure::Failure,
    output::{self, Format, note, plain},
};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Write a waiver and sign it as its approver
    #[command(
        after_help = "Example:\n  attestry waiver add --rule VULN-001 --component pkg:pypi/left@1.0 --vulnerability CVE-2026-1 --project app \\\n    --owner team-app --requested-by dev@acme.example --reason 'not reachable, see SEC-12' --expires 2026-12-31 --signing-key approver.pem"
    )]
    Add(Box<Add>),
    /// List waivers, and which of them count
    #[command(after_help = "Example:\n  attestry waiver list --approvers approvers.toml")]
    List {
        /// Directory of waivers
        #[arg(long, value_name = "DIR", default_value = "data/waivers")]
        waivers: PathBuf,
        /// Who may approve, TOML [default: signatures are not checked]
        #[arg(long, value_name = "FILE")]
        approvers: Option<PathBuf>,
    },
    /// Tell which waivers end soon, are not used, name no rule, or do not count, as the gate sees them; exit 1 if any
    #[command(after_help = "Example:\n  attestry waiver report")]
    Report {
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Remove a waiver: what it excepted is denied from the next build on
    #[command(after_help = "Example:\n  attestry waiver revoke sha256:2c26b46b")]
    Revoke {
        /// Digest of the waiver, or how it begins: at least eight digits
        #[arg(value_name = "ID")]
        id: String,
        /// Directory of waivers
        #[arg(long, value_name = "DIR", default_value = "data/waivers")]
        waivers: PathBuf,
    },
}

#[derive(clap::Args)]
pub(crate) struct Add {
    /// Directory of waivers
    #[arg(long, value_name = "DIR", default_value = "data/waivers")]
    waivers: PathBuf,
    /// Id of the rule
    #[arg(long, value_name = "ID", required_unless_present = "break_glass")]
    rule: Option<String>,
    /// Let one artifact pass whatever rules say, for 24 hours at most: everybody will see it
    #[arg(long, conflicts_with_all = ["rule", "component", "vulnerability"], requires = "artifact")]
    break_glass: bool,
    /// Package URL of the component [default: any]
    #[arg(long, value_name = "PURL")]
    component: Option<String>,
    /// The vulnerability, as the report names it [default: any]
    #[arg(long, value_name = "ID")]
    vulnerability: Option<String>,
    /// The project [default: any]
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Digest of an artifact of the build [default: any]
    #[arg(long, value_name = "DIGEST")]
    artifact: Option<Digest>,
    /// Who answers for it
    #[arg(long, value_name = "NAME")]
    owner: String,
    /// Who asked for it; somebody else than who signs
    #[arg(long, value_name = "NAME")]
    requested_by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Until when: a day, which still counts (UTC), or a time, RFC 3339; at most 90 days
    #[arg(long, value_name = "TIME", value_parser = until)]
    expires: Timestamp,
    #[command(flatten)]
    key: KeyArgs,
}

fn until(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let day: Date = text.parse().map_err(|error| format!("{error}; write 2026-12-31"))?;
    let next = day.tomorrow().map_err(|error| error.to_string())?;
    Ok(next.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?.timestamp())
}

#[derive(Serialize)]
struct Written<'a> {
    id: Digest,
    files: [&'a Path; 2],
}

#[derive(Serialize)]
struct Line<'a> {
    id: Digest,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    approver: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    waiver: &'a Waiver,
}

pub(crate) async fn run(command: &Command, format: Format) -> Result<(), Failure> {
    #[allow(clippy::disallowed_methods, reason = "a waiver is issued, and ends, by the clock")]
    let now = Timestamp::now();
    match command {
        Command::Add(add) => add.run(now, format),
        Command::List { waivers, approvers } => list(waivers, approvers.as_deref(), now, format),
        Command::Report { client } => report(client, format).await,
        Command::Revoke { id, waivers } => revoke(id, waivers, format),
    }
}

impl Add {
    fn run(&self, now: Timestamp, format: Format) -> Result<(), Failure> {
        let rule = match self.break_glass {
            true => waivers::EVERY_RULE.to_owned(),
            false => self.rule.clone().unwrap_or_default(),
        };
        let mut waiver = Waiver {
            schema: waivers::Schema::V1,
            owner: self.owner.clone(),
            requested_by: self.requested_by.clone(),
            reason: self.reason.clone(),
            scope: Scope {
                rule,
                component: self.component.clone(),
                vulnerability: self.vulnerability.clone(),
                project: self.project.clone(),
                artifact: self.artifact,
            },
            issued: now,
            expires: self.expires,
            renewal: 0,
        };
        if self.waivers.exists() {
            let others = waivers::read(&self.waivers).map_err(Failure::input)?;
            waiver.renewal = waiver.renews(others.iter().flatten().map(|(_, it)| it));
        }
        waiver.check().map_err(Failure::Input)?;
        let key = self.key.load().map_err(Failure::input)?;
        let text = serde_json::to_string_pretty(&waiver).map_err(Failure::unknown)?;
        let bundle = key.sign_file(text.as_bytes()).map_err(Failure::unknown)?;
        let id = Digest::of(text.as_bytes());
        let rule = self.rule.as_deref().unwrap_or("OVERRIDE");
        let name: String =
            rule.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '-').collect();
        let path = self.waivers.join(format!("{name}-{}.json", &id.hex()[..12]));
        let bundle_path = bundle_of(&path);
        // The bundle first: a waiver without one is a warning in the gate's log.
        let written = fs::create_dir_all(&self.waivers)
            .and_then(|()| fs::write(&bundle_path, bundle))
            .and_then(|()| fs::write(&path, &text));
        written.map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
        let said = format!("{id}\nwrote {}\nwrote {}", path.display(), bundle_path.display());
        output::result(format, &said, &Written { id, files: [&path, &bundle_path] })
    }
}

fn list(
    directory: &Path,
    approvers: Option<&Path>,
    now: Timestamp,
    format: Format,
) -> Result<(), Failure> {
    let approvers = approvers.map(trust).transpose()?.map(|it| it.at(now));
    if !directory.exists() {
        note("no waivers");
        return Ok(());
    }
    let found = waivers::read(directory).map_err(Failure::input)?;
    match (&approvers, found.is_empty()) {
        (_, true) => note("no waivers"),
        (None, false) => {
            note("signatures are not checked: give --approvers, or ask the gate: waiver report")
        }
        (Some(_), false) => {}
    }
    for found in found {
        let (path, waiver) = match found {
            Ok(found) => found,
            Err(error) => {
                note(&format!("does not count: {error}"));
                continue;
            }
        };
        let bytes = fs::read(&path).map_err(Failure::unknown)?;
        let checked = approvers.as_ref().map(|it| waivers::approved(&path, it, &Trust::new()));
        let (approver, problem) = match checked {
            None => (None, None),
            Some(Ok(approved)) => (Some(approved.approver), None),
            Some(Err(error)) => (None, Some(error.to_string())),
        };
        let state = match (&problem, waiver.is_active(now)) {
            (Some(_), _) => "invalid",
            (None, true) => "active",
            (None, false) => "expired",
        };
        let id = Digest::of(&bytes);
        let line = Line { id, state, approver: approver.as_deref(), problem, waiver: &waiver };
        output::result(format, &plain(&line.text()), &line)?;
    }
    Ok(())
}

async fn report(client: &ClientArgs, format: Format) -> Result<(), Failure> {
    let bus = client.connect().await?;
    let answer = bus.ask(WAIVERS, "".into(), ANSWER_PATIENCE).await?;
    let standings: Vec<Standing> = serde_json::from_slice(&answer)
        .map_err(|_| Failure::unknown("the policy-gate cannot read its waivers now"))?;
    let wanting = standings.iter().filter(|it| it.states.iter().any(|it| it.wants_attention()));
    let wanting = wanting.count();
    for standing in &standings {
        output::result(format, &plain(&told(standing)), standing)?;
    }
    match wanting {
        0 => Ok(()),
        _ => Err(Failure::No(format!("{wanting} of {} waivers want attention", standings.len()))),
    }
}

fn told(standing: &Standing) -> String {
    let Standing { id, waiver, approver, states, last_used, problem } = standing;
    let states: Vec<_> = states.iter().map(|it| it.as_str()).collect();
    let state = states.join(", ");
    let (state, approver) = (state.as_str(), approver.as_deref());
    let mut text = match waiver {
        Some(waiver) => Line { id: *id, state, approver, problem: problem.clone(), waiver }.text(),
        None => format!("{id}  {state}\n  {}\n", problem.as_deref().unwrap_or("cannot be read")),
    };
    if let Some(used) = last_used {
        text.push_str(&format!("  excepted something of {} last at {}\n", used.project, used.time));
    }
    text
}

impl Line<'_> {
    fn text(&self) -> String {
        let Waiver { owner, requested_by, reason, scope, expires, .. } = self.waiver;
        let Scope { rule, component, vulnerability, project, artifact } = scope;
        let rule = if self.waiver.is_override() { "OVERRIDE" } else { rule.as_str() };
        let artifact = artifact.map(|it| it.to_string());
        let parts = [component, vulnerability, project, &artifact];
        let of: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        let mut text = format!(
            "{}  {}  {rule} {}\n  until {expires}, owner {owner}, asked by {requested_by}: {reason}\n",
            self.id,
            self.state,
            of.join(" ")
        );
        if let Some(approver) = self.approver {
            text.push_str(&format!("  approved by {approver}\n"));
        }
        if let Some(problem) = &self.problem {
            text.push_str(&format!("  {problem}\n"));
        }
        text
    }
}

fn revoke(id: &str, directory: &Path, format: Format) -> Result<(), Failure> {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    if digits.len() < 8 {
        return Err(Failure::Input(format!("`{}`: give at least eight digits", id.escape_debug())));
    }
    let found = waivers::read(directory).map_err(Failure::input)?;
    let mut matching = Vec::new();
    for (path, _) in found.into_iter().flatten() {
        let digest = Digest::of(&fs::read(&path).map_err(Failure::unknown)?);
        if digest.hex().starts_with(digits) {
            matching.push((path, digest));
        }
    }
    let [(path, digest)] = matching.as_slice() else {
        let count = matching.len();
        return Err(Failure::Input(format!("{count} waivers begin with {}", id.escape_debug())));
    };
    let bundle = bundle_of(path);
    // The waiver first: what is left over says nothing.
    fs::remove_file(path)
        .and_then(|()| fs::remove_file(&bundle))
        .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    output::result(
        format,
        &format!("removed {digest}"),
        &Written { id: *digest, files: [path, &bundle] },
    )
}

fn trust(path: &Path) -> Result<Trust, Failure> {
    let fault = |why: String| Failure::Input(format!("{}: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    let folder = path.parent().unwrap_or(path);
    let beside =
        |name: &str| fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"));
    Trust::from_toml(&text, beside).map_err(|error| fault(error.to_string()))
}
