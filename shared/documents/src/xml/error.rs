//! Why bytes are not read as CycloneDX XML.

/// Why XML is not read. What JSON can be refused for as well, such as nesting or a value that is there
/// twice, is a [`JsonError`](crate::schema::JsonError) here too.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// Not well-formed XML 1.0 with namespaces.
    #[error("not XML at line {line}, column {column}: {message}; write the document again")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A document type, by which a document may bring entities of its own.
    #[error("line {line}, column {column}: a document type is not read; remove `<!DOCTYPE …>`")]
    Doctype {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// Another encoding is declared than the bytes have.
    #[error("the document declares the encoding {found:?}, which is not read; save it as UTF-8")]
    Encoding {
        /// What is declared, shortened.
        found: String,
    },
    /// XML, but something else.
    #[error(
        "the outermost element is {found:?}, not `bom` of a namespace http://cyclonedx.org/schema/bom/…; \
         is this another kind of document?"
    )]
    NotCycloneDx {
        /// Its name, shortened.
        found: String,
    },
}

impl XmlError {
    /// The kind of refusal in a word, such as `xml-doctype`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "not-xml",
            Self::Doctype { .. } => "xml-doctype",
            Self::Encoding { .. } => "xml-encoding",
            Self::NotCycloneDx { .. } => "not-cyclonedx",
        }
    }
}
