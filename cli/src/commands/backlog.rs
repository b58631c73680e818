//! `attestry backlog`: what is to be done about known vulnerabilities, by whom, until when.

mod sync;

use std::{
    fmt::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use advisories::{Confidence, MatchRule};
use backlog_mapper::{
    export::{Form, json::Backlog},
    queries::{Asked, BACKLOG, BacklogQuestion, Head},
    register::{EntryRow, VulnerabilityRow, need},
};
use bus::Bus;
use events::Digest;
use jiff::{SignedDuration, Timestamp, Zoned, civil::Date, tz::TimeZone};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    client::ClientArgs,
    failure::Failure,
    output::{self, Format, note},
};

/// How long a question waits for its answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// How often an answer that changes between its parts is asked for anew.
const ATTEMPTS: usize = 5;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List entries: open ones, the worst first
    #[command(
        after_help = "Examples:\n  attestry backlog list\n  attestry backlog list --all --format json"
    )]
    List {
        /// Closed ones too
        #[arg(long)]
        all: bool,
        /// Only those of this project or supplier
        #[arg(long, value_name = "NAME")]
        scope: Option<String>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show one entry: vulnerabilities, what is suppressed and why, history
    #[command(after_help = "Example:\n  attestry backlog show HOTPASS-3f9a1c")]
    Show {
        /// Its id
        id: String,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Print the whole backlog as a document: Markdown, unless --format says json or csv
    #[command(
        after_help = "Examples:\n  attestry backlog export -o remediation-backlog.md\n  attestry backlog export --format csv -o remediation-backlog.csv\n  attestry backlog export --as-of 2026-09-30"
    )]
    Export(Export),
    /// Bring tickets up to date now, or tell what would be done
    #[command(
        after_help = "Examples:\n  attestry backlog sync --dry-run\n  attestry backlog sync --format json"
    )]
    Sync(sync::Sync),
}

/// Where an export goes.
#[derive(clap::Args)]
pub(crate) struct Export {
    /// Write it there instead of printing it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// As it was then: a day, to its end in UTC, or a time such as 2026-09-30T12:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    as_of: Option<Timestamp>,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::List { all, scope, client } => {
            let bus = client.connect().await?;
            let question = BacklogQuestion::Export(Form::Json);
            let backlog: Backlog = parsed(&ask(&bus, BACKLOG, &question).await?)?;
            let mut entries = backlog.entries;
            entries.retain(|it| all || it.status.is_open());
            entries.retain(|it| scope.as_deref().is_none_or(|scope| it.scope.as_str() == scope));
            #[allow(clippy::disallowed_methods, reason = "what is overdue depends on the day")]
            let now = Timestamp::now();
            list(&entries, now, format)
        }
        Command::Show { id, client } => {
            let bus = client.connect().await?;
            let shown = ask(&bus, BACKLOG, &BacklogQuestion::Show(id.clone())).await?;
            if shown.is_none() {
                return Err(Failure::No(format!("no backlog entry has the id {id}")));
            }
            let entry: EntryRow = parsed(&shown)?;
            output::result(format, &output::plain(&text(&entry)), &entry)
        }
        Command::Export(export) => {
            export.run(BACKLOG, BacklogQuestion::Export, BacklogQuestion::ExportAsOf, format).await
        }
        Command::Sync(sync) => sync.run(format).await,
    }
}

/// A time, or the end of a day.
fn moment(text: &str) -> Result<Timestamp, String> {
    let day = text.parse::<Date>().ok().and_then(|day| day.tomorrow().ok());
    let end = day.and_then(|next| next.to_zoned(TimeZone::UTC).ok());
    let just_before = |end: Zoned| end.timestamp().saturating_sub(SignedDuration::from_micros(1));
    match end {
        Some(end) => just_before(end).map_err(|error| error.to_string()),
        None => text.parse().map_err(|_| {
            format!("{text:?} is neither a day such as 2026-09-30 nor a time such as 2026-09-30T12:00:00Z")
        }),
    }
}

