//! Attestry's own workers in the process of a test.

use tokio::task::JoinHandle;
use worker::{Handler, Health, LoopArgs, run_until};

use crate::Broker;

/// Running workers; they end, at whatever they are, when this is dropped.
#[derive(Default)]
pub struct Workers(Vec<JoinHandle<()>>);

impl Workers {
    /// Starts a worker with `handler`, on a connection of its own.
    pub async fn run<H: Handler>(&mut self, broker: &Broker, handler: H) {
        let bus = broker.bus().await;
        self.spawn(async move {
            let (args, health) = (LoopArgs::default(), Health::default());
            let ran = run_until(std::future::pending(), &bus, &args, &health, handler).await;
            ran.expect("the broker does as it is asked");
        });
    }

    /// Starts what a process does beside its workers.
    pub fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.push(tokio::spawn(work));
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
