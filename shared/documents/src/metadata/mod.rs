//! What lies inside artifacts and says what they are made of: package metadata, build information
//! in binaries, and the databases of installed packages.
//!
//! Opening containers is left to whoever has the files; here bytes become an [`Inventory`]. A text
//! that is not UTF-8 is read as Latin-1, as old files are: names, versions and package URLs are
//! checked either way, and only people's names would differ.

use std::borrow::Cow;

mod apk;
mod auditable;
mod crate_manifest;
mod dpkg;
mod error;
mod fields;
mod gem;
mod go;
mod installed;
mod jar;
mod npm;
mod os_release;
mod pom_properties;
mod python;
mod rpm;
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
    /// `META-INF/maven/**/pom.properties`; one package with its Maven coordinates. A jar has one for
    /// every library that was copied into it.
    PomProperties,
    /// `META-INF/MANIFEST.MF` of a jar without readable `pom.properties`; one package by what it says
    /// and by the jar's name, which is taken from the path. Of a jar without one, give no bytes.
    JarManifest,
    /// The text of a Go binary's build information, after a line `go\tgo1.22.1` with its toolchain.
    GoBuildInfo,
    /// The JSON that cargo-auditable puts into binaries, unpacked.
    CargoAuditable,
    /// `package.json` of a package in `node_modules`; one package, or none where it is private or has
    /// no name and version.
    NpmManifest,
    /// A specification that RubyGems wrote, `specifications/*.gemspec`; one package.
    GemSpecification,
    /// `Cargo.toml` of a packed crate; one package.
    CrateManifest,
    /// dpkg's `status`, or files of `status.d`; every package that may have files there.
    DpkgStatus,
    /// apk's `lib/apk/db/installed`.
    ApkInstalled,
    /// The headers of an rpm database: the column `Packages.blob` of `rpmdb.sqlite`, a part each.
    RpmHeaders,
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
    pub const ALL: [Self; 11] = [
        Self::PythonMetadata,
        Self::PomProperties,
        Self::JarManifest,
        Self::GoBuildInfo,
        Self::CargoAuditable,
        Self::NpmManifest,
        Self::GemSpecification,
        Self::CrateManifest,
        Self::DpkgStatus,
        Self::ApkInstalled,
        Self::RpmHeaders,
    ];

    /// Name of the format, as in [`Inventory::format`].
    pub fn name(self) -> &'static str {
        match self {
            Self::PythonMetadata => "METADATA",
            Self::PomProperties => "pom.properties",
            Self::JarManifest => "MANIFEST.MF",
            Self::GoBuildInfo => "Go build information",
            Self::CargoAuditable => "cargo-auditable",
            Self::NpmManifest => "package.json",
            Self::GemSpecification => "gemspec",
            Self::CrateManifest => "Cargo.toml",
            Self::DpkgStatus => "dpkg/status",
            Self::ApkInstalled => "apk/db/installed",
            Self::RpmHeaders => "rpmdb",
        }
    }

    fn ecosystem(self) -> Ecosystem {
        match self {
            Self::PythonMetadata => Ecosystem::PyPi,
            Self::PomProperties => Ecosystem::Maven,
            Self::JarManifest => Ecosystem::Maven,
            Self::GoBuildInfo => Ecosystem::Go,
            Self::CargoAuditable => Ecosystem::CratesIo,
            Self::NpmManifest => Ecosystem::Npm,
            Self::GemSpecification => Ecosystem::RubyGems,
            Self::CrateManifest => Ecosystem::CratesIo,
            Self::DpkgStatus => Ecosystem::Debian,
            Self::ApkInstalled => Ecosystem::Alpine,
            Self::RpmHeaders => Ecosystem::Rpm,
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::DpkgStatus | Self::ApkInstalled | Self::RpmHeaders => {
                "build the image again from a sound base"
            }
            _ => "build the artifact again with a current tool",
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
        Kind::PythonMetadata => first(parts, python::read).map(Some).map(about),
        Kind::PomProperties => first(parts, pom_properties::read).map(Some).map(about),
        Kind::JarManifest => first(parts, |text| jar::read(text, path)).map(Some).map(about),
        Kind::GoBuildInfo => first(parts, go::read),
        Kind::CargoAuditable => first(parts, auditable::read),
        Kind::NpmManifest => first(parts, npm::read).map(about),
        Kind::GemSpecification => first(parts, gem::read).map(Some).map(about),
        Kind::CrateManifest => first(parts, crate_manifest::read).map(Some).map(about),
        Kind::DpkgStatus => dpkg::read(parts, context),
        Kind::ApkInstalled => first(parts, |text| apk::read(text, context)),
        Kind::RpmHeaders => rpm::read(parts, context),
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
fn about(package: Option<Package>) -> Contents {
    Contents {
        packages: package.into_iter().collect(),
        notes: Vec::new(),
        edges_known: false,
        direct_known: false,
        complete: false,
    }
}
