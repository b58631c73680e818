//! Pulling deliveries, never more than there is room for.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_nats::{
    StatusCode, Subscriber,
    jetstream::{
        self,
        consumer::{
            AckPolicy, DeliverPolicy, PullConsumer,
            pull::{BatchConfig, Config},
        },
    },
};
use events::{Event, Priority, Producer, stage_stream, subject};
use futures::StreamExt;
use jiff::Timestamp;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinHandle,
    time::timeout,
};
use tracing::warn;

use crate::{Bus, BusError, Delivery, streams::lane_subject};

/// How long the broker waits for a sign of life before it delivers again. Short, because work in
/// hand says every three seconds that it goes on.
const ACK_WAIT: Duration = Duration::from_secs(10);
/// How long a request for deliveries stays with the broker.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
/// How long nothing may arrive before nothing is on its way.
const QUIET: Duration = Duration::from_millis(100);
/// Deliveries that all replicas together may have in hand or put off.
const MAX_ACK_PENDING: i64 = 10_000;

/// Deliveries of one type and priority to one worker, oldest first.
///
/// At most `room` of them wait here. The broker is asked for exactly as many as there is room for:
/// what a worker cannot begin, another replica gets.
pub struct Lane {
    bus: Bus,
    deliveries: mpsc::UnboundedReceiver<Waiting>,
    consumer: PullConsumer,
    stopping: Arc<Notify>,
    task: JoinHandle<()>,
}

/// A delivery that occupies its place in the lane until taken out of here.
pub struct Waiting {
    delivery: Delivery,
    place: Option<Place>,
}

/// Room for one delivery in a lane; free again when dropped.
pub struct Place(#[expect(dead_code, reason = "held, never looked at")] OwnedSemaphorePermit);

impl Waiting {
    /// The delivery; its place is free again.
    pub fn take(self) -> Delivery {
        self.delivery
    }

    /// Tells the broker to deliver it to another replica at once, rather than after the ack wait.
    pub async fn give_back(self) -> Option<Place> {
        if let Err(error) = self.delivery.retry_after(Duration::ZERO).await {
            warn!(%error, "A delivery could not be given back; it returns after the ack wait");
        }
        self.place
    }
}

impl Bus {
    /// Opens the lane of `worker` for events of type `E` and `priority`, from these producers only if
    /// any are given.
    ///
    /// The durable consumer is `<worker>-<priority>`, shared by all replicas of the worker.
    pub async fn lane<E: Event>(
        &self,
        worker: &str,
        producers: &[Producer],
        priority: Priority,
        room: usize,
    ) -> Result<Lane, BusError> {
        let from =
            |it: &Producer| format!("{}.{priority}.*.{}.>", subject::stage::<E>(), it.as_str());
        let filters = match producers {
            [] => vec![lane_subject::<E>(priority)],
            producers => producers.iter().map(from).collect(),
        };
        self.open_lane(&stage_stream::<E>(), format!("{worker}-{priority}"), filters, room).await
    }

    /// Opens the lane of what `stream` holds on `filters`, shared by all that use the durable `name`.
    pub(crate) async fn open_lane(
        &self,
        stream: &str,
        name: String,
        mut filters: Vec<String>,
        room: usize,
    ) -> Result<Lane, BusError> {
        // A single filter has a field of its own, which older consumers have too.
        let filter = if filters.len() == 1 { filters.pop() } else { None };
        let config = Config {
            durable_name: Some(name),
            filter_subject: filter.unwrap_or_default(),
            filter_subjects: filters,
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_deliver: -1,
            max_ack_pending: MAX_ACK_PENDING,
            ..Default::default()
        };
        let consumer = self.ensure_consumer(stream, config.clone()).await?;
        let inbox = self.client.new_inbox();
        let replies = self.client.subscribe(inbox.clone()).await;
        let replies = replies.map_err(|error| BusError::from_client("subscribe", &error))?;
        let (sender, deliveries) = mpsc::unbounded_channel();
        let pull = Pull {
            bus: self.clone(),
            consumer: consumer.clone(),
            stream: stream.to_owned(),
            config,
            inbox: inbox.into(),
            replies,
            places: Arc::new(Semaphore::new(room)),
            requested: VecDeque::new(),
            stopping: Arc::default(),
            sender,
        };
        let stopping = pull.stopping.clone();
        let task = tokio::spawn(pull.run());
        Ok(Lane { bus: self.clone(), deliveries, consumer, stopping, task })
    }

    async fn ensure_consumer(
        &self,
        stream: &str,
        wanted: Config,
    ) -> Result<PullConsumer, BusError> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            BusError::from_client("create a consumer", error)
        };
        let stream = self.jetstream.get_stream(stream).await.map_err(|error| failed(&error))?;
        let consumer =
            stream.create_consumer(wanted.clone()).await.map_err(|error| failed(&error))?;
        let found = &consumer.cached_info().config;
        let as_wanted = found.filter_subject == wanted.filter_subject
            && found.filter_subjects == wanted.filter_subjects
            && found.ack_wait == wanted.ack_wait
            && found.max_deliver == wanted.max_deliver
            && found.max_ack_pending == wanted.max_ack_pending;
        if !as_wanted {
            let name = &consumer.cached_info().name;
            let reason = format!("consumer {name} was created with other settings than asked for");
            return Err(BusError::Refused { action: "create a consumer", reason });
        }
        Ok(consumer)
    }
}

