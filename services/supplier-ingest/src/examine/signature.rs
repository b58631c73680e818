//! Who signed a document, and whether it was this one.

use attestation::{
    Artifact, VerifyError, predicate::receipt::VerifiedKey, verify_artifact, verify_bundle,
};
use documents::{Kind, detect};
use serde::Serialize;

use super::Submission;
use crate::passport::Passport;

/// What came of checking the signature.
pub(super) struct Signature {
    pub(super) told: Told,
    pub(super) verified: Option<VerifiedKey>,
}

/// As the policy learns of it.
#[derive(Default, Serialize)]
pub(super) struct Told {
    present: bool,
    verified: bool,
    key: Option<String>,
    label: Option<String>,
    development_key: bool,
    pub(super) covers_document: bool,
    predicate_type: Option<String>,
    pub(super) reason: Option<String>,
}

impl Signature {
    /// Checks the bundle beside the document; a document that is a bundle itself needs none.
    pub(super) fn of(submission: &Submission, passport: &Passport) -> Self {
        let document = &submission.document;
        let trust = passport.trust_at(submission.now, &submission.root);
        let checked = match &submission.bundle {
            Some(bundle) => verify_artifact(bundle, &Artifact::of(document), &trust)
                .map(|it| (it.signer, it.predicate_type)),
            None if detect(document) == Kind::SigstoreBundle => verify_bundle(document, &trust)
                .map(|it| {
                    let predicate_type = it.statement.predicate_type().to_owned();
                    (it.signer, Some(predicate_type))
                }),
            None => return Self { told: Told::default(), verified: None },
        };
        let mut told = Told { present: true, ..Told::default() };
        match checked {
            Ok((signer, predicate_type)) => {
                told.verified = true;
                told.covers_document = true;
                told.key = Some(signer.name().to_owned());
                told.label = Some(signer.label.clone());
                told.development_key = signer.development;
                told.predicate_type = predicate_type;
                let hint = signer.name().to_owned();
                let verified = VerifiedKey { label: signer.label, hint };
                Self { told, verified: Some(verified) }
            }
            Err(error) => {
                told.verified = matches!(error, VerifyError::OtherDocument { .. });
                told.reason = Some(error.to_string());
                Self { told, verified: None }
            }
        }
    }
}
