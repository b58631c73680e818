//! `tickets.toml`: which entries have tickets where.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use advisories::Severity;
use events::{Label, Scope};
use serde::Deserialize;
use tickets::{
    Base, Clock, GitHub, GitHubSettings, Limits, Remote, SecretFile, Webhook, WebhookSettings,
};
use toml::Spanned;

use crate::{
    config::{self, ConfigError},
    priority::Class,
    register::EntryRow,
    slot::SlotKind,
};

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Most tickets that may be open at one tracker, unless the file says otherwise.
const OPEN_MAX: u64 = 200;
/// From which severity on a ticket is made, unless the file says otherwise.
const MINIMUM_SEVERITY: Severity = Severity::Medium;
const GITHUB_API: &str = "https://api.github.com";

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    github: Vec<Spanned<GitHubTable>>,
    #[serde(default)]
    webhook: Vec<Spanned<WebhookTable>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GitHubTable {
    repository: Label,
    token_file: Spanned<PathBuf>,
    api: Option<Address>,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    scopes: Vec<Scope>,
    kind: Option<SlotKind>,
    minimum_severity: Option<Severity>,
    open_max: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookTable {
    name: Label,
    url: Address,
    secret_file: Spanned<PathBuf>,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    scopes: Vec<Scope>,
    kind: Option<SlotKind>,
    minimum_severity: Option<Severity>,
    open_max: Option<u64>,
}

/// Which entries have tickets there.
struct Choice {
    /// Of these projects and suppliers; of all if empty.
    scopes: Vec<Scope>,
    /// Of projects, or of suppliers; of both without.
    kind: Option<SlotKind>,
    /// From this severity on a ticket is made.
    minimum_severity: Severity,
    /// Most tickets that may be open; no more are made.
    open_max: u64,
}

/// An address that a secret may be sent to.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Address(Base);

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Base::parse(&text).map(Self).map_err(|error| format!("the address {error}"))
    }
}

/// A tracker, and which entries have tickets there.
pub(crate) struct Tracked {
    /// What it is called in the record and for people.
    pub(crate) name: String,
    /// The tracker.
    pub(crate) remote: Remote,
    /// Labels of new tickets.
    pub(crate) labels: Vec<String>,
    choice: Choice,
}

impl Tracked {
    /// Whether an entry has, or could have, its ticket there.
    pub(crate) fn concerns(&self, row: &EntryRow) -> bool {
        let Choice { scopes, kind, .. } = &self.choice;
        (scopes.is_empty() || scopes.contains(&row.scope)) && kind.is_none_or(|it| it == row.kind)
    }

    /// Whether an entry is worth a new ticket.
    pub(crate) fn is_worth_one(&self, row: &EntryRow) -> bool {
        // What nobody rated counts as medium, as it does for its due date.
        let severity = match row.severity {
            Severity::Unknown => Severity::Medium,
            rated => rated,
        };
        // Malware and what is exploited want one, however they are rated.
        severity >= self.choice.minimum_severity || row.priority.class == Class::P1
    }

    pub(crate) fn limits(&self, dry_run: bool) -> Limits {
        Limits { dry_run, open_max: self.choice.open_max }
    }
}

/// The trackers that the file at `path` names; none without a file.
///
/// # Errors
/// It cannot be read, or says what cannot be meant, with its line; a secret's file is missing or lets others read it.
pub(crate) fn load(
    path: Option<&Path>,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Tracked>, ConfigError> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let text = config::text(path)?;
    let file: File = config::parse(path, &text)?;
    let mut reading = Reading { path, text: &text, clock, names: BTreeSet::new() };
    let mut trackers = Vec::new();
    for table in file.github {
        trackers.push(reading.github(table)?);
    }
    for table in file.webhook {
        trackers.push(reading.webhook(table)?);
    }
    match trackers.is_empty() {
        true => Err(reading.refuse(0, "names no tracker: add [[github]] or [[webhook]]")),
        false => Ok(trackers),
    }
}

struct Reading<'a> {
    path: &'a Path,
    text: &'a str,
    clock: &'a Arc<dyn Clock>,
    names: BTreeSet<String>,
}

