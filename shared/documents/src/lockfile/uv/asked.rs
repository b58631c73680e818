//! What a package asks for, in little memory: a lock may have a hundred thousand of these.

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::Spanned;

use super::raw::RawDependency;
use crate::lockfile::borrowed::Text;
use crate::lockfile::error::{Fault, Problem};
use crate::lockfile::graph::Id;
use crate::lockfile::python::normalized;
use crate::lockfile::text;

/// What a package asks for.
#[derive(Default)]
pub(super) struct Asked<'a> {
    pub(super) always: Vec<Needed<'a>>,
    pub(super) extras: BTreeMap<String, Vec<Needed<'a>>>,
    pub(super) groups: BTreeMap<String, Vec<Needed<'a>>>,
}

/// A package that another one asks for.
pub(super) struct Needed<'a> {
    /// Normalised.
    pub(super) name: Cow<'a, str>,
    /// Where that stands in the file, in bytes.
    pub(super) offset: usize,
    /// In a box, for most say no more than the name.
    stated: Option<Box<Stated<'a>>>,
}

/// What is said of a package beside its name.
#[derive(Default)]
pub(super) struct Stated<'a> {
    pub(super) version: Option<Text<'a>>,
    /// As [`Id::source`].
    pub(super) source: Option<String>,
    /// Normalised.
    pub(super) extras: Vec<String>,
    pub(super) marker: Option<String>,
}

type Raw<'a> = Vec<Spanned<RawDependency<'a>>>;

impl<'a> Asked<'a> {
    /// What `asking` asks for; `base` is to be added to the offsets within to have them in the file.
    pub(super) fn of(
        [extras, groups]: [BTreeMap<String, Raw<'a>>; 2],
        always: Raw<'a>,
        base: usize,
        asking: &Id,
    ) -> Result<Self, Fault> {
        let list = |raw: Raw<'a>| {
            // Collected, it would keep the memory of what it is made from.
            let mut list = Vec::with_capacity(raw.len());
            for raw in raw {
                list.push(Needed::of(raw, base, asking)?);
            }
            Ok::<_, Fault>(list)
        };
        let lists = |raw: BTreeMap<String, Raw<'a>>| {
            raw.into_iter().map(|(name, raw)| Ok((name, list(raw)?))).collect::<Result<_, Fault>>()
        };
        Ok(Self { always: list(always)?, extras: lists(extras)?, groups: lists(groups)? })
    }

    /// How many packages it asks for.
    pub(super) fn count(&self) -> usize {
        let lists = self.extras.values().chain(self.groups.values());
        self.always.len() + lists.map(Vec::len).sum::<usize>()
    }
}

impl<'a> Needed<'a> {
    fn of(raw: Spanned<RawDependency<'a>>, base: usize, asking: &Id) -> Result<Self, Fault> {
        let offset = base + raw.span().start;
        let RawDependency { name, version, source, extra, marker } = raw.into_inner();
        let Some(Text(name)) = name else {
            let owner = format!("a dependency of `{}`", asking.label());
            return Err(Problem::MissingField { owner, field: "name" }.at(offset));
        };
        let name = match name {
            Cow::Borrowed(name) => normalized(name),
            Cow::Owned(name) => Cow::Owned(normalized(&name).into_owned()),
        };
        let source = source.map(|source| source.read().map(|(key, _)| key));
        let source = source.transpose().map_err(|problem| problem.at(offset))?;
        let extras: Vec<_> = extra.iter().map(|it| normalized(it).into_owned()).collect();
        let marker = marker.as_deref().and_then(text::said);
        let says_more =
            version.is_some() || source.is_some() || !extras.is_empty() || marker.is_some();
        let stated = says_more.then(|| Box::new(Stated { version, source, extras, marker }));
        Ok(Self { name, offset, stated })
    }

    /// What is said beside the name.
    pub(super) fn stated(&self) -> Option<&Stated<'a>> {
        self.stated.as_deref()
    }
}
