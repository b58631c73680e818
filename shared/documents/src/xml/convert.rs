//! Elements into values, led by the tables.

use serde_json::{Map, Value};

use super::reader::{Piece, Reader, Space, Tag, quoted};
use super::scalar::{Scalar, is_blank};
use super::shape::{Field, Place, Shape};
use crate::schema::json::OBJECT_WEIGHT;
use crate::schema::{CycloneDxVersion, SchemaError, Violation};

type Object = Map<String, Value>;

/// Reads a document of which the outermost element is open.
pub(super) struct Converter<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) version: CycloneDxVersion,
    /// The place in JSON that is being read.
    path: Vec<Step>,
}

enum Step {
    Key(&'static str),
    Index(usize),
}

impl<'a> Converter<'a> {
    pub(super) fn new(reader: Reader<'a>, version: CycloneDxVersion) -> Self {
        Self { reader, version, path: Vec::new() }
    }

    /// The object of an element; the depth of the document bounds the recursion.
    pub(super) fn object(
        &mut self,
        fields: &'static [Field],
        tag: &Tag,
    ) -> Result<Object, SchemaError> {
        self.object_and_text(fields, tag, None)
    }

    /// The object of an element, and the text between the elements, where there may be any.
    fn object_and_text(
        &mut self,
        fields: &'static [Field],
        tag: &Tag,
        mut text: Option<&mut String>,
    ) -> Result<Object, SchemaError> {
        let mut object = self.attributes(fields, tag, true)?;
        let mut seen = 0_u64;
        while let Some(child) = self.child(text.as_deref_mut())? {
            let (at, field) = self.field(fields, &child)?;
            let bit = 1 << at;
            if seen & bit != 0 && !matches!(field.place, Place::Many(_)) {
                return Err(self.reader.twice(field.name, child.offset));
            }
            seen |= bit;
            self.take(&mut object, field, &child)?;
        }
        Ok(object)
    }

    fn take(&mut self, object: &mut Object, field: &Field, tag: &Tag) -> Result<(), SchemaError> {
        match field.place {
            Place::One(shape) => {
                let value = self.within(Step::Key(field.key), shape, tag)?;
                object.insert(field.key.to_owned(), value);
            }
            Place::Many(shape) => {
                let list = object.entry(field.key).or_insert_with(|| Value::Array(Vec::new()));
                let Some(list) = list.as_array_mut() else { return Ok(()) };
                self.path.push(Step::Key(field.key));
                list.push(self.within(Step::Index(list.len()), shape, tag)?);
                self.path.pop();
            }
            Place::Merged(shape) => {
                if let Value::Object(inner) = self.value(shape, tag)? {
                    object.extend(inner);
                }
            }
            Place::Untold => self.reader.skip()?,
            Place::Attribute(_) => {}
        }
        Ok(())
    }

    fn within(
        &mut self,
        step: Step,
        shape: &'static Shape,
        tag: &Tag,
    ) -> Result<Value, SchemaError> {
        self.path.push(step);
        let value = self.value(shape, tag)?;
        self.path.pop();
        Ok(value)
    }

    fn value(&mut self, shape: &'static Shape, tag: &Tag) -> Result<Value, SchemaError> {
        match shape {
            Shape::Text(scalar, default) => {
                self.attributes(&[], tag, false)?;
                let text = self.text()?;
                Ok(match default {
                    Some(default) if text.is_empty() => Value::from(*default),
                    _ => scalar.value(text),
                })
            }
            Shape::Content(key, scalar, fields) => {
                let mut object = self.attributes(fields, tag, false)?;
                let text = self.text()?;
                object.insert((*key).to_owned(), scalar.value(text));
                Ok(Value::Object(object))
            }
            Shape::Reference => {
                const REFERENCE: &[Field] = &[super::shape::attribute("ref")];
                let mut object = self.object(REFERENCE, tag)?;
                object.remove("ref").ok_or_else(|| self.invalid("the attribute `ref` is missing"))
            }
            Shape::Object(fields) => self.object(fields, tag).map(Value::Object),
            Shape::Mixed(fields) => {
                let mut text = String::new();
                let object = self.object_and_text(fields, tag, Some(&mut text))?;
                match (object.is_empty(), is_blank(&text)) {
                    (_, true) => Ok(Value::Object(object)),
                    (true, false) => Ok(Scalar::Token.value(text)),
                    (false, false) => Err(self.invalid("text and elements side by side")),
                }
            }
            Shape::List(fields) => self.list(fields, tag).map(Value::Array),
            Shape::Wrapped(key, shape) => {
                self.reader.weigh(OBJECT_WEIGHT)?;
                let value = self.within(Step::Key(key), shape, tag)?;
                Ok(Value::Object(Map::from_iter([((*key).to_owned(), value)])))
            }
            Shape::Chosen(fields) => {
                let object = self.object(fields, tag)?;
                let mut values = object.into_iter().map(|(_, value)| value);
                match (values.next(), values.next()) {
                    (Some(value), None) => Ok(value),
                    _ => Err(self.invalid("exactly one element is expected within")),
                }
            }
            Shape::Tools(fields) => self.object(fields, tag).map(tools),
        }
    }

