//! Tag-value, the form of SPDX for people, as the same document in JSON (2.3, section 5 and annex of
//! each field): so that one schema judges both forms, and one reader reads them.

mod lines;
mod parts;
mod tags;
mod values;

use serde_json::Value;

use crate::schema::json::MAX_QUOTED_CHARS;
use crate::schema::{SchemaError, SpdxVersion};
use lines::{Entry, Lines};
use parts::Parts;
use tags::{Shape, meaning};

/// What every tag-value document begins with, after comments.
const FIRST: &str = "SPDXVersion:";

/// Whether `text` begins as tag-value does.
pub(crate) fn begins(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_start);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.starts_with(FIRST))
}

/// Reads tag-value as JSON; the weight of that comes along.
///
/// # Errors
/// [`SchemaError`]: a line that has no place, a tag too often, another version, or too many values.
pub(crate) fn read(text: &str) -> Result<(Value, usize), SchemaError> {
    let mut lines = Lines::of(text);
    let mut parts = Parts::default();
    while let Some(entry) = lines.next()? {
        add(&mut parts, entry)?;
    }
    parts.into_document()
}

fn add<'a>(parts: &mut Parts<'a>, entry: Entry<'a>) -> Result<(), SchemaError> {
    let Entry { line, tag, value } = entry;
    if tag == "SPDXID" {
        return parts.set_id(entry);
    }
    let Some((part, shape, key)) = meaning(tag) else {
        let problem = format!("has the tag {}, which SPDX 2.3 does not have", quoted(tag));
        return Err(syntax(line, &problem));
    };
    let malformed = |form: &str| {
        syntax(
            line,
            &format!(
                "has the value {} for `{tag}`, which is not of the form {form}",
                quoted(value)
            ),
        )
    };
    match shape {
        Shape::Begin => parts.begin(part, key, entry),
        Shape::Text => {
            if tag == "SPDXVersion" {
                // Other versions have other tags, so that nothing after this would be understood.
                SpdxVersion::named(value)?;
            }
            parts.set(part, key, Value::from(value), entry)
        }
        Shape::Texts => parts.push(part, key, Value::from(value), entry),
        Shape::Flag => {
            let flag: bool = value.parse().map_err(|_| malformed("`true` or `false`"))?;
            parts.set(part, key, Value::from(flag), entry)
        }
        Shape::Checksum => {
            let checksum = values::checksum(value).ok_or_else(|| malformed("`SHA1: 85ed…`"))?;
            parts.push(part, key, checksum, entry)
        }
        Shape::VerificationCode => parts.set(part, key, values::verification_code(value), entry),
        Shape::Reference => {
            let form = "`SECURITY cpe23Type cpe:2.3:…`";
            let reference = values::reference(value).ok_or_else(|| malformed(form))?;
            parts.push(part, key, reference, entry)
        }
        Shape::Document => {
            let form = "`DocumentRef-a https://… SHA1: d6a7…`";
            let document = values::document(value).ok_or_else(|| malformed(form))?;
            parts.push(part, key, document, entry)
        }
        Shape::Relationship => {
            let form = "`SPDXRef-a DEPENDS_ON SPDXRef-b`";
            let relationship = values::relationship(value).ok_or_else(|| malformed(form))?;
            parts.relate(relationship)
        }
        Shape::Range => {
            let range = values::range(value, key).ok_or_else(|| malformed("`310:420`"))?;
            parts.push(part, "ranges", range, entry)
        }
        Shape::About => parts.set_about(entry),
    }
}

fn syntax(line: usize, problem: &str) -> SchemaError {
    SchemaError::SpdxSyntax { line, problem: problem.to_owned() }
}

/// `text` for a message: in quotes, on one line, shortened.
fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(MAX_QUOTED_CHARS).collect::<String>())
}
