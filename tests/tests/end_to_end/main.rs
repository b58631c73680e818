//! What the pipeline promises, against a real `nats-server`: one binary, so that it links once.

mod crash;
mod delivery;
mod full;
mod journal;
mod keyless;
mod metrics;
mod outage;
mod pipeline;
mod priorities;
mod quarantine;
mod registrar;
mod replicas;
mod requested;
mod resigned;
mod restarts;
mod retries;
mod suppliers;
mod uploads;
