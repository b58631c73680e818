//! One sync for everything written since the last: many events share one wait for the disk.

use std::{fs::File, io, path::Path, sync::Arc};

use tokio::sync::{mpsc, oneshot};

type Reply = oneshot::Sender<Result<(), Arc<io::Error>>>;

/// Makes what was written durable, in groups.
#[derive(Clone)]
pub(crate) struct GroupSync(mpsc::UnboundedSender<Reply>);

impl GroupSync {
    /// Whether the sync reaches files that were written without one of their own.
    pub(crate) const COVERS_FILES: bool = cfg!(target_os = "linux");

    /// Starts a thread that syncs the file system of `root` on request.
    pub(crate) fn start(root: &Path) -> io::Result<Self> {
        let root = File::open(root)?;
        let (requests, mut waiting) = mpsc::unbounded_channel::<Reply>();
        std::thread::Builder::new().name("archive-sync".to_owned()).spawn(move || {
            while let Some(first) = waiting.blocking_recv() {
                // Whoever asked before the sync began is covered by it.
                let mut group = vec![first];
                while let Ok(more) = waiting.try_recv() {
                    group.push(more);
                }
                let synced = sync(&root).map_err(Arc::new);
                for reply in group {
                    // Whoever stopped waiting needs no answer.
                    drop(reply.send(synced.clone()));
                }
            }
        })?;
        Ok(Self(requests))
    }

    /// Completes when everything written before the call is durable.
    pub(crate) async fn wait(&self) -> Result<(), String> {
        let (reply, done) = oneshot::channel();
        let stopped = || "the sync thread stopped".to_owned();
        self.0.send(reply).map_err(|_| stopped())?;
        done.await.map_err(|_| stopped())?.map_err(|error| error.to_string())
    }
}

#[cfg(target_os = "linux")]
fn sync(root: &File) -> io::Result<()> {
    // One call for all files, names and directories, however many events wrote them.
    rustix::fs::syncfs(root).map_err(io::Error::from)
}

#[cfg(not(target_os = "linux"))]
fn sync(_: &File) -> io::Result<()> {
    // The store syncs every file itself here.
    Ok(())
}
