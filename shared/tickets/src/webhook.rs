//! Signed webhooks, for every tracker that we do not know: each step is a message by the Standard Webhooks
//! specification, 1.0.0. Whoever receives them keeps one ticket for each key.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use reqwest::{
    Client, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};
use serde_json::json;

use crate::{
    Clock, Deed, Desired, Note, Place, Recall, Secret, SecretFile, Step, Ticket, TicketError,
    Tracker,
    http::{self, Base, Lost},
    pace::Pace,
};

/// How a secret begins that is in Base64, by the specification.
const SECRET_PREFIX: &str = "whsec_";
/// Shortest secret that is used, in bytes.
const SECRET_BYTES_MIN: usize = 24;
/// How much of an answer is read; nobody looks at it.
const ANSWER_BYTES: usize = 1 << 20;
/// How long to wait when the receiver does not say.
const DEFAULT_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// Where messages go, and what signs them.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// What people call it. The address may be a secret, and is told nowhere.
    pub name: String,
    /// Where they go.
    pub url: Base,
    /// File with the key: `whsec_` and Base64, or any text of at least 24 characters.
    pub secret: SecretFile,
    /// How long a request may take.
    pub timeout: Duration,
}

/// A receiver of signed messages.
pub struct Webhook {
    settings: WebhookSettings,
    client: Client,
    clock: Arc<dyn Clock>,
    pace: Mutex<Pace>,
}

impl Webhook {
    /// A client for `settings`.
    ///
    /// # Errors
    /// The system has no certificates; the text says so.
    pub fn new(settings: WebhookSettings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let client = http::client(settings.timeout)?;
        Ok(Self { settings, client, clock, pace: Mutex::default() })
    }

    async fn post(&self, id: &str, body: String) -> Result<(), TicketError> {
        let pause = self.pace().may_write(self.clock.now())?;
        if !pause.is_zero() {
            self.clock.sleep(pause).await;
        }
        let denied =
            |error: String| TicketError::Denied(format!("{}: {error}", self.settings.name));
        let secret = self.settings.secret.read().map_err(|error| denied(error.to_string()))?;
        let time = self.clock.now().as_second();
        let signed =
            signature(&secret, id, time, body.as_bytes()).map_err(|it| denied(it.to_owned()))?;
        let request = self
            .client
            .post(self.settings.url.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", time)
            .header("webhook-signature", signed)
            .body(body);
        let told = |why: &str| format!("{}: {why}", self.settings.name);
        let answer = http::send(request, ANSWER_BYTES).await.map_err(|lost| match lost {
            Lost::NotSent(why) => TicketError::Away(told(&why)),
            Lost::Perhaps(why) => TicketError::Unknown(told(&why)),
        })?;
        let status = answer.status;
        let said = told(&format!("answers {}", status.as_u16()));
        if status.is_success() {
            return Ok(());
        }
        let now = self.clock.now();
        Err(match status {
            StatusCode::TOO_MANY_REQUESTS => {
                self.pace().block(asked_to_wait(&answer.headers, now), now, said)
            }
            StatusCode::SERVICE_UNAVAILABLE if answer.headers.contains_key(RETRY_AFTER) => {
                self.pace().block(asked_to_wait(&answer.headers, now), now, said)
            }
            StatusCode::GONE => TicketError::Denied(format!("{said}: it wants no more messages")),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                TicketError::Denied(format!("{said}; check its address and secret"))
            }
            status if status.is_redirection() => {
                TicketError::Denied(format!("{said}; configure the address that it points to"))
            }
            status if status.is_client_error() => TicketError::Refused(said),
            _ => TicketError::Unknown(said),
        })
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tracker for Webhook {
    fn recall(&self) -> Recall {
        Recall::Recognises
    }

    /// It tells nothing.
    async fn changes(&self, _: Option<Timestamp>) -> Result<Vec<Ticket>, TicketError> {
        self.pace().may_ask(self.clock.now())?;
        Ok(Vec::new())
    }

    async fn perform(&self, deed: &Deed<'_>) -> Result<Option<Ticket>, TicketError> {
        self.post(&deed.attempt.to_string(), message(deed)).await?;
        Ok(None)
    }

    async fn has_told(&self, _: &Place, _: &Note) -> Result<bool, TicketError> {
        Ok(false)
    }
}

/// A step as JSON, the same whenever it is sent.
fn message(deed: &Deed<'_>) -> String {
    let wanted = deed.wanted;
    let state = match wanted.state {
        Desired::Open => "open",
        Desired::Done => "done",
        Desired::NotPlanned => "not_planned",
    };
    let note = match deed.step {
        Step::Comment(note) => &note.text,
        _ => &wanted.change.text,
    };
    json!({
        "type": format!("ticket.{}", deed.step.name()),
        "data": {
            "key": wanted.key.to_string(),
            "entry": wanted.entry,
            "state": state,
            "title": wanted.short_title(),
            "body": wanted.marked_body(),
            "labels": wanted.labels,
            "due": wanted.due,
            "note": note,
        },
    })
    .to_string()
}

/// The header `webhook-signature` of a message: HMAC-SHA256 over id, time in seconds and body.
///
/// # Errors
/// The secret is not one; the text does not repeat it.
pub fn signature(
    secret: &Secret,
    id: &str,
    time: i64,
    body: &[u8],
) -> Result<String, &'static str> {
    let key = match secret.expose().strip_prefix(SECRET_PREFIX) {
        Some(encoded) => {
            STANDARD.decode(encoded).map_err(|_| "its secret is not Base64 after whsec_")?
        }
        None => secret.expose().as_bytes().to_vec(),
    };
    if key.len() < SECRET_BYTES_MIN {
        return Err("its secret has less than 24 bytes");
    }
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
    context.update(format!("{id}.{time}.").as_bytes());
    context.update(body);
    Ok(format!("v1,{}", STANDARD.encode(context.sign())))
}

fn asked_to_wait(headers: &HeaderMap, now: Timestamp) -> Timestamp {
    let after = headers.get(RETRY_AFTER).and_then(|it| it.to_str().ok()?.trim().parse().ok());
    let until = after.map(|it| now.checked_add(SignedDuration::from_secs(it)));
    until.and_then(Result::ok).unwrap_or(now + DEFAULT_WAIT)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn secret(text: &str) -> Secret {
        let file = tempfile::NamedTempFile::new().expect("temporary");
        fs::write(file.path(), text).expect("writes");
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).expect("changes");
        SecretFile::new(file.path()).read().expect("a secret")
    }

    /// The specification's own example, 1.0.0, section on verifying.
    #[test]
    fn signature_is_that_of_the_specification() {
        let secret = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed, Ok("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned()));
    }

    #[test]
    fn weak_and_broken_secrets_are_refused_and_not_repeated() {
        for text in ["short", "whsec_c2hvcnQ=", "whsec_***"] {
            let refusal = signature(&secret(text), "id", 0, b"").expect_err("refused");
            assert!(!refusal.contains(text), "{refusal}");
        }
    }
}
