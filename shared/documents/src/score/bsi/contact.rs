//! How to reach somebody: an email address, or else a URL (section 5.2.1).

use serde_json::Value;

use super::super::finding::Finding;
use super::super::rules::told;
use super::super::view::View;
use crate::bill::Part;
use crate::schema::json::{items, text};

pub(super) fn of_sbom(view: &View<'_>) -> Finding {
    // `manufacture` is what 1.2 to 1.5 call it.
    let entities = ["manufacturer", "manufacture", "supplier"].into_iter();
    let entities = entities.filter_map(|key| view.metadata.get(key)).map(entity);
    Finding::best(entities.chain(items(view.metadata, "authors").iter().map(entity)))
}

pub(super) fn of_component(_: &View<'_>, part: &Part<'_>) -> Finding {
    let entities = ["manufacturer", "supplier"].into_iter();
    let entities = entities.filter_map(|key| part.value.get(key)).map(entity);
    Finding::best(entities.chain(part.items("authors").iter().map(entity)))
}

/// An organization with `url` and `contact`, or a person with `email`.
fn entity(entity: &Value) -> Finding {
    let contacts = items(entity, "contact").iter().chain([entity]);
    let addresses = contacts.filter_map(|it| told(text(it, "email")));
    let addresses = addresses.map(|it| valid(it, is_address(it), "email address"));
    let urls = items(entity, "url").iter().filter_map(|it| told(it.as_str()));
    let urls = urls.map(|it| valid(it, is_uri(it), "URL"));
    match Finding::best(addresses.chain(urls)) {
        Finding::Absent if told(text(entity, "name")).is_some() => {
            Finding::Invalid("has a name, but neither email address nor URL".to_owned())
        }
        finding => finding,
    }
}

fn valid(text: &str, is_valid: bool, kind: &str) -> Finding {
    match is_valid {
        true => Finding::Present,
        false => Finding::Invalid(format!("{text:?} is no {kind}")),
    }
}

fn is_address(text: &str) -> bool {
    let sides = text.split_once('@');
    sides.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
        && !text.contains(char::is_whitespace)
}

/// RFC 3986, section 3: a scheme, and something after it.
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme_char = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.starts_with(|it: char| it.is_ascii_alphabetic())
        && scheme.bytes().all(is_scheme_char)
        && !rest.trim_start_matches('/').is_empty()
        && !text.contains(char::is_whitespace)
}
