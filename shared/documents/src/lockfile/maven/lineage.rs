//! A `pom.xml` and the files that it inherits from, as far as they are at hand.

use super::model::{Parent, Pom};
use crate::lockfile::beside::Beside;
use crate::lockfile::error::Fault;
use crate::lockfile::xml_file::{self, Document};

/// Most files that are inherited from.
const MAX_PARENTS: usize = 32;
/// Most bytes of all that are inherited from, for each file reads them anew.
const MAX_PARENT_BYTES: usize = 2 * 1024 * 1024;

/// A file and, one after another, its parents.
pub(super) struct Lineage<'a> {
    files: Vec<(String, Document<'a>)>,
}

impl<'a> Lineage<'a> {
    /// The lineage of `text`, a file in `folder` as seen from `beside`: empty, or with `/` at its end.
    pub(super) fn of(text: &'a str, folder: String, beside: &Beside<'a>) -> Result<Self, Fault> {
        let mut files = vec![(folder, xml_file::read(text)?)];
        let mut left = MAX_PARENT_BYTES;
        while let Some((folder, document)) = files.last()
            && files.len() <= MAX_PARENTS
        {
            let parent = Pom::of(document)?.parent;
            let found = parent.and_then(|parent| parent_of(parent, folder, beside, &mut left));
            match found {
                Some(file) => files.push(file),
                None => break,
            }
        }
        Ok(Self { files })
    }

    /// Each file with its folder; the parent that the last one has is not at hand.
    pub(super) fn poms(&self) -> Result<Vec<(&str, Pom<'_>)>, Fault> {
        self.files.iter().map(|(folder, document)| Ok((&**folder, Pom::of(document)?))).collect()
    }
}

fn parent_of<'a>(
    parent: Parent<'_>,
    folder: &str,
    beside: &Beside<'a>,
    left: &mut usize,
) -> Option<(String, Document<'a>)> {
    let (folder, text) = file_at(parent.path?, folder, beside)?;
    *left = left.checked_sub(text.len())?;
    let document = xml_file::read(text).ok()?;
    let pom = Pom::of(&document).ok()?;
    let is_literal = |version: &&str| !version.contains("${");
    let versions = (pom.own_version().filter(is_literal), parent.version.filter(is_literal));
    let is_it = pom.own_group() == Some(parent.group)
        && pom.artifact == Some(parent.artifact)
        && !matches!(versions, (Some(its), Some(asked)) if its != asked);
    is_it.then_some((folder, document))
}

/// The file at `path` from `folder`, or the `pom.xml` in the folder there, and the folder it is in.
pub(super) fn file_at<'a>(
    path: &str,
    folder: &str,
    beside: &Beside<'a>,
) -> Option<(String, &'a str)> {
    let path = format!("{folder}{}", path.trim_end_matches('/').replace('\\', "/"));
    let file = if beside.text(&path).is_some() { path } else { format!("{path}/pom.xml") };
    let text = beside.text(&file)?;
    let folder = file.rfind('/').map_or("", |end| &file[..=end]);
    Some((folder.to_owned(), text))
}
