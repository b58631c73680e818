//! XML 1.0 with namespaces, piece by piece: memory and depth bounded, no document types and no entities of
//! their own, faults with their place.

use std::borrow::Cow;

use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{NamespaceResolver, QName, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

use super::error::XmlError;
use super::scalar::is_blank;
use crate::schema::{JsonError, MAX_DEPTH, MAX_WEIGHT, SchemaError};

/// Most attributes of one element.
const MAX_ATTRIBUTES: usize = 64;
/// Most namespaces that are declared at one place: each name is looked up among them.
const MAX_NAMESPACES: usize = 32;
const MAX_QUOTED_CHARS: usize = 80;
/// What the namespaces of all versions begin with.
const NAMESPACES: &str = "http://cyclonedx.org/schema/bom/";

/// A document while it is read.
pub(super) struct Reader<'a> {
    text: &'a str,
    inner: NsReader<&'a [u8]>,
    /// The namespace of the outermost element.
    namespace: String,
    depth: usize,
    weight: usize,
    /// Where the last piece begins, in bytes.
    offset: usize,
}

/// What comes next within an element.
pub(super) enum Piece<'a> {
    Open(Tag),
    Text(Cow<'a, str>),
    Close,
}

/// The beginning of an element.
pub(super) struct Tag {
    /// Its name without a prefix.
    pub(super) name: String,
    pub(super) space: Space,
    /// Those without a namespace; what others have is theirs.
    pub(super) attributes: Vec<(String, String)>,
    /// Where it begins, in bytes.
    pub(super) offset: usize,
}

/// The namespace of an element.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// The document's.
    Own,
    /// None, or CycloneDX's of another version.
    Wrong,
    /// Somebody else's.
    Foreign,
}

/// The version in the namespace of the outermost element, if that is a `bom` of CycloneDX. No more is read
/// than its beginning.
pub(super) fn version_of(text: &str) -> Option<String> {
    let mut reader = NsReader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => {
                let space = namespace(reader.resolver(), start.name()).ok()??;
                let version = space.strip_prefix(NAMESPACES)?;
                return Some(version.to_owned()).filter(|_| start.local_name().as_ref() == "bom");
            }
            Err(_) | Ok(Event::Eof | Event::End(_)) => return None,
            Ok(_) => {}
        }
    }
}

/// The namespace of a name; an error where its prefix is declared nowhere.
fn namespace<'r>(
    resolver: &'r NamespaceResolver,
    name: QName<'_>,
) -> Result<Option<&'r str>, String> {
    match resolver.resolve_element(name).0 {
        ResolveResult::Bound(space) => Ok(Some(space.0)),
        ResolveResult::Unbound => Ok(None),
        ResolveResult::Unknown(prefix) => Err(undeclared(&prefix)),
    }
}

impl<'a> Reader<'a> {
    /// Begins to read, and gives the outermost element with the version in its namespace.
    pub(super) fn new(text: &'a str) -> Result<(Self, Tag, String), SchemaError> {
        let mut inner = NsReader::from_str(text);
        inner.resolver_mut().set_max_namespace_bindings(MAX_NAMESPACES);
        let config = inner.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        let namespace = String::new();
        let mut reader = Self { text, inner, namespace, depth: 0, weight: 0, offset: 0 };
        if let Some(at) = text.find(|it| !is_allowed(it)) {
            reader.offset = at;
            return Err(reader.syntax("a character that XML does not allow").into());
        }
        loop {
            match reader.event()? {
                Event::Start(start) => {
                    let space = reader.namespace_of(&start)?.unwrap_or_default().to_owned();
                    let is_bom = start.local_name().as_ref() == "bom";
                    let version = space.strip_prefix(NAMESPACES).filter(|_| is_bom);
                    let Some(version) = version.map(str::to_owned) else {
                        let found = quoted(start.name().as_ref());
                        return Err(XmlError::NotCycloneDx { found }.into());
                    };
                    reader.namespace = space;
                    let tag = reader.open(&start)?;
                    return Ok((reader, tag, version));
                }
                Event::Text(text) if is_blank(&text) => {}
                Event::Eof => return Err(reader.syntax("there is no element").into()),
                _ => return Err(reader.syntax("text before the outermost element").into()),
            }
        }
    }

