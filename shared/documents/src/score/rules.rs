//! What a rule is, and how the elements that several standards share are judged.

use serde_json::Value;

use super::Level;
use super::finding::Finding;
use super::view::View;
use crate::bill::{Part, says_unknown, tools};
use crate::licence;
use crate::schema::json::{items, text};

/// One element of a standard, and how it is judged.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) level: Level,
    pub(super) judge: Judge,
    pub(super) why: &'static str,
    pub(super) remedy: &'static str,
}

#[derive(Clone, Copy)]
pub(super) enum Judge {
    /// Once, with the place where it should be.
    Document(&'static str, fn(&View<'_>) -> Finding),
    Component(fn(&View<'_>, &Part<'_>) -> Finding),
}

/// Hash functions for which two files with one hash can be made.
const BROKEN_HASHES: [&str; 2] = ["MD5", "SHA-1"];

pub(super) fn name(_: &View<'_>, part: &Part<'_>) -> Finding {
    Finding::of_text(part.text("name"))
}

/// Since 1.7 a range may stand in place of the version.
pub(super) fn version(_: &View<'_>, part: &Part<'_>) -> Finding {
    let keys = ["version", "versionRange"];
    Finding::best(keys.map(|key| Finding::of_text(part.text(key))))
}

pub(super) fn identifiers(_: &View<'_>, part: &Part<'_>) -> Finding {
    let texts = ["purl", "cpe"].map(|key| Finding::of_text(part.text(key)));
    let lists = ["omniborId", "swhid"].into_iter().flat_map(|key| part.items(key));
    let lists = lists.map(|it| Finding::of_text(it.as_str()));
    let swid = part.value.get("swid").map(|it| Finding::of_text(text(it, "tagId")));
    Finding::best(texts.into_iter().chain(lists).chain(swid))
}

/// Who makes or supplies a component; of these CycloneDX has grown six.
pub(super) fn producer(_: &View<'_>, part: &Part<'_>) -> Finding {
    let entities = ["manufacturer", "supplier"].into_iter();
    let entities = entities.filter_map(|key| part.value.get(key)).map(entity);
    let texts = ["publisher", "author"].map(|key| Finding::of_text(part.text(key)));
    Finding::best(entities.chain(part.items("authors").iter().map(entity)).chain(texts))
}

/// An organization or a person with a name, or anything to reach it by.
fn entity(entity: &Value) -> Finding {
    let names = ["name", "email"].map(|key| Finding::of_text(text(entity, key)));
    let urls = items(entity, "url").iter().map(|it| Finding::of_text(it.as_str()));
    Finding::best(names.into_iter().chain(urls))
}

pub(super) fn hash(_: &View<'_>, part: &Part<'_>) -> Finding {
    let files = part.references(&["distribution", "distribution-intake"]);
    let hashes = part.items("hashes").iter().chain(files.flat_map(|it| items(it, "hashes")));
    Finding::best(hashes.map(|hash| {
        let algorithm = text(hash, "alg").unwrap_or_default();
        match Finding::of_text(text(hash, "content")) {
            Finding::Present if BROKEN_HASHES.contains(&algorithm) => {
                Finding::Invalid(format!("{algorithm} alone can be forged"))
            }
            finding => finding,
        }
    }))
}

pub(super) fn licence(_: &View<'_>, part: &Part<'_>) -> Finding {
    let licences = licence::of(part.items("licenses"));
    let worst = Finding::worst(licences.map(|it| Finding::of_text(Some(it.text))));
    // Entries without any word in them.
    match worst {
        Finding::Absent if !part.items("licenses").is_empty() => Finding::DeclaredUnknown,
        worst => worst,
    }
}

pub(super) fn relationship(view: &View<'_>, part: &Part<'_>) -> Finding {
    let is_related = view.has_edges(part) || view.is_needed(part) || part.within.is_some();
    match view.is_known(part) {
        Some(false) => Finding::DeclaredUnknown,
        _ => Finding::when(is_related),
    }
}

pub(super) fn timestamp(view: &View<'_>) -> Finding {
    let told = text(view.metadata, "timestamp");
    match Finding::of_text(told) {
        Finding::Present if told.is_none_or(|it| it.parse::<jiff::Timestamp>().is_err()) => {
            let told = told.unwrap_or_default();
            Finding::Invalid(format!("{told:?} is no time as RFC 3339 writes it"))
        }
        finding => finding,
    }
}

pub(super) fn author(view: &View<'_>) -> Finding {
    let authors = items(view.metadata, "authors").iter();
    // `manufacture` is what 1.2 to 1.5 call it.
    let makers = ["manufacturer", "manufacture"].into_iter();
    let makers = makers.filter_map(|key| view.metadata.get(key));
    Finding::best(authors.chain(makers).map(entity))
}

pub(super) fn tool_name(view: &View<'_>) -> Finding {
    Finding::best(tools(view.metadata).map(|it| Finding::of_text(text(it, "name"))))
}

pub(super) fn tool_version(view: &View<'_>) -> Finding {
    Finding::best(tools(view.metadata).map(|it| Finding::of_text(text(it, "version"))))
}

pub(super) fn generation_context(view: &View<'_>) -> Finding {
    let lifecycles = items(view.metadata, "lifecycles").iter();
    let words = lifecycles.flat_map(|it| ["phase", "name"].map(|key| text(it, key)));
    Finding::best(words.map(Finding::of_text))
}

pub(super) fn data_format(view: &View<'_>) -> Finding {
    match view.violations.first() {
        Some(first) => Finding::Invalid(format!("breaks its schema: {first}")),
        None => Finding::Present,
    }
}

pub(super) fn sbom_version(view: &View<'_>) -> Finding {
    let serial = Finding::of_text(text(view.document, "serialNumber"));
    let version = Finding::when(view.document.get("version").is_some_and(Value::is_number));
    Finding::worst([serial, version])
}

pub(super) fn signature(view: &View<'_>) -> Finding {
    Finding::when(view.document.get("signature").is_some_and(Value::is_object))
}

pub(super) fn coverage(view: &View<'_>) -> Finding {
    match view.tells_completeness() {
        Some(true) => Finding::Present,
        Some(false) => Finding::DeclaredUnknown,
        None => Finding::Absent,
    }
}

/// `text`, if it tells anything.
pub(super) fn told(text: Option<&str>) -> Option<&str> {
    text.filter(|it| !says_unknown(it))
}
