//! Questions that want an answer now: request and reply, spread over the replicas that answer.

use std::time::Duration;

use async_nats::client::RequestErrorKind;
use bytes::Bytes;
use events::subject;
use futures::{Stream, StreamExt};

use crate::{Bus, BusError};

/// A question to answer.
pub struct Query {
    bus: Bus,
    message: async_nats::Message,
}

impl Query {
    /// What is asked.
    pub fn question(&self) -> &Bytes {
        &self.message.payload
    }

    /// Answers it. Nothing is retried: whoever asks, asks again.
    pub async fn answer(&self, answer: Bytes) -> Result<(), BusError> {
        let Some(reply) = self.message.reply.clone() else { return Ok(()) };
        let sent = self.bus.client.publish(reply, answer).await;
        sent.map_err(|error| BusError::from_client("answer a query", &error))
    }
}

impl Bus {
    /// Questions about `topic`; each reaches one of the processes that listen.
    pub async fn queries(
        &self,
        topic: &str,
    ) -> Result<impl Stream<Item = Query> + use<>, BusError> {
        let subject = query_subject(topic);
        let questions = self.client.queue_subscribe(subject, topic.to_owned()).await;
        let questions = questions.map_err(|error| BusError::from_client("subscribe", &error))?;
        let bus = self.clone();
        Ok(questions.map(move |message| Query { bus: bus.clone(), message }))
    }

    /// Asks about `topic`. Nobody listening is an error at once, not a timeout.
    pub async fn ask(
        &self,
        topic: &str,
        question: Bytes,
        patience: Duration,
    ) -> Result<Bytes, BusError> {
        let request = async_nats::Request::new().payload(question).timeout(Some(patience));
        let asked = self.client.send_request(query_subject(topic), request).await;
        let answer = asked.map_err(|error| BusError::Away {
            action: "ask the pipeline",
            reason: match error.kind() {
                RequestErrorKind::NoResponders => {
                    format!("no worker answers `{topic}`; are all workers running?")
                }
                _ => error.to_string(),
            },
        })?;
        Ok(answer.payload)
    }
}

fn query_subject(topic: &str) -> String {
    format!("{}.query.{topic}", subject::ROOT)
}
