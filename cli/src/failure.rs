//! Why a command did not succeed, and the exit code that says so.

use std::process::ExitCode;

use broker::BrokerError;
use bus::BusError;

/// A message for people, by the question that scripts ask: no, my fault, or not known?
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The answer is no. Nothing to add when the report said it all.
    #[error("{0}")]
    No(String),
    /// Usage or input is wrong.
    #[error("{0}")]
    Input(String),
    /// It could not be found out.
    #[error("{0}")]
    Unknown(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::No(_) => 1,
            Self::Input(_) => 2,
            Self::Unknown(_) => 3,
        }
    }

    /// The file or text given is at fault.
    pub(crate) fn input(message: impl ToString) -> Self {
        Self::Input(message.to_string())
    }

    /// Whatever would know is away.
    pub(crate) fn unknown(message: impl ToString) -> Self {
        Self::Unknown(message.to_string())
    }
}

impl From<BusError> for Failure {
    fn from(error: BusError) -> Self {
        match &error {
            BusError::TooLarge { .. } => Self::input(error),
            _ => Self::unknown(error),
        }
    }
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        use BrokerError as E;
        match &error {
            E::TooOld { .. } | E::NotAServer { .. } | E::Store { .. } | E::InUse { .. } => {
                Self::input(error)
            }
            E::NotFound { .. }
            | E::Process { .. }
            | E::NotReady { .. }
            | E::Reload { .. }
            | E::StopTimeout { .. } => Self::unknown(error),
        }
    }
}
