//! Whether every worker of the process can do its work, and `/live`, `/ready`, `/metrics`.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use tokio::net::TcpListener;

use crate::metrics;

/// Health of the workers of one process: each is ready, or says why not.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<String, Result<(), String>>>>);

impl Health {
    /// Says how `worker` is.
    pub fn set(&self, worker: &str, state: Result<(), String>) {
        self.workers().insert(worker.to_owned(), state);
    }

    /// Why the process is not ready: one line per worker that is not.
    pub fn problems(&self) -> Vec<String> {
        let workers = self.workers();
        if workers.is_empty() {
            return vec!["starting".to_owned()];
        }
        let problem = |(worker, state): (&String, &Result<(), String>)| {
            state.as_ref().err().map(|why| format!("{worker}: {why}"))
        };
        workers.iter().filter_map(problem).collect()
    }

    /// Serves `/live`, `/ready` and `/metrics` on `address`, and says where that came to be.
    pub async fn serve(&self, address: SocketAddr) -> std::io::Result<SocketAddr> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/live", get(async || "live\n"))
            .route("/ready", get(ready))
            .route("/metrics", get(scrape))
            .with_state(self.clone());
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "The health and metrics server stopped");
            }
        });
        Ok(address)
    }

    fn workers(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Result<(), String>>> {
        // Every change is one call, so a panic elsewhere cannot leave the map half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let problems = health.problems();
    if problems.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, problems.join("\n") + "\n")
}

async fn scrape() -> impl IntoResponse {
    match metrics::text() {
        Ok(text) => (StatusCode::OK, [("content-type", "text/plain; version=0.0.4")], text),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            [("content-type", "text/plain; charset=utf-8")],
            error.to_string().into_bytes(),
        ),
    }
}
