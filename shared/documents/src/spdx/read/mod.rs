//! SPDX 2.2 and 2.3 as a [`Bom`].

mod described;
mod elements;
mod relationships;
pub(super) mod tag_value;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::bill::says_unknown;
use crate::bom::{Bom, Problems, timestamp, via};
use crate::schema::json::{items, text};
use crate::schema::{Format, SpdxVersion};

/// Reads a document that its schema lets pass.
///
/// How SPDX is told as a [`Bom`]:
/// - packages are components; files are only what the document describes if it describes no package;
/// - the subject is what the document describes, if that is one element; a document with a single
///   package that does not say what it describes is about that package;
/// - DEPENDS_ON, all `*DEPENDENCY_OF`, links and prerequisites are edges; CONTAINS is none.
pub(crate) fn read(document: &Value, version: SpdxVersion, mut problems: Problems) -> Bom {
    let described = described::read(document, &mut problems);
    let components = elements::read(document, &described, &mut problems);
    let edges = relationships::check(document, &mut problems);
    let creation = document.get("creationInfo").unwrap_or(&Value::Null);
    let supplier = described.subject(document).and_then(|it| text(it, "supplier"));
    let supplier = supplier.and_then(|it| party(it, &["Organization", "Person"]));
    let created = "/creationInfo/created";
    let elements::Components { subject, others } = components;
    let mut bom = Bom {
        format: Format::Spdx(version),
        serial: namespace(document, &mut problems),
        bom_version: 1,
        timestamp: timestamp(creation, "created", created, &mut problems),
        via: via(subject.as_ref(), &others, 0, relationships::edges(document)),
        subject,
        supplier: supplier.or_else(|| creator(creation)),
        components: others,
        edges,
        problems: Vec::new(),
        problem_counts: BTreeMap::new(),
        statements: Vec::new(),
        reported: Vec::new(),
    };
    (bom.problems, bom.problem_counts) = problems.into_parts();
    bom
}

fn namespace(document: &Value, problems: &mut Problems) -> Option<String> {
    let namespace = text(document, "documentNamespace").filter(|it| !it.is_empty())?;
    problems.check_visible(namespace, "/documentNamespace");
    problems.bounded(namespace, "/documentNamespace").map(str::to_owned)
}

/// The first organization that created the document (section 6.8).
fn creator(creation: &Value) -> Option<String> {
    let creators = items(creation, "creators").iter().filter_map(Value::as_str);
    creators.filter_map(|it| party(it, &["Organization"])).next()
}

/// The name in `Organization: Acme (security@acme.example)`.
fn party(text: &str, kinds: &[&str]) -> Option<String> {
    let (kind, name) = text.split_once(':')?;
    if !kinds.contains(&kind.trim()) {
        return None;
    }
    let name = match name.trim().strip_suffix(')').and_then(|it| it.rsplit_once('(')) {
        Some((name, address)) if address.is_empty() || address.contains('@') => name,
        _ => name,
    };
    let name = name.trim();
    (!says_unknown(name)).then(|| name.to_owned())
}

/// Whether `word` is what SPDX writes where a name could stand: nothing, or nothing known.
fn says_nothing(word: &str) -> bool {
    matches!(word, "" | "NONE" | "NOASSERTION")
}

#[cfg(test)]
mod tests {
    use super::party;

    #[test]
    fn parties_have_a_kind_a_name_and_perhaps_an_address() {
        let any = |text| party(text, &["Organization", "Person"]);
        assert_eq!(any("Organization: Acme (a@acme.example)").as_deref(), Some("Acme"));
        assert_eq!(any("Person: Jane Doe ()").as_deref(), Some("Jane Doe"));
        assert_eq!(any("Organization:Acme (UK)").as_deref(), Some("Acme (UK)"));
        for nobody in ["NOASSERTION", "Tool: x", "Organization: ", "Organization: Unknown ()", ""] {
            assert_eq!(any(nobody), None, "{nobody}");
        }
    }
}
