//! The parts of a document, as they grow line by line.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::lines::Entry;
use super::tags::Part;
use super::{quoted, syntax};
use crate::schema::json::{MAX_QUOTED_CHARS, OBJECT_WEIGHT};
use crate::schema::{JsonError, MAX_WEIGHT, SchemaError};

type Object = Map<String, Value>;

/// Weight of an array or of a value in it.
const VALUE_WEIGHT: usize = 1;

/// The document so far.
#[derive(Default)]
pub(super) struct Parts<'a> {
    document: Object,
    creation: Object,
    packages: Vec<Object>,
    files: Vec<Object>,
    snippets: Vec<Object>,
    licences: Vec<Object>,
    relationships: Vec<Object>,
    annotations: Vec<Object>,
    /// The element that each annotation is about, with the line that says so.
    about: Vec<Option<(&'a str, usize)>>,
    reviews: Vec<Object>,
    section: Section,
    weight: usize,
}

/// What the lines are about. Relationships, annotations and reviews may stand in between.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Section {
    #[default]
    Document,
    Package,
    File,
    Snippet,
    Licence,
}

impl<'a> Parts<'a> {
    /// Begins a new part with a text.
    pub(super) fn begin(
        &mut self,
        part: Part,
        key: &str,
        entry: Entry<'a>,
    ) -> Result<(), SchemaError> {
        let object = Object::from_iter([(key.to_owned(), Value::from(entry.value))]);
        self.weigh(OBJECT_WEIGHT + 2 * VALUE_WEIGHT)?;
        let (list, section) = match part {
            Part::Package => (&mut self.packages, Some(Section::Package)),
            Part::File => (&mut self.files, Some(Section::File)),
            Part::Snippet => (&mut self.snippets, Some(Section::Snippet)),
            Part::Licence => (&mut self.licences, Some(Section::Licence)),
            Part::Annotation => {
                self.about.push(None);
                (&mut self.annotations, None)
            }
            Part::Review => (&mut self.reviews, None),
            // Each of these is begun by a value of its own.
            Part::Document | Part::Creation | Part::Relationship | Part::Reference => {
                return Ok(());
            }
            Part::Project => return self.push(Part::File, "artifactOfs", object.into(), entry),
        };
        list.push(object);
        self.section = section.unwrap_or(self.section);
        Ok(())
    }

    /// Begins a new relationship.
    pub(super) fn relate(&mut self, relationship: Value) -> Result<(), SchemaError> {
        self.weigh(weight(&relationship))?;
        if let Value::Object(object) = relationship {
            self.relationships.push(object);
        }
        Ok(())
    }

    /// Sets what may be there once.
    pub(super) fn set(
        &mut self,
        part: Part,
        key: &str,
        value: Value,
        entry: Entry<'a>,
    ) -> Result<(), SchemaError> {
        self.weigh(weight(&value))?;
        let object = self.part(part, entry)?;
        if object.contains_key(key) {
            return Err(twice(entry));
        }
        object.insert(key.to_owned(), value);
        Ok(())
    }

