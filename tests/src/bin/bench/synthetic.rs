//! Events of builds that never were: valid, small, and no two alike.

use std::collections::BTreeMap;

use attestation::{Predicate, Provenance, Reference, VerificationSummary};
use events::{
    Artifact, BacklogMapped, BuildCompleted, BuildKind, Builder, BundleRef, Commit, Digest,
    Document, Envelope, Event, EvidenceReady, EvidenceSigned, Input, Label, Priority, Producer,
    Record, Role, Scope, Source, StatementRef, Uri, Verdict, VerdictResult, stage_stream,
};
use jiff::{SignedDuration, Timestamp};

/// Events on the bus that one build makes, its own included.
pub(crate) const EVENTS_PER_BUILD: usize = 6;
/// Builds are spread over so many projects.
const PROJECTS: usize = 100;
/// 2026-01-01T00:00:00Z
const FIRST_BUILD: i64 = 1_767_225_600;

/// All events so far.
#[derive(Default)]
pub(crate) struct Events {
    builds: usize,
    /// Messages of each stream.
    sequences: BTreeMap<String, u64>,
}

/// Who makes evidence of a build.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    Generator,
    PolicyGate,
}

/// One build's events, as its documents' digests follow from its number.
struct Build {
    number: usize,
    completed: Envelope<BuildCompleted>,
}

impl Events {
    /// The events of the next `builds`, stage by stage, as a busy pipeline makes them.
    pub(crate) fn next(&mut self, builds: usize) -> anyhow::Result<Vec<Record>> {
        let numbers = self.builds..self.builds + builds;
        self.builds += builds;
        let batch: Vec<Build> = numbers.map(Build::new).collect::<anyhow::Result<_>>()?;
        let mut records = Vec::with_capacity(builds * EVENTS_PER_BUILD);
        for build in &batch {
            records.push(self.record(&build.completed, 0)?);
        }
        for (hop, maker) in [(1, Maker::Generator), (3, Maker::PolicyGate)] {
            for build in &batch {
                records.push(self.record(&build.ready(maker)?, hop)?);
            }
            for build in &batch {
                records.push(self.record(&build.signed(maker)?, hop + 1)?);
            }
        }
        for build in &batch {
            records.push(self.record(&build.mapped()?, 5)?);
        }
        Ok(records)
    }

    /// The policy that judged every build.
    pub(crate) fn policy(&self) -> Digest {
        policy()
    }

    /// A digest that one build alone names.
    pub(crate) fn some_digest(&self, random: &mut fastrand::Rng) -> Digest {
        let what = ["artifact", "sbom", "statement-provenance", "bundle-verdict", "report"];
        digest(what[random.usize(..what.len())], random.usize(..self.builds))
    }

    fn record<E: Event>(&mut self, event: &Envelope<E>, hop: i64) -> anyhow::Result<Record> {
        let stream = stage_stream::<E>();
        let sequence = self.sequences.entry(stream.clone()).or_default();
        *sequence += 1;
        let header = |name: &str, value: String| (name.to_owned(), value);
        Ok(Record {
            sequence: *sequence,
            stream,
            subject: event.subject(),
            stored_at: event.time + SignedDuration::from_millis(hop * 7 + 1),
            headers: BTreeMap::from([
                header("Nats-Msg-Id", event.id.to_string()),
                header("Nats-Expected-Last-Subject-Sequence", "0".to_owned()),
            ]),
            payload: serde_json::to_vec(event)?,
        })
    }
}

impl Build {
    fn new(number: usize) -> anyhow::Result<Self> {
        let project: Scope = format!("acme/project-{}", number % PROJECTS).parse()?;
        let commit = digest("commit", number).hex();
        let artifact = Artifact {
            name: "dist/product-1.0.0-py3-none-any.whl".parse()?,
            digest: digest("artifact", number),
            size: Some(123_456),
        };
        let input = Input {
            path: "uv.lock".parse()?,
            // A lockfile changes with every tenth build of its project.
            digest: digest("lock", number / (10 * PROJECTS) * PROJECTS + number % PROJECTS),
            size: 45_678,
            chunks: 1,
        };
        let data = BuildCompleted {
            project: project.clone(),
            kind: BuildKind::Pr,
            environment: None,
            run: Label::of(&format!("run-{number}")),
            version: None,
            source: Some(Source {
                repository: Uri::of("https://github.com/acme/product"),
                reference: Some(Label::of("refs/heads/main")),
                commit: Some(Commit::try_from(commit[..40].to_owned())?),
            }),
            builder: Builder::new(Uri::of("https://github.com/actions/runner/github-hosted")),
            started_at: None,
            finished_at: None,
            parameters: BTreeMap::new(),
            internal_parameters: Default::default(),
            dependencies: Default::default(),
            artifacts: vec![artifact].try_into()?,
            inputs: vec![input].try_into()?,
            sboms: Default::default(),
        };
        let time = Timestamp::from_second(FIRST_BUILD)?;
        let time = time + SignedDuration::from_millis(i64::try_from(number)? * 100);
        let source = Label::of("/attestry/cli");
        let completed = Envelope::root(source, time, Priority::Pr, project, data);
        Ok(Self { number, completed })
    }

