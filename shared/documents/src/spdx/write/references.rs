//! Where a component comes from and what else it is called (2.3, sections 7.7, 7.11 and 7.21).

use serde_json::Value;

use super::wire::ExternalRef;
use crate::bill::{Part, says_unknown};
use crate::convert::Losses;
use crate::schema::json::{items, text};

#[derive(Default)]
pub(super) struct References<'a> {
    pub(super) download: Option<String>,
    /// Digests of what lies there.
    pub(super) download_hashes: &'a [Value],
    pub(super) homepage: Option<String>,
    pub(super) others: Vec<ExternalRef>,
}

pub(super) fn of<'a>(part: &Part<'a>, losses: &mut Losses) -> References<'a> {
    let mut references = References { others: identifiers(part, losses), ..References::default() };
    for reference in part.items("externalReferences") {
        let kind = text(reference, "type").unwrap_or("other");
        let url = text(reference, "url").unwrap_or_default();
        let hashes = items(reference, "hashes");
        let is_download = kind == "distribution" && references.download.is_none() && is_url(url);
        if is_download {
            references.download = Some(url.to_owned());
            references.download_hashes = hashes;
        } else if kind == "website" && references.homepage.is_none() && is_url(url) {
            references.homepage = Some(url.to_owned());
        } else if is_word(url) {
            references.others.push(ExternalRef {
                reference_category: if kind == "advisories" { "SECURITY" } else { "OTHER" },
                reference_type: if kind == "advisories" { "advisory" } else { kind }.to_owned(),
                reference_locator: url.to_owned(),
                comment: text(reference, "comment").map(str::to_owned),
            });
        } else {
            losses.add("external references that are no URL", 1);
        }
        losses.add("hashes of external references", if is_download { 0 } else { hashes.len() });
    }
    if references.download.is_none() {
        let mut repositories = part.references(&["vcs"]).filter_map(|it| text(it, "url"));
        references.download = repositories.find_map(repository);
    }
    references
}

fn identifiers(part: &Part<'_>, losses: &mut Losses) -> Vec<ExternalRef> {
    let mut found = Vec::new();
    let mut add = |category, kind: &str, locator: &str| match is_word(locator) {
        true => found.push(ExternalRef {
            reference_category: category,
            reference_type: kind.to_owned(),
            reference_locator: locator.to_owned(),
            comment: None,
        }),
        false => losses.add("identifiers with white space", 1),
    };
    let told = |key| part.text(key).filter(|it| !says_unknown(it));
    if let Some(purl) = told("purl") {
        add("PACKAGE-MANAGER", "purl", purl);
    }
    match told("cpe") {
        Some(cpe) if cpe.starts_with("cpe:2.3:") => add("SECURITY", "cpe23Type", cpe),
        Some(cpe) => add("SECURITY", "cpe22Type", cpe),
        None => {}
    }
    if let Some(tag) = part.value.get("swid").and_then(|it| text(it, "tagId")) {
        add("SECURITY", "swid", &format!("swid:{tag}"));
    }
    for id in part.items("swhid").iter().filter_map(Value::as_str) {
        add("PERSISTENT-ID", "swh", id);
    }
    for id in part.items("omniborId").iter().filter_map(Value::as_str) {
        add("PERSISTENT-ID", "gitoid", id);
    }
    found
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

fn is_url(text: &str) -> bool {
    let schemes = ["https://", "http://", "ftp://"];
    is_word(text) && schemes.iter().any(|it| text.len() > it.len() && text.starts_with(it))
}

/// `git+https://…` for repositories (section 7.7.1).
fn repository(url: &str) -> Option<String> {
    let is_plain = is_url(url);
    let is_git = ["git://", "git+https://", "git+http://", "git+ssh://"];
    match is_git.iter().any(|it| url.starts_with(it)) && is_word(url) {
        true => Some(url.to_owned()),
        false => is_plain.then(|| format!("git+{url}")),
    }
}
