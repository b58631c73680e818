//! What becomes of one delivery.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use bus::{Bus, BusError, Delivery, Pause, Rejection};
use events::{Attempts, Envelope, Event, Label};
use futures::FutureExt;
use jiff::Timestamp;
use tracing::{Instrument, Span, debug, error, info_span, warn};

use crate::{
    Context, HandleError, Handler, args::LoopArgs, metrics, outage::OutageGate, telemetry,
};

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(5 * 60);
/// How soon a broker that came back is noticed.
const LONGEST_BROKER_PAUSE: Duration = Duration::from_secs(2);
/// Written before an attempt and overwritten after: what stays if the process dies in between.
const CRASHED: &str = "the worker died while handling the event";

/// Everything that settling needs.
pub(crate) struct Settler<H> {
    pub(crate) bus: Bus,
    pub(crate) args: LoopArgs,
    pub(crate) gate: OutageGate,
    pub(crate) handler: H,
}

/// What became of a delivery, as metrics call it.
#[derive(Clone, Copy)]
enum Outcome {
    Handled,
    Retried,
    Outage,
    Quarantined,
}

impl<H: Handler> Settler<H> {
    /// Handles `delivery` and tells the broker what became of it.
    pub(crate) async fn settle(&self, delivery: Delivery) {
        let began = Instant::now();
        let position = delivery.position().to_string();
        let span = info_span!("event", worker = H::NAME, position, id = tracing::field::Empty);
        telemetry::continue_trace(&span, delivery.traceparent());
        if delivery.is_redelivery() {
            metrics::redelivered(H::NAME);
        }
        let outcome = self.attempt(&delivery, &span).instrument(span.clone()).await;
        let outcome = match outcome {
            Ok(Outcome::Handled) => "handled",
            Ok(Outcome::Retried) => "retried",
            Ok(Outcome::Outage) => "outage",
            Ok(Outcome::Quarantined) => "quarantined",
            Err(error) => {
                // An unsettled delivery comes back after the ack wait: nothing is lost.
                error!(parent: &span, %error, "Failed to settle an event; it comes back");
                "unsettled"
            }
        };
        metrics::settled(H::NAME, outcome, began.elapsed());
    }

    async fn attempt(&self, delivery: &Delivery, span: &Span) -> Result<Outcome, BusError> {
        let known = match delivery.is_redelivery() {
            true => Some(self.attempts(delivery).await?),
            // A first delivery has no past, unless the broker lost its count: looked up on failure.
            false => None,
        };
        if let Some(attempts) = &known {
            if attempts.failed >= self.args.max_attempts {
                return self.give_up(delivery, attempts.clone()).await;
            }
            let crashed = Attempts { failed: attempts.failed + 1, reason: CRASHED.to_owned() };
            self.remember(delivery, &crashed).await?;
        }
        let handled = self.handle(delivery, span).await;
        if let (Some(attempts), Ok(_) | Err(HandleError::Outage { .. })) = (&known, &handled) {
            // Nobody died and nothing failed: what was written ahead is taken back.
            self.remember(delivery, attempts).await?;
        }
        if !matches!(handled, Err(HandleError::Outage { .. })) && self.gate.open() {
            self.tell(self.bus.tell_resumed(H::NAME).await);
        }
        match handled {
            Ok(outputs) => {
                let traceparent = telemetry::next_traceparent(span, delivery.traceparent());
                for output in &outputs {
                    match self.publish(output, traceparent.as_deref()).await {
                        Err(BusError::TooLarge { bytes }) => {
                            return self.quarantine_oversized(delivery, bytes).await;
                        }
                        published => published?,
                    }
                }
                delivery.acknowledge().await?;
                Ok(Outcome::Handled)
            }
            Err(HandleError::Outage { dependency, detail }) => {
                let pause = self.gate.close(dependency, &detail);
                delivery.retry_after(pause).await?;
                let told = Pause { dependency: dependency.to_owned(), detail, tried_at: now() };
                self.tell(self.bus.tell_pause(H::NAME, &told).await);
                Ok(Outcome::Outage)
            }
            Err(HandleError::Transient { detail }) => {
                let before = match known {
                    Some(attempts) => attempts,
                    None => self.attempts(delivery).await?,
                };
                self.retry(delivery, before.failed, detail).await
            }
            Err(HandleError::Permanent { code, detail }) => {
                let attempts = known.unwrap_or_default().failed + 1;
                let rejection = Rejection { code: code.to_owned(), detail, attempts };
                self.quarantine(delivery, rejection).await
            }
        }
    }

    /// The events that follow from a delivery.
    async fn handle(
        &self,
        delivery: &Delivery,
        span: &Span,
    ) -> Result<Vec<Envelope<H::Output>>, HandleError> {
        let event = delivery.decode::<H::Input>();
        let event = event.map_err(|error| HandleError::permanent(error.code(), &error))?;
        span.record("id", event.id.to_string());
        let now = now();
        let context = Context::new(&self.bus, now);
        let handled = AssertUnwindSafe(self.handler.handle(&event, &context)).catch_unwind();
        let limit = self.args.attempt_timeout();
        let outputs = match tokio::time::timeout(limit, handled).await {
            Ok(Ok(outputs)) => outputs?,
            Ok(Err(_)) => {
                let detail =
                    "the handler panicked on this event; the log has the place, please report it";
                return Err(HandleError::permanent("handler-panicked", detail));
            }
            Err(_) => {
                let seconds = limit.as_secs();
                return Err(HandleError::transient(format!("no end after {seconds} s")));
            }
        };
        let source = || Label::of(&format!("/attestry/{}", H::NAME));
        Ok(outputs.into_iter().map(|output| event.caused(source(), now, output)).collect())
    }

