//! A running server that is given another configuration, and a log that does not fill the disk.

use std::{io, time::Duration};

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use crate::{
    BrokerError, Server,
    server::{MAX_LOG_BYTES, POLL_INTERVAL, process_error, read_tail, store_error},
};

const RELOAD_LIMIT: Duration = Duration::from_secs(10);
/// What nats-server says at the end of a reload.
const RELOADED: &str = "] Reloaded server configuration";
const REFUSED: &str = "] Failed to reload server configuration: ";

impl Server {
    /// Has the server read its configuration again (SIGHUP), included files too, and waits until it has.
    /// Connections stay, but for those of users that are gone.
    ///
    /// # Errors
    /// [`BrokerError::Reload`] when it refuses, and the configuration before stays in force;
    /// [`BrokerError::Process`] when it does not run.
    pub async fn reload(&mut self) -> Result<(), BrokerError> {
        // What an account that is new imports works from the second time on (2.14.6).
        for _ in 0..2 {
            self.reload_once().await?;
        }
        Ok(())
    }

    /// Empties a log that has grown beyond 1 MiB: whoever may connect can make the server complain, once
    /// a line, as often as he likes.
    ///
    /// # Errors
    /// [`BrokerError::Store`] when the log cannot be emptied.
    pub fn trim_log(&self) -> Result<(), BrokerError> {
        let path = self.log_path();
        let trim = || match self.log.metadata()?.len() {
            length if length > MAX_LOG_BYTES => self.log.set_len(0),
            _ => Ok(()),
        };
        trim().map_err(|error: io::Error| store_error(&path, &error))
    }

    async fn reload_once(&mut self) -> Result<(), BrokerError> {
        let path = self.log_path();
        let unreadable = |error| process_error("read the log of nats-server", error);
        let offset = self.log.metadata().map_err(unreadable)?.len();
        self.running()?.signal(Signal::HUP)?;
        let deadline = Instant::now() + RELOAD_LIMIT;
        loop {
            let said = read_tail(&path, offset, MAX_LOG_BYTES).map_err(unreadable)?;
            if said.contains(RELOADED) {
                return Ok(());
            }
            let refusal = said.split_once(REFUSED).and_then(|(_, rest)| rest.lines().next());
            if let Some(why) = refusal {
                return Err(BrokerError::Reload { why: why.to_owned(), log: path });
            }
            if Instant::now() > deadline {
                let why = format!("it said nothing within {} s", RELOAD_LIMIT.as_secs());
                return Err(BrokerError::Reload { why, log: path });
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}
