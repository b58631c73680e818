//! `attestry verify`: does this bundle sign this file, with this key?

use std::path::PathBuf;

use attestation::{
    Predicate, Reference, VerificationSummary, Verified,
    predicate::verification_summary::VerificationResult, verify::MAX_BUNDLE_BYTES, verify_bundle,
};
use events::Digest;
use serde_json::json;

use crate::{
    client,
    failure::Failure,
    hash,
    output::{self, Format},
    read,
};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  attestry verify app.whl --bundle dist/bundles/provenance.sigstore.json --key signer.pub\n  attestry verify dist/sbom/app-sbom.json --bundle dist/bundles/sbom.sigstore.json --key signer.pub"
)]
pub(crate) struct Args {
    /// The file, or its digest as sha256:HEX
    #[arg(value_name = "FILE|DIGEST")]
    subject: String,
    /// The Sigstore bundle
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// Public key that must have signed, PEM
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let digest = match args.subject.parse::<Digest>() {
        Ok(digest) => digest,
        Err(_) => digest_of_file(&args.subject)?,
    };
    let keys = client::key_set(&args.key)?;
    let bundle = read_bundle(&args.bundle)?;
    let verified = verify_bundle(&bundle, &keys)
        .map_err(|error| Failure::No(format!("{}: {error}", args.bundle.display())))?;
    let Some(part) = part_played(&verified, digest)? else {
        let names: Vec<String> =
            verified.statement.subjects().iter().map(|it| it.digest.to_string()).collect();
        let what = format!("the bundle is genuine, but speaks of {}", names.join(", "));
        return Err(Failure::No(format!("{} ({digest}): {what}", args.subject)));
    };
    let predicate_type = verified.statement.predicate_type();
    let verdict = verdict_of(&verified)?;
    let says = match verdict {
        Some(VerificationResult::Passed) => "\n  the verdict is PASSED",
        Some(VerificationResult::Failed) => "\n  the verdict is FAILED",
        None => "",
    };
    let text = format!(
        "{}: verified{says}\n  {part} of a {predicate_type}\n  signed by key {} ({})\n  no time is proven: a key alone cannot",
        args.subject, verified.key_hint, verified.key_label
    );
    let value = json!({
        "verified": true,
        "digest": digest,
        "part": part,
        "predicate_type": predicate_type,
        "key": verified.key_hint,
        "proven_time": verified.proven_time,
        "verification_result": verdict,
    });
    output::result(format, &text, &value)?;
    match verdict {
        Some(VerificationResult::Failed) => {
            Err(Failure::No("the verdict is genuine, and it says FAILED".to_owned()))
        }
        _ => Ok(()),
    }
}

/// What a signed verdict says; nothing for other statements.
fn verdict_of(verified: &Verified) -> Result<Option<VerificationResult>, Failure> {
    if verified.statement.predicate_type() != VerificationSummary::TYPE {
        return Ok(None);
    }
    let summary: VerificationSummary =
        verified.statement.predicate().map_err(|error| Failure::No(error.to_string()))?;
    Ok(Some(summary.verification_result))
}

/// The part that a digest plays in what was signed.
fn part_played(verified: &Verified, digest: Digest) -> Result<Option<&'static str>, Failure> {
    let statement = &verified.statement;
    if statement.subjects().iter().any(|subject| subject.digest == digest) {
        return Ok(Some("subject"));
    }
    if Digest::of(statement.as_bytes()) == digest {
        return Ok(Some("the statement itself"));
    }
    if statement.predicate_type() == Reference::TYPE {
        let reference: Reference =
            statement.predicate().map_err(|error| Failure::No(error.to_string()))?;
        if reference.references.iter().any(|it| it.digest == digest) {
            return Ok(Some("referenced document"));
        }
    }
    Ok(None)
}

fn digest_of_file(path: &str) -> Result<Digest, Failure> {
    let hashed = hash::file(std::path::Path::new(path)).map(|(digest, _)| digest);
    hashed.map_err(|error| {
        Failure::Input(format!("{path}: {error}; give a file, or a digest as sha256:<hex>"))
    })
}

fn read_bundle(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    let read = read::up_to(MAX_BUNDLE_BYTES, path);
    read.map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
}
