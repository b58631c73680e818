//! How much a denial counts, by project and environment.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use events::{Environment, Scope};
use policy::{Finding, Mode, Report};
use serde::Deserialize;

use crate::waivers::NEVER_WAIVED;

/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// Where a denial counts for less; the first that fits counts, and where none fits it is enforced.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Modes {
    #[serde(default)]
    mode: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// A project, or the beginning of several with `*` behind it; all, if left out.
    project: Option<String>,
    /// All, if left out.
    environment: Option<Environment>,
    mode: Mode,
}

/// Why a file of modes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModesError {
    /// It cannot be read.
    #[error("modes {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It says something that cannot be.
    #[error("modes {path}: {source}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        source: Box<toml::de::Error>,
    },
}

impl Modes {
    /// What the file at `path` says now.
    ///
    /// # Errors
    /// It cannot be read, or is refused with its line.
    pub(crate) fn read(path: &Path) -> Result<Self, ModesError> {
        let file = |source| ModesError::File { path: path.to_owned(), source };
        let size = fs::metadata(path).map_err(file)?.len();
        if size > MAX_BYTES {
            let why = format!("has {size} bytes; at most {MAX_BYTES} are read");
            return Err(file(io::Error::other(why)));
        }
        let text = fs::read_to_string(path).map_err(file)?;
        toml::from_str(&text)
            .map_err(|source| ModesError::Wrong { path: path.to_owned(), source: Box::new(source) })
    }

    /// The mode in which `project` is judged for `environment`.
    pub(crate) fn of(&self, project: &Scope, environment: Environment) -> Mode {
        let fits = |rule: &&Rule| {
            let project = project.as_str();
            rule.environment.is_none_or(|it| it == environment)
                && rule.project.as_ref().is_none_or(|it| match it.strip_suffix('*') {
                    Some(beginning) => project.starts_with(beginning),
                    None => it == project,
                })
        };
        self.mode.iter().find(fits).map(|rule| rule.mode).unwrap_or_default()
    }
}

/// Lets denials count for less. One that says that nothing could be judged, or by whom it was signed, counts everywhere:
/// it ends a dry run, too.
pub(crate) fn apply(report: &mut Report, mode: Mode) {
    let is_soft = |finding: &Finding| !NEVER_WAIVED.iter().any(|it| finding.id.starts_with(it));
    let is_judged = report.errors.is_empty() && report.violations.iter().all(is_soft);
    report.mode = match mode {
        Mode::DryRun if !is_judged => Mode::Enforce,
        mode => mode,
    };
    if mode == Mode::Warn {
        report.soften(is_soft);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_counts() {
        let directory = tempfile::tempdir().expect("temporary");
        let path = directory.path().join("modes.toml");
        let text = "[[mode]]\nproject = \"acme/*\"\nenvironment = \"staging\"\nmode = \"warn\"\n\n[[mode]]\nproject = \"acme/new\"\nmode = \"dry-run\"\n";
        fs::write(&path, text).expect("writes");
        let modes = Modes::read(&path).expect("reads");
        let of =
            |project: &str, environment| modes.of(&project.parse().expect("valid"), environment);
        assert_eq!(of("acme/new", Environment::Staging), Mode::Warn);
        assert_eq!(of("acme/new", Environment::Production), Mode::DryRun);
        assert_eq!(of("acme/old", Environment::Production), Mode::Enforce);
        assert_eq!(of("acme", Environment::Staging), Mode::Enforce);

        fs::write(&path, "[[mode]]\nmode = \"off\"\n").expect("writes");
        let wrong = Modes::read(&path).expect_err("refused").to_string();
        assert!(wrong.contains("line 2") && wrong.contains("off"), "{wrong}");
    }
}
