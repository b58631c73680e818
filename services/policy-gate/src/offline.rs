//! What policies would see of documents at hand, for whoever writes policies.

use advisories::Index;
use documents::{Kind, bom, detect, vex};
use events::{BuildCompleted, BuildKind, Digest, Environment, FilePath, OPERATOR, Scope};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    input::{Input, Previous, Signature},
    judgement::named,
    known::{Known, Wanted},
    promoted::Before,
    study::{Study, With, json as as_json},
};

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const REFERENCE: &str = "https://in-toto.io/attestation/reference/v0.1";

/// Documents that nobody has submitted.
pub struct Documents<'a> {
    /// A CycloneDX SBOM.
    pub sbom: Option<&'a [u8]>,
    /// An in-toto statement with SLSA provenance.
    pub provenance: Option<&'a [u8]>,
    /// What components are matched with.
    pub index: Option<&'a Index>,
    /// VEX documents, each as if an operator had added it.
    pub vex: &'a [Vec<u8>],
    /// The SBOM of the build that it would follow.
    pub previous: Option<&'a [u8]>,
    /// What it would be judged for.
    pub environment: Environment,
    /// Data of the policy that will judge, which asks for some of the input.
    pub data: &'a Value,
    /// As of when.
    pub now: Timestamp,
}

impl Documents<'_> {
    /// The `attestry.policy-input/v1` of a build that these would be the evidence of. Signatures are taken for granted;
    /// what CI would say of the build is taken from the provenance.
    ///
    /// # Errors
    /// Which document cannot be read, and why.
    pub fn input(&self) -> Result<String, String> {
        let build = self.build()?;
        let known = self.known()?;
        let wanted = Wanted::by(self.data);
        let artifacts: Vec<Digest> = build.artifacts.iter().map(|it| it.digest).collect();
        let with = With {
            known: &known,
            advisories: self.index,
            artifacts: &artifacts,
            quality: wanted.quality,
            now: self.now,
        };
        let study = self.sbom.map(|sbom| Study::of(sbom, &with)).transpose()?;
        let provenance = self.provenance.map(|it| as_json("provenance", it)).transpose()?;
        let signatures = [(PROVENANCE, self.provenance), (REFERENCE, self.sbom)];
        let signatures = signatures
            .into_iter()
            .filter_map(|(predicate_type, bytes)| Some(Signature::granted(predicate_type, bytes?)));
        let mut input = Input {
            provenance: provenance.as_deref(),
            signatures: signatures.collect(),
            advisories: self.index.map(named),
            vex: &known.vex,
            previous: known.previous.as_ref().map(|(before, _)| Previous::of(before)),
            ..Input::of(&build, self.environment, self.now)
        };
        study.as_ref().inspect(|it| input.add(it));
        serde_json::to_string(&input).map_err(|error| error.to_string())
    }

    fn known(&self) -> Result<Known, String> {
        let mut known = Known::default();
        for bytes in self.vex {
            let read = vex::read(bytes).map_err(|error| format!("the VEX document: {error}"))?;
            known.add_vex(&Scope::of(OPERATOR), self.now, Digest::of(bytes), &read);
        }
        if let Some(previous) = self.previous
            && !matches!(detect(previous), Kind::CycloneDx)
        {
            return Err("the SBOM of the build before is no CycloneDX".to_owned());
        }
        known.previous = self.previous.map(|bytes| {
            let sbom = Digest::of(bytes);
            (Before { time: self.now, version: None, sbom }, bytes.to_vec().into())
        });
        Ok(known)
    }

    fn build(&self) -> Result<BuildCompleted, String> {
        let provenance: Value =
            self.provenance.and_then(|it| serde_json::from_slice(it).ok()).unwrap_or_default();
        let subject = match self.sbom {
            Some(sbom) => bom::read(sbom).map_err(|error| format!("the SBOM: {error}"))?.subject,
            None => None,
        };
        let name = subject.as_ref().map_or("unnamed", |it| it.name.as_str());
        let project = name.parse::<Scope>().map_or("unnamed", |_| name);
        // Whatever the product is called, its file has a name.
        let file =
            |name: &str| name.parse::<FilePath>().map_or("artifact".into(), |it| it.to_string());
        let subjects = provenance["subject"].as_array().into_iter().flatten();
        let mut artifacts: Vec<Value> = subjects
            .filter_map(|it| {
                let digest = format!("sha256:{}", it["digest"]["sha256"].as_str()?);
                Some(json!({ "name": file(it["name"].as_str().unwrap_or(name)), "digest": digest }))
            })
            .collect();
        if artifacts.is_empty() {
            artifacts.push(json!({ "name": file(name), "digest": Digest::of(name.as_bytes()) }));
        }
        let definition = &provenance["predicate"]["buildDefinition"];
        let source = source_of(&definition["resolvedDependencies"]);
        let parameters = &definition["externalParameters"]["parameters"];
        let finished = &provenance["predicate"]["runDetails"]["metadata"]["finishedOn"];
        let builder = provenance["predicate"]["runDetails"]["builder"]["id"].as_str();
        let mut build = json!({
            "project": project,
            "kind": match self.environment {
                Environment::Pr => BuildKind::Pr,
                Environment::Staging | Environment::Production => BuildKind::Release,
            },
            "environment": self.environment,
            "run": "offline",
            "builder": { "id": builder.unwrap_or("urn:attestry:offline") },
            "artifacts": artifacts,
        });
        if let Some(source) = source {
            build["source"] = source;
        }
        if finished.is_string() {
            build["finished_at"] = finished.clone();
        }
        if parameters.is_object() {
            build["parameters"] = parameters.clone();
        }
        serde_json::from_value(build)
            .map_err(|error| format!("the documents name a build that cannot be: {error}"))
    }
}

/// The source that was built, as the provenance names it: `git+<repository>[@<ref>]` with the commit.
fn source_of(dependencies: &Value) -> Option<Value> {
    dependencies.as_array().into_iter().flatten().find_map(|it| {
        let commit = it["digest"]["gitCommit"].as_str()?;
        let uri = it["uri"].as_str()?;
        let bare = uri.strip_prefix("git+").unwrap_or(uri);
        // The user of a URL stands before its host, the reference behind its path.
        let path = bare.find("://").map_or(0, |it| it + 3);
        let path = bare[path..].find('/').map_or(bare.len(), |it| path + it);
        let (repository, reference) = match bare[path..].split_once('@') {
            Some((rest, reference)) => (&bare[..path + rest.len()], Some(reference)),
            None => (bare, None),
        };
        let mut source = json!({ "repository": repository, "commit": commit });
        if let Some(reference) = reference {
            source["ref"] = json!(reference);
        }
        Some(source)
    })
}

impl<'a> Signature<'a> {
    /// One that nobody has made.
    fn granted(predicate_type: &'a str, statement: &[u8]) -> Self {
        Self {
            predicate_type,
            statement: Digest::of(statement),
            verified: true,
            reason: None,
            key: None,
            label: Some("taken for granted"),
            issuer: None,
            claims: None,
            logged: false,
            proven_time: None,
            development_key: false,
        }
    }
}
