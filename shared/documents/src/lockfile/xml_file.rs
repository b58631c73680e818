//! XML files: memory and depth bounded, no document types and no entities of their own, faults with
//! their place.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::error::{Fault, Problem};
use super::text;

/// Most elements of one file: fifty times the most we have seen.
const MAX_ELEMENTS: usize = 500_000;
/// Most elements within one another.
const MAX_DEPTH: usize = 64;

/// A whole file; attributes are not kept.
pub(super) struct Document<'a> {
    elements: Vec<Element<'a>>,
}

/// An element and what is in it.
struct Element<'a> {
    name: Cow<'a, str>,
    offset: usize,
    /// Its own text, without that of the elements within.
    text: Cow<'a, str>,
    children: Vec<usize>,
}

/// An element of a [`Document`].
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    document: &'a Document<'a>,
    at: usize,
}

impl<'a> Document<'a> {
    /// The outermost element.
    pub(super) fn root(&'a self) -> Node<'a> {
        Node { document: self, at: 0 }
    }
}

impl<'a> Node<'a> {
    /// Its name, without a namespace's prefix.
    pub(super) fn name(self) -> &'a str {
        &self.element().name
    }

    /// Where it begins, in bytes.
    pub(super) fn offset(self) -> usize {
        self.element().offset
    }

    /// Its text, without white space around it; none where it is empty.
    pub(super) fn text(self) -> Option<&'a str> {
        Some(self.element().text.trim()).filter(|text| !text.is_empty())
    }

    /// The elements within.
    pub(super) fn children(self) -> impl Iterator<Item = Node<'a>> {
        self.element().children.iter().map(move |&at| Node { at, ..self })
    }

    /// The first element of this name within.
    pub(super) fn child(self, name: &str) -> Option<Node<'a>> {
        self.children().find(|child| child.name() == name)
    }

    /// The text of the first element of this name within.
    pub(super) fn child_text(self, name: &str) -> Option<&'a str> {
        self.child(name).and_then(Node::text)
    }

    /// The elements `item` within the elements `list` within.
    pub(super) fn list(self, list: &'a str, item: &'a str) -> impl Iterator<Item = Node<'a>> {
        let lists = self.children().filter(move |child| child.name() == list);
        lists.flat_map(Node::children).filter(move |child| child.name() == item)
    }

    fn element(self) -> &'a Element<'a> {
        &self.document.elements[self.at]
    }
}

/// Reads `text`.
pub(super) fn read(text: &str) -> Result<Document<'_>, Fault> {
    let skipped = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut reader = Reader::from_str(&text[skipped..]);
    let mut builder = Builder::default();
    loop {
        let offset = skipped + place(reader.buffer_position());
        let event = reader.read_event().map_err(|error| match text::conflict_marker(text) {
            Some(offset) => Problem::MergeConflict.at(offset),
            None => syntax(error.to_string()).at(skipped + place(reader.error_position())),
        })?;
        if matches!(event, Event::Eof) {
            return builder.finish(text);
        }
        builder.take(event, offset).map_err(|problem| match text::conflict_marker(text) {
            Some(offset) => Problem::MergeConflict.at(offset),
            None => problem.at(offset),
        })?;
    }
}

#[derive(Default)]
struct Builder<'a> {
    elements: Vec<Element<'a>>,
    /// Those that are not closed yet.
    open: Vec<usize>,
}

impl<'a> Builder<'a> {
    fn take(&mut self, event: Event<'a>, offset: usize) -> Result<(), Problem> {
        match event {
            Event::Start(start) => {
                let at = self.begin(&start, offset)?;
                self.open.push(at);
            }
            Event::Empty(start) => drop(self.begin(&start, offset)?),
            Event::End(_) => drop(self.open.pop()),
            Event::Text(text) => self.say(text.into_inner()),
            Event::CData(text) => self.say(text.into_inner()),
            Event::GeneralRef(reference) => self.say(resolve(&reference)?),
            Event::DocType(_) => {
                return Err(syntax("a document type is not read; remove `<!DOCTYPE`".to_owned()));
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn begin(&mut self, start: &BytesStart<'a>, offset: usize) -> Result<usize, Problem> {
        let at = self.elements.len();
        if at == MAX_ELEMENTS {
            return Err(Problem::TooManyValues { limit: MAX_ELEMENTS });
        }
        if self.open.len() == MAX_DEPTH {
            return Err(syntax("nested too deeply".to_owned()));
        }
        match self.open.last() {
            Some(&parent) => self.elements[parent].children.push(at),
            None if at > 0 => return Err(syntax("more than one outermost element".to_owned())),
            None => {}
        }
        let name = Cow::Owned(start.local_name().as_ref().to_owned());
        let (text, children) = (Cow::Borrowed(""), Vec::new());
        self.elements.push(Element { name, offset, text, children });
        Ok(at)
    }

    fn say(&mut self, said: Cow<'a, str>) {
        let Some(&at) = self.open.last() else { return };
        let text = &mut self.elements[at].text;
        match text.trim().is_empty() {
            true => *text = said,
            false => text.to_mut().push_str(&said),
        }
    }

    fn finish(self, text: &str) -> Result<Document<'a>, Fault> {
        match (self.open.last(), self.elements.is_empty()) {
            (None, false) => Ok(Document { elements: self.elements }),
            (None, true) => Err(syntax("there is no element".to_owned()).at(text.len())),
            (Some(&at), _) => {
                let Element { name, offset, .. } = &self.elements[at];
                let name: String = name.chars().take(80).collect();
                Err(syntax(format!("<{}> is not closed", name.escape_debug())).at(*offset))
            }
        }
    }
}

/// What a reference such as `&amp;` stands for; without a document type there are five, and numbers.
fn resolve(reference: &BytesRef<'_>) -> Result<Cow<'static, str>, Problem> {
    let unknown = || {
        let name: String = reference.chars().take(80).collect();
        syntax(format!("&{}; stands for nothing", name.escape_debug()))
    };
    if let Some(character) = reference.resolve_char_ref().map_err(|_| unknown())? {
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

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn syntax(message: String) -> Problem {
    Problem::Syntax { message }
}
