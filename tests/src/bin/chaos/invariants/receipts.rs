//! Every submission has one signed receipt where its sender looks for it, and the right one.

use std::collections::{BTreeMap, HashMap, HashSet};

use attestation::{Receipt, verify_bundle};
use events::{Decision, DecisionResult, Digest, Record};

use super::{DropStory, Invariant, Remains, Stories};
use crate::drops::Drop;

/// Receipts by subject; what was judged is taken out.
type Shelf<'a> = HashMap<&'a str, Vec<&'a Record>>;

/// Verifies every receipt as its supplier can.
pub(super) fn check(remains: &Remains<'_>, stories: &Stories<'_>) -> Invariant {
    let mut shelf = Shelf::new();
    for receipt in &remains.streams.receipts {
        shelf.entry(receipt.subject.as_str()).or_default().push(receipt);
    }
    let mut broken = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for story in &stories.drops {
        match receipt(remains, story, &mut shelf) {
            Ok(answer) => *counts.entry(answer).or_default() += 1,
            Err(why) => broken.push(format!("{} ({}): {why}", story.drop.name(), story.drop.id())),
        }
    }
    if stories.drops.len() != remains.work.drops.len() {
        broken.push(format!("only {} drops have a story to judge", stories.drops.len()));
    }
    let strangers = shelf.into_values().flatten();
    broken.extend(strangers.map(|it| format!("{} lies on {}", it.position(), it.subject)));
    let count = remains.streams.receipts.len();
    let counts: Vec<String> =
        counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let numbers = format!("{count} receipts verified: {}", counts.join(", "));
    Invariant { name: "one signed receipt per submission, and the right one", numbers, broken }
}

/// Submissions on whose subject a receipt lies.
pub(super) fn count(remains: &Remains<'_>) -> usize {
    let laid_out: HashSet<&str> =
        remains.streams.receipts.iter().map(|it| it.subject.as_str()).collect();
    let has = |it: &&Drop| laid_out.contains(it.receipt_subject().as_str());
    remains.work.drops.iter().filter(has).count()
}

/// The receipt's answer, as it is counted.
fn receipt(
    remains: &Remains<'_>,
    story: &DropStory<'_>,
    shelf: &mut Shelf<'_>,
) -> Result<String, String> {
    let subject = story.drop.receipt_subject();
    let record = match shelf.remove(subject.as_str()).as_deref() {
        None => return Err("no receipt".to_owned()),
        Some([record]) => *record,
        Some(records) => return Err(format!("{} receipts", records.len())),
    };
    let [bundle] = story.signed.data.bundles.as_slice() else {
        let count = story.signed.data.bundles.len();
        return Err(format!("its evidence.signed has {count} bundles instead of one"));
    };
    if Digest::of(&record.payload) != bundle.bundle {
        return Err(format!("the receipt is not the bundle {} of its event", bundle.bundle));
    }
    let verified =
        verify_bundle(&record.payload, remains.keys).map_err(|error| error.to_string())?;
    if Digest::of(verified.statement.as_bytes()) != bundle.statement {
        return Err("the receipt signs another statement than announced".to_owned());
    }
    let receipt: Receipt = verified.statement.predicate().map_err(|error| error.to_string())?;
    if story.signed.data.decision.as_ref() != Some(&receipt.decision) {
        return Err("the receipt says another decision than its event".to_owned());
    }
    decided(story, &receipt.decision)
}

fn decided(story: &DropStory<'_>, decision: &Decision) -> Result<String, String> {
    let drop = story.drop;
    if decision.from != drop.sender() || decision.submission != drop.submission {
        return Err("the receipt is about another submission".to_owned());
    }
    if decision.document != drop.document() {
        return Err(format!("the receipt is about the document {:?}", decision.document));
    }
    let rule = decision.rule.as_ref().map(|it| it.as_str());
    let expected = match drop.flaw {
        None => (DecisionResult::Accepted, None),
        Some(flaw) => (DecisionResult::Rejected, Some(flaw.rule())),
    };
    if (decision.result, rule) != expected {
        return Err(format!("must be {expected:?}; it is {:?} by {rule:?}", decision.result));
    }
    if drop.flaw.is_none() && decision.kind != Some(drop.kind) {
        return Err(format!("is {:?}, and was taken for {:?}", drop.kind, decision.kind));
    }
    Ok(rule.map_or("accepted".to_owned(), |rule| format!("rejected by {rule}")))
}
