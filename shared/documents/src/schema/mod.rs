//! Judging documents by the official CycloneDX JSON schemas, offline.

mod json;

use std::fmt;
use std::sync::OnceLock;

use jsonschema::{Registry, ValidationError, Validator};
use serde_json::Value;

/// Largest document that is read, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;
/// Most violations that are reported of one document.
pub const MAX_VIOLATIONS: usize = 20;

/// Documents with more values than this get only their first violation reported: the validator
/// holds all violations at once, and there may be as many as values.
const MAX_VALUES_TO_REPORT_ALL: usize = 200_000;
const MAX_MESSAGE_CHARS: usize = 300;

/// Version of CycloneDX that a document says it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say all there is to say")]
pub enum CycloneDxVersion {
    V1_2,
    V1_3,
    V1_4,
    V1_5,
    V1_6,
    V1_7,
}

/// Why a document is not valid CycloneDX.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// More than [`MAX_DOCUMENT_BYTES`].
    #[error(
        "the document has {bytes} bytes, more than the {MAX_DOCUMENT_BYTES} that are read; \
         split it and link the parts by BOM-Link"
    )]
    TooLarge {
        /// Size of the document.
        bytes: usize,
    },
    /// Not JSON, a key twice in one object, or nested too deeply.
    #[error("not sound JSON at line {line}, column {column}: {message}; write the document again")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// JSON, but something else.
    #[error("`bomFormat` is not \"CycloneDX\"; is this another kind of document?")]
    NotCycloneDx,
    /// A version without a JSON schema here.
    #[error("`specVersion` is {found}, which is not one of 1.2 to 1.7; convert the document")]
    UnsupportedVersion {
        /// What stands there, shortened.
        found: String,
    },
    /// The schema is violated.
    #[error(
        "not valid CycloneDX {version}: {}; correct the document or the tool that wrote it",
        listed(violations)
    )]
    Invalid {
        /// The version whose schema was applied.
        version: CycloneDxVersion,
        /// The first violations, [`MAX_VIOLATIONS`] at most; in a very large document only one.
        violations: Vec<Violation>,
    },
    /// A schema that is part of this program is broken.
    #[error("the built-in schema of CycloneDX {version} cannot be used: {message}; report a bug")]
    BrokenSchema {
        /// The schema's version.
        version: CycloneDxVersion,
        /// What is wrong with it.
        message: String,
    },
}

/// One place that breaks a rule of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The place, as a JSON Pointer (RFC 6901); empty for the document itself.
    pub pointer: String,
    /// The rule and how it is broken, shortened.
    pub message: String,
}

/// Checks a CycloneDX JSON document against the official schema of the version it names, formats
/// included, and returns that version. A byte-order mark is passed over.
///
/// # Errors
/// [`SchemaError::Invalid`] with up to [`MAX_VIOLATIONS`] violations; the others where the document
/// could not be judged.
pub fn validate_cyclonedx(bytes: &[u8]) -> Result<CycloneDxVersion, SchemaError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(SchemaError::TooLarge { bytes: bytes.len() });
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (document, values) = json::read(bytes).map_err(syntax)?;
    if document.get("bomFormat").and_then(Value::as_str) != Some("CycloneDX") {
        return Err(SchemaError::NotCycloneDx);
    }
    let version = CycloneDxVersion::of(&document)?;
    let validator = version.validator()?;
    let violations: Vec<_> = if values > MAX_VALUES_TO_REPORT_ALL {
        validator.validate(&document).err().iter().map(Violation::of).collect()
    } else {
        validator.iter_errors(&document).take(MAX_VIOLATIONS).map(|it| Violation::of(&it)).collect()
    };
    match violations.is_empty() {
        true => Ok(version),
        false => Err(SchemaError::Invalid { version, violations }),
    }
}

impl CycloneDxVersion {
    const ALL: [Self; 6] = [Self::V1_2, Self::V1_3, Self::V1_4, Self::V1_5, Self::V1_6, Self::V1_7];

    /// The version as `specVersion` writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
            Self::V1_4 => "1.4",
            Self::V1_5 => "1.5",
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }

    fn of(document: &Value) -> Result<Self, SchemaError> {
        let named = document.get("specVersion").and_then(Value::as_str).unwrap_or("missing");
        Self::ALL.into_iter().find(|version| version.as_str() == named).ok_or_else(|| {
            SchemaError::UnsupportedVersion { found: named.chars().take(80).collect() }
        })
    }

    fn schema(self) -> &'static str {
        match self {
            Self::V1_2 => include_str!("../../schemas/bom-1.2.schema.json"),
            Self::V1_3 => include_str!("../../schemas/bom-1.3.schema.json"),
            Self::V1_4 => include_str!("../../schemas/bom-1.4.schema.json"),
            Self::V1_5 => include_str!("../../schemas/bom-1.5.schema.json"),
            Self::V1_6 => include_str!("../../schemas/bom-1.6.schema.json"),
            Self::V1_7 => include_str!("../../schemas/bom-1.7.schema.json"),
        }
    }

    /// The compiled schema; each is compiled once, when first needed.
    fn validator(self) -> Result<&'static Validator, SchemaError> {
        static COMPILED: [OnceLock<Result<Validator, String>>; 6] = [const { OnceLock::new() }; 6];
        let compiled = COMPILED[self as usize].get_or_init(|| compile(self.schema()));
        compiled.as_ref().map_err(|message| SchemaError::BrokenSchema {
            version: self,
            message: message.clone(),
        })
    }
}

impl fmt::Display for CycloneDxVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Violation {
    fn of(error: &ValidationError<'_>) -> Self {
        // Unmasked, a message may hold the whole document.
        let rule = error.masked().to_string();
        let message = match error.instance().as_ref() {
            Value::String(text) if text.len() <= MAX_MESSAGE_CHARS => format!("{rule} ({text:?})"),
            Value::Number(number) => format!("{rule} ({number})"),
            _ => rule,
        };
        Self {
            pointer: error.instance_path().as_str().to_owned(),
            message: message.chars().take(MAX_MESSAGE_CHARS).collect(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{}: {}", pointer.escape_debug(), self.message)
    }
}

fn listed(violations: &[Violation]) -> String {
    violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("; ")
}

/// Schemas that the CycloneDX ones refer to.
const REFERRED: [(&str, &str); 3] = [
    (
        "http://cyclonedx.org/schema/spdx.schema.json",
        include_str!("../../schemas/spdx.schema.json"),
    ),
    (
        "http://cyclonedx.org/schema/jsf-0.82.schema.json",
        include_str!("../../schemas/jsf-0.82.schema.json"),
    ),
    (
        "http://cyclonedx.org/schema/cryptography-defs.schema.json",
        include_str!("../../schemas/cryptography-defs.schema.json"),
    ),
];

fn compile(schema: &str) -> Result<Validator, String> {
    let parse = |text| serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
    let mut registry = Registry::new();
    for (uri, text) in REFERRED {
        registry = registry.add(uri, parse(text)?).map_err(|error| error.to_string())?;
    }
    let registry = registry.prepare().map_err(|error| error.to_string())?;
    jsonschema::options()
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(&parse(schema)?)
        .map_err(|error| error.to_string())
}

fn syntax(error: serde_json::Error) -> SchemaError {
    let message = error.to_string();
    // The place is said apart.
    let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
    SchemaError::Syntax { line: error.line(), column: error.column(), message }
}
