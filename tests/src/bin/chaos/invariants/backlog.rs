//! The backlog is what the documents say, each thing to do once, in whatever order they came.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use advisories::{Index, Package};
use anyhow::Context;
use backlog_mapper::{
    config::Config,
    export::{Form, Table, render},
    inventory::Inventory,
    relation::Refusal,
    slot::{Slot, SlotKind},
    store::{Arrival, Content, Reader, Sbom, Store},
    vex::{Statement, VexDocument},
};
use documents::{
    bom::{self, Bom, Component},
    lockfile, vex,
};
use events::{
    BuildKind, Decision, Digest, DocumentKind, Envelope, EvidenceSigned, Role, Scope, VerdictResult,
};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::{Counted, Invariant, Remains, Stories, Story};
use crate::{area::Area, builds::Build};

/// An SBOM that counts, and since when.
struct Counting {
    /// Who brought it, for people.
    name: String,
    time: Timestamp,
    digest: Digest,
    event: Uuid,
    kind: SlotKind,
    scope: Scope,
    bom: Bom,
}

/// Whether an entry must be open, and who brought what it is about.
type Standing<'a> = (bool, &'a str);

/// What makes two entries the same: kind, scope, product, lockfile, ecosystem and package.
type Key = [String; 6];

/// The exported backlog against a straight count over the documents, without the mapper's code.
pub(super) fn entries(remains: &Remains<'_>, stories: &Stories<'_>) -> Invariant {
    let name = "one backlog entry per product and vulnerable package";
    Invariant::of(name, counted(remains, stories))
}

/// The exported registers against those of a mapper that was told everything backwards.
pub(super) fn order(remains: &Remains<'_>, stories: &Stories<'_>) -> Invariant {
    Invariant::of("the same registers in another order", repeated(remains, stories))
}

fn counted(remains: &Remains<'_>, stories: &Stories<'_>) -> anyhow::Result<Counted> {
    let documents = counting(remains.area, stories)?;
    let mut expected = expected(&documents, remains.advisories);
    let register: Value = serde_json::from_str(&exported(remains.area, Table::Backlog)?)?;
    let entries = register["entries"].as_array().context("the register has no entries")?;
    let mut broken = Vec::new();
    let mut ids = BTreeSet::new();
    let mut open = 0;
    for entry in entries {
        let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        let (id, status) = (text("id"), text("status"));
        let key: Key = ["kind", "scope", "product", "lock", "ecosystem", "package"].map(text);
        if !ids.insert(id.clone()) {
            broken.push(format!("the id {id} stands for two entries"));
        }
        let is_open = ["open", "reopened"].contains(&status.as_str());
        open += usize::from(is_open);
        match expected.remove(&key) {
            None => broken.push(format!("entry {id} ({}) is one too many", key.join(" "))),
            Some((must_be_open, name)) if must_be_open != is_open => {
                broken.push(format!("entry {id} ({}), since {name}: {status}", key.join(" ")));
            }
            Some(_) => {}
        }
    }
    let missing = |(key, (_, name)): (&Key, &Standing<'_>)| {
        format!("no entry for {}, which {name} brought", key.join(" "))
    };
    broken.extend(expected.iter().map(missing));
    if entries.is_empty() && !documents.is_empty() {
        broken.push("no document has a vulnerability: nothing was tested".to_owned());
    }
    let (count, documents) = (entries.len(), documents.len());
    let advisories = remains.advisories.len();
    let numbers = format!(
        "{count} entries, {open} open, of {documents} documents and {advisories} advisories"
    );
    Ok((numbers, broken))
}

fn repeated(remains: &Remains<'_>, stories: &Stories<'_>) -> anyhow::Result<Counted> {
    let store = Store::open(&remains.area.root().join("backlog-backwards.sqlite"))?;
    // What brings no document is asked by the index too.
    let nothing = Arrival {
        event: Uuid::nil(),
        time: Timestamp::UNIX_EPOCH,
        content: Content::Nothing(None),
    };
    #[allow(
        clippy::disallowed_methods,
        reason = "statements end, and the live mapper was asked now"
    )]
    let now = Timestamp::now();
    store.record(&nothing, Some(remains.advisories), now)?;
    let documents = counting(remains.area, stories)?;
    let count = documents.len();
    for Counting { time, digest, event, kind, scope, bom, .. } in documents.into_iter().rev() {
        let inventory = Inventory::of(bom);
        let product = inventory.product(&scope);
        let sbom = Sbom { slot: Slot { kind, scope, product }, digest, inventory };
        let arrival = Arrival { event, time, content: Content::Sboms(vec![sbom]) };
        store.record(&arrival, Some(remains.advisories), now)?;
    }
    let others = others(remains.area, stories)?;
    let told = others.len();
    for arrival in others.iter().rev() {
        store.record(arrival, Some(remains.advisories), now)?;
    }
    let register =
        Reader::open(store.path())?.register(&Config::default(), Some(remains.advisories), now)?;
    let (mut broken, mut digests) = (Vec::new(), Vec::new());
    for table in Table::ALL {
        let (live, backwards) =
            (exported(remains.area, table)?, render(&register, table, Form::Json));
        broken.extend(difference(&live, &backwards));
        digests.push(Digest::of(live.as_bytes()).to_string());
    }
    let numbers = format!(
        "{count} SBOMs, {told} refusals and VEX documents, registers {}",
        digests.join(" and ")
    );
    Ok((numbers, broken))
}