    fn list(&mut self, fields: &'static [Field], tag: &Tag) -> Result<Vec<Value>, SchemaError> {
        self.attributes(&[], tag, true)?;
        let mut list = Vec::new();
        while let Some(child) = self.child(None)? {
            let (_, field) = self.field(fields, &child)?;
            if let Place::One(shape) = field.place {
                list.push(self.within(Step::Index(list.len()), shape, &child)?);
            }
        }
        Ok(list)
    }

    /// The attributes that are told. Others are the author's own, but only where the XML schema allows
    /// them, and not by a name that another version of CycloneDX knows.
    fn attributes(
        &mut self,
        fields: &[Field],
        tag: &Tag,
        admits_others: bool,
    ) -> Result<Object, SchemaError> {
        self.reader.weigh(OBJECT_WEIGHT)?;
        let mut object = Object::new();
        for (name, value) in &tag.attributes {
            let known = fields.iter().find(|it| it.name == name && it.is_attribute());
            match known {
                Some(&Field { key, place: Place::Attribute(scalar), .. })
                    if known.is_some_and(|it| it.is_known_to(self.version)) =>
                {
                    object.insert(key.to_owned(), scalar.value(value.clone()));
                }
                None if admits_others => {}
                _ => return Err(self.unknown("attribute", name, tag)),
            }
        }
        Ok(object)
    }

    /// The next element of CycloneDX within the one that is open; what is said before it, to `text`.
    fn child(&mut self, mut text: Option<&mut String>) -> Result<Option<Tag>, SchemaError> {
        loop {
            match self.reader.next()? {
                Piece::Open(tag) => match tag.space {
                    Space::Own => return Ok(Some(tag)),
                    Space::Foreign => self.reader.skip()?,
                    Space::Wrong => return Err(self.misplaced(&tag)),
                },
                Piece::Close => return Ok(None),
                Piece::Text(said) if is_blank(&said) => {}
                Piece::Text(said) => match &mut text {
                    Some(text) => text.push_str(&said),
                    None => return Err(self.invalid("text where elements are expected")),
                },
            }
        }
    }

    /// The text of the element that is open, which has no elements within.
    fn text(&mut self) -> Result<String, SchemaError> {
        let mut text = String::new();
        loop {
            match self.reader.next()? {
                Piece::Text(more) => text.push_str(&more),
                Piece::Close => return Ok(text),
                Piece::Open(tag) => return Err(self.unknown("element", &tag.name, &tag)),
            }
        }
    }

    fn field(
        &self,
        fields: &'static [Field],
        tag: &Tag,
    ) -> Result<(usize, &'static Field), SchemaError> {
        let fields = fields.iter().enumerate().filter(|(_, it)| !it.is_attribute());
        let mut known = fields.filter(|(_, it)| it.name == tag.name);
        let known = known.find(|(_, it)| it.is_known_to(self.version));
        known.ok_or_else(|| self.unknown("element", &tag.name, tag))
    }

    fn unknown(&self, what: &str, name: &str, tag: &Tag) -> SchemaError {
        let (line, column) = self.reader.place(tag.offset);
        self.invalid(&format!(
            "the {what} {:?} has no place here (line {line}, column {column})",
            quoted(name)
        ))
    }

    fn misplaced(&self, tag: &Tag) -> SchemaError {
        let (line, column) = self.reader.place(tag.offset);
        self.invalid(&format!(
            "the element {:?} has no namespace, or that of another version (line {line}, column {column})",
            quoted(&tag.name)
        ))
    }

    fn invalid(&self, message: &str) -> SchemaError {
        let steps = self.path.iter().map(|step| match step {
            Step::Key(key) => format!("/{key}"),
            Step::Index(index) => format!("/{index}"),
        });
        let violation = Violation { pointer: steps.collect(), message: message.to_owned() };
        SchemaError::Invalid { format: self.version.into(), violations: vec![violation] }
    }
}

/// A list, where tools are told one by one; whoever mixes both forms is refused by the schema.
fn tools(mut object: Object) -> Value {
    match (object.len(), object.remove("tool")) {
        (0, _) => Value::Array(Vec::new()),
        (1, Some(list)) => list,
        (_, Some(list)) => {
            object.insert("tool".to_owned(), list);
            Value::Object(object)
        }
        (_, None) => Value::Object(object),
    }
}
