//! Whoever judges: policies, and where they are asked.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use events::Digest;

use crate::{
    Bundle, DEFAULT_TIME_LIMIT, LoadError, Report, SandboxError,
    files::Files,
    json,
    sandbox::{self, BUILD, Pool, SUPPLIER},
};

/// What one evaluation may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest computation.
    pub time: Duration,
    /// Most memory, in bytes, where the program can be entered ([`sandbox::enter`]).
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: DEFAULT_TIME_LIMIT, memory: 2 * 1024 * 1024 * 1024 }
    }
}

/// Judges builds and suppliers' documents by one bundle of policies.
pub struct Evaluator {
    digest: Digest,
    canonical: Vec<u8>,
    data: serde_json::Value,
    limits: Limits,
    place: Place,
}

enum Place {
    /// Bounded in time alone.
    Here(Box<Bundle>),
    Apart(Pool),
}

impl Evaluator {
    /// The policies in `directory`, which may be an OPA bundle, or those that ship with Attestry; in processes of their own, if this program can
    /// be entered.
    ///
    /// # Errors
    /// As for [`Bundle::load`].
    pub fn load(directory: Option<&Path>, limits: Limits) -> Result<Self, LoadError> {
        Self::load_with(directory, limits, sandbox::program())
    }

    /// As [`Self::load`], in processes of `program`, which enters.
    ///
    /// # Errors
    /// As for [`Bundle::load`].
    pub fn load_apart(
        directory: Option<&Path>,
        limits: Limits,
        program: PathBuf,
    ) -> Result<Self, LoadError> {
        Self::load_with(directory, limits, Some(program))
    }

    fn load_with(
        directory: Option<&Path>,
        limits: Limits,
        program: Option<PathBuf>,
    ) -> Result<Self, LoadError> {
        let files = match directory {
            Some(directory) => Files::read(directory)?,
            None => Files::shipped(),
        };
        Self::of_files_in(&files, limits, program)
    }

    pub(crate) fn of_files(files: &Files, limits: Limits) -> Result<Self, LoadError> {
        Self::of_files_in(files, limits, sandbox::program())
    }

    fn of_files_in(
        files: &Files,
        limits: Limits,
        program: Option<PathBuf>,
    ) -> Result<Self, LoadError> {
        let canonical = files.canonical();
        let place = match program {
            None => Place::Here(Box::new(Bundle::checked(files, limits.time)?)),
            Some(program) => Place::Apart(Pool::start(program, canonical.clone(), limits)?),
        };
        let data = files.data.as_deref().and_then(|it| serde_json::from_str(it).ok());
        let (digest, data) = (Digest::of(&canonical), data.unwrap_or_default());
        Ok(Self { digest, canonical, data, limits, place })
    }

    /// The policies that [`Evaluator::canonical`] gave, as they judged then.
    ///
    /// # Errors
    /// As for [`Bundle::load`].
    pub fn of_canonical(canonical: &[u8], limits: Limits) -> Result<Self, LoadError> {
        let files = Files::from_canonical(canonical)
            .ok_or_else(|| LoadError::Refused("these are no policy files".to_owned()))?;
        Self::of_files(&files, limits)
    }

    /// Digest of what `directory` holds now, without loading it.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn digest_of(directory: &Path) -> Result<Digest, LoadError> {
        Ok(Files::read(directory)?.digest())
    }

    /// Digest of [`Evaluator::canonical`]: which policy judges.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The files that judge, as one document: see [`Bundle::canonical`].
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }

    /// What policies see as `data`, which says what they ask for; null without.
    pub fn data(&self) -> &serde_json::Value {
        &self.data
    }

    /// Names in `data` that stand in no policy: perhaps misspelt, so that what is set there decides nothing.
    pub fn unasked(&self) -> Vec<&str> {
        let text = String::from_utf8_lossy(&self.canonical);
        let keys = self.data.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        keys.filter(|key| !text.contains(&format!("data.{key}"))).collect()
    }

    /// Judges a build, as [`Bundle::evaluate`] does. A policy that takes too much time or memory is FAILED.
    ///
    /// # Errors
    /// The machine cannot start a process.
    pub fn build(&self, input_json: &str) -> Result<Report, SandboxError> {
        self.judge(BUILD, input_json)
    }

    /// Judges a supplier's document, as [`Bundle::evaluate_supplier`] does.
    ///
    /// # Errors
    /// The machine cannot start a process.
    pub fn supplier(&self, input_json: &str) -> Result<Report, SandboxError> {
        self.judge(SUPPLIER, input_json)
    }

    fn judge(&self, kind: u8, input_json: &str) -> Result<Report, SandboxError> {
        let pool = match &self.place {
            Place::Here(bundle) if kind == SUPPLIER => {
                return Ok(bundle.evaluate_supplier(input_json));
            }
            Place::Here(bundle) => return Ok(bundle.evaluate(input_json)),
            Place::Apart(pool) => pool,
        };
        if input_json.len() > crate::MAX_INPUT_BYTES {
            let problem = json::too_large(input_json.len());
            return Ok(Report::unjudged(self.digest, format!("the input document {problem}")));
        }
        let answer = pool.ask(kind, input_json)?;
        Ok(answer.unwrap_or_else(|death| Report::unjudged(self.digest, death.reason(&self.limits))))
    }
}
