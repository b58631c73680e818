//! CycloneDX in XML, told in the JSON form of the same version.
//!
//! From there on it is judged and read as any JSON is. What the JSON schema cannot see is refused here:
//! elements that CycloneDX does not know, and those that are there twice. Elements and attributes of other
//! namespaces are the author's own, and passed over; so are the signatures of XML.

mod convert;
mod error;
mod reader;
mod scalar;
mod shape;
mod table;

use serde_json::Value;

pub use error::XmlError;

use crate::schema::{CycloneDxVersion, SchemaError};
use convert::Converter;
use reader::Reader;

/// Whether `text` begins as CycloneDX, of whatever version.
pub(crate) fn is_cyclonedx(text: &str) -> bool {
    reader::version_of(text).is_some()
}

/// Reads a document of version `oldest` or later, valid or not; its weight comes along.
pub(crate) fn read(
    text: &str,
    oldest: CycloneDxVersion,
) -> Result<(Value, CycloneDxVersion, usize), SchemaError> {
    let (reader, root, named) = Reader::new(text)?;
    let version = CycloneDxVersion::named(&named, oldest)?;
    let mut converter = Converter::new(reader, version);
    let mut document = converter.object(table::BOM, &root)?;
    converter.reader.finish()?;
    document.insert("bomFormat".to_owned(), "CycloneDX".into());
    document.insert("specVersion".to_owned(), version.as_str().into());
    // The default of the XML schema; some JSON schemas ask for it.
    document.entry("version").or_insert_with(|| 1.into());
    Ok((Value::Object(document), version, converter.reader.weight()))
}

#[cfg(test)]
mod tests;
