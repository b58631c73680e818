//! Versions in the order of their ecosystem. Every text has a place: what follows no rule has a documented one.

mod alpine;
mod debian;
mod dotted;
mod maven;
mod number;
mod packagist;
mod pep440;
mod rpm;
mod rubygems;
mod semver;

use std::cmp::Ordering;

use crate::Ecosystem;

/// A version; only versions of one ecosystem are ever compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Pep440(pep440::Version),
    SemVer(semver::Version),
    Maven(maven::Version),
    RubyGems(rubygems::Version),
    Packagist(packagist::Version),
    Dotted(dotted::Version),
    Debian(debian::Version),
    Alpine(alpine::Version),
    Rpm(rpm::Version),
    /// A tag or a commit, which have no order: that of the text.
    Tag(String),
}

/// The version orders there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Pep440,
    SemVer,
    NuGet,
    Pub,
    Maven,
    RubyGems,
    Packagist,
    Dotted,
    Debian,
    Alpine,
    Rpm,
    Tag,
}

impl Version {
    pub(crate) fn parse(ecosystem: Ecosystem, text: &str) -> Self {
        match ecosystem.scheme() {
            Scheme::Pep440 => Self::Pep440(pep440::Version::parse(text)),
            Scheme::SemVer => Self::SemVer(semver::Version::parse(text)),
            Scheme::NuGet => Self::SemVer(semver::Version::parse_nuget(text)),
            Scheme::Pub => Self::SemVer(semver::Version::parse_pub(text)),
            Scheme::Maven => Self::Maven(maven::Version::parse(text)),
            Scheme::RubyGems => Self::RubyGems(rubygems::Version::parse(text)),
            Scheme::Packagist => Self::Packagist(packagist::Version::parse(text)),
            Scheme::Dotted => Self::Dotted(dotted::Version::parse(text)),
            Scheme::Debian => Self::Debian(debian::Version::parse(text)),
            Scheme::Alpine => Self::Alpine(alpine::Version::parse(text)),
            Scheme::Rpm => Self::Rpm(rpm::Version::parse(text)),
            Scheme::Tag => Self::Tag(text.to_owned()),
        }
    }

    /// Where this version lies as seen from `bound`, which somebody wrote to tell versions apart: a local label
    /// (`2.0+cpu`) counts only if the bound has one (PEP 440, "Version specifiers"), and Maven answers as it does.
    pub(crate) fn against(&self, bound: &Self) -> Ordering {
        match (self, bound) {
            (Self::Pep440(found), Self::Pep440(bound)) => found.against(bound),
            (Self::Maven(found), Self::Maven(bound)) => found.compare(bound),
            _ => self.cmp(bound),
        }
    }

    /// This version without its local label, if it has one.
    pub(crate) fn public(&self) -> Option<Self> {
        match self {
            Self::Pep440(version) => version.public().map(Self::Pep440),
            _ => None,
        }
    }
}

impl Ecosystem {
    fn scheme(self) -> Scheme {
        match self {
            Self::PyPi => Scheme::Pep440,
            Self::CratesIo
            | Self::Npm
            | Self::Go
            | Self::Hex
            | Self::SwiftUrl
            | Self::GitHubActions => Scheme::SemVer,
            Self::NuGet => Scheme::NuGet,
            Self::Pub => Scheme::Pub,
            Self::Maven => Scheme::Maven,
            Self::RubyGems => Scheme::RubyGems,
            Self::Packagist => Scheme::Packagist,
            Self::Cran | Self::Hackage => Scheme::Dotted,
            Self::Debian | Self::Ubuntu => Scheme::Debian,
            Self::Alpine | Self::Wolfi | Self::Chainguard => Scheme::Alpine,
            Self::RedHat
            | Self::Rocky
            | Self::AlmaLinux
            | Self::Suse
            | Self::OpenSuse
            | Self::OpenEuler
            | Self::Mageia
            | Self::AzureLinux => Scheme::Rpm,
            Self::Git => Scheme::Tag,
        }
    }

    /// Compares two versions of this ecosystem, each in the order of its own tools:
    ///
    /// - PEP 440 for PyPI; versions that follow no rule lie before all others, in the order that setuptools gave them;
    /// - Semantic Versioning 2.0 for crates.io, npm, Go, Hex, Swift and GitHub Actions: a leading `v` or `=` says
    ///   nothing, missing numbers are zero, numbers after the third say nothing, and other text is a pre-release;
    /// - the same for NuGet, with a fourth number and without regard to case, and for pub, where build metadata counts;
    /// - what Maven answers, `Gem::Version` for RubyGems, and PHP's `version_compare` for Packagist, without a leading
    ///   `v`; a `#` of Packagist is equal to every number and to none;
    /// - lists of numbers for CRAN and Hackage, text before numbers;
    /// - dpkg's order for Debian and Ubuntu, that of apk 3 for Alpine, Wolfi and Chainguard, that of RPM for the others,
    ///   where one without release comes before those with one;
    /// - tags and commits have none: that of their text.
    ///
    /// Numbers may have any length. Every text has a place. It is a total order but for Maven and for that `#`: sort by
    /// [`order`](Self::order).
    pub fn compare(self, left: &str, right: &str) -> Ordering {
        match self.scheme() {
            Scheme::Packagist => packagist::compare(left, right),
            Scheme::Maven => maven::Version::parse(left).compare(&maven::Version::parse(right)),
            _ => self.order(left, right),
        }
    }

    /// As [`compare`](Self::compare), but total for any texts. A `#` of Packagist is left out; for Maven, whose answers go
    /// round, a dot and a hyphen before a qualifier are the same, and zeros before either say nothing.
    pub fn order(self, left: &str, right: &str) -> Ordering {
        Version::parse(self, left).cmp(&Version::parse(self, right))
    }

    /// Whether the version is written as the ecosystem's rules ask; the place of others is ours.
    pub(crate) fn is_regular(self, version: &str) -> bool {
        match self.scheme() {
            Scheme::Pep440 => pep440::Version::is_regular(version),
            // `v4` is a tag that moves from one fourth version to the next.
            Scheme::SemVer if self == Self::GitHubActions => {
                semver::Version::is_regular(version) && version.matches('.').count() >= 2
            }
            Scheme::SemVer | Scheme::Pub => semver::Version::is_regular(version),
            Scheme::NuGet => semver::Version::is_regular_nuget(version),
            Scheme::Maven => maven::Version::is_regular(version),
            Scheme::RubyGems => rubygems::Version::is_regular(version),
            Scheme::Packagist => packagist::Version::is_regular(version),
            Scheme::Dotted => dotted::Version::is_regular(version),
            Scheme::Debian => debian::Version::is_regular(version),
            Scheme::Alpine => alpine::Version::is_regular(version),
            Scheme::Rpm => rpm::Version::is_regular(version),
            Scheme::Tag => true,
        }
    }
}

#[cfg(test)]
mod tests;
