//! Asking for another verdict on what was judged before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Artifact, Environment, Event, Label, Listing, Producer, Scope};

/// The world has changed since a build was judged: `verdict.requested`. The gate judges its evidence again, as of now;
/// the verdict supersedes the one before.
///
/// It begins a story of its own, which names the build's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictRequested {
    /// The project that was built.
    pub project: Scope,
    /// The build's story: the id of its `build.completed`.
    pub build: Uuid,
    /// What the build made: 1 to 1,000. The gate believes its own records of it.
    pub artifacts: Listing<Artifact, 1, 1000>,
    /// What has changed.
    pub reason: RequestReason,
    /// Tells this request from every other of the same reason: the digest of a policy, the id of a vulnerability, a
    /// time. The same request twice is one.
    pub key: Label,
    /// What it is judged for now; what CI said, if left out. A release that was for staging gets to production so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
}

/// Why a build is judged again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequestReason {
    /// Somebody asked.
    Operator,
    /// Another policy judges.
    Policy,
    /// A waiver began or ended.
    Waiver,
    /// An advisory is new or has changed, or a vulnerability is exploited now.
    Advisory,
    /// It goes on to another environment.
    Promotion,
}

impl RequestReason {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Policy => "policy",
            Self::Waiver => "waiver",
            Self::Advisory => "advisory",
            Self::Promotion => "promotion",
        }
    }
}

impl Event for VerdictRequested {
    const NOUN: &'static str = "verdict";
    const VERB: &'static str = "requested";

    fn natural_key(&self) -> String {
        let environment = self.environment.map_or("", Environment::as_str);
        format!("{}\0{}\0{environment}\0{}", self.build, self.reason.as_str(), self.key)
    }

    fn producer(&self) -> Option<Producer> {
        None
    }
}
