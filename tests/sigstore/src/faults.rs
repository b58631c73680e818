//! Services that fail on demand.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// A service that clients ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// The certificate authority.
    Fulcio,
    /// The transparency logs.
    Rekor,
    /// The timestamp authority.
    Tsa,
}

/// How a service fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does nothing and answers with this status.
    Status(u16),
    /// It does what it is asked and answers 500 once: the answer is lost.
    AnswerLost,
}

impl Service {
    /// By its name in URLs.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "fulcio" => Some(Self::Fulcio),
            "rekor" => Some(Self::Rekor),
            "tsa" => Some(Self::Tsa),
            _ => None,
        }
    }
}

#[derive(Default)]
pub(crate) struct Faults {
    state: Mutex<HashMap<Service, State>>,
}

#[derive(Default)]
struct State {
    fault: Option<Fault>,
    requests: u64,
}

impl Faults {
    pub(crate) fn set(&self, service: Service, fault: Option<Fault>) {
        self.with(service, |state| state.fault = fault);
    }

    pub(crate) fn requests(&self, service: Service) -> u64 {
        self.with(service, |state| state.requests)
    }

    /// Counts a request, and says how it fails.
    pub(crate) fn ask(&self, service: Service) -> Option<Fault> {
        self.with(service, |state| {
            state.requests += 1;
            match state.fault {
                Some(Fault::AnswerLost) => state.fault.take(),
                fault => fault,
            }
        })
    }

    fn with<T>(&self, service: Service, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(state.entry(service).or_default())
    }
}