    /// What comes next in the element that is open.
    pub(super) fn next(&mut self) -> Result<Piece<'a>, SchemaError> {
        match self.event()? {
            Event::Start(start) => self.open(&start).map(Piece::Open),
            Event::End(_) => {
                self.depth -= 1;
                Ok(Piece::Close)
            }
            Event::Text(text) => Ok(Piece::Text(text.xml10_content())),
            Event::CData(text) => Ok(Piece::Text(text.xml10_content())),
            Event::GeneralRef(reference) => {
                let said = resolve(&reference).map_err(|message| self.syntax(&message))?;
                Ok(Piece::Text(said))
            }
            _ => Err(self.syntax("an element is not closed").into()),
        }
    }

    /// Passes over the rest of the element that is open.
    pub(super) fn skip(&mut self) -> Result<(), SchemaError> {
        let outside = self.depth - 1;
        while self.depth > outside {
            self.next()?;
        }
        Ok(())
    }

    /// Reads what may follow the outermost element.
    pub(super) fn finish(&mut self) -> Result<(), SchemaError> {
        loop {
            match self.event()? {
                Event::Eof => return Ok(()),
                Event::Text(text) if is_blank(&text) => {}
                _ => return Err(self.syntax("text or an element after the outermost one").into()),
            }
        }
    }

    /// Counts what is kept in memory, as [`MAX_WEIGHT`] tells.
    pub(super) fn weigh(&mut self, weight: usize) -> Result<(), SchemaError> {
        self.weight += weight;
        if self.weight > MAX_WEIGHT { Err(JsonError::TooManyValues.into()) } else { Ok(()) }
    }

    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// Line and column of a place, from 1.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        (memchr::memchr_iter(b'\n', before).count() + 1, before.len() - line_start + 1)
    }

    /// That `key` is there twice.
    pub(super) fn twice(&self, key: &str, offset: usize) -> SchemaError {
        let (line, column) = self.place(offset);
        JsonError::DuplicateKey { line, column, key: quoted(key) }.into()
    }

    /// The next event that says something.
    fn event(&mut self) -> Result<Event<'a>, SchemaError> {
        loop {
            self.offset = offset(self.inner.buffer_position());
            let event = self.inner.read_event().map_err(|error| {
                self.offset = offset(self.inner.error_position());
                self.syntax(&error.to_string())
            })?;
            match event {
                Event::Decl(declaration) => self.declaration(&declaration)?,
                Event::DocType(_) => {
                    let (line, column) = self.place(self.offset);
                    return Err(XmlError::Doctype { line, column }.into());
                }
                // They cost time, if no memory.
                Event::Comment(_) | Event::PI(_) => self.weigh(1)?,
                event => return Ok(event),
            }
        }
    }

    fn declaration(&self, declaration: &BytesDecl<'_>) -> Result<(), XmlError> {
        if self.offset != 0 {
            return Err(self.syntax("an XML declaration is not at the beginning"));
        }
        let version = declaration.version().map_err(|error| self.syntax(&error.to_string()))?;
        if version != "1.0" {
            return Err(self.syntax("the XML is of another version than 1.0"));
        }
        match declaration.encoding() {
            None => Ok(()),
            Some(Ok(found)) if found.eq_ignore_ascii_case("UTF-8") => Ok(()),
            Some(Ok(found)) => Err(XmlError::Encoding { found: quoted(&found) }),
            Some(Err(error)) => Err(self.syntax(&error.to_string())),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<Tag, SchemaError> {
        let offset = self.offset;
        self.weigh(1)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let (line, column) = self.place(offset);
            return Err(JsonError::TooDeep { line, column }.into());
        }
        let space = match self.namespace_of(start)? {
            Some(space) if space == self.namespace => Space::Own,
            Some(space) if !space.starts_with(NAMESPACES) => Space::Foreign,
            _ => Space::Wrong,
        };
        let name = start.local_name().as_ref().to_owned();
        let attributes = self.attributes(start)?;
        Ok(Tag { name, space, attributes, offset })
    }

    fn namespace_of(&self, start: &BytesStart<'_>) -> Result<Option<&str>, XmlError> {
        namespace(self.inner.resolver(), start.name()).map_err(|message| self.syntax(&message))
    }

    fn attributes(&mut self, start: &BytesStart<'_>) -> Result<Vec<(String, String)>, SchemaError> {
        let mut seen: Vec<String> = Vec::new();
        let mut kept = Vec::new();
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| self.syntax(&error.to_string()))?;
            let name = attribute.key.as_ref();
            if seen.iter().any(|it| it == name) {
                return Err(self.twice(name, self.offset));
            }
            if seen.len() == MAX_ATTRIBUTES {
                return Err(self.syntax("an element has too many attributes").into());
            }
            seen.push(name.to_owned());
            self.weigh(1)?;
            let value = self.attribute_value(&attribute)?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            match self.inner.resolver().resolve_attribute(attribute.key).0 {
                ResolveResult::Unbound => kept.push((name.to_owned(), value)),
                // Those of CycloneDX have no namespace; with one it is another attribute.
                ResolveResult::Bound(space) if space.0.starts_with(NAMESPACES) => {
                    let message = format!("the attribute {:?} may not have a prefix", quoted(name));
                    return Err(self.syntax(&message).into());
                }
                ResolveResult::Bound(_) => {}
                ResolveResult::Unknown(prefix) => {
                    return Err(self.syntax(&undeclared(&prefix)).into());
                }
            }
        }
        Ok(kept)
    }

    fn attribute_value(
        &self,
        attribute: &quick_xml::events::attributes::Attribute<'_>,
    ) -> Result<String, XmlError> {
        if attribute.value.contains('<') {
            return Err(self.syntax("the value of an attribute has a `<`"));
        }
        let value = attribute.normalized_value(XmlVersion::Explicit1_0);
        let value = value.map_err(|error| self.syntax(&error.to_string()))?;
        match value.chars().all(is_allowed) {
            true => Ok(value.into_owned()),
            false => Err(self.syntax("a reference to a character that XML does not allow")),
        }
    }

    fn syntax(&self, message: &str) -> XmlError {
        let (line, column) = self.place(self.offset);
        XmlError::Syntax { line, column, message: message.chars().take(300).collect() }
    }
}

/// What a reference such as `&amp;` stands for; without a document type there are five, and numbers.
fn resolve(reference: &BytesRef<'_>) -> Result<Cow<'static, str>, String> {
    let unknown = || format!("{:?} stands for nothing", format!("&{};", quoted(reference)));
    if let Some(character) = reference.resolve_char_ref().map_err(|_| unknown())? {
        let character = Some(character).filter(|it| is_allowed(*it)).ok_or_else(unknown)?;
        return Ok(Cow::Owned(character.to_string()));
    }
    let name: &str = reference;
    Ok(Cow::Borrowed(match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return Err(unknown()),
    }))
}

/// Whether XML 1.0 allows the character (section 2.2).
fn is_allowed(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        other => other >= ' ',
    }
}

fn undeclared(prefix: &str) -> String {
    format!("the prefix {:?} is not declared", quoted(prefix))
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

pub(super) fn quoted(text: &str) -> String {
    text.chars().take(MAX_QUOTED_CHARS).collect()
}
