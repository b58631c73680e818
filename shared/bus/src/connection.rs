//! One connection to the broker, which outlives the broker's absences.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_nats::{
    Client, ConnectOptions, Event as ClientEvent, ServerInfo,
    jetstream::{self, context::ContextBuilder},
};
use events::SupplierId;
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::{BusError, UserSeed, access::inbox, forbidden::Complaint, keepalive::Keepalive};

/// Oldest nats-server that does what we ask of it.
const OLDEST_SERVER: (u64, u64, u64) = (2, 12, 0);
/// How long one request or publish waits for the broker's answer.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How to reach the broker.
#[derive(Clone, Debug)]
pub struct BusOptions {
    /// `nats://host:port`, several separated by commas.
    pub url: String,
    /// File with the seed of a user's nkey, or NATS credentials (JWT and nkey).
    pub creds: Option<PathBuf>,
    /// Name that the broker shows for this connection.
    pub name: String,
}

/// A connection to the pipeline's broker.
#[derive(Clone)]
pub struct Bus {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) keepalive: Arc<Keepalive>,
    /// Counts connections made, so that pulls in flight on an old one are asked for again; the
    /// flag says whether there is one now.
    pub(crate) connected: watch::Receiver<(u64, bool)>,
    /// What the broker last complained of.
    pub(crate) complaint: watch::Receiver<Complaint>,
    url: String,
}

impl Bus {
    /// Connects, waiting for a broker that is away as long as `patience` allows (for ever without).
    ///
    /// A server that is too old is refused by name.
    pub async fn connect(
        options: &BusOptions,
        patience: Option<Duration>,
    ) -> Result<Self, BusError> {
        Self::connect_with(options, connect_options(options).await?, patience).await
    }

    /// As [`Bus::connect`], with the inboxes that the user of `supplier` may listen to.
    pub async fn connect_as(
        supplier: &SupplierId,
        options: &BusOptions,
        patience: Option<Duration>,
    ) -> Result<Self, BusError> {
        let connect = connect_options(options).await?.custom_inbox_prefix(inbox(supplier));
        Self::connect_with(options, connect, patience).await
    }

    async fn connect_with(
        options: &BusOptions,
        connect: ConnectOptions,
        patience: Option<Duration>,
    ) -> Result<Self, BusError> {
        let (connected_sender, mut connected) = watch::channel((0_u64, false));
        let (complain, complaint) = watch::channel(Complaint::default());
        let url = options.url.clone();
        let servers: Vec<&str> = options.url.split(',').map(str::trim).collect();
        let connect = connect.event_callback(move |event| {
            note(&event, &connected_sender, &complain);
            std::future::ready(())
        });
        let client = connect.connect(servers.as_slice()).await.map_err(|error| {
            BusError::Refused { action: "open a connection", reason: error.to_string() }
        })?;
        let first = async {
            if tokio::time::timeout(ANSWER_TIMEOUT, connected.wait_for(|it| it.1)).await.is_err() {
                warn!(%url, "Waiting for the broker");
            }
            // The sender lives as long as the client.
            connected.wait_for(|it| it.1).await.is_ok()
        };
        let arrived = match patience {
            Some(patience) => tokio::time::timeout(patience, first).await.unwrap_or(false),
            None => first.await,
        };
        if !arrived {
            if complaint.borrow().is_of_credentials() {
                let reason = format!(
                    "{url} does not know these credentials; if they are new, ask the operator whether they count already"
                );
                return Err(BusError::Refused { action: "open a connection", reason });
            }
            let reason = format!("nothing answers at {url}; is nats-server running there?");
            return Err(BusError::Away { action: "connect", reason });
        }
        check_version(&url, &client.server_info())?;
        let jetstream = ContextBuilder::new()
            .timeout(ANSWER_TIMEOUT)
            .ack_timeout(ANSWER_TIMEOUT)
            .max_ack_inflight(256)
            .backpressure_on_inflight(true)
            .build(client.clone());
        let keepalive = Keepalive::start(client.clone());
        Ok(Self { client, jetstream, keepalive, connected, complaint, url })
    }

