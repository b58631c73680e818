//! Every build has the verdict that policy must give, signed by the key that is trusted.

use std::collections::BTreeSet;

use attestation::{
    Predicate, Provenance, Reference, VerificationSummary,
    predicate::verification_summary::VerificationResult, verify_bundle,
};
use events::{BundleRef, Digest, VerdictResult};

use super::{Invariant, Remains, Story};

/// Verifies every bundle from its bytes in the archive.
pub(super) fn check(remains: &Remains<'_>, stories: &[Story<'_>]) -> Invariant {
    let mut broken = Vec::new();
    let (mut passed, mut failed, mut bundles) = (0, 0, 0);
    let policies: BTreeSet<Digest> =
        stories.iter().filter_map(|it| Some(it.verdict.data.verdict.as_ref()?.policy)).collect();
    for story in stories {
        match verdict(remains, story) {
            Ok(VerdictResult::Passed) => passed += 1,
            Ok(VerdictResult::Failed) => failed += 1,
            Err(why) => {
                let event = &story.build.event;
                broken.push(format!("{} ({}): {why}", event.data.run, event.id));
            }
        }
        bundles += story.signed.data.bundles.len() + story.verdict.data.bundles.len();
    }
    if stories.len() != remains.work.builds.len() {
        broken.push(format!("only {} builds have a story to judge", stories.len()));
    }
    let numbers = format!(
        "{passed} passed, {failed} failed as they must, by {} policies; {bundles} bundles verified",
        policies.len()
    );
    Invariant { name: "one signed verdict per build, and the right one", numbers, broken }
}

fn verdict(remains: &Remains<'_>, story: &Story<'_>) -> Result<VerdictResult, String> {
    let evidence = &story.signed.data.bundles;
    let types: BTreeSet<&str> = evidence.iter().map(|it| it.predicate_type.as_str()).collect();
    if evidence.len() != 2 || types != BTreeSet::from([Provenance::TYPE, Reference::TYPE]) {
        return Err(format!("the generator's evidence has bundles of {types:?}"));
    }
    for bundle in evidence {
        verified(remains, story, bundle)?;
    }
    let [bundle] = story.verdict.data.bundles.as_slice() else {
        let count = story.verdict.data.bundles.len();
        return Err(format!("the verdict has {count} bundles instead of one"));
    };
    let summary: VerificationSummary =
        verified(remains, story, bundle)?.predicate().map_err(|error| error.to_string())?;
    let announced = story.verdict.data.verdict.as_ref().map(|it| it.result);
    let expected = story.build.expected;
    let signed = match summary.verification_result {
        VerificationResult::Passed => VerdictResult::Passed,
        VerificationResult::Failed => VerdictResult::Failed,
    };
    if announced != Some(expected) || signed != expected {
        return Err(format!(
            "must be {expected:?}; the event says {announced:?}, the signed VSA {signed:?}"
        ));
    }
    let policy = summary.policy.digest;
    if !remains.policies.contains(&policy) {
        return Err(format!("policy {policy}, which it names, never was one that could judge"));
    }
    if remains.area.document(policy).is_err() {
        return Err(format!("policy {policy}, which it names, is not in the archive"));
    }
    let rests_on: BTreeSet<Digest> =
        summary.input_attestations.iter().map(|it| it.digest).collect();
    if rests_on != evidence.iter().map(|it| it.bundle).collect() {
        return Err("the VSA rests on other bundles than the build's".to_owned());
    }
    Ok(signed)
}

/// The statement in a bundle, once the bundle is genuine and about this build.
fn verified(
    remains: &Remains<'_>,
    story: &Story<'_>,
    bundle: &BundleRef,
) -> Result<attestation::Statement, String> {
    let at = |why: String| format!("bundle {}: {why}", bundle.bundle);
    let bytes = remains.area.document(bundle.bundle).map_err(|error| at(error.to_string()))?;
    let verified = verify_bundle(&bytes, remains.keys).map_err(|error| at(error.to_string()))?;
    let statement = verified.statement;
    if Digest::of(statement.as_bytes()) != bundle.statement {
        return Err(at("signs another statement than announced".to_owned()));
    }
    let named: BTreeSet<Digest> = statement.subjects().iter().map(|it| it.digest).collect();
    if named != story.build.event.data.artifacts.iter().map(|it| it.digest).collect() {
        return Err(at("is not about the build's artifacts".to_owned()));
    }
    Ok(statement)
}
