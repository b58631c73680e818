//! The loop: as many events at once as there are places, until told to stop.

use std::{collections::HashSet, sync::Arc, time::Duration};

use bus::{Bus, BusError, LaneGauge};
use jiff::Timestamp;
use tokio::{sync::Semaphore, task::JoinSet};
use tracing::{debug, info, warn};

use crate::{
    Handler, Health, args::LoopArgs, lanes::Lanes, metrics, outage::OutageGate, settle::Settler,
};

/// How long deliveries wait here, for a free place or an outage to end, before other replicas may have them.
const PATIENCE: Duration = Duration::from_secs(3);
/// How soon lanes that could not be opened are tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How often gauges are measured.
pub(crate) const MEASURE_EVERY: Duration = Duration::from_secs(5);

/// Runs `handler` on `bus` until `shutdown` completes, then ends what is in hand.
pub async fn run_until<H: Handler>(
    shutdown: impl Future<Output = ()>,
    bus: &Bus,
    args: &LoopArgs,
    health: &Health,
    handler: H,
) -> Result<(), BusError> {
    metrics::announce(H::NAME);
    let places = usize::from(args.concurrency);
    tokio::pin!(shutdown);
    let mut lanes = tokio::select! {
        biased;
        () = &mut shutdown => return Ok(()),
        lanes = open::<H>(bus, places, health) => lanes?,
    };
    let measuring = tokio::spawn(measure(bus.clone(), H::NAME, lanes.gauges(), health.clone()));
    let settler = Arc::new(Settler {
        bus: bus.clone(),
        args: args.clone(),
        gate: OutageGate::new(H::NAME, health.clone()),
        handler,
    });
    let free = Arc::new(Semaphore::new(places));
    let mut in_hand = JoinSet::new();
    health.set(H::NAME, Ok(()));
    info!(worker = H::NAME, input = %events::subject::stage::<H::Input>(), "Started");

    loop {
        while in_hand.try_join_next().is_some() {}
        // Only the shutdown cancels this: what passed the gate must begin, or the gate waits for it.
        let next = async {
            let place = loop {
                match tokio::time::timeout(PATIENCE, free.clone().acquire_owned()).await {
                    Ok(place) => break place.ok()?,
                    Err(_) => lanes.give_back().await,
                }
            };
            // During an outage of ours, others may have what waits here.
            while tokio::time::timeout(PATIENCE, settler.gate.pass()).await.is_err() {
                lanes.give_back().await;
            }
            Some((lanes.next().await?, place))
        };
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            next = next => {
                let Some((delivery, place)) = next else { break };
                let settler = settler.clone();
                in_hand.spawn(async move {
                    settler.settle(delivery).await;
                    drop(place);
                });
            }
        }
    }

    health.set(H::NAME, Err("stopping".to_owned()));
    measuring.abort();
    lanes.stop().await;
    let count = in_hand.len();
    let drained = async { while in_hand.join_next().await.is_some() {} };
    if tokio::time::timeout(args.drain_timeout(), drained).await.is_err() {
        warn!(worker = H::NAME, count, "Stopped waiting for events in hand; they come back");
    }
    info!(worker = H::NAME, "Stopped");
    Ok(())
}

/// The worker's lanes, however long the broker is away.
async fn open<H: Handler>(bus: &Bus, room: usize, health: &Health) -> Result<Lanes, BusError> {
    loop {
        match Lanes::open::<H>(bus, room).await {
            Err(error) if error.is_outage() => {
                warn!(worker = H::NAME, %error, "Failed to open the lanes; trying again");
                health.set(H::NAME, Err(error.to_string()));
                tokio::time::sleep(TRY_AGAIN_AFTER).await;
            }
            opened => return opened,
        }
    }
}

/// Keeps the gauges of lag, quarantine and streams current, and notices a broker that is away although no
/// event is in hand.
async fn measure(bus: Bus, worker: &'static str, gauges: Vec<LaneGauge>, health: Health) {
    let mut reasons = HashSet::new();
    let mut ticks = tokio::time::interval(MEASURE_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let measured = async {
            let mut lag = 0;
            let mut oldest: Option<Timestamp> = None;
            for gauge in &gauges {
                let (events, since) = gauge.lag().await?;
                lag += events;
                oldest = oldest.into_iter().chain(since).min();
            }
            let depth = bus.quarantine_depth(worker).await?;
            Ok::<_, BusError>((lag, oldest, depth))
        };
        let measured = measured.await;
        let away = measured.as_ref().err().filter(|error| matches!(error, BusError::Away { .. }));
        health.set("broker", away.map_or(Ok(()), |error| Err(error.to_string())));
        match measured {
            Ok((lag, oldest, depth)) => {
                #[allow(clippy::disallowed_methods, reason = "the age of an event is measured now")]
                let age = oldest.map(|since| Timestamp::now().duration_since(since));
                let age = age.and_then(|it| Duration::try_from(it).ok()).unwrap_or_default();
                metrics::backlog(worker, lag, age);
                metrics::quarantine_depth(worker, &mut reasons, &depth);
            }
            Err(error) => debug!(worker, %error, "Failed to measure lag and quarantine"),
        }
        match bus.streams().await {
            Ok(states) => metrics::streams(&states),
            Err(error) => debug!(worker, %error, "Failed to measure the streams"),
        }
    }
}
