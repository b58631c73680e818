//! Why a statement was not signed.

use sigstore_sign::{fulcio, rekor, tsa};
use worker::HandleError;

/// Why a statement was not signed now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// What every statement needs is away; the statement waits for it.
    #[error("{service}: {detail}")]
    Away {
        /// Which service, for metrics and health.
        service: &'static str,
        /// What it says, and the remedy. Never a token.
        detail: String,
    },
    /// This statement was refused.
    #[error("{service}: {detail}")]
    Refused {
        /// Which service.
        service: &'static str,
        /// What it says.
        detail: String,
    },
}

/// What a log said of an entry.
pub(crate) enum LogError {
    /// It has an equivalent entry, under this UUID if it says.
    Exists(Option<String>),
    /// It failed.
    Failed(SignError),
}

const FULCIO: &str = "fulcio";
const REKOR: &str = "rekor";
const TSA: &str = "tsa";
/// Characters of a service's answer that are repeated.
const MAX_DETAIL: usize = 500;

impl SignError {
    pub(crate) fn away(service: &'static str, detail: impl ToString) -> Self {
        Self::Away { service, detail: printable(&detail.to_string()) }
    }

    /// A certificate is refused for the identity's sake or the configuration's, never for a statement's.
    pub(crate) fn of_fulcio(error: &fulcio::Error) -> Self {
        let remedy = match error {
            fulcio::Error::Status { status: 400..=403, .. } => {
                "; see that the identity token is fresh, for the audience `sigstore`, and of an issuer that \
                 this authority knows"
            }
            _ => "",
        };
        Self::away(FULCIO, format_args!("{}{remedy}", printable(&error.to_string())))
    }

    pub(crate) fn of_tsa(error: &tsa::Error) -> Self {
        Self::away(TSA, error)
    }
}

impl LogError {
    pub(crate) fn of(error: &rekor::Error) -> Self {
        let detail = printable(&error.to_string());
        match error {
            rekor::Error::Status { status: 409, message } => Self::Exists(uuid_in(message)),
            // Too many requests and time-outs pass.
            rekor::Error::Status { status: 408 | 429, .. } => {
                Self::Failed(SignError::away(REKOR, detail))
            }
            rekor::Error::Status { status: 400..=499, .. } => {
                Self::Failed(SignError::Refused { service: REKOR, detail })
            }
            _ => Self::Failed(SignError::away(REKOR, detail)),
        }
    }
}

impl From<SignError> for HandleError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Away { service, detail } => Self::Outage { dependency: service, detail },
            SignError::Refused { .. } => Self::transient(error),
        }
    }
}

/// The UUID of an entry: 64 hex digits, or 80 with the tree before it.
fn uuid_in(message: &str) -> Option<String> {
    let words = message.split(|it: char| !it.is_ascii_hexdigit());
    words.filter(|it| matches!(it.len(), 64 | 80)).map(str::to_owned).next_back()
}

fn printable(text: &str) -> String {
    text.chars().take(MAX_DETAIL).map(|it| if it.is_control() { ' ' } else { it }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_is_found_in_what_a_log_says() {
        let uuid = "24296fb24b8ad77a".to_owned() + &"ab".repeat(32);
        let said =
            format!("an equivalent entry already exists in the transparency log with UUID {uuid}");
        assert_eq!(uuid_in(&said), Some(uuid));
        assert_eq!(
            uuid_in(&format!("/api/v1/log/entries/{}", "0f".repeat(32))),
            Some("0f".repeat(32))
        );
        assert_eq!(uuid_in("deadbeef"), None);
    }

    #[test]
    fn only_a_refusal_of_the_log_is_the_statements_own_fault() {
        let failed = |status| {
            let error = rekor::Error::Status { status, message: String::new() };
            match LogError::of(&error) {
                LogError::Failed(error) => error,
                LogError::Exists(_) => panic!("exists"),
            }
        };
        assert!(matches!(failed(400), SignError::Refused { .. }));
        for status in [408, 429, 500, 503] {
            assert!(matches!(failed(status), SignError::Away { .. }), "{status}");
        }
    }
}
