//! What a server is told at its start.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
};

use crate::BrokerError;

/// How a server is to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where streams, configuration and log are kept; made when missing. One server at a time.
    pub store_dir: PathBuf,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port there; `None` takes a free one, kept over restarts.
    pub port: Option<u16>,
    /// Whether each write is synced before it is acknowledged. The server's own default syncs every two minutes.
    pub sync_always: bool,
    /// The largest message in bytes.
    pub max_payload: u32,
    /// The most that all streams may take, in bytes; `None` is three quarters of the free disk.
    pub max_store: Option<u64>,
    /// More configuration in the server's own syntax, such as accounts and users.
    pub extra_config: String,
    /// The account in `extra_config` that owns the streams. Those from before there were accounts move there.
    pub account: Option<String>,
}

impl Options {
    /// A free port of 127.0.0.1, every write synced, messages up to 1 MiB.
    #[must_use]
    pub fn new(store_dir: impl Into<PathBuf>) -> Self {
        Self {
            store_dir: store_dir.into(),
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: None,
            sync_always: true,
            max_payload: 1 << 20,
            max_store: None,
            extra_config: String::new(),
            account: None,
        }
    }

    /// The configuration file; `port` overrides ours, `ports_dir` is where the server says where it listens.
    pub(crate) fn config(
        &self,
        port: Option<u16>,
        ports_dir: &Path,
    ) -> Result<String, BrokerError> {
        let port = port.or(self.port).map_or_else(|| "-1".to_owned(), |it| it.to_string());
        let host = match self.host {
            IpAddr::V4(host) => host.to_string(),
            IpAddr::V6(host) => format!("[{host}]"),
        };
        let sync = if self.sync_always { "always" } else { "2m" };
        let max_store = self.max_store.map(|it| format!("\n  max_file_store: {it}"));
        Ok(format!(
            "listen: \"{host}:{port}\"\n\
             server_name: attestry\n\
             max_payload: {}\n\
             ports_file_dir: {}\n\
             jetstream {{\n  store_dir: {}\n  sync_interval: {sync}{}\n}}\n\
             {}\n",
            self.max_payload,
            quoted(ports_dir)?,
            quoted(&self.store_dir)?,
            max_store.unwrap_or_default(),
            self.extra_config,
        ))
    }
}

/// A path as a string of the server's configuration language.
fn quoted(path: &Path) -> Result<String, BrokerError> {
    let text = path.to_str().filter(|it| !it.contains(char::is_control)).ok_or_else(|| {
        let why = "its name has control characters or is not UTF-8".to_owned();
        BrokerError::Store { path: path.to_owned(), why }
    })?;
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_cannot_leave_its_string() {
        let options = Options::new("/tmp/a\"; authorization { }\\");
        let config = options.config(None, Path::new("/tmp/ports")).unwrap();
        assert!(config.contains(r#"store_dir: "/tmp/a\"; authorization { }\\""#), "{config}");
    }

    #[test]
    fn path_with_a_line_break_is_refused() {
        let error = Options::new("/tmp/a\nb").config(None, Path::new("/tmp/ports")).unwrap_err();
        assert!(error.to_string().contains("control characters"), "{error}");
    }
}
