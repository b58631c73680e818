//! The worker under test: it does with an event what the test says, and keeps a journal.

use std::{
    collections::HashSet,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bus::{Bus, BusError};
use events::{BuildCompleted, Envelope, EvidenceReady, Producer};
use tokio::{sync::oneshot, task::JoinHandle};
use uuid::Uuid;
use worker::{Context, HandleError, Handler, Health, LoopArgs};

use crate::Broker;

type Decision = Pin<Box<dyn Future<Output = Result<(), HandleError>> + Send>>;

/// A handler with a script.
#[derive(Clone)]
pub struct Tested {
    script: Arc<dyn Fn(Call) -> Decision + Send + Sync>,
    journal: Journal,
}

/// One run of the handler.
pub struct Call {
    /// The event to handle.
    pub event: Envelope<BuildCompleted>,
    /// Runs of this event so far, this one included.
    pub run: usize,
}

/// What the handlers that share it did, in order.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    begun: Vec<Uuid>,
    effects: Vec<Uuid>,
}

impl Tested {
    /// A handler that runs `script` and writes into `journal`.
    pub fn new<F>(journal: &Journal, script: impl Fn(Call) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), HandleError>> + Send + 'static,
    {
        Self { script: Arc::new(move |call| Box::pin(script(call))), journal: journal.clone() }
    }

    /// A handler that handles everything at once.
    pub fn obliging(journal: &Journal) -> Self {
        Self::new(journal, async |_| Ok(()))
    }
}

impl Handler for Tested {
    const NAME: &'static str = "tested";
    type Input = BuildCompleted;
    type Output = EvidenceReady;

    async fn handle(
        &self,
        event: &Envelope<BuildCompleted>,
        _context: &Context,
    ) -> Result<Vec<EvidenceReady>, HandleError> {
        let run = self.journal.begin(event.id);
        (self.script)(Call { event: event.clone(), run }).await?;
        self.journal.entries().effects.push(event.id);
        Ok(vec![EvidenceReady {
            producer: Producer::Generator,
            project: event.data.project.clone(),
            documents: Vec::new(),
            statements: Vec::new(),
            verdict: None,
            decision: None,
        }])
    }
}

impl Journal {
    /// Every run in order: the event it was of.
    pub fn begun(&self) -> Vec<Uuid> {
        self.entries().begun.clone()
    }

    /// Runs of one event.
    pub fn runs(&self, event: Uuid) -> usize {
        self.entries().begun.iter().filter(|id| **id == event).count()
    }

    /// Every run that succeeded, in order: the event it was of.
    pub fn effects(&self) -> Vec<Uuid> {
        self.entries().effects.clone()
    }

    /// Events that were handled at least once.
    pub fn handled(&self) -> usize {
        self.entries().effects.iter().collect::<HashSet<_>>().len()
    }

    fn begin(&self, event: Uuid) -> usize {
        self.entries().begun.push(event);
        self.runs(event)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One running copy of the tested worker, on a connection of its own.
pub struct Replica {
    /// Its readiness.
    pub health: Health,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), BusError>>,
}

impl Replica {
    /// Starts a copy that handles `concurrency` events at once and gives up after `max_attempts`.
    pub async fn start(
        broker: &Broker,
        handler: impl Handler,
        concurrency: u16,
        max_attempts: u32,
    ) -> Self {
        Self::start_on(broker.bus().await, handler, concurrency, max_attempts)
    }

    /// As [`Replica::start`], on a given connection.
    pub fn start_on(bus: Bus, handler: impl Handler, concurrency: u16, max_attempts: u32) -> Self {
        let args = LoopArgs { concurrency, max_attempts, ..Default::default() };
        let health = Health::default();
        let (stop, stopped) = oneshot::channel();
        let its_health = health.clone();
        let task = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            worker::run_until(shutdown, &bus, &args, &its_health, handler).await
        });
        Self { health, stop, task }
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        !self.task.is_finished()
    }

    /// Asks it to stop; what the returned task says comes when everything in hand has ended.
    pub fn ask_to_stop(self) -> JoinHandle<Result<(), BusError>> {
        // It may have ended by itself, which its task says.
        self.stop.send(()).ok();
        self.task
    }

    /// Stops it and waits until everything in hand has ended.
    pub async fn stop(self) {
        self.ask_to_stop().await.expect("no panic").expect("the worker ends well");
    }
}