impl Lane {
    /// The next delivery; `None` after [`Lane::stop`] once all that waited were taken.
    pub async fn next(&mut self) -> Option<Waiting> {
        self.deliveries.recv().await
    }

    /// The next delivery if one waits here.
    pub fn try_next(&mut self) -> Option<Waiting> {
        self.deliveries.try_recv().ok()
    }

    /// A view of the lane's lag for whoever measures it.
    pub fn gauge(&self) -> LaneGauge {
        LaneGauge { bus: self.bus.clone(), consumer: self.consumer.clone() }
    }

    /// Stops pulling and gives back what waits here, so that another replica gets it at once.
    pub async fn stop(&mut self) {
        self.stopping.notify_one();
        while let Some(waiting) = self.deliveries.recv().await {
            waiting.give_back().await;
        }
    }
}

/// How far behind the replicas of a worker are in one lane.
#[derive(Clone)]
pub struct LaneGauge {
    bus: Bus,
    consumer: PullConsumer,
}

impl LaneGauge {
    /// Events that no replica has settled yet (undelivered, in hand, or put off), and when the
    /// oldest of them was stored.
    pub async fn lag(&self) -> Result<(u64, Option<Timestamp>), BusError> {
        let info = self.consumer.get_info().await;
        let info = info.map_err(|error| BusError::from_client("look at a consumer", &error))?;
        let in_hand = u64::try_from(info.num_ack_pending).unwrap_or(u64::MAX);
        let lag = info.num_pending.saturating_add(in_hand);
        if lag == 0 {
            return Ok((0, None));
        }
        let filter = &info.config.filter_subject;
        let floor = info.ack_floor.stream_sequence + 1;
        let oldest = self.bus.next_on(&info.stream_name, filter, floor).await?;
        Ok((lag, oldest.map(|seen| seen.stored_at)))
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Keeps one request for deliveries at the broker per free place.
struct Pull {
    bus: Bus,
    consumer: PullConsumer,
    stream: String,
    config: Config,
    inbox: async_nats::Subject,
    replies: Subscriber,
    places: Arc<Semaphore>,
    /// Places that a delivery was asked for.
    requested: VecDeque<OwnedSemaphorePermit>,
    stopping: Arc<Notify>,
    sender: mpsc::UnboundedSender<Waiting>,
}

impl Pull {
    async fn run(mut self) {
        let mut connected = self.bus.connected.clone();
        connected.mark_unchanged();
        loop {
            let silence = tokio::time::sleep(PULL_EXPIRES + Duration::from_secs(5));
            tokio::select! {
                place = self.places.clone().acquire_owned() => {
                    // The semaphore is never closed.
                    let Ok(place) = place else { return };
                    self.ask_for(place).await;
                }
                reply = self.replies.next() => match reply {
                    Some(reply) => self.receive(reply).await,
                    None => return,
                },
                changed = connected.changed() => {
                    if changed.is_err() { return }
                    if connected.borrow_and_update().1 {
                        // A broker that restarted has forgotten what it was asked for.
                        self.ask_again().await;
                    }
                }
                () = silence, if !self.requested.is_empty() => self.ask_again().await,
                () = self.stopping.notified() => return self.finish().await,
            }
        }
    }

    /// Passes on what is on its way, to be given back: the broker counts it as delivered, and would
    /// wait for the ack wait. What was asked for and is there arrives at once.
    async fn finish(mut self) {
        while let Ok(Some(reply)) = timeout(QUIET, self.replies.next()).await {
            self.deliver_last(reply);
        }
        if let Err(error) = self.replies.drain().await {
            warn!(%error, "Failed to end a subscription");
        }
        while let Ok(Some(reply)) = timeout(QUIET, self.replies.next()).await {
            self.deliver_last(reply);
        }
    }

    fn deliver_last(&mut self, message: async_nats::Message) {
        if matches!(message.status, None | Some(StatusCode::OK)) {
            self.deliver(message);
        }
    }

    async fn ask_for(&mut self, place: OwnedSemaphorePermit) {
        let mut places = vec![place];
        while let Ok(more) = self.places.clone().try_acquire_owned() {
            places.push(more);
        }
        let batch = places.len();
        self.requested.extend(places);
        self.request(batch).await;
    }

    async fn ask_again(&mut self) {
        if !self.requested.is_empty() {
            self.request(self.requested.len()).await;
        }
    }

    async fn request(&self, batch: usize) {
        let config = BatchConfig { batch, expires: Some(PULL_EXPIRES), ..Default::default() };
        if let Err(error) = self.consumer.request_batch(config, self.inbox.clone()).await {
            warn!(%error, "Failed to ask for deliveries; asking again when the broker is back");
        }
    }

    async fn receive(&mut self, message: async_nats::Message) {
        match message.status {
            None | Some(StatusCode::OK) => self.deliver(message),
            Some(StatusCode::IDLE_HEARTBEAT) => {}
            Some(status) => {
                let unserved = message
                    .headers
                    .as_ref()
                    .and_then(|headers| headers.get("Nats-Pending-Messages"))
                    .and_then(|value| value.as_str().parse().ok())
                    .unwrap_or(self.requested.len());
                if status == StatusCode::NO_RESPONDERS || status.as_u16() == 409 {
                    let reason = message.description.as_deref().unwrap_or("no responders");
                    warn!(%status, reason, "The broker does not deliver now");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    self.restore_consumer().await;
                }
                // Their places become free, and are asked for again.
                self.requested.truncate(self.requested.len().saturating_sub(unserved));
            }
        }
    }

    /// An operator may have deleted the consumer; its events are still in the stream.
    async fn restore_consumer(&mut self) {
        match self.bus.ensure_consumer(&self.stream, self.config.clone()).await {
            Ok(consumer) => self.consumer = consumer,
            Err(error) => warn!(%error, "Failed to restore the consumer; trying again"),
        }
    }

    fn deliver(&mut self, message: async_nats::Message) {
        let message = jetstream::Message { context: self.bus.jetstream.clone(), message };
        let place = self.requested.pop_front();
        match Delivery::new(&self.bus.client, &self.bus.keepalive, message) {
            // A closed channel means that the lane stops: the delivery returns after the ack wait.
            Ok(delivery) => drop(self.sender.send(Waiting { delivery, place: place.map(Place) })),
            Err(reason) => warn!(reason, "Ignored a message that is no delivery"),
        }
    }
}
