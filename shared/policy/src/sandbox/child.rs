//! The process that judges.

use std::{
    io::{self, Read, Write},
    process::ExitCode,
    time::Duration,
};

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::frame;
use crate::{Bundle, MAX_BUNDLE_BYTES, MAX_INPUT_BYTES, files::Files};

/// First frame: what binds this process. The second one is the policies.
#[derive(Serialize, Deserialize)]
pub(super) struct Bounds {
    pub(super) time_ms: u64,
    pub(super) memory_bytes: u64,
}

/// Answer to the first two.
#[derive(Serialize, Deserialize)]
pub(super) enum Loaded {
    Ready,
    /// The policies cannot judge, and why.
    Refused(String),
}

/// First byte of a question; the input document follows.
pub(crate) const BUILD: u8 = b'b';
pub(crate) const SUPPLIER: u8 = b's';

pub(super) fn run() -> ExitCode {
    match serve(&mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody listens; whoever started this sees that it has ended.
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let Some(bounds) = frame::read(from, 1024)? else { return Ok(()) };
    let bounds: Bounds = serde_json::from_slice(&bounds)?;
    bind(bounds.memory_bytes)?;
    let Some(policies) = frame::read(from, 2 * MAX_BUNDLE_BYTES as usize)? else { return Ok(()) };
    let files = Files::from_canonical(&policies).ok_or_else(|| io::Error::other("no policies"))?;
    let bundle = match Bundle::checked(&files, Duration::from_millis(bounds.time_ms)) {
        Ok(bundle) => bundle,
        Err(error) => return answer(to, &Loaded::Refused(error.to_string())),
    };
    drop((policies, files));
    answer(to, &Loaded::Ready)?;
    while let Some(question) = frame::read(from, MAX_INPUT_BYTES + 1)? {
        let Some((kind, input)) = question.split_first() else { return Ok(()) };
        let input = std::str::from_utf8(input).map_err(io::Error::other)?;
        let report = match *kind {
            SUPPLIER => bundle.evaluate_supplier(input),
            _ => bundle.evaluate(input),
        };
        answer(to, &report)?;
    }
    Ok(())
}

fn answer(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    frame::write(to, &serde_json::to_vec(value)?)
}

/// An allocation beyond the limit fails, which ends the process; it leaves no core behind.
fn bind(memory_bytes: u64) -> io::Result<()> {
    let limit = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    setrlimit(Resource::Data, limit(memory_bytes))?;
    setrlimit(Resource::Core, limit(0))?;
    Ok(())
}
