//! Values that are more than text, in the JSON form; none where they are not of their form.

use serde_json::{Map, Value, json};

/// `SHA1: 85ed…` (sections 7.10 and 8.4).
pub(super) fn checksum(value: &str) -> Option<Value> {
    let (algorithm, digest) = value.split_once(':')?;
    Some(json!({ "algorithm": algorithm.trim(), "checksumValue": digest.trim() }))
}

/// `d6a7… (excludes: ./a, ./b)`, where the word may be missing (section 7.9).
pub(super) fn verification_code(value: &str) -> Value {
    let (code, excluded) = value.split_once('(').unwrap_or((value, ""));
    let mut object = Map::new();
    object.insert("packageVerificationCodeValue".to_owned(), code.trim().into());
    let files = excluded.trim_end().strip_suffix(')').unwrap_or(excluded).trim();
    let files = files.strip_prefix("excludes:").unwrap_or(files);
    let files: Vec<Value> =
        files.split(',').map(str::trim).filter(|it| !it.is_empty()).map(Value::from).collect();
    if !files.is_empty() {
        object.insert("packageVerificationCodeExcludedFiles".to_owned(), files.into());
    }
    Value::Object(object)
}

/// `SECURITY cpe23Type cpe:2.3:…` (section 7.21).
pub(super) fn reference(value: &str) -> Option<Value> {
    let [category, kind, locator] = words(value)?;
    Some(json!({
        "referenceCategory": category, "referenceType": kind, "referenceLocator": locator,
    }))
}

/// `DocumentRef-a https://… SHA1: d6a7…` (section 6.6).
pub(super) fn document(value: &str) -> Option<Value> {
    let [id, uri, digest] = words(value)?;
    Some(json!({
        "externalDocumentId": id, "spdxDocument": uri, "checksum": checksum(digest)?,
    }))
}

/// `SPDXRef-a DEPENDS_ON SPDXRef-b` (section 11.1).
pub(super) fn relationship(value: &str) -> Option<Value> {
    let [from, kind, to] = words(value)?;
    let is_one_word = !to.contains(char::is_whitespace);
    is_one_word.then(
        || json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to }),
    )
}

/// `310:420`, with the key of what is counted; the file is added later (sections 9.3 and 9.4).
pub(super) fn range(value: &str, key: &str) -> Option<Value> {
    let (from, to) = value.split_once(':')?;
    let [from, to] = [from, to].map(|it| it.trim().parse::<u64>().ok());
    Some(json!({ "startPointer": { key: from? }, "endPointer": { key: to? } }))
}

/// Two words, and the rest of the line.
fn words(value: &str) -> Option<[&str; 3]> {
    let (first, rest) = value.split_once(char::is_whitespace)?;
    let (second, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let rest = rest.trim();
    (!rest.is_empty()).then_some([first, second, rest])
}