    /// Whether the broker is connected now.
    pub fn is_connected(&self) -> bool {
        self.connected.borrow().1
    }

    /// Completes when the broker is connected.
    pub async fn until_connected(&self) {
        // The sender lives as long as the client, so this ends only with a connection.
        if self.connected.clone().wait_for(|it| it.1).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Address of the broker, without credentials.
    pub fn url(&self) -> &str {
        self.url.rsplit('@').next().unwrap_or(&self.url)
    }

    /// Version of the server that is connected.
    pub fn server_version(&self) -> String {
        self.client.server_info().version
    }

    /// Sends what is buffered, then closes the connection.
    pub async fn close(&self) {
        // A broker that is away would be waited for without end.
        let closed = async {
            self.client.flush().await.map_err(|error| error.to_string())?;
            self.client.drain().await.map_err(|error| error.to_string())
        };
        match tokio::time::timeout(ANSWER_TIMEOUT, closed).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(error, "Failed to flush the connection before closing it"),
            Err(_) => warn!("The broker is away: closed the connection without flushing it"),
        }
    }
}

async fn connect_options(options: &BusOptions) -> Result<ConnectOptions, BusError> {
    let connect = match &options.creds {
        None => ConnectOptions::new(),
        Some(path) => credentials(path).await.map_err(|reason| BusError::Refused {
            action: "read the credentials file",
            reason: format!("{}: {reason}", path.display()),
        })?,
    };
    let backoff = |attempt: usize| {
        let exponent = u32::try_from(attempt).unwrap_or(u32::MAX).min(6);
        Duration::from_millis(50 * 2_u64.pow(exponent)).min(Duration::from_secs(2))
    };
    Ok(connect.name(&options.name).retry_on_initial_connect().reconnect_delay_callback(backoff))
}

/// The seed of an nkey, or what `nsc` calls credentials: a JWT and the seed of its user.
async fn credentials(path: &Path) -> Result<ConnectOptions, String> {
    let text = tokio::fs::read_to_string(path).await.map_err(|error| error.to_string())?;
    if text.contains("-----BEGIN NATS USER JWT-----") {
        return ConnectOptions::with_credentials(&text).map_err(|error| error.to_string());
    }
    let seed: UserSeed = text.parse().map_err(
        |_| "is neither the seed of a user's nkey, which begins with SU, nor NATS credentials",
    )?;
    Ok(ConnectOptions::with_nkey(seed.to_text()))
}

/// Permission violations surface only here: a forbidden publish otherwise looks like a timeout.
fn note(
    event: &ClientEvent,
    connected: &watch::Sender<(u64, bool)>,
    complaint: &watch::Sender<Complaint>,
) {
    if let ClientEvent::ServerError(_) | ClientEvent::ClientError(_) = event {
        complaint.send_replace(Complaint::of(event));
    }
    match event {
        ClientEvent::Connected => {
            connected.send_modify(|(count, is)| {
                *count += 1;
                *is = true;
            });
            info!("Connected to the broker");
        }
        ClientEvent::Disconnected => {
            connected.send_modify(|(_, is)| *is = false);
            warn!("Lost the broker; reconnecting");
        }
        ClientEvent::ServerError(problem) => error!(%problem, "The broker reports a problem"),
        ClientEvent::ClientError(problem) => warn!(%problem, "The broker connection has a problem"),
        other => info!(event = %other, "Broker connection"),
    }
}

fn check_version(url: &str, server: &ServerInfo) -> Result<(), BusError> {
    match parse_version(&server.version) {
        Some(version) if version >= OLDEST_SERVER => Ok(()),
        _ => Err(BusError::OldServer { url: url.to_owned(), found: server.version.clone() }),
    }
}

fn parse_version(text: &str) -> Option<(u64, u64, u64)> {
    let release = text.split(['-', '+']).next()?;
    let mut parts = release.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number() {
        assert_eq!(parse_version("2.14.6"), Some((2, 14, 6)));
        assert_eq!(parse_version("2.12.0-RC.1"), Some((2, 12, 0)));
        assert!(parse_version("2.9.10") < Some(OLDEST_SERVER));
        assert_eq!(parse_version("main"), None);
    }
}
