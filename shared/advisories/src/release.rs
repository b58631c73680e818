//! Releases of distributions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A release of a distribution, such as `12` of Debian or `3.19` of Alpine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Release(String);

impl Release {
    /// As its distribution numbers it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