    /// Adds to what may be there several times.
    pub(super) fn push(
        &mut self,
        part: Part,
        key: &str,
        value: Value,
        entry: Entry<'a>,
    ) -> Result<(), SchemaError> {
        self.weigh(weight(&value) + VALUE_WEIGHT)?;
        let list = self.part(part, entry)?.entry(key).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.push(value);
        }
        Ok(())
    }

    /// Sets the `SPDXID` of whatever the lines are about.
    pub(super) fn set_id(&mut self, entry: Entry<'a>) -> Result<(), SchemaError> {
        let part = match self.section {
            Section::Document => Part::Document,
            Section::Package => Part::Package,
            Section::File => Part::File,
            Section::Snippet | Section::Licence => {
                let problem = "has `SPDXID` where no package and no file is begun; \
                               snippets have `SnippetSPDXID`, and licences `LicenseID`";
                return Err(syntax(entry.line, problem));
            }
        };
        self.set(part, "SPDXID", Value::from(entry.value), entry)
    }

    /// Sets what the last annotation is about.
    pub(super) fn set_about(&mut self, entry: Entry<'a>) -> Result<(), SchemaError> {
        match self.about.last_mut() {
            Some(about @ None) => {
                *about = Some((entry.value, entry.line));
                Ok(())
            }
            Some(Some(_)) => Err(twice(entry)),
            None => Err(alone(entry, "Annotator")),
        }
    }

    /// The part that a tag belongs to.
    fn part(&mut self, part: Part, entry: Entry<'_>) -> Result<&mut Object, SchemaError> {
        let section = self.section;
        let within = |list, of| if section == of { <[Object]>::last_mut(list) } else { None };
        let (found, first) = match part {
            Part::Document => (Some(&mut self.document), "SPDXVersion"),
            Part::Creation => (Some(&mut self.creation), "SPDXVersion"),
            Part::Package => (within(&mut self.packages, Section::Package), "PackageName"),
            Part::File => (within(&mut self.files, Section::File), "FileName"),
            Part::Snippet => (within(&mut self.snippets, Section::Snippet), "SnippetSPDXID"),
            Part::Licence => (within(&mut self.licences, Section::Licence), "LicenseID"),
            Part::Relationship => (self.relationships.last_mut(), "Relationship"),
            Part::Annotation => (self.annotations.last_mut(), "Annotator"),
            Part::Review => (self.reviews.last_mut(), "Reviewer"),
            Part::Reference => {
                let package = within(&mut self.packages, Section::Package);
                (package.and_then(|it| last_of(it, "externalRefs")), "ExternalRef")
            }
            Part::Project => {
                let file = within(&mut self.files, Section::File);
                (file.and_then(|it| last_of(it, "artifactOfs")), "ArtifactOfProjectName")
            }
        };
        found.ok_or_else(|| alone(entry, first))
    }

    fn weigh(&mut self, weight: usize) -> Result<(), SchemaError> {
        self.weight += weight;
        if self.weight > MAX_WEIGHT { Err(JsonError::TooManyValues.into()) } else { Ok(()) }
    }

    /// The whole, with its weight.
    pub(super) fn into_document(mut self) -> Result<(Value, usize), SchemaError> {
        self.complete_snippets();
        self.annotate()?;
        if !self.creation.is_empty() {
            self.document.insert("creationInfo".to_owned(), self.creation.into());
        }
        for (key, list) in [
            ("packages", self.packages),
            ("files", self.files),
            ("snippets", self.snippets),
            ("hasExtractedLicensingInfos", self.licences),
            ("relationships", self.relationships),
            ("revieweds", self.reviews),
        ] {
            if !list.is_empty() {
                let list: Vec<_> = list.into_iter().map(Value::Object).collect();
                self.document.insert(key.to_owned(), list.into());
            }
        }
        Ok((self.document.into(), self.weight))
    }

    /// Adds what only the JSON form asks of snippets: a name, which is optional (section 9.10), and the
    /// file in each range.
    fn complete_snippets(&mut self) {
        for snippet in &mut self.snippets {
            let file = snippet.get("snippetFromFile").cloned().unwrap_or_default();
            if let Some(Value::Array(ranges)) = snippet.get_mut("ranges") {
                for range in ranges.iter_mut().filter_map(Value::as_object_mut) {
                    for pointer in range.values_mut().filter_map(Value::as_object_mut) {
                        pointer.insert("reference".to_owned(), file.clone());
                    }
                }
            }
            if let (false, Some(id)) =
                (snippet.contains_key("name"), snippet.get("SPDXID").cloned())
            {
                snippet.insert("name".to_owned(), id);
            }
        }
    }

    /// Gives each annotation to what it is about: the document, where it names nothing in it.
    fn annotate(&mut self) -> Result<(), SchemaError> {
        let own = self.document.get("SPDXID").and_then(Value::as_str).map(str::to_owned);
        let is_elsewhere = |id: &str| Some(id) == own.as_deref() || id.starts_with("DocumentRef-");
        let named = self.about.iter().flatten().filter(|(id, _)| !is_elsewhere(id));
        let mut places: HashMap<&str, Option<(usize, usize)>> =
            named.map(|&(id, _)| (id, None)).collect();
        let lists = [&mut self.packages, &mut self.files, &mut self.snippets];
        for (list, elements) in lists.iter().enumerate() {
            for (index, element) in elements.iter().enumerate() {
                let id = element.get("SPDXID").and_then(Value::as_str);
                if let Some(place @ None) = id.and_then(|id| places.get_mut(id)) {
                    *place = Some((list, index));
                }
            }
        }
        for (annotation, about) in
            std::mem::take(&mut self.annotations).into_iter().zip(&self.about)
        {
            let place = about.and_then(|(id, line)| Some((places.get(id)?, id, line)));
            let object = match place {
                None => &mut self.document,
                Some((&Some((list, index)), ..)) => &mut lists[list][index],
                Some((None, id, line)) => {
                    let problem = format!("is about {}, which no element is called", quoted(id));
                    return Err(syntax(line, &problem));
                }
            };
            let list = object.entry("annotations").or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(annotation.into());
            }
        }
        Ok(())
    }
}

fn last_of<'o>(object: &'o mut Object, key: &str) -> Option<&'o mut Object> {
    object.get_mut(key)?.as_array_mut()?.last_mut()?.as_object_mut()
}

/// What a value of few levels weighs, as it would in JSON.
fn weight(value: &Value) -> usize {
    match value {
        Value::Array(array) => VALUE_WEIGHT + array.iter().map(weight).sum::<usize>(),
        Value::Object(object) => {
            VALUE_WEIGHT + OBJECT_WEIGHT + object.values().map(weight).sum::<usize>()
        }
        _ => VALUE_WEIGHT,
    }
}

fn twice(entry: Entry<'_>) -> SchemaError {
    let key = entry.tag.chars().take(MAX_QUOTED_CHARS).collect();
    JsonError::DuplicateKey { line: entry.line, column: 1, key }.into()
}

fn alone(entry: Entry<'_>, first: &str) -> SchemaError {
    let tag = quoted(entry.tag);
    syntax(entry.line, &format!("has the tag {tag}, before which `{first}` has to begin its part"))
}
