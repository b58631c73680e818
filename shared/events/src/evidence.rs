//! Evidence on its way: what a service made, and the bundles that the signer made of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Decision, Digest, Environment, Event, FilePath, Label, Scope, Uri};

/// A service stored evidence and asks for signatures: `evidence.ready`.
///
/// One event per build and producer names every document and every statement, so nothing
/// downstream has to join.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceReady {
    /// Who made the evidence; the signer signs only what this producer may have signed.
    pub producer: Producer,
    /// The project or supplier that the evidence is about.
    pub project: Scope,
    /// Documents in the archive.
    pub documents: Vec<Document>,
    /// Statements in the archive, to be signed.
    pub statements: Vec<StatementRef>,
    /// The answer to CI, when the evidence is a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The answer to whoever submitted a document, when the evidence is a receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

/// Every statement of an `evidence.ready` has its bundle: `evidence.signed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceSigned {
    /// Who made the evidence.
    pub producer: Producer,
    /// The project or supplier that the evidence is about.
    pub project: Scope,
    /// Documents in the archive.
    pub documents: Vec<Document>,
    /// One bundle per statement, in the archive.
    pub bundles: Vec<BundleRef>,
    /// The answer to CI, when the evidence is a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The answer to whoever submitted a document, when the evidence is a receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

/// Services whose evidence the signer signs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Producer {
    /// Makes SBOM and provenance of a build.
    Generator,
    /// Judges a build.
    PolicyGate,
    /// Decides on a document that was submitted.
    SupplierIngest,
}

/// A document in the archive and the part it plays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// The part it plays.
    pub role: Role,
    /// Where a release puts it, below `dist/`.
    pub name: FilePath,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type (RFC 6838).
    pub media_type: Label,
}

/// The part that a document plays in a build's story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The `build.completed` data that started it all.
    Build,
    /// A CycloneDX SBOM.
    Sbom,
    /// A CycloneDX SBOM that the build made of itself, byte for byte.
    SuppliedSbom,
    /// What the SBOMs that the build made of itself and ours say otherwise.
    SbomComparison,
    /// An in-toto statement with SLSA provenance.
    Provenance,
    /// Digests in the form of `sha256sum`.
    Checksums,
    /// The gate's report: every rule that objected, with its remedy.
    Report,
    /// The policy bundle's files that judged, so that the judgement can be repeated.
    Policy,
    /// What was judged, with documents by digest, so that the judgement can be repeated.
    Decision,
    /// A document that says which vulnerabilities matter, OpenVEX, CycloneDX or CSAF.
    Vex,
    /// The Sigstore bundle that came with a submitted document.
    Signature,
}

/// An in-toto statement in the archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatementRef {
    /// Digest of the statement's bytes, which are signed as they are.
    pub digest: Digest,
    /// Its predicate type.
    pub predicate_type: Uri,
    /// Where a release puts the bundle, below `dist/`.
    pub bundle_name: FilePath,
}

/// A Sigstore bundle in the archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BundleRef {
    /// Digest of the bundle's bytes.
    pub bundle: Digest,
    /// Where a release puts it, below `dist/`.
    pub name: FilePath,
    /// Digest of the statement that it signs.
    pub statement: Digest,
    /// Predicate type of that statement.
    pub predicate_type: Uri,
    /// Who signed: the fingerprint of the public key, as the signer says; the bundle proves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Label>,
}

/// What the gate decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// Whether the build may be promoted.
    pub result: VerdictResult,
    /// Digest of the policy bundle that judged.
    pub policy: Digest,
    /// Digest of the report in the archive.
    pub report: Digest,
    /// What it was judged for; releases of before did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// The story of the build whose verdict this one supersedes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Uuid>,
}

/// SLSA VSA v1 `verificationResult`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum VerdictResult {
    /// May be promoted.
    Passed,
    /// May not.
    Failed,
}

impl Producer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Generator, Self::PolicyGate, Self::SupplierIngest];

    /// As it is written, in subjects too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generator => "generator",
            Self::PolicyGate => "policy-gate",
            Self::SupplierIngest => "supplier-ingest",
        }
    }
}

impl Event for EvidenceReady {
    const NOUN: &'static str = "evidence";
    const VERB: &'static str = "ready";

    fn natural_key(&self) -> String {
        self.producer.as_str().to_owned()
    }

    fn producer(&self) -> Option<Producer> {
        Some(self.producer)
    }
}

impl Event for EvidenceSigned {
    const NOUN: &'static str = "evidence";
    const VERB: &'static str = "signed";

    fn natural_key(&self) -> String {
        self.producer.as_str().to_owned()
    }

    fn producer(&self) -> Option<Producer> {
        Some(self.producer)
    }
}