    /// Whoever waits for this worker may like to know why it waits; it is no worse without.
    fn tell(&self, told: Result<(), BusError>) {
        if let Err(error) = told {
            debug!(worker = H::NAME, %error, "Failed to tell that the worker waits or goes on");
        }
    }

    /// Publishes until the stream has the event. Whether it had it before makes no difference.
    async fn publish<E: Event>(
        &self,
        event: &Envelope<E>,
        traceparent: Option<&str>,
    ) -> Result<(), BusError> {
        let published = self.insist(|| self.bus.publish(event, traceparent)).await?;
        debug!(id = %event.id, ?published, "Published");
        Ok(())
    }

    async fn attempts(&self, delivery: &Delivery) -> Result<Attempts, BusError> {
        self.insist(|| self.bus.attempts(H::NAME, delivery)).await
    }

    async fn remember(&self, delivery: &Delivery, attempts: &Attempts) -> Result<(), BusError> {
        self.insist(|| self.bus.remember_attempts(H::NAME, delivery, attempts)).await
    }

    /// Repeats `request` for as long as the broker is away, with the event kept in hand: handling it
    /// again from the start would be an attempt that the event is not to blame for.
    async fn insist<T, F: Future<Output = Result<T, BusError>>>(
        &self,
        request: impl Fn() -> F,
    ) -> Result<T, BusError> {
        let mut failed = false;
        loop {
            match request().await {
                Err(error) if error.is_outage() => {
                    failed = true;
                    let pause = self.gate.close("broker", &error.to_string());
                    tokio::time::sleep(pause.min(LONGEST_BROKER_PAUSE)).await;
                    self.bus.until_connected().await;
                }
                answer => {
                    if failed {
                        self.gate.open();
                    }
                    return answer;
                }
            }
        }
    }

    async fn retry(
        &self,
        delivery: &Delivery,
        failed_before: u32,
        reason: String,
    ) -> Result<Outcome, BusError> {
        let attempts = Attempts { failed: failed_before + 1, reason };
        if attempts.failed >= self.args.max_attempts {
            return self.give_up(delivery, attempts).await;
        }
        warn!(attempt = attempts.failed, reason = attempts.reason, "Retrying an event");
        self.remember(delivery, &attempts).await?;
        delivery.retry_after(backoff(attempts.failed, jitter(delivery))).await?;
        Ok(Outcome::Retried)
    }

    async fn give_up(&self, delivery: &Delivery, attempts: Attempts) -> Result<Outcome, BusError> {
        let Attempts { failed, reason } = attempts;
        let detail = format!("{failed} attempts failed; the last one: {reason}");
        let code = "attempts-exhausted".to_owned();
        self.quarantine(delivery, Rejection { code, detail, attempts: failed }).await
    }

    async fn quarantine_oversized(
        &self,
        delivery: &Delivery,
        bytes: usize,
    ) -> Result<Outcome, BusError> {
        let detail = format!(
            "what follows from this event is an event of {bytes} bytes, more than the broker takes; split the build"
        );
        let code = "output-too-large".to_owned();
        self.quarantine(delivery, Rejection { code, detail, attempts: 1 }).await
    }

    async fn quarantine(
        &self,
        delivery: &Delivery,
        rejection: Rejection,
    ) -> Result<Outcome, BusError> {
        let Rejection { code, detail, .. } = &rejection;
        error!(reason = code, detail, "Quarantined an event");
        self.insist(|| self.bus.quarantine(H::NAME, delivery, &rejection)).await?;
        Ok(Outcome::Quarantined)
    }
}

/// The time of day.
#[allow(clippy::disallowed_methods, reason = "the one place where a worker reads the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// 1 s, 2 s, 4 s … up to five minutes, and up to a quarter more.
fn backoff(failed: u32, jitter: f64) -> Duration {
    let pause = FIRST_RETRY.saturating_mul(1 << failed.saturating_sub(1).min(16));
    pause.min(LONGEST_RETRY).mul_f64(1.0 + jitter / 4.0)
}

/// From 0 to 1, so that events that failed together do not come back together.
fn jitter(delivery: &Delivery) -> f64 {
    let digest = events::Digest::of(delivery.position().to_string().as_bytes());
    f64::from(digest.as_bytes()[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_limit() {
        assert_eq!(backoff(1, 0.0), Duration::from_secs(1));
        assert_eq!(backoff(4, 0.0), Duration::from_secs(8));
        assert_eq!(backoff(4, 1.0), Duration::from_secs(10));
        assert_eq!(backoff(40, 0.0), LONGEST_RETRY);
    }
}
