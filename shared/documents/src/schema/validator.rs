//! The schemas, compiled once, and what they find.

use std::sync::OnceLock;

use jsonschema::{Registry, ValidationError, ValidationOptions};
use serde_json::Value;

use super::{CycloneDxVersion, MAX_VIOLATIONS, Violation};

/// Documents heavier than this get only their first violation reported: the validator holds all
/// violations at once, and there may be as many as values.
const MAX_WEIGHT_TO_REPORT_ALL: usize = 600_000;
const MAX_MESSAGE_CHARS: usize = 300;
/// Pointers are longer only where the keys of the document are.
const MAX_POINTER_CHARS: usize = 500;

/// Compiled schema of one format.
pub(crate) struct Validator(jsonschema::Validator);

impl Validator {
    /// Whether `document` keeps to the schema.
    pub(crate) fn is_valid(&self, document: &Value) -> bool {
        self.0.is_valid(document)
    }

    /// The first places where `document` breaks the schema; `weight` is that of the document.
    pub(crate) fn violations(&self, document: &Value, weight: usize) -> Vec<Violation> {
        // Whether there is any is known sooner than where.
        if self.is_valid(document) {
            return Vec::new();
        }
        if weight > MAX_WEIGHT_TO_REPORT_ALL {
            return self.0.validate(document).err().iter().map(Violation::of).collect();
        }
        let errors = self.0.iter_errors(document).take(MAX_VIOLATIONS);
        errors.map(|error| Violation::of(&error)).collect()
    }
}

/// The schema of CycloneDX `version`.
pub(crate) fn cyclonedx(version: CycloneDxVersion) -> Result<&'static Validator, String> {
    static COMPILED: [OnceLock<Result<Validator, String>>; 6] = [const { OnceLock::new() }; 6];
    once(&COMPILED[version as usize], cyclonedx_text(version), jsonschema::options())
}

/// The text of that schema.
pub(crate) fn cyclonedx_text(version: CycloneDxVersion) -> &'static str {
    match version {
        CycloneDxVersion::V1_2 => include_str!("../../schemas/bom-1.2.schema.json"),
        CycloneDxVersion::V1_3 => include_str!("../../schemas/bom-1.3.schema.json"),
        CycloneDxVersion::V1_4 => include_str!("../../schemas/bom-1.4.schema.json"),
        CycloneDxVersion::V1_5 => include_str!("../../schemas/bom-1.5.schema.json"),
        CycloneDxVersion::V1_6 => include_str!("../../schemas/bom-1.6.schema.json"),
        CycloneDxVersion::V1_7 => include_str!("../../schemas/bom-1.7.schema.json"),
    }
}

/// The official schema of SPDX 2.3. It judges 2.2 as well: compared with the schemas of 2.2.1 and
/// 2.2.2, it knows more fields, checksums and relations, and asks for less of packages, files and
/// snippets; what it asks for in addition (`documentNamespace`, `creators`) 2.2 calls mandatory, too.
pub(super) fn spdx_2_3() -> Result<&'static Validator, String> {
    static COMPILED: OnceLock<Result<Validator, String>> = OnceLock::new();
    once(&COMPILED, include_str!("../../schemas/spdx-2.3.schema.json"), jsonschema::options())
}

/// The official schema of OpenVEX 0.2.0, of whose formats only times are judged: documents in use
/// have an `@id` that is no IRI, which harms nobody, since it is only compared.
pub(crate) fn openvex_0_2_0() -> Result<&'static Validator, String> {
    static COMPILED: OnceLock<Result<Validator, String>> = OnceLock::new();
    let any = |_: &str| true;
    let options = jsonschema::options().with_format("iri", any).with_format("uri", any);
    once(&COMPILED, include_str!("../../schemas/openvex-0.2.0.schema.json"), options)
}

/// Our schema of OpenVEX 0.0.1, which never had an official one.
pub(crate) fn openvex_0_0_1() -> Result<&'static Validator, String> {
    static COMPILED: OnceLock<Result<Validator, String>> = OnceLock::new();
    once(&COMPILED, include_str!("../../schemas/openvex-0.0.1.schema.json"), jsonschema::options())
}

/// Our schema of CSAF 2.0: of the official one, what is read. That one refers to FIRST's schemas of
/// scores, which nothing here depends on.
pub(crate) fn csaf_2_0() -> Result<&'static Validator, String> {
    static COMPILED: OnceLock<Result<Validator, String>> = OnceLock::new();
    once(&COMPILED, include_str!("../../schemas/csaf-2.0.schema.json"), jsonschema::options())
}

fn once(
    compiled: &'static OnceLock<Result<Validator, String>>,
    schema: &str,
    options: ValidationOptions<'static>,
) -> Result<&'static Validator, String> {
    compiled.get_or_init(|| compile(schema, options)).as_ref().map_err(Clone::clone)
}

/// Whether `text` is an IRI reference, as the schemas ask of a URL.
pub(crate) fn is_iri_reference(text: &str) -> bool {
    static COMPILED: OnceLock<Option<jsonschema::Validator>> = OnceLock::new();
    keeps_to(&COMPILED, "iri-reference", text)
}

/// Whether `text` is an e-mail address, as the schemas ask.
pub(crate) fn is_email(text: &str) -> bool {
    static COMPILED: OnceLock<Option<jsonschema::Validator>> = OnceLock::new();
    keeps_to(&COMPILED, "idn-email", text)
}

fn keeps_to(
    compiled: &'static OnceLock<Option<jsonschema::Validator>>,
    format: &str,
    text: &str,
) -> bool {
    let compile = || {
        let schema = serde_json::json!({ "format": format });
        jsonschema::options().should_validate_formats(true).build(&schema).ok()
    };
    // A schema that cannot be used blames nobody.
    compiled.get_or_init(compile).as_ref().is_none_or(|it| it.is_valid(&Value::from(text)))
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

fn compile(schema: &str, options: ValidationOptions<'_>) -> Result<Validator, String> {
    let parse = |text| serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
    let mut registry = Registry::new();
    for (uri, text) in REFERRED {
        registry = registry.add(uri, parse(text)?).map_err(|error| error.to_string())?;
    }
    let registry = registry.prepare().map_err(|error| error.to_string())?;
    options
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(&parse(schema)?)
        .map(Validator)
        .map_err(|error| error.to_string())
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
            pointer: error.instance_path().as_str().chars().take(MAX_POINTER_CHARS).collect(),
            message: message.chars().take(MAX_MESSAGE_CHARS).collect(),
        }
    }
}
