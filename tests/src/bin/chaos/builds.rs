//! What is submitted: many small builds, some large ones, several projects, both kinds.

use bytes::Bytes;
use events::{
    Artifact, BuildCompleted, BuildKind, Builder, CHUNK_BYTES, Digest, Envelope, Input, Label,
    Scope, Source, Uri, VerdictResult,
};
use fastrand::Rng;
use jiff::Timestamp;

/// Every so many builds one has the real lockfile of Hotpass.
const LARGE_EVERY: usize = 20;
const PROJECTS: [&str; 4] = ["acme/hotpass", "acme/tools.cli", "Müller & Söhne/web", "ripgrep"];

/// A build, and what must become of it.
pub(crate) struct Build {
    /// What is published.
    pub(crate) event: Envelope<BuildCompleted>,
    /// Its lockfile, uploaded before.
    pub(crate) lockfile: Bytes,
    /// What policy must say.
    pub(crate) expected: VerdictResult,
}

/// A lockfile that builds use.
struct Lock {
    path: &'static str,
    text: &'static str,
    expected: VerdictResult,
}

const LARGE: Lock = Lock {
    path: "uv.lock",
    text: include_str!("../../../../shared/documents/fixtures/lockfiles/hotpass.uv.lock"),
    expected: VerdictResult::Passed,
};

const SMALL: [Lock; 4] = [
    Lock {
        path: "apps/web/uv.lock",
        text: include_str!("../../../../shared/documents/fixtures/lockfiles/edge-cases.uv.lock"),
        // With a component without a version, which may be: it is the project's own.
        expected: VerdictResult::Passed,
    },
    Lock {
        path: "Cargo.lock",
        text: include_str!("../../../../shared/documents/fixtures/lockfiles/edge-cases.Cargo.lock"),
        expected: VerdictResult::Passed,
    },
    Lock {
        path: "uv.lock",
        text: include_str!("../../../../shared/documents/fixtures/lockfiles/groups.uv.lock"),
        expected: VerdictResult::Passed,
    },
    Lock { path: "uv.lock", text: BANNED, expected: VerdictResult::Failed },
];

/// With a package that once was malware: policy must say no, however often it is asked.
const BANNED: &str = r#"version = 1
revision = 3
requires-python = ">=3.12"

[[package]]
name = "colourama"
version = "0.1.6"
source = { registry = "https://pypi.org/simple" }
sdist = { url = "https://files.pythonhosted.org/packages/colourama-0.1.6.tar.gz", hash = "sha256:0000000000000000000000000000000000000000000000000000000000000001", size = 1 }

[[package]]
name = "typosquatted"
version = "1.0.0"
source = { virtual = "." }
dependencies = [
    { name = "colourama" },
]
"#;

/// `count` different builds that came to be at `now`; the same ones for the same seed.
pub(crate) fn plan(count: usize, seed: u64, now: Timestamp) -> anyhow::Result<Vec<Build>> {
    let mut rng = Rng::with_seed(seed);
    (0..count).map(|index| build(index, &mut rng, now)).collect()
}

fn build(index: usize, rng: &mut Rng, now: Timestamp) -> anyhow::Result<Build> {
    let large = index.is_multiple_of(LARGE_EVERY);
    let lock = if large { &LARGE } else { &SMALL[rng.usize(..SMALL.len())] };
    let lockfile = match large {
        // Many builds with one lockfile: they meet at one document.
        true => Bytes::from_static(lock.text.as_bytes()),
        // A document of its own: nobody else's write makes it durable.
        false => Bytes::from(format!("{}\n# Build {index}.\n", lock.text)),
    };
    let project: Scope = PROJECTS[rng.usize(..PROJECTS.len())].parse()?;
    let kind = if rng.u8(..4) == 0 { BuildKind::Release } else { BuildKind::Pr };
    let artifact = Artifact {
        name: format!("app-{index}-py3-none-any.whl").parse()?,
        digest: Digest::of(format!("artifact {index}").as_bytes()),
        size: Some(1024),
    };
    let input = Input {
        path: lock.path.parse()?,
        digest: Digest::of(&lockfile),
        size: lockfile.len() as u64,
        chunks: u32::try_from(lockfile.len().div_ceil(CHUNK_BYTES))?,
    };
    let data = BuildCompleted {
        environment: None,
        project: project.clone(),
        kind,
        run: format!("run-{index}").parse()?,
        version: Some("1.0.0".parse()?),
        source: Some(Source {
            repository: Uri::of("https://git.example/acme/hotpass"),
            reference: Some(Label::of("refs/heads/main")),
            commit: Some(Digest::of(b"commit").hex().try_into()?),
        }),
        builder: Builder::new(Uri::of("urn:ci")),
        started_at: None,
        finished_at: Some(now),
        parameters: Default::default(),
        internal_parameters: Default::default(),
        dependencies: Default::default(),
        artifacts: vec![artifact].try_into()?,
        inputs: vec![input].try_into()?,
        sboms: Default::default(),
    };
    let event = Envelope::root(Label::of("/chaos"), now, kind.priority(), project, data);
    Ok(Build { event, lockfile, expected: lock.expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_gives_the_same_builds_and_another_seed_others() {
        let ids = |seed| {
            let builds = plan(60, seed, Timestamp::UNIX_EPOCH).unwrap();
            builds.iter().map(|it| it.event.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
    }

    #[test]
    fn every_build_has_an_id_of_its_own() {
        let builds = plan(200, 1, Timestamp::UNIX_EPOCH).unwrap();
        let ids: std::collections::HashSet<_> = builds.iter().map(|it| it.event.id).collect();
        assert_eq!(ids.len(), builds.len());
    }
}
