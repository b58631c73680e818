//! The archive holds exactly what the events name: nothing lost, nothing damaged, nothing twice.
//!
//! Read as plain files: the library under test has no say here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::Context;
use events::{BundleRef, Digest, EvidenceReady, EvidenceSigned};

use super::{DropStory, Invariant, Remains, Stories, Story};

/// What an object store calls a file that it has not finished: `<name>#<number>`.
const UNFINISHED: char = '#';

/// Documents: each intact, and named by an event. Also how many no event names.
pub(super) fn documents(
    remains: &Remains<'_>,
    stories: &Stories<'_>,
) -> anyhow::Result<(Invariant, usize)> {
    let root = remains.area.archive();
    let mut broken = Vec::new();
    let mut stored = BTreeSet::new();
    let (mut unfinished, mut segments) = (0, 0);
    for path in files_below(&root.join("documents/sha256"))? {
        let name: String = path.iter().map(|it| it.to_string_lossy()).collect();
        if name.contains(UNFINISHED) {
            unfinished += 1;
            continue;
        }
        let Ok(digest) = format!("sha256:{name}").parse::<Digest>() else {
            broken.push(format!("documents/sha256/{} is no document", path.display()));
            continue;
        };
        let found = Digest::of(&remains.area.document(digest)?);
        if found != digest {
            broken.push(format!("{digest} is damaged: its bytes have {found}"));
        }
        match class(&root, digest) {
            None => broken.push(format!("{digest} has no metadata")),
            Some(class) if class == "segment" => segments += 1,
            Some(_) => {}
        }
        stored.insert(digest);
    }
    let named = named(stories);
    for (digest, role) in &named {
        if !stored.contains(digest) {
            broken.push(format!("{digest} is lost: {role}"));
        }
    }
    let is_segment = |it: &Digest| class(&root, *it).is_some_and(|class| class == "segment");
    let mut orphans = 0;
    for digest in stored.iter().filter(|it| !named.contains_key(it) && !is_segment(it)) {
        orphans += 1;
        let class = class(&root, *digest).unwrap_or_default();
        broken.push(format!("{digest} ({class}) lies in the archive, and no event names it"));
    }
    let numbers = format!(
        "{} documents, {} named by events, {segments} segments; {unfinished} unfinished writes",
        stored.len(),
        named.len()
    );
    let name = "archive holds what events name, intact, and nothing else";
    Ok((Invariant { name, numbers, broken }, orphans))
}

/// Claims: one signature per statement, one verdict and one note per build, one receipt per drop.
pub(super) fn claims(remains: &Remains<'_>, stories: &Stories<'_>) -> anyhow::Result<Invariant> {
    let mut expected = claimed(stories);
    let root = remains.area.archive().join("claims");
    let mut broken = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for path in files_below(&root)? {
        let text = path.to_string_lossy();
        let kind = text.split('/').next().unwrap_or_default().to_owned();
        if text.contains(UNFINISHED) || kind == "segments" {
            continue;
        }
        *counts.entry(kind).or_default() += 1;
        // A signature's claim goes on with the key and its generation.
        let parts = if text.starts_with("signatures/") { 2 } else { 3 };
        let name: Vec<&str> = text.split('/').take(parts).collect();
        match expected.remove(&name.join("/")) {
            None => broken.push(format!("claim {text} is one too many")),
            Some(None) => {}
            Some(Some(bundle)) => {
                let found = Digest::of(&fs::read(root.join(&path))?);
                if found != bundle {
                    broken.push(format!("claim {text} holds {found}, the event names {bundle}"));
                }
            }
        }
    }
    broken.extend(expected.into_keys().map(|name| format!("claim {name} is missing")));
    let counts: Vec<String> =
        counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let name = "every decision was made once";
    Ok(Invariant { name, numbers: counts.join(", "), broken })
}

/// Every claim that there must be, and what it must hold, where an event says.
fn claimed(stories: &Stories<'_>) -> BTreeMap<String, Option<Digest>> {
    let mut claimed = BTreeMap::new();
    let of_builds = stories.builds.iter().flat_map(|it| [&it.signed, &it.verdict]);
    for signed in of_builds.chain(stories.drops.iter().map(|it| &it.signed)) {
        let claim =
            |it: &BundleRef| (format!("signatures/{}", it.statement.hex()), Some(it.bundle));
        claimed.extend(signed.data.bundles.iter().map(claim));
    }
    for story in &stories.builds {
        claimed.insert(format!("verdicts/{}", story.signed.id), None);
        let correlation = story.signed.correlation;
        for artifact in story.build.event.data.artifacts.iter() {
            claimed.insert(format!("judged/{}/{correlation}", artifact.digest.hex()), None);
        }
    }
    claimed.extend(stories.drops.iter().map(|it| (format!("receipts/{}", it.submitted.id), None)));
    claimed
}

/// Every digest that any event names as lying in the archive, and the part it plays.
fn named(stories: &Stories<'_>) -> BTreeMap<Digest, String> {
    let mut named = Named::default();
    for Story { build, ready, signed, judged, verdict } in &stories.builds {
        let run = build.event.data.run.as_str();
        for input in build.event.data.inputs.iter() {
            named.add(input.digest, "lockfile", run);
        }
        named.evidence(&ready.data, &signed.data, run);
        named.evidence(&judged.data, &verdict.data, run);
    }
    for DropStory { drop, ready, signed, .. } in &stories.drops {
        // Its document and bundle are among the evidence of what was accepted only.
        named.evidence(&ready.data, &signed.data, &drop.name());
    }
    named.0
}

#[derive(Default)]
struct Named(BTreeMap<Digest, String>);

impl Named {
    fn evidence(&mut self, ready: &EvidenceReady, signed: &EvidenceSigned, whose: &str) {
        for document in &ready.documents {
            self.add(document.digest, document.name.as_str(), whose);
        }
        for statement in &ready.statements {
            self.add(statement.digest, "statement", whose);
        }
        for bundle in &signed.bundles {
            self.add(bundle.bundle, bundle.name.as_str(), whose);
        }
    }

    fn add(&mut self, digest: Digest, what: &str, whose: &str) {
        self.0.entry(digest).or_insert_with(|| format!("{what} of {whose}"));
    }
}

/// The kind of evidence that a document is, as its metadata says.
fn class(root: &Path, digest: Digest) -> Option<String> {
    let hex = digest.hex();
    let file = root.join(format!("metadata/sha256/{}/{}.json", &hex[..2], &hex[2..]));
    let metadata: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    Some(metadata["class"].as_str()?.to_owned())
}

/// Paths of all files below `root`, relative to it.
pub(super) fn files_below(root: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries = fs::read_dir(&directory);
        for entry in entries.with_context(|| format!("cannot list {}", directory.display()))? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => directories.push(entry.path()),
                false => files.push(entry.path().strip_prefix(root)?.to_owned()),
            }
        }
    }
    files.sort();
    Ok(files)
}
