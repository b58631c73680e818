//! GitHub Issues on loopback, for tests: one repository, its REST API of 2022-11-28 as far as clients of issues see
//! it, and faults that are counted in requests and never in time.
//!
//! It is faithful where it matters to who must not make a ticket twice: what is listed comes late, in pages, with
//! pull requests and others' issues in between; labels are dropped without a word; answers are lost. Its clock goes
//! on by a second with each request.

mod faults;
mod issues;
mod request;
mod server;

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context as _;
use tokio::runtime::Runtime;

use crate::{faults::Faults, issues::Repository};
pub use crate::{
    faults::{Fault, Operation},
    issues::{Comment, Issue},
};

/// The repository that there is.
pub const REPOSITORY: &str = "acme/app";
/// Whose token it takes.
pub const LOGIN: &str = "attestry-bot";
/// The token that it takes.
pub const TOKEN: &str = "github_pat_private";

/// A running server; it ends when it is dropped.
pub struct PrivateGitHub {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) repository: Repository,
    pub(crate) faults: Faults,
    /// Every request that was heard: method and path.
    pub(crate) requests: Vec<(String, String)>,
    pub(crate) url: String,
}

impl PrivateGitHub {
    /// Starts on a free port.
    ///
    /// # Errors
    /// There is none.
    pub fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("cannot listen")?;
        let address = listener.local_addr()?;
        let state = State { url: format!("http://{address}"), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let runtime = Some(serve(listener, Arc::clone(&state))?);
        Ok(Self { state, address, runtime })
    }

    /// Where it is: `http://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops: nobody listens, and connections are cut. What there is stays.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Goes on at the same address.
    ///
    /// # Errors
    /// Somebody else has taken it.
    pub fn go_on(&mut self) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.address).context("cannot listen again")?;
        self.runtime = Some(serve(listener, Arc::clone(&self.state))?);
        Ok(())
    }

    /// Lets the next `times` requests for `operation` fail.
    pub fn fail(&self, operation: Operation, fault: Fault, times: u32) {
        self.state().faults.add(operation, fault, times);
    }

    /// Lets new issues and comments appear in listings only after so many listings.
    pub fn set_lag(&self, listings: u32) {
        self.state().repository.lag = listings;
    }

    /// Whether the token may push; without, labels are dropped without a word.
    pub fn set_may_push(&self, may_push: bool) {
        self.state().repository.may_push = may_push;
    }

    /// Issues and pull requests, in order.
    pub fn issues(&self) -> Vec<Issue> {
        self.state().repository.issues.clone()
    }

    /// Comments, in order.
    pub fn comments(&self) -> Vec<Comment> {
        self.state().repository.comments.clone()
    }

    /// Somebody makes an issue in the browser; returns its number.
    pub fn make(&self, login: &str, title: &str, body: &str) -> u64 {
        self.state().repository.create(login, title, body, &[])
    }

    /// Somebody changes an issue in the browser.
    pub fn change(&self, number: u64, change: impl FnOnce(&mut Issue)) {
        self.state().repository.change(number, change);
    }

    /// Somebody deletes an issue in the browser.
    pub fn delete(&self, number: u64) {
        self.state().repository.delete(number);
    }

    /// How many requests were heard that change something.
    pub fn writes(&self) -> usize {
        self.state().requests.iter().filter(|(method, _)| method != "GET").count()
    }

    /// Every request that was heard: method and path.
    pub fn requests(&self) -> Vec<(String, String)> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PrivateGitHub {
    fn drop(&mut self) {
        self.stop();
    }
}

/// In a runtime of its own: with it, every connection ends.
fn serve(listener: TcpListener, state: Arc<Mutex<State>>) -> anyhow::Result<Runtime> {
    listener.set_nonblocking(true)?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build()?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    runtime.spawn(async move {
        // It ends with the runtime.
        drop(axum::serve(listener, server::router(state)).await);
    });
    Ok(runtime)
}