impl Reading<'_> {
    fn github(&mut self, table: Spanned<GitHubTable>) -> Result<Tracked, ConfigError> {
        let start = table.span().start;
        let table = table.into_inner();
        let base = match table.api {
            Some(address) => Ok(address.0),
            None => Base::parse(GITHUB_API),
        };
        let base = base.map_err(|why| self.refuse(start, &why.to_string()))?;
        let name = format!("{} at {base}", table.repository);
        self.claim(&name, start)?;
        let token = self.secret(&table.token_file)?;
        let repository = table.repository.to_string();
        let settings = GitHubSettings { base, repository, token, timeout: TIMEOUT };
        let remote = GitHub::new(settings, Arc::clone(self.clock));
        let remote = remote.map_err(|why| self.refuse(start, &why))?;
        let choice = Choice {
            scopes: table.scopes,
            kind: table.kind,
            minimum_severity: table.minimum_severity.unwrap_or(MINIMUM_SEVERITY),
            open_max: table.open_max.unwrap_or(OPEN_MAX),
        };
        Ok(tracked(name, Remote::GitHub(Box::new(remote)), &table.labels, choice))
    }

    fn webhook(&mut self, table: Spanned<WebhookTable>) -> Result<Tracked, ConfigError> {
        let start = table.span().start;
        let table = table.into_inner();
        let name = format!("webhook {}", table.name);
        self.claim(&name, start)?;
        let secret = self.secret(&table.secret_file)?;
        let url = table.url.0;
        let settings = WebhookSettings { name: name.clone(), url, secret, timeout: TIMEOUT };
        let remote = Webhook::new(settings, Arc::clone(self.clock));
        let remote = remote.map_err(|why| self.refuse(start, &why))?;
        let choice = Choice {
            scopes: table.scopes,
            kind: table.kind,
            minimum_severity: table.minimum_severity.unwrap_or(MINIMUM_SEVERITY),
            open_max: table.open_max.unwrap_or(OPEN_MAX),
        };
        Ok(tracked(name, Remote::Webhook(Box::new(remote)), &table.labels, choice))
    }

    /// Two trackers of one name would have each other's record.
    fn claim(&mut self, name: &str, start: usize) -> Result<(), ConfigError> {
        match self.names.insert(name.to_owned()) {
            true => Ok(()),
            false => Err(self.refuse(start, &format!("{name} is there twice"))),
        }
    }

    /// A path is from where the file lies.
    fn secret(&self, path: &Spanned<PathBuf>) -> Result<SecretFile, ConfigError> {
        let directory = self.path.parent().unwrap_or(Path::new(""));
        let file = SecretFile::new(&directory.join(path.get_ref()));
        match file.read() {
            Ok(_) => Ok(file),
            Err(error) => Err(self.refuse(path.span().start, &error.to_string())),
        }
    }

    fn refuse(&self, start: usize, message: &str) -> ConfigError {
        config::at(self.path, self.text, start, message)
    }
}

fn tracked(name: String, remote: Remote, labels: &[Label], choice: Choice) -> Tracked {
    Tracked { name, remote, labels: labels.iter().map(Label::to_string).collect(), choice }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;
    use crate::tickets::SystemClock;

    fn load_text(text: &str) -> Result<Vec<Tracked>, String> {
        let directory = tempfile::tempdir().expect("temporary");
        for (name, mode) in [("token", 0o600), ("open", 0o644)] {
            let path = directory.path().join(name);
            fs::write(&path, "github_pat_secret_of_a_length").expect("writes");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changes");
        }
        let path = directory.path().join("tickets.toml");
        fs::write(&path, text).expect("writes");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let prefix = format!("{}/", directory.path().display());
        load(Some(&path), &clock).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    const GITHUB: &str = "[[github]]\nrepository = 'acme/app'\ntoken_file = 'token'\n";

    #[test]
    fn trackers_are_named_by_what_they_are() {
        let hook =
            "[[webhook]]\nname = 'bridge'\nurl = 'https://x.example/T0P'\nsecret_file = 'token'\n";
        let trackers = load_text(&format!("{GITHUB}{hook}")).expect("valid");
        let names: Vec<_> = trackers.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["acme/app at https://api.github.com", "webhook bridge"]);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let refusal = |text: &str| load_text(text).err().expect("refused");
        for (text, expected) in [
            ("", "tickets.toml:1: names no tracker"),
            ("[[github]]\nrepository = 'acme/app'\n", "tickets.toml:1: missing field `token_file`"),
            ("[[jira]]\n", "tickets.toml:1: unknown field `jira`"),
            (&format!("{GITHUB}team = 'x'\n"), "tickets.toml:"),
            (&format!("{GITHUB}minimum_severity = 'urgent'\n"), "tickets.toml:"),
            (&format!("{GITHUB}api = 'http://api.github.com'\n"), "tickets.toml:"),
            (
                &GITHUB.replace("acme/app", "acme"),
                "tickets.toml:1: the repository must be OWNER/NAME",
            ),
            (&GITHUB.replace("'token'", "'open'"), "tickets.toml:3: open: mode 0644"),
            (&GITHUB.replace("'token'", "'nowhere'"), "tickets.toml:3: nowhere: "),
            (&format!("{GITHUB}\n{GITHUB}"), "tickets.toml:5: acme/app at"),
        ] {
            let refusal = refusal(text);
            assert!(refusal.starts_with(expected), "{text}: {refusal}");
            assert!(!refusal.contains("github_pat_secret"), "{refusal}");
        }
    }

    #[test]
    fn no_file_means_no_tracker() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        assert!(load(None, &clock).expect("nothing to read").is_empty());
    }
}
