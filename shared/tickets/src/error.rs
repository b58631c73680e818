//! Why a tracker did not do as asked, told apart by what may have happened there.

use jiff::Timestamp;

/// Why a tracker did not do as asked. None of the texts holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// Nothing was done, and nothing will be before that time.
    #[error("rate limited until {until}: {why}")]
    Wait {
        /// When to ask again.
        until: Timestamp,
        /// Which limit.
        why: String,
    },
    /// Nothing was done: it was not reached, or could not even read.
    #[error("{0}")]
    Away(String),
    /// Perhaps it was done: the answer is lost.
    #[error("{0}; whether it was done is looked for before it is tried again")]
    Unknown(String),
    /// Nothing was done, for what was asked is refused for its content. The same again would be, too.
    #[error("{0}")]
    Refused(String),
    /// Nothing was done: whoever asks may not, or there is nothing there to ask.
    #[error("{0}")]
    Denied(String),
    /// The ticket is not there any more.
    #[error("the ticket is gone: {0}")]
    Gone(String),
}

impl TicketError {
    /// Whether the next request would meet the same.
    pub(crate) fn concerns_all(&self) -> bool {
        matches!(self, Self::Wait { .. } | Self::Away(_) | Self::Denied(_))
    }

    /// Whether what was asked has certainly not been done.
    pub(crate) fn is_certain(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}
