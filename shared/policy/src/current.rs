//! The policy of now: a directory or bundle that is read again when what it holds changes.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use events::Digest;
use tracing::{error, info, warn};

use crate::{Evaluator, Limits, LoadError, files::Files, tarball};

/// How often the place is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Says of the very bytes of a bundle why they may not judge, if they may not.
pub type Check = Box<dyn Fn(&[u8]) -> Result<(), String> + Send + Sync>;

/// Policies that follow their directory or bundle; those that ship with Attestry never change.
pub struct CurrentPolicy {
    source: Option<Source>,
    limits: Limits,
    state: Mutex<State>,
}

struct Source {
    place: PathBuf,
    check: Option<Check>,
}

struct State {
    evaluator: Arc<Evaluator>,
    looked: Instant,
    /// What was found and refused: files of this digest, or none that may judge, and why.
    refused: Option<Result<Digest, String>>,
}

impl CurrentPolicy {
    /// Loads the directory or bundle at `place`, or the library.
    ///
    /// # Errors
    /// As for [`Evaluator::load`]: nobody starts with policies that cannot judge.
    pub fn load(place: Option<&Path>, limits: Limits) -> Result<Self, LoadError> {
        Self::of(place.map(|place| Source { place: place.to_owned(), check: None }), limits)
    }

    /// Loads the bundle at `place`, now and later only if `check` has nothing against it.
    ///
    /// # Errors
    /// As for [`Evaluator::load`], and what `check` says.
    pub fn load_checked(place: &Path, check: Check, limits: Limits) -> Result<Self, LoadError> {
        Self::of(Some(Source { place: place.to_owned(), check: Some(check) }), limits)
    }

    fn of(source: Option<Source>, limits: Limits) -> Result<Self, LoadError> {
        let evaluator = match &source {
            Some(source) => Evaluator::of_files(&source.read()?, limits)?,
            None => Evaluator::load(None, limits)?,
        };
        tell_unasked(&evaluator);
        let state = State { evaluator: Arc::new(evaluator), looked: Instant::now(), refused: None };
        Ok(Self { source, limits, state: Mutex::new(state) })
    }

    /// Whoever judges now. What the place holds meanwhile and cannot judge is refused, loudly, and those before it
    /// keep judging. It may take a moment: ask where nobody else waits.
    pub fn get(&self) -> Arc<Evaluator> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = &self.source
            && state.looked.elapsed() >= LOOK_EVERY
        {
            self.look(source, &mut state);
            state.looked = Instant::now();
        }
        Arc::clone(&state.evaluator)
    }

    /// Whether the place holds something that is refused.
    pub fn is_refused(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).refused.is_some()
    }

    fn look(&self, source: &Source, state: &mut State) {
        let files = source.read();
        let found = files.as_ref().map(Files::digest).map_err(ToString::to_string);
        if found.as_ref() == Ok(&state.evaluator.digest()) {
            state.refused = None;
            return;
        }
        if state.refused.as_ref() == Some(&found) {
            return;
        }
        let loaded = files.and_then(|files| Evaluator::of_files(&files, self.limits));
        let place = source.place.display();
        match loaded {
            Ok(evaluator) => {
                tell_unasked(&evaluator);
                info!(policy = %evaluator.digest(), %place, "Read the policy again");
                state.evaluator = Arc::new(evaluator);
                state.refused = None;
            }
            Err(problem) => {
                let policy = state.evaluator.digest();
                error!(%problem, %place, %policy, "The new policy is refused; the one before it keeps judging");
                state.refused = Some(found);
            }
        }
    }
}

fn tell_unasked(evaluator: &Evaluator) {
    for key in evaluator.unasked() {
        warn!(key, "No rule asks for this key of data.json; perhaps it is misspelt");
    }
}

impl Source {
    fn read(&self) -> Result<Files, LoadError> {
        let Some(check) = &self.check else { return Files::read(&self.place) };
        if self.place.is_dir() {
            return Err(LoadError::Unsigned { problem: ONLY_BUNDLES.to_owned() });
        }
        let bytes = tarball::bytes(&self.place)?;
        check(&bytes).map_err(|problem| LoadError::Unsigned { problem })?;
        tarball::read(&bytes)
    }
}

const ONLY_BUNDLES: &str = "is a directory, and only a bundle can be signed: `opa build --bundle DIR --output bundle.tar.gz`, then `cosign sign-blob --bundle bundle.tar.gz.sigstore.json bundle.tar.gz`";
