//! `attestry verify`: does this bundle sign this file, and is its signer one whom we trust?

use std::{collections::BTreeSet, path::PathBuf};

use attestation::{
    Artifact, Predicate, SignedArtifact, Trust, VerificationSummary,
    predicate::verification_summary::VerificationResult,
    signer::Identity,
    verify::{MAX_BUNDLE_BYTES, verify_artifact},
};
use events::Digest;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    hash,
    output::{self, Format},
    read,
    trust::TrustArgs,
};

/// Largest file that is held in memory; of larger ones only the SHA-256 is known.
const MAX_HELD_BYTES: usize = 64 * 1024 * 1024;

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  attestry verify app.whl --bundle dist/bundles/provenance.sigstore.json --key signer.pub\n  attestry verify app.whl --bundle app.whl.sigstore.json --issuer https://token.actions.githubusercontent.com \\\n    --identity https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main\n  attestry verify app.whl --bundle a.sigstore.json --bundle b.sigstore.json --key a.pub --key b.pub --threshold 2"
)]
pub(crate) struct Args {
    /// The file, or its digest as sha256:HEX or sha512:HEX
    #[arg(value_name = "FILE|DIGEST")]
    subject: String,
    /// The Sigstore bundle; repeat for several signers
    #[arg(long, value_name = "FILE", required = true)]
    bundle: Vec<PathBuf>,
    /// How many different signers must have signed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    threshold: u32,
    #[command(flatten)]
    trust: TrustArgs,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    #[allow(clippy::disallowed_methods, reason = "a key's validity is asked about as of now")]
    let trust = args.trust.load()?.at(Timestamp::now());
    let held;
    let artifact = match digest(&args.subject)? {
        Some(artifact) => artifact,
        None => match read_file(&args.subject)? {
            Ok(bytes) => {
                held = bytes;
                Artifact::of(&held)
            }
            Err(artifact) => artifact,
        },
    };
    let mut signed = Vec::new();
    for path in &args.bundle {
        let verified = verify(path, &artifact, &trust);
        signed.push(verified.map_err(|error| match error {
            Failure::No(why) => Failure::No(format!("{}: {why}", args.subject)),
            other => other,
        })?);
    }
    let signers: BTreeSet<_> =
        signed.iter().map(|it| (it.signer.issuer(), it.signer.name())).collect();
    if signers.len() < args.threshold as usize {
        let (there, needed) = (signers.len(), args.threshold);
        let why = format!("{there} different signers signed, and {needed} must: give more bundles");
        return Err(Failure::No(format!("{}: {why}", args.subject)));
    }
    let mut texts = vec![format!("{}: verified", args.subject)];
    let (mut values, mut failed) = (Vec::new(), false);
    for signed in &signed {
        let verdict = verdict_of(signed)?;
        failed |= verdict == Some(VerificationResult::Failed);
        texts.push(told(signed, verdict));
        values.push(value(signed, verdict));
    }
    let mut value = match <[Value; 1]>::try_from(values) {
        Ok([value]) => value,
        Err(values) => json!({ "signatures": values }),
    };
    value["verified"] = true.into();
    value["digest"] = artifact.to_string().into();
    output::result(format, &texts.join("\n"), &value)?;
    match failed {
        true => Err(Failure::No("the verdict is genuine, and it says FAILED".to_owned())),
        false => Ok(()),
    }
}

fn verify(
    path: &std::path::Path,
    artifact: &Artifact<'_>,
    trust: &Trust,
) -> Result<SignedArtifact, Failure> {
    let bundle = read::up_to(MAX_BUNDLE_BYTES, path)
        .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    verify_artifact(&bundle, artifact, trust)
        .map_err(|error| Failure::No(format!("{}: {error}", path.display())))
}

fn told(signed: &SignedArtifact, verdict: Option<VerificationResult>) -> String {
    let mut lines = Vec::new();
    match verdict {
        Some(VerificationResult::Passed) => lines.push("the verdict is PASSED".to_owned()),
        Some(VerificationResult::Failed) => lines.push("the verdict is FAILED".to_owned()),
        None => {}
    }
    lines.push(match &signed.predicate_type {
        Some(predicate_type) => format!("{} of a {predicate_type}", signed.part.as_str()),
        None => signed.part.as_str().to_owned(),
    });
    let signer = &signed.signer;
    match &signer.identity {
        Identity::Key { hint } => {
            lines.push(format!("signed by key {hint} ({})", signer.label));
        }
        Identity::Certificate(certificate) => {
            lines.push(format!("signed by {}", certificate.identity));
            lines.push(format!("for whom {} vouches", certificate.issuer));
        }
    }
    if signed.evidence.logged {
        lines.push("in a transparency log, with proof".to_owned());
    }
    lines.push(match signed.evidence.proven_time() {
        Some(time) => format!("signed at {time} or before, as a log or a timestamp authority says"),
        None => "no time is proven: a key alone cannot".to_owned(),
    });
    lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn value(signed: &SignedArtifact, verdict: Option<VerificationResult>) -> Value {
    let signer = &signed.signer;
    let (key, claims) = match &signer.identity {
        Identity::Key { hint } => (Some(hint), None),
        Identity::Certificate(certificate) => (None, Some(&certificate.claims)),
    };
    json!({
        "part": signed.part.as_str(),
        "predicate_type": signed.predicate_type,
        "key": key,
        "identity": signer.issuer().map(|_| signer.name()),
        "issuer": signer.issuer(),
        "claims": claims,
        "logged": signed.evidence.logged,
        "proven_time": signed.evidence.proven_time(),
        "verification_result": verdict,
    })
}

/// What a signed verdict says; nothing for other statements.
fn verdict_of(signed: &SignedArtifact) -> Result<Option<VerificationResult>, Failure> {
    let statement = signed.statement.as_ref();
    let Some(statement) = statement.filter(|it| it.predicate_type() == VerificationSummary::TYPE)
    else {
        return Ok(None);
    };
    let summary: VerificationSummary =
        statement.predicate().map_err(|error| Failure::No(error.to_string()))?;
    Ok(Some(summary.verification_result))
}

/// The digest that `subject` is; none if it is a file.
fn digest(subject: &str) -> Result<Option<Artifact<'static>>, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::Input(format!("{subject}: {why}"));
    if let Some(hex) = subject.strip_prefix("sha512:") {
        return Artifact::digests(None, Some(hex)).map(Some).map_err(|why| wrong(&why));
    }
    match subject.parse::<Digest>() {
        Ok(digest) => Artifact::digests(Some(digest), None).map(Some).map_err(|why| wrong(&why)),
        Err(_) => Ok(None),
    }
}

/// The file at `path`, or its digest if it is large.
fn read_file(path: &str) -> Result<Result<Vec<u8>, Artifact<'static>>, Failure> {
    let remedy = "give a file, or a digest as sha256:<hex> or sha512:<hex>";
    let wrong =
        |error: &dyn std::fmt::Display| Failure::Input(format!("{path}: {error}; {remedy}"));
    let file = std::path::Path::new(path);
    let size = file.metadata().map_err(|error| wrong(&error))?.len();
    if size <= MAX_HELD_BYTES as u64 {
        return read::up_to(MAX_HELD_BYTES, file).map(Ok).map_err(|error| wrong(&error));
    }
    let (digest, _) = hash::file(file).map_err(|error| wrong(&error))?;
    Artifact::digests(Some(digest), None).map(Err).map_err(|why| wrong(&why))
}
