//! Who approved a waiver, and what it does to a report.

use std::path::{Path, PathBuf};

use attestation::{
    Artifact, SignedArtifact, Trust, VerifyError, verify::MAX_BUNDLE_BYTES, verify_artifact,
};
use events::Digest;
use jiff::Timestamp;
use policy::{Grant, Report};

use super::{Build, Found, MAX_WAIVER_BYTES, Waiver, WaiverError, bounded, bundle_of, read};

/// A waiver that somebody who may has signed.
#[derive(Clone, Debug, PartialEq)]
pub struct Approved {
    /// What it says.
    pub waiver: Waiver,
    /// Digest of its file.
    pub id: Digest,
    /// Who signed, as the approvers' list calls them.
    pub approver: String,
}

/// The waivers of `directory` that somebody in `approvers` signed and that count at `now`. Others are told in the log:
/// whoever is in `signers`, and so may sign evidence, approves nothing, and nobody approves what they asked for.
pub(crate) fn active(
    directory: &Path,
    approvers: &Trust,
    signers: &Trust,
    now: Timestamp,
) -> Result<Vec<Approved>, WaiverError> {
    let mut active = Vec::new();
    for (_, approved) in all(directory, approvers, signers)? {
        match approved {
            Ok(approved) if approved.waiver.is_active(now) => active.push(approved),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "A waiver does not count"),
        }
    }
    Ok(active)
}

/// A waiver's digest, what it says if it can be read, and who approved it or why nobody did.
pub(crate) type Judged = (Digest, Option<Waiver>, Result<String, String>);

/// Every waiver of `directory`, and whether somebody who may has signed it.
pub(crate) fn judged(
    directory: &Path,
    approvers: &Trust,
    signers: &Trust,
) -> Result<Vec<Judged>, WaiverError> {
    let all = all(directory, approvers, signers)?.into_iter();
    Ok(all
        .map(|((path, waiver), approved)| match approved {
            Ok(it) => (it.id, Some(it.waiver), Ok(it.approver)),
            Err(error) => {
                let bytes = path.and_then(|it| bounded(&it, MAX_WAIVER_BYTES).ok());
                (Digest::of(&bytes.unwrap_or_default()), waiver, Err(error.to_string()))
            }
        })
        .collect())
}

/// A waiver's file and what it says, as far as there are any; and who approved it.
type Examined = ((Option<PathBuf>, Option<Waiver>), Result<Approved, WaiverError>);

fn all(directory: &Path, approvers: &Trust, signers: &Trust) -> Result<Vec<Examined>, WaiverError> {
    let found = read(directory)?;
    let others: Vec<Waiver> = found.iter().flatten().map(|(_, it)| it.clone()).collect();
    let judge = |found: Found| match found {
        Ok((path, waiver)) => {
            let approved = approved(&path, approvers, signers)
                .and_then(|it| it.renewed_honestly(&path, &others));
            ((Some(path), Some(waiver)), approved)
        }
        Err(error) => ((None, None), Err(error)),
    };
    Ok(found.into_iter().map(judge).collect())
}

/// The waiver at `path`, if its bundle is of somebody who may. It is read from the very bytes that the signature was
/// checked over: the file may be exchanged at any time.
///
/// # Errors
/// Who signed instead, or that nobody did.
pub fn approved(path: &Path, approvers: &Trust, signers: &Trust) -> Result<Approved, WaiverError> {
    let unfit = |problem: String| WaiverError::Unfit { path: path.to_owned(), problem };
    let bytes = bounded(path, MAX_WAIVER_BYTES)?;
    let bundle = bounded(&bundle_of(path), MAX_BUNDLE_BYTES as u64)?;
    let artifact = Artifact::of(&bytes);
    let signed =
        verify_artifact(&bundle, &artifact, approvers).map_err(|error| unfit(error.to_string()))?;
    if signed.predicate_type.is_some() {
        return Err(unfit("a statement names it: sign the file itself".to_owned()));
    }
    let waiver = Waiver::parse(path, &bytes)?;
    if is_known(verify_artifact(&bundle, &artifact, signers)) {
        return Err(unfit("who signs evidence approved it: let somebody else".to_owned()));
    }
    if signed.signer.label == waiver.requested_by || signed.signer.name() == waiver.requested_by {
        return Err(unfit("who asked for it approved it: let somebody else".to_owned()));
    }
    Ok(Approved { waiver, id: Digest::of(&bytes), approver: signed.signer.label })
}

