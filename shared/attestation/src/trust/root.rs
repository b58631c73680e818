//! The authorities behind certificates, log entries and timestamps.

use std::fmt;

use sigstore_verify::{
    Verifier,
    trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot},
};

use crate::json;

/// Largest trusted root that is read, in bytes: the public good instance's has 7 KiB.
pub const MAX_TRUSTED_ROOT_BYTES: usize = 4 * 1024 * 1024;

/// A Sigstore trusted root: certificate authorities, logs and timestamp authorities, each with its time.
pub struct TrustRoot(Verifier);

/// Why a trusted root cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a Sigstore trusted root: {0}; get `trusted_root.json` again from whoever runs the instance"
)]
pub struct TrustRootError(String);

impl TrustRoot {
    /// Reads a `trusted_root.json` (`application/vnd.dev.sigstore.trustedroot+json`).
    ///
    /// # Errors
    /// Anything else, and authorities whose keys, certificates or times cannot be used.
    pub fn from_json(bytes: &[u8]) -> Result<Self, TrustRootError> {
        if bytes.len() > MAX_TRUSTED_ROOT_BYTES {
            let size = bytes.len();
            return Err(TrustRootError(format!(
                "{size} bytes, more than the {MAX_TRUSTED_ROOT_BYTES} that are read"
            )));
        }
        json::check(bytes).map_err(TrustRootError)?;
        let refused = |error: &dyn fmt::Display| TrustRootError(json::excerpt(&error.to_string()));
        let text = std::str::from_utf8(bytes).map_err(|error| refused(&error))?;
        let root = TrustedRoot::from_json(text).map_err(|error| refused(&error))?;
        Verifier::new(&root).map(Self).map_err(|error| refused(&error))
    }

    /// The root of Sigstore's public good instance, as it was when this program was built.
    ///
    /// # Errors
    /// Never, as a test shows.
    pub fn public_good() -> Result<Self, TrustRootError> {
        Self::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes())
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.0
    }
}

impl fmt::Debug for TrustRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustRoot").finish_non_exhaustive()
    }
}