    fn ready(&self, maker: Maker) -> anyhow::Result<Envelope<EvidenceReady>> {
        let statement = |what: &str, predicate: &str| {
            Ok::<_, anyhow::Error>(StatementRef {
                digest: digest(&format!("statement-{what}"), self.number),
                predicate_type: Uri::of(predicate),
                bundle_name: format!("bundles/{what}.sigstore.json").parse()?,
            })
        };
        let statements = match maker {
            Maker::Generator => {
                vec![
                    statement("provenance", Provenance::TYPE)?,
                    statement("sbom", Reference::TYPE)?,
                ]
            }
            Maker::PolicyGate => vec![statement("verdict", VerificationSummary::TYPE)?],
        };
        let (documents, verdict) = (self.documents(maker)?, self.verdict(maker));
        let (producer, project) = (maker.producer(), self.completed.data.project.clone());
        let data =
            EvidenceReady { producer, project, documents, statements, verdict, decision: None };
        let source = Label::of(&format!("/attestry/{}", producer.as_str()));
        // The gate's evidence follows from what the signer made of the generator's.
        Ok(match maker {
            Maker::Generator => self.completed.caused(source, self.completed.time, data),
            Maker::PolicyGate => {
                self.signed(Maker::Generator)?.caused(source, self.completed.time, data)
            }
        })
    }

    fn signed(&self, maker: Maker) -> anyhow::Result<Envelope<EvidenceSigned>> {
        let ready = self.ready(maker)?;
        let bundle = |statement: &StatementRef| {
            let what = statement.bundle_name.as_str().trim_start_matches("bundles/");
            let what = format!("bundle-{}", what.trim_end_matches(".sigstore.json"));
            BundleRef {
                bundle: digest(&what, self.number),
                name: statement.bundle_name.clone(),
                statement: statement.digest,
                predicate_type: statement.predicate_type.clone(),
                signer: Some(Label::of(&Digest::of(b"signer").hex())),
            }
        };
        let data = EvidenceSigned {
            producer: maker.producer(),
            project: ready.data.project.clone(),
            documents: ready.data.documents.clone(),
            bundles: ready.data.statements.iter().map(bundle).collect(),
            verdict: ready.data.verdict.clone(),
            decision: None,
        };
        Ok(ready.caused(Label::of("/attestry/signer"), ready.time, data))
    }

    fn mapped(&self) -> anyhow::Result<Envelope<BacklogMapped>> {
        let verdict = self.signed(Maker::PolicyGate)?;
        let data = BacklogMapped {
            document: Some(digest("sbom", self.number)),
            advisories: Some(Digest::of(b"advisories")),
            findings: 0,
            suppressed: 0,
            opened: vec![],
            closed: vec![],
        };
        Ok(verdict.caused(Label::of("/attestry/backlog-mapper"), verdict.time, data))
    }

    fn documents(&self, maker: Maker) -> anyhow::Result<Vec<Document>> {
        let document = |role, name: &str, media_type: &str, digest| {
            let (name, media_type) = (name.parse()?, Label::of(media_type));
            Ok(Document { role, name, digest, size: 10_000, media_type })
        };
        let own = |what: &str| digest(what, self.number);
        let documents = match maker {
            Maker::Generator => vec![
                document(Role::Build, "build.json", "application/json", own("build")),
                document(
                    Role::Sbom,
                    "sbom/sbom.json",
                    "application/vnd.cyclonedx+json",
                    own("sbom"),
                ),
                document(
                    Role::Provenance,
                    "provenance/provenance.json",
                    "application/vnd.in-toto+json",
                    own("statement-provenance"),
                ),
                document(Role::Checksums, "checksums.txt", "text/plain", own("checksums")),
            ],
            Maker::PolicyGate => vec![
                document(Role::Report, "verdict/report.json", "application/json", own("report")),
                document(Role::Policy, "verdict/policy.bundle", "application/json", policy()),
            ],
        };
        documents.into_iter().collect()
    }

    fn verdict(&self, maker: Maker) -> Option<Verdict> {
        (maker == Maker::PolicyGate).then(|| Verdict {
            result: VerdictResult::Passed,
            policy: policy(),
            report: digest("report", self.number),
            environment: None,
            supersedes: None,
        })
    }
}

impl Maker {
    fn producer(self) -> Producer {
        match self {
            Self::Generator => Producer::Generator,
            Self::PolicyGate => Producer::PolicyGate,
        }
    }
}

fn policy() -> Digest {
    Digest::of(b"policy")
}

fn digest(what: &str, number: usize) -> Digest {
    Digest::of(format!("{what} {number}").as_bytes())
}