impl Approved {
    /// A waiver that conceals how often its exception was made already is none.
    fn renewed_honestly(self, path: &Path, all: &[Waiver]) -> Result<Self, WaiverError> {
        let renews = self.waiver.renews(all);
        if self.waiver.renewal >= renews {
            return Ok(self);
        }
        let problem = format!(
            "`renewal` is {}, but {renews} of the same scope came before: say so",
            self.waiver.renewal
        );
        Err(WaiverError::Unfit { path: path.to_owned(), problem })
    }

    fn grant(&self) -> Grant {
        Grant {
            waiver: self.id,
            approver: self.approver.clone(),
            reason: self.waiver.reason.clone(),
            expires: self.waiver.expires,
        }
    }
}

/// Whether the signature is of somebody who is trusted, be it without the log entry or time that is asked for.
fn is_known(verified: Result<SignedArtifact, VerifyError>) -> bool {
    use VerifyError as E;
    let strange = |error: &E| {
        matches!(
            error,
            E::UnknownKey { .. }
                | E::UntrustedIdentity { .. }
                | E::SignedWithCertificate
                | E::SignedWithKey
                | E::NoTrustedRoot { .. }
        )
    };
    !verified.err().as_ref().is_some_and(strange)
}

/// Takes what is waived out of the violations, and decides anew.
pub(crate) fn except(report: &mut Report, waivers: &[Approved], build: &Build<'_>) {
    let waivers = || waivers.iter().filter(|it| !it.waiver.is_override());
    report.waive(|finding| {
        waivers().find(|it| it.waiver.covers(finding, build)).map(Approved::grant)
    });
}

/// Lets what still fails pass, if somebody said so of this very build.
pub(crate) fn overrule(report: &mut Report, waivers: &[Approved], build: &Build<'_>) {
    let mut overrides = waivers.iter().filter(|it| it.waiver.is_override());
    if !report.violations.is_empty()
        && let Some(overriding) = overrides.find(|it| it.waiver.scope.is_about(build))
    {
        report.overrule(&overriding.grant());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use attestation::{SigningKey, TrustedKey};

    use super::*;
    use crate::waivers::tests::waiver;

    fn believing(label: &str, key: &SigningKey) -> Trust {
        let mut trust = Trust::new();
        trust.add(TrustedKey::new(label, key.public_key().clone())).expect("new");
        trust
    }

    #[test]
    fn only_what_an_approver_signed_counts_and_for_nobody_who_asked() {
        let directory = tempfile::tempdir().expect("made");
        let path = directory.path().join("w.json");
        let text = serde_json::to_string(&waiver()).expect("writes");
        fs::write(&path, &text).expect("written");
        let [boss, signer] = [(); 2].map(|()| SigningKey::generate().expect("a key"));
        let sign = |key: &SigningKey, text: &str| {
            let bundle = key.sign_file(text.as_bytes()).expect("signs");
            fs::write(bundle_of(&path), bundle).expect("written");
        };
        let now = "2026-12-02T00:00:00Z".parse().expect("valid");
        let active = |approvers: &Trust, signers: &Trust| {
            active(directory.path(), approvers, signers, now).expect("reads").len()
        };
        let signers = believing("signer", &signer);

        assert_eq!(active(&believing("boss", &boss), &signers), 0, "nobody signed");
        sign(&boss, &text);
        assert_eq!(active(&believing("boss", &boss), &signers), 1);
        assert_eq!(active(&believing("dev", &boss), &signers), 0, "who asked for it signed");
        assert_eq!(active(&signers, &Trust::new()), 0, "somebody else signed");
        sign(&boss, "another text");
        assert_eq!(active(&believing("boss", &boss), &signers), 0, "another text was signed");
        sign(&signer, &text);
        assert_eq!(active(&signers, &signers), 0, "who signs evidence signed");
    }
}