impl Export {
    /// Asks `topic` for the document in the form that `format` names, and hands it over.
    pub(crate) async fn run<Q: Serialize>(
        self,
        topic: &str,
        now: fn(Form) -> Q,
        then: fn(Form, Timestamp) -> Q,
        format: Format,
    ) -> Result<(), Failure> {
        let form = match format {
            Format::Json => Form::Json,
            Format::Csv => Form::Csv,
            Format::Text | Format::Markdown => Form::Markdown,
        };
        let bus = self.client.connect().await?;
        let question = self.as_of.map_or_else(|| now(form), |time| then(form, time));
        let Some(document) = ask(&bus, topic, &question).await? else {
            return Err(Failure::No(
                "nothing was recorded by then; see `last_updated` of the export for what is"
                    .to_owned(),
            ));
        };
        match self.output {
            Some(path) => write(&path, &document),
            // It is what was asked for as it is, JSON too.
            None => output::result(Format::Text, &document, &()),
        }
    }
}

/// What the backlog mapper answers to `question` about `topic`, in as many parts as it takes; none
/// if there is nothing of that name.
pub(crate) async fn ask(
    bus: &Bus,
    topic: &str,
    question: &impl Serialize,
) -> Result<Option<String>, Failure> {
    for _ in 0..ATTEMPTS {
        let mut bytes = Vec::new();
        loop {
            let asked = Asked { question, offset: bytes.len() };
            let asked = serde_json::to_vec(&asked).map_err(Failure::unknown)?;
            let answer = bus.ask(topic, asked.into(), ANSWER_PATIENCE).await?;
            let line = answer.iter().position(|byte| *byte == b'\n').ok_or_else(garbled)?;
            let (size, digest) = match parsed(&std::str::from_utf8(&answer[..line]).ok())? {
                Head::Known { size, digest } => (size, digest),
                Head::Nothing => return Ok(None),
                Head::Error(why) => return Err(Failure::Unknown(why)),
            };
            let part = &answer[line + 1..];
            bytes.extend_from_slice(part);
            if bytes.len() < size && !part.is_empty() {
                continue;
            }
            if Digest::of(&bytes) == digest {
                return String::from_utf8(bytes).map(Some).map_err(|_| garbled());
            }
            break;
        }
    }
    Err(Failure::unknown("the backlog changes faster than it can be read; ask again"))
}

/// An answer as what it should be.
pub(crate) fn parsed<T: DeserializeOwned>(answer: &Option<impl AsRef<str>>) -> Result<T, Failure> {
    let text = answer.as_ref().ok_or_else(garbled)?;
    serde_json::from_str(text.as_ref()).map_err(|_| garbled())
}

fn garbled() -> Failure {
    let remedy = "use the same release of attestry and attestry-backlog-mapper";
    Failure::Unknown(format!("the backlog mapper's answer is not readable; {remedy}"))
}

fn write(path: &Path, document: &str) -> Result<(), Failure> {
    let written = std::fs::write(path, document);
    written.map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
}

fn list(entries: &[EntryRow], now: Timestamp, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return entries.iter().try_for_each(|entry| output::result(format, "", entry));
    }
    if entries.is_empty() {
        note("nothing to do: no open backlog entry");
        return Ok(());
    }
    let width = entries.iter().map(|it| it.id.len()).max().unwrap_or_default();
    let lines: Vec<String> = entries.iter().map(|entry| line(entry, width, now)).collect();
    output::result(format, &output::plain(&lines.join("\n")), &())
}

fn line(entry: &EntryRow, width: usize, now: Timestamp) -> String {
    let EntryRow { id, priority, severity, status, due, owner, title, .. } = entry;
    let overdue = if status.is_open() && entry.overdue_from <= now { " OVERDUE" } else { "" };
    let (class, severity, status) = (priority.class.as_str(), severity.as_str(), status.as_str());
    format!("{id:width$}  {class}  {severity:8}  {status:10}  due {due}{overdue}  {owner}  {title}")
}

