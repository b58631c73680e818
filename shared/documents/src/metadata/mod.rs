//! What lies inside artifacts and says what they are made of: package metadata, build information
//! in binaries, and the databases of installed packages.
//!
//! Opening containers is left to whoever has the files; here bytes become an [`Inventory`]. A text
//! that is not UTF-8 is read as Latin-1, as old files are: names, versions and package URLs are
//! checked either way, and only people's names would differ.

use std::borrow::Cow;

mod dpkg;
mod error;
mod fields;
mod installed;
mod os_release;
mod python;
mod words;

pub use error::MetadataError;
pub use os_release::OsRelease;

use crate::inventory::{Ecosystem, Inventory, Package};
use crate::lockfile::catalog::Contents;
use error::Fault;

/// A kind of file inside artifacts that [`read`] knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `METADATA` or `PKG-INFO` of a Python distribution; one package.
    PythonMetadata,
    /// dpkg's `status`, or files of `status.d`; every package whose files are there.
    DpkgStatus,
}

/// What is known about the surroundings of a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The operating system whose packages these are; without one, that which the format is most
    /// used by.
    pub system: Option<&'a OsRelease>,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::PythonMetadata, Self::DpkgStatus];

    /// Name of the format, as in [`Inventory::format`].
    pub fn name(self) -> &'static str {
        match self {
            Self::PythonMetadata => "METADATA",
            Self::DpkgStatus => "dpkg/status",
        }
    }

    fn ecosystem(self) -> Ecosystem {
        match self {
            Self::PythonMetadata => Ecosystem::PyPi,
            Self::DpkgStatus => Ecosystem::Debian,
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::DpkgStatus => "build the image again from a sound base",
            Self::PythonMetadata => "build the artifact again with a current tool",
        }
    }
}

/// Reads the file at `path`, which is the place it is reported under, such as
/// `app.whl!/app-1.0.dist-info/METADATA`.
///
/// No package is marked as a root by a file that cannot know whether the artifact is the package it
/// describes; whoever opened the artifact may set [`Package::root`].
///
/// # Errors
/// The first fault found, with its place and its remedy; a file is read wholly or not at all.
pub fn read(
    kind: Kind,
    path: &str,
    bytes: &[u8],
    context: &Context<'_>,
) -> Result<Inventory, MetadataError> {
    read_parts(kind, path, [bytes], context)
}

/// As [`read`], from several files that together say what is installed: those of dpkg's `status.d`,
/// or the headers in an rpm database. `path` is the folder or the database; packages have lines only
/// where there is one part. Of a kind that is always one file, the first part is read.
///
/// # Errors
/// As [`read`].
pub fn read_parts<T: AsRef<[u8]>>(
    kind: Kind,
    path: &str,
    parts: impl IntoIterator<Item = T>,
    context: &Context<'_>,
) -> Result<Inventory, MetadataError> {
    let contents = match kind {
        Kind::DpkgStatus => dpkg::read(parts, context),
        Kind::PythonMetadata => first(parts, python::read).map(one),
    };
    let contents = contents.map_err(|fault| MetadataError::new(path, fault, kind.remedy()))?;
    Ok(Inventory {
        path: path.to_owned(),
        format: Cow::Borrowed(kind.name()),
        artifact: None,
        ecosystem: kind.ecosystem(),
        packages: contents.packages,
        notes: contents.notes,
        edges_known: contents.edges_known,
        direct_known: contents.direct_known,
        complete: contents.complete,
    })
}

fn first<T: AsRef<[u8]>, R>(
    parts: impl IntoIterator<Item = T>,
    read: impl Fn(&str) -> Result<R, Fault>,
) -> Result<R, Fault> {
    let part = parts.into_iter().next();
    let bytes = part.as_ref().map(AsRef::as_ref).unwrap_or_default();
    read(&words::decode(bytes)?)
}

/// What a file about one package says: nothing of what it needs that could be found here.
fn one(package: Package) -> Contents {
    Contents {
        packages: vec![package],
        notes: Vec::new(),
        edges_known: false,
        direct_known: false,
        complete: false,
    }
}
