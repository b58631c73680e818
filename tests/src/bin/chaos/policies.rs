//! A policy that changes every second under the gate's hands, now and then into one that cannot judge.

use std::{
    collections::BTreeSet,
    fs, io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use events::Digest;
use policy::Evaluator;
use tokio::time::interval;

const EVERY: Duration = Duration::from_secs(1);
/// Of so many changes one is broken.
const BROKEN: u64 = 5;

pub(crate) struct Policies {
    directory: PathBuf,
    /// Of every policy that could judge.
    digests: Mutex<BTreeSet<Digest>>,
}

impl Policies {
    /// The library in a directory of its own.
    pub(crate) fn write(directory: PathBuf) -> anyhow::Result<Self> {
        for (name, text) in policy::library() {
            let path = directory.join(name);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&path, text).with_context(|| path.display().to_string())?;
        }
        let policies = Self { directory, digests: Mutex::default() };
        policies.note()?;
        Ok(policies)
    }

    /// Changes it until it is dropped.
    pub(crate) async fn keep_changing(&self) -> anyhow::Result<()> {
        let mut ticks = interval(EVERY);
        for number in 1_u64.. {
            ticks.tick().await;
            if number.is_multiple_of(BROKEN) {
                self.change("package attestry.notes\n\nthis is no rego")?;
                continue;
            }
            self.change(&format!(
                "package attestry.notes\n\ninfo contains finding if {{\n\tfinding := input.never_{number}\n}}\n"
            ))?;
            self.note()?;
        }
        Ok(())
    }

    /// Digests of every policy that could judge in this run.
    pub(crate) fn digests(&self) -> BTreeSet<Digest> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, text: &str) -> io::Result<()> {
        // Whole or not at all; hidden files are passed over.
        let draft = self.directory.join(".notes.rego");
        fs::write(&draft, text)?;
        fs::rename(draft, self.directory.join("notes.rego"))
    }

    fn note(&self) -> anyhow::Result<()> {
        let digest = Evaluator::digest_of(&self.directory)?;
        self.digests.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        Ok(())
    }
}