/// What is known of the exploitation of a vulnerability, and how it was found, where that is worth a line.
fn facts(it: &VulnerabilityRow) -> Vec<String> {
    let mut facts = Vec::new();
    if it.malicious {
        facts.push("the package itself is the attack".to_owned());
    }
    if let Some(kev) = &it.kev {
        let ransomware = if kev.ransomware { ", by ransomware too" } else { "" };
        facts.push(format!("exploited since {} at the latest{ransomware} (KEV)", kev.date_added));
    }
    if let Some(epss) = it.epss {
        facts.push(format!("exploited within 30 days with probability {epss:.3} (EPSS)"));
    }
    match (it.rule, it.confidence) {
        (Some(MatchRule::Reported), _) => facts.push("reported by the document itself".to_owned()),
        (_, Some(Confidence::Low)) => facts.push("found with low confidence".to_owned()),
        (_, Some(Confidence::Medium)) => facts.push("found with medium confidence".to_owned()),
        (_, Some(Confidence::High) | None) => {}
    }
    facts
}

/// One entry with everything about it.
fn text(entry: &EntryRow) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    describe(&mut text, entry).unwrap_or_default();
    text
}

fn describe_vulnerabilities(out: &mut String, entry: &EntryRow) -> fmt::Result {
    writeln!(out, "  vulnerabilities")?;
    for it in &entry.vulnerabilities {
        let fixed =
            it.fixed.as_ref().map_or("no fix known".to_owned(), |it| format!("fixed in {it}"));
        writeln!(out, "    {}  {}, {fixed}  {}", it.id, it.severity, it.summary)?;
        for component in &it.components {
            writeln!(out, "      in {component}")?;
        }
        for fact in facts(it) {
            writeln!(out, "      {fact}")?;
        }
        if !it.aliases.is_empty() {
            writeln!(out, "      also {}", it.aliases.join(", "))?;
        }
    }
    Ok(())
}

/// Where the package is, as far as documents tell.
fn describe_place(out: &mut String, entry: &EntryRow) -> fmt::Result {
    if entry.artifacts > 1 {
        writeln!(out, "  same in    {} products", entry.artifacts)?;
    }
    if let Some(lock) = &entry.lock {
        writeln!(out, "  lock       {lock}")?;
    }
    if !entry.path.is_empty() {
        writeln!(out, "  path       {}", entry.way())?;
    }
    if let Some(scope) = entry.need {
        writeln!(out, "  need       {}", need(scope))?;
    }
    Ok(())
}

fn describe(out: &mut String, entry: &EntryRow) -> fmt::Result {
    let EntryRow { id, title, severity, status, owner, due, first_seen, evidence, .. } = entry;
    writeln!(out, "{id}  {title}")?;
    writeln!(out, "  status     {}, since {:.0}", status.as_str(), entry.since)?;
    let priority = &entry.priority;
    writeln!(
        out,
        "  priority   {}, {} = {}",
        priority.class.as_str(),
        priority.score,
        priority.sum()
    )?;
    writeln!(out, "  severity   {severity}")?;
    writeln!(out, "  owner      {owner}")?;
    writeln!(out, "  due        {due}, first seen {first_seen:.0}")?;
    writeln!(out, "  product    {} of {} {}", entry.product, entry.kind, entry.scope)?;
    describe_place(out, entry)?;
    writeln!(out, "  document   {}", evidence.document)?;
    if let Some(index) = evidence.advisories {
        writeln!(out, "  advisories {index}")?;
    }
    writeln!(out, "  event      {}", evidence.event)?;
    describe_vulnerabilities(out, entry)?;
    if !entry.suppressed.is_empty() {
        writeln!(out, "  suppressed")?;
    }
    for it in &entry.suppressed {
        writeln!(out, "    {} in {}", it.id, it.component)?;
        writeln!(out, "      {} ({})", it.suppression, it.suppression.document)?;
    }
    if !entry.heard.is_empty() {
        writeln!(out, "  said as well")?;
    }
    for it in &entry.heard {
        writeln!(out, "    {} in {}", it.id, it.component)?;
        writeln!(out, "      {} ({})", it.heard, it.heard.document)?;
    }
    for it in &entry.tickets {
        let url = it.url.as_deref().unwrap_or("asked for");
        let state = it.open.map_or("", |open| if open { ", open" } else { ", closed" });
        let who = it.assignee.as_ref().map_or(String::new(), |who| format!(", assigned to {who}"));
        writeln!(out, "  ticket     {url} ({}{state}{who})", it.tracker)?;
    }
    writeln!(out, "  history")?;
    for change in &entry.history {
        writeln!(out, "    {:.0}  {:10}  {}", change.time, change.to.as_str(), change.why)?;
    }
    Ok(())
}
