//! What the broker forbids. It says so to the connection and not in an answer: without a look at what it
//! complains of, a forbidden request looks like one that nobody answers.

use async_nats::{ClientError, Event, ServerError};

use crate::{Bus, BusError};

/// What the broker complained of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Complaint(Option<Event>);

impl Complaint {
    pub(crate) fn of(event: &Event) -> Self {
        Self(Some(event.clone()))
    }

    /// Whether it knows nobody with these credentials.
    pub(crate) fn is_of_credentials(&self) -> bool {
        match &self.0 {
            Some(Event::ServerError(error)) => *error == ServerError::AuthorizationViolation,
            Some(Event::ClientError(ClientError::Other(text))) => text.contains("authorization"),
            _ => false,
        }
    }

    /// What it does not permit.
    fn forbids(&self) -> Option<String> {
        match &self.0 {
            Some(Event::ServerError(ServerError::Other(text))) => {
                text.to_lowercase().contains("permissions violation").then(|| text.clone())
            }
            _ => None,
        }
    }
}

impl Bus {
    /// What `work` finds, unless the broker forbids something meanwhile.
    pub(crate) async fn unless_forbidden<T>(
        &self,
        action: &'static str,
        work: impl Future<Output = Result<T, BusError>>,
    ) -> Result<T, BusError> {
        let mut complaint = self.complaint.clone();
        complaint.mark_unchanged();
        let forbidden = async {
            // The sender lives as long as the client.
            while complaint.changed().await.is_ok() {
                if let Some(what) = complaint.borrow_and_update().forbids() {
                    return what;
                }
            }
            std::future::pending().await
        };
        tokio::select! {
            biased;
            done = work => done,
            what = forbidden => {
                let reason = format!("{what}; are these the credentials of this supplier?");
                Err(BusError::Refused { action, reason })
            }
        }
    }
}
