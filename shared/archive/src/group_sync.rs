//! One sync for everything written since the last: many events share one wait for the disk.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use object_store::path::Path as Location;
use rustix::fs::AtFlags;
use tokio::sync::{mpsc, oneshot};

use crate::volume;

/// Makes what was written durable, in groups.
#[derive(Clone)]
pub(crate) struct GroupSync(mpsc::UnboundedSender<Request>);

/// Somebody who waits for a sync.
struct Request {
    written: Vec<Location>,
    reply: oneshot::Sender<Result<(), String>>,
}

impl GroupSync {
    /// Whether the sync reaches files that were written without one of their own.
    pub(crate) const COVERS_FILES: bool = cfg!(target_os = "linux");

    /// Starts a thread that syncs the file system of `root` on request.
    pub(crate) fn start(root: &Path) -> io::Result<Self> {
        let mut root = Root { path: root.to_owned(), directory: File::open(root)? };
        let (requests, mut waiting) = mpsc::unbounded_channel::<Request>();
        std::thread::Builder::new().name("archive-sync".to_owned()).spawn(move || {
            while let Some(first) = waiting.blocking_recv() {
                // Whoever asked before the sync began is covered by it.
                let mut group = vec![first];
                while let Ok(more) = waiting.try_recv() {
                    group.push(more);
                }
                root.sync_for(group);
            }
        })?;
        Ok(Self(requests))
    }

    /// Completes when the files `written` are durable, and everything else written before the call.
    pub(crate) async fn wait(&self, written: Vec<Location>) -> Result<(), String> {
        let (reply, done) = oneshot::channel();
        let stopped = || "the sync thread stopped".to_owned();
        self.0.send(Request { written, reply }).map_err(|_| stopped())?;
        done.await.map_err(|_| stopped())?
    }
}

/// The archive's directory.
struct Root {
    path: PathBuf,
    /// Open all the time: the system tells of failed writes only whom had it open before.
    directory: File,
}

impl Root {
    fn sync_for(&mut self, group: Vec<Request>) {
        let unmoved = self.check_path();
        // Files were written through the path, which may have led elsewhere for a while. What lies
        // in the directory that is open here is made durable by syncing this one.
        let here = |request: &Request| {
            let exists = |file: &Location| {
                rustix::fs::statat(&self.directory, file.as_ref(), AtFlags::empty()).is_ok()
            };
            request.written.iter().all(exists)
        };
        let here: Vec<bool> = group.iter().map(here).collect();
        let synced =
            unmoved.and_then(|()| sync(&self.directory).map_err(|error| error.to_string()));
        for (request, here) in group.into_iter().zip(here) {
            let elsewhere = || "what was written is not there; the volume was away".to_owned();
            let result = synced.clone().and_then(|()| here.then_some(()).ok_or_else(elsewhere));
            // Whoever stopped waiting needs no answer.
            drop(request.reply.send(result));
        }
    }

    /// Whether the path leads to the directory that is open. If it leads to another archive, that
    /// one is opened, for the next time.
    fn check_path(&mut self) -> Result<(), String> {
        let marked = fs::metadata(self.path.join(volume::MARKER));
        marked.map_err(|_| volume::gone())?;
        let is_open = || -> io::Result<bool> {
            let (there, open) = (fs::metadata(&self.path)?, self.directory.metadata()?);
            Ok((there.dev(), there.ino()) == (open.dev(), open.ino()))
        };
        if is_open().map_err(|error| error.to_string())? {
            return Ok(());
        }
        self.directory = File::open(&self.path).map_err(|error| error.to_string())?;
        Err("another archive took its place, and is used from now on; try again".to_owned())
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
