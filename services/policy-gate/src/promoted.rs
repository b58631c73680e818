//! The build of each project that was promoted last: what the next one is compared with, and what is judged again when
//! the world changes.

use std::collections::BTreeSet;

use archive::Archive;
use events::{Artifact, Digest, Label, Scope, VerdictResult, subject::token};
use futures::TryStreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use worker::HandleError;

/// Where the archive points to them.
const PLACE: &str = "promoted";

/// A build that passed for production.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promoted {
    /// Whose build.
    pub project: Scope,
    /// The build's story.
    pub build: Uuid,
    /// When its evidence came to be.
    pub time: Timestamp,
    /// Version of the product, where CI knows it.
    pub version: Option<Label>,
    /// What it made.
    pub artifacts: Vec<Artifact>,
    /// Its SBOM, in the archive.
    pub sbom: Option<Digest>,
    /// What was said of it last.
    pub latest: Latest,
    /// The one that was promoted before it.
    pub before: Option<Before>,
}

/// The last verdict on what is promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    /// What it says.
    pub result: VerdictResult,
    /// The story that it belongs to: the build's, or one that a request began.
    pub story: Uuid,
    /// When it was judged.
    pub time: Timestamp,
    /// The policy that judged.
    pub policy: Digest,
    /// What else it depends on.
    pub world: World,
}

/// What a verdict depends on beside evidence, policy and time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct World {
    /// What the advisory index said of the SBOM's components; of a build without an SBOM the index itself.
    pub advisories: Option<Digest>,
    /// The waivers that counted.
    pub waivers: Option<Digest>,
    /// The VEX documents that were accepted from operators.
    pub vex: Option<Digest>,
}

/// The digest of several, in whatever order; none of none.
pub(crate) fn all_of(digests: impl IntoIterator<Item = Digest>) -> Option<Digest> {
    let sorted: BTreeSet<String> = digests.into_iter().map(|it| it.hex()).collect();
    let text: String = sorted.into_iter().collect();
    (!text.is_empty()).then(|| Digest::of(text.as_bytes()))
}

/// What the next build is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// When its evidence came to be.
    pub time: Timestamp,
    /// Version of the product.
    pub version: Option<Label>,
    /// Its SBOM, in the archive.
    pub sbom: Digest,
}

impl Promoted {
    /// What is on record of a project.
    ///
    /// # Errors
    /// The archive is away.
    pub async fn of(archive: &Archive, project: &Scope) -> Result<Option<Self>, HandleError> {
        let held = archive.pointed(&place(project)).await?;
        Ok(held.and_then(|it| read(&it)))
    }

    /// What is promoted, of every project, by their names.
    ///
    /// # Errors
    /// The archive is away.
    pub async fn all(archive: &Archive) -> Result<Vec<Self>, HandleError> {
        let held: Vec<_> = archive.pointers(PLACE).try_collect().await?;
        let mut all: Vec<Self> = held.iter().filter_map(|it| read(&it.value)).collect();
        all.sort_by(|a, b| a.project.cmp(&b.project));
        Ok(all)
    }

    /// What a build of its project is compared with: not with itself, should it be judged again.
    pub fn before(&self, build: Uuid) -> Option<Before> {
        if self.build == build {
            return self.before.clone();
        }
        let (time, version) = (self.time, self.version.clone());
        Some(Before { time, version, sbom: self.sbom? })
    }

    /// Puts on record what was promoted, unless a later one stands there; the same build's verdict is exchanged for a
    /// later one.
    pub(crate) async fn note(mut self, archive: &Archive) -> Result<(), HandleError> {
        match Self::of(archive, &self.project).await? {
            Some(standing) if standing.build == self.build => {
                if standing.latest.time >= self.latest.time {
                    return Ok(());
                }
                self.before = standing.before;
            }
            Some(standing) if standing.time >= self.time => return Ok(()),
            Some(standing) => self.before = standing.before(self.build),
            None => {}
        }
        let value = serde_json::to_vec(&self).map_err(HandleError::transient)?;
        Ok(archive.point(&place(&self.project), value.into()).await?)
    }

    /// Notes what was said of it when it was judged again.
    pub(crate) async fn judged_again(
        archive: &Archive,
        project: &Scope,
        build: Uuid,
        latest: Latest,
    ) -> Result<bool, HandleError> {
        let Some(standing) = Self::of(archive, project).await? else { return Ok(false) };
        if standing.build != build {
            return Ok(false);
        }
        Self { latest, ..standing }.note(archive).await?;
        Ok(true)
    }
}

fn place(project: &Scope) -> String {
    format!("{PLACE}/{}", token(project.as_str()))
}

/// One that cannot be read is none: the next build is compared with nothing, which is stricter.
fn read(value: &[u8]) -> Option<Promoted> {
    let read = serde_json::from_slice(value);
    read.inspect_err(|error| tracing::warn!(%error, "What was promoted cannot be read")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promoted(build: u128, second: i64) -> Promoted {
        let time = Timestamp::from_second(second).expect("in range");
        Promoted {
            project: "acme/app".parse().expect("valid"),
            build: Uuid::from_u128(build),
            time,
            version: None,
            artifacts: vec![],
            sbom: Some(Digest::of(&build.to_be_bytes())),
            latest: Latest {
                result: VerdictResult::Passed,
                story: Uuid::from_u128(build),
                time,
                policy: Digest::of(b"policy"),
                world: World::default(),
            },
            before: None,
        }
    }

    #[tokio::test]
    async fn the_latest_stands_whatever_the_order_and_knows_the_one_before() {
        let directory = tempfile::tempdir().expect("temporary");
        let archive = Archive::open(&directory.path().display().to_string()).expect("opens");
        let (first, second) = (promoted(1, 10), promoted(2, 20));
        let standing = async || {
            Promoted::of(&archive, &first.project).await.expect("reads").expect("one stands")
        };
        first.clone().note(&archive).await.expect("noted");
        assert_eq!(standing().await.before(second.build).map(|it| Some(it.sbom)), Some(first.sbom));
        assert_eq!(standing().await.before(first.build), None);

        second.clone().note(&archive).await.expect("noted");
        first.clone().note(&archive).await.expect("too late");
        second.clone().note(&archive).await.expect("again");
        assert_eq!(standing().await.build, second.build);
        assert_eq!(standing().await.before(second.build).map(|it| Some(it.sbom)), Some(first.sbom));

        let failed = |second| Latest {
            result: VerdictResult::Failed,
            story: Uuid::from_u128(9),
            time: Timestamp::from_second(second).expect("in range"),
            ..first.latest
        };
        let again = async |build, latest| {
            Promoted::judged_again(&archive, &first.project, build, latest).await.expect("notes")
        };
        assert!(!again(first.build, failed(30)).await);
        assert!(again(second.build, failed(30)).await);
        assert!(again(second.build, Latest { time: second.time, ..second.latest }).await);
        let all = Promoted::all(&archive).await.expect("lists");
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].latest, failed(30), "an older verdict does not come back");
        assert_eq!(all[0].before.as_ref().map(|it| Some(it.sbom)), Some(first.sbom));
    }
}