/// Where two texts part; none if they are the same.
fn difference(live: &str, backwards: &str) -> Option<String> {
    match live.lines().zip(backwards.lines()).find(|(one, other)| one != other) {
        Some((one, other)) => Some(format!("live {}, backwards {}", one.trim(), other.trim())),
        None => (live != backwards).then(|| "one ends before the other".to_owned()),
    }
}

/// What suppliers dropped that brings no SBOM: what was refused, and VEX.
fn others(area: &Area, stories: &Stories<'_>) -> anyhow::Result<Vec<Arrival>> {
    let mut arrivals = Vec::new();
    for story in &stories.drops {
        let decision = story.signed.data.decision.as_ref();
        let decision = decision.context("a receipt without a decision")?;
        let content = match (Refusal::of(decision), decision.kind, decision.document) {
            (Some(refusal), ..) => Content::Refused(refusal),
            (None, Some(DocumentKind::Vex), Some(digest)) => {
                Content::Vex(said(decision, digest, &area.document(digest)?)?)
            }
            _ => continue,
        };
        arrivals.push(Arrival { event: story.signed.id, time: decision.ingested_at, content });
    }
    Ok(arrivals)
}

fn said(decision: &Decision, digest: Digest, bytes: &[u8]) -> anyhow::Result<VexDocument> {
    let vex::Document { edition, timestamp: said, statements, .. } = vex::read(bytes)?;
    let statements = statements.into_iter().map(Statement::from).collect();
    let (from, time) = (decision.from.clone(), decision.ingested_at);
    Ok(VexDocument { from, time, digest, edition, said, statements })
}

/// What people see.
fn exported(area: &Area, table: Table) -> anyhow::Result<String> {
    let path = area.registers().join(table.file_name(Form::Json));
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Every accepted document and every SBOM of a release that passed, oldest first.
fn counting(area: &Area, stories: &Stories<'_>) -> anyhow::Result<Vec<Counting>> {
    let mut counting = Vec::new();
    for story in stories.drops.iter().filter(|it| it.drop.flaw.is_none()) {
        let decision = story.signed.data.decision.as_ref();
        let time = decision.context("a receipt without a decision")?.ingested_at;
        counting.extend(sboms(area, &story.drop.name(), SlotKind::Supplier, time, &story.signed)?);
    }
    let is_promoted = |it: &&Story<'_>| {
        let Build { event, expected, .. } = it.build;
        event.data.kind == BuildKind::Release && *expected == VerdictResult::Passed
    };
    for story in stories.builds.iter().filter(is_promoted) {
        let (name, time) = (story.build.event.data.run.as_str(), story.verdict.time);
        counting.extend(sboms(area, name, SlotKind::Project, time, &story.verdict)?);
    }
    counting.sort_by_key(|it| (it.time, it.digest, it.event));
    Ok(counting)
}

fn sboms(
    area: &Area,
    name: &str,
    kind: SlotKind,
    time: Timestamp,
    event: &Envelope<EvidenceSigned>,
) -> anyhow::Result<Vec<Counting>> {
    let sboms = event.data.documents.iter().filter(|it| it.role == Role::Sbom);
    let read = sboms.map(|document| {
        let digest = document.digest;
        let bom = bom::read(&area.document(digest)?)?;
        let (name, event, scope) = (name.to_owned(), event.id, event.scope.clone());
        Ok(Counting { name, time, digest, event, kind, scope, bom })
    });
    read.collect()
}

/// Every entry that there must be, and whether it must be open: what any document of a product has,
/// and whether the newest one has it. What a supplier sends again counts as of the first time.
fn expected<'a>(documents: &'a [Counting], index: &Index) -> BTreeMap<Key, Standing<'a>> {
    let mut expected = BTreeMap::new();
    let mut known = BTreeSet::new();
    for document in documents {
        let again = !known.insert((document.scope.as_str(), document.digest));
        if again && document.kind == SlotKind::Supplier {
            continue;
        }
        let subject = document.bom.subject.as_ref().map(|it| it.name.clone());
        let product = subject.unwrap_or_else(|| document.scope.to_string());
        let slot = [document.kind.to_string(), document.scope.to_string(), product];
        for (key, (is_open, _)) in &mut expected {
            let [kind, scope, product, ..]: &Key = key;
            *is_open &= [kind, scope, product] != slot.each_ref();
        }
        for component in &document.bom.components {
            let package = component.purl.as_deref().map(Package::from_purl);
            let Some(Ok(package)) = package else { continue };
            if index.matches(&package).is_empty() {
                continue;
            }
            for lock in locks(document.kind, component) {
                let [kind, scope, product] = slot.clone();
                let ecosystem = package.ecosystem.to_string();
                let key = [kind, scope, product, lock, ecosystem, package.name.clone()];
                expected.insert(key, (true, document.name.as_str()));
            }
        }
    }
    expected
}

/// The lockfiles in which something is to be done about a component; an empty name where there is none, and
/// for what a supplier is asked.
fn locks(kind: SlotKind, component: &Component) -> Vec<String> {
    let named = component.locations.iter().filter(|it| lockfile::is_known(it));
    let locks: Vec<String> = named.filter(|_| kind == SlotKind::Project).cloned().collect();
    if locks.is_empty() { vec![String::new()] } else { locks }
}
