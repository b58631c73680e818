//! SPDX (ISO/IEC 5962): 2.2 and 2.3 are read, 2.3 is written from CycloneDX.

mod read;
mod write;

pub(crate) use read::read;
pub(crate) use read::tag_value::{begins as begins_tag_value, read as of_tag_value};
pub use write::write;

use crate::schema::json;

/// Whether `bytes` begin as SPDX does in tag-value, the form that is not JSON.
pub fn is_tag_value(bytes: &[u8]) -> bool {
    json::decode(bytes).is_ok_and(begins_tag_value)
}

/// What `@context` of SPDX 3 begins with.
pub(crate) const CONTEXT_OF_3: &str = "https://spdx.org/rdf/";
