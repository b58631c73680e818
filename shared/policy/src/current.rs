//! The policy of now: a directory that is read again when what it holds changes.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use events::Digest;
use tracing::{error, info};

use crate::{Evaluator, Limits, LoadError};

/// How often the directory is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Policies that follow their directory; those that ship with Attestry never change.
pub struct CurrentPolicy {
    directory: Option<PathBuf>,
    limits: Limits,
    state: Mutex<State>,
}

struct State {
    evaluator: Arc<Evaluator>,
    looked: Instant,
    /// What the directory held when it was refused, as far as it could be read.
    refused: Option<Option<Digest>>,
}

impl CurrentPolicy {
    /// Loads `directory`, or the library.
    ///
    /// # Errors
    /// As for [`Evaluator::load`]: nobody starts with policies that cannot judge.
    pub fn load(directory: Option<&Path>, limits: Limits) -> Result<Self, LoadError> {
        let evaluator = Arc::new(Evaluator::load(directory, limits)?);
        let state = Mutex::new(State { evaluator, looked: Instant::now(), refused: None });
        Ok(Self { directory: directory.map(Path::to_owned), limits, state })
    }

    /// Whoever judges now. What the directory holds meanwhile and cannot judge is refused, loudly, and those before it
    /// keep judging. It may take a moment: ask where nobody else waits.
    pub fn get(&self) -> Arc<Evaluator> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(directory) = &self.directory
            && state.looked.elapsed() >= LOOK_EVERY
        {
            self.look(directory, &mut state);
            state.looked = Instant::now();
        }
        Arc::clone(&state.evaluator)
    }

    /// Whether the directory holds something that is refused.
    pub fn is_refused(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).refused.is_some()
    }

    fn look(&self, directory: &Path, state: &mut State) {
        let found = Evaluator::digest_of(directory);
        let digest = found.as_ref().ok().copied();
        if digest == Some(state.evaluator.digest()) {
            state.refused = None;
            return;
        }
        if state.refused == Some(digest) {
            return;
        }
        let loaded = found.and_then(|_| Evaluator::load(Some(directory), self.limits));
        let place = directory.display();
        match loaded {
            Ok(evaluator) => {
                info!(policy = %evaluator.digest(), %place, "Read the policy again");
                state.evaluator = Arc::new(evaluator);
                state.refused = None;
            }
            Err(problem) => {
                let policy = state.evaluator.digest();
                error!(%problem, %place, %policy, "The new policy is refused; the one before it keeps judging");
                state.refused = Some(digest);
            }
        }
    }
}
