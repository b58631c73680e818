//! The services' HTTP interfaces.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{Claims, Fault, Instance, Service, log::Logged};

type Shared = State<Arc<Instance>>;

pub(crate) fn router(instance: Arc<Instance>) -> Router {
    Router::new()
        .route("/api/v2/signingCert", post(certificate))
        .route("/api/v1/log/entries", post(entry_v1))
        .route("/api/v1/log/entries/{uuid}", get(entry_by_uuid))
        .route("/api/v2/log/entries", post(entry_v2))
        .route("/api/v1/timestamp", post(timestamp))
        .route("/tuf/{*path}", get(tuf))
        .route("/token", post(token))
        .route("/fault/{service}/{status}", post(fault))
        .with_state(instance)
}

/// What a service answers, unless it fails on demand.
async fn answer<F: Future<Output = Response>>(
    instance: &Instance,
    service: Service,
    work: impl FnOnce() -> F,
) -> Response {
    match instance.faults.ask(service) {
        None => work().await,
        Some(Fault::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            refusal(status, "failing on demand")
        }
        Some(Fault::AnswerLost) => {
            work().await;
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "the answer is lost")
        }
    }
}

fn refusal(status: StatusCode, message: &str) -> Response {
    let body = json!({ "code": status.as_u16(), "message": message }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn json(status: StatusCode, value: anyhow::Result<Value>) -> Response {
    match value {
        Ok(value) => (status, [(header::CONTENT_TYPE, "application/json")], value.to_string())
            .into_response(),
        Err(error) => refusal(StatusCode::BAD_REQUEST, &format!("{error:#}")),
    }
}

async fn certificate(State(instance): Shared, headers: HeaderMap, body: Bytes) -> Response {
    answer(&instance, Service::Fulcio, async || {
        let Ok(request) = serde_json::from_slice::<Value>(&body) else {
            return refusal(StatusCode::BAD_REQUEST, "not JSON");
        };
        let bearer = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
        let bearer = bearer.and_then(|it| it.strip_prefix("Bearer "));
        let token = request["credentials"]["oidcIdentityToken"].as_str().or(bearer);
        let token = token.unwrap_or_default();
        match instance.oidc.check(token) {
            Ok(claims) => json(StatusCode::CREATED, instance.authority.issue(&request, &claims)),
            Err(error) => refusal(StatusCode::UNAUTHORIZED, &format!("{error:#}")),
        }
    })
    .await
}

async fn entry_v1(State(instance): Shared, body: Bytes) -> Response {
    answer(&instance, Service::Rekor, async || {
        let request = serde_json::from_slice(&body).map_err(anyhow::Error::from);
        match request.and_then(|request: Value| instance.log_v1.add_v1(&request)) {
            Ok(Logged::New(entry)) => json(StatusCode::CREATED, Ok(entry)),
            Ok(Logged::Before(uuid)) => {
                let said = "an equivalent entry already exists in the transparency log with UUID";
                refusal(StatusCode::CONFLICT, &format!("{said} {uuid}"))
            }
            Err(error) => refusal(StatusCode::BAD_REQUEST, &format!("{error:#}")),
        }
    })
    .await
}

async fn entry_by_uuid(State(instance): Shared, Path(uuid): Path<String>) -> Response {
    match instance.log_v1.entry(&uuid) {
        Some(entry) => json(StatusCode::OK, Ok(entry)),
        None => refusal(StatusCode::NOT_FOUND, "no such entry"),
    }
}

async fn entry_v2(State(instance): Shared, body: Bytes) -> Response {
    answer(&instance, Service::Rekor, async || {
        let request = serde_json::from_slice(&body).map_err(anyhow::Error::from);
        let entry = request.and_then(|request: Value| instance.log_v2.add_v2(&request));
        json(StatusCode::CREATED, entry)
    })
    .await
}

async fn timestamp(State(instance): Shared, body: Bytes) -> Response {
    answer(&instance, Service::Tsa, async || match instance.timestamps.answer(&body).await {
        Ok(answer) => {
            let kind = [(header::CONTENT_TYPE, "application/timestamp-reply")];
            (StatusCode::CREATED, kind, answer).into_response()
        }
        Err(error) => refusal(StatusCode::BAD_REQUEST, &format!("{error:#}")),
    })
    .await
}

async fn token(State(instance): Shared, body: Bytes) -> Response {
    let claims = serde_json::from_slice::<Claims>(&body).map_err(anyhow::Error::from);
    match claims.and_then(|claims| instance.oidc.token(claims)) {
        Ok(token) => token.into_response(),
        Err(error) => refusal(StatusCode::BAD_REQUEST, &format!("{error:#}")),
    }
}

async fn tuf(State(instance): Shared, Path(path): Path<String>) -> Response {
    match instance.tuf_file(&path) {
        Some(bytes) => bytes.to_vec().into_response(),
        None => refusal(StatusCode::NOT_FOUND, "no such file"),
    }
}

/// `POST /fault/rekor/503` lets Rekor fail so, `POST /fault/rekor/0` lets it work again.
async fn fault(State(instance): Shared, Path((service, status)): Path<(String, u16)>) -> Response {
    let Some(service) = Service::of(&service) else {
        return refusal(StatusCode::NOT_FOUND, "services are fulcio, rekor and tsa");
    };
    instance.faults.set(service, (status != 0).then_some(Fault::Status(status)));
    StatusCode::NO_CONTENT.into_response()
}
