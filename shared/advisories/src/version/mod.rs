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
enum Order {
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
        match ecosystem.order() {
            Order::Pep440 => Self::Pep440(pep440::Version::parse(text)),
            Order::SemVer => Self::SemVer(semver::Version::parse(text)),
            Order::NuGet => Self::SemVer(semver::Version::parse_nuget(text)),
            Order::Pub => Self::SemVer(semver::Version::parse_pub(text)),
            Order::Maven => Self::Maven(maven::Version::parse(text)),
            Order::RubyGems => Self::RubyGems(rubygems::Version::parse(text)),
            Order::Packagist => Self::Packagist(packagist::Version::parse(text)),
            Order::Dotted => Self::Dotted(dotted::Version::parse(text)),
            Order::Debian => Self::Debian(debian::Version::parse(text)),
            Order::Alpine => Self::Alpine(alpine::Version::parse(text)),
            Order::Rpm => Self::Rpm(rpm::Version::parse(text)),
            Order::Tag => Self::Tag(text.to_owned()),
        }
    }

    /// Where this version lies as seen from `bound`, which somebody wrote to tell versions apart: a local label
    /// (`2.0+cpu`) counts only if the bound has one (PEP 440, "Version specifiers").
    pub(crate) fn against(&self, bound: &Self) -> Ordering {
        match (self, bound) {
            (Self::Pep440(found), Self::Pep440(bound)) => found.against(bound),
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
    fn order(self) -> Order {
        match self {
            Self::PyPi => Order::Pep440,
            Self::CratesIo
            | Self::Npm
            | Self::Go
            | Self::Hex
            | Self::SwiftUrl
            | Self::GitHubActions => Order::SemVer,
            Self::NuGet => Order::NuGet,
            Self::Pub => Order::Pub,
            Self::Maven => Order::Maven,
            Self::RubyGems => Order::RubyGems,
            Self::Packagist => Order::Packagist,
            Self::Cran | Self::Hackage => Order::Dotted,
            Self::Debian | Self::Ubuntu => Order::Debian,
            Self::Alpine | Self::Wolfi | Self::Chainguard => Order::Alpine,
            Self::RedHat
            | Self::Rocky
            | Self::AlmaLinux
            | Self::Suse
            | Self::OpenSuse
            | Self::OpenEuler
            | Self::Mageia
            | Self::AzureLinux => Order::Rpm,
            Self::Git => Order::Tag,
        }
    }

    /// Compares two versions of this ecosystem, each in the order of its own tools:
    ///
    /// - PEP 440 for PyPI; versions that follow no rule lie before all others, in the order that setuptools gave them;
    /// - Semantic Versioning 2.0 for crates.io, npm, Go, Hex, Swift and GitHub Actions: a leading `v` or `=` says
    ///   nothing, missing numbers are zero, numbers after the third say nothing, and other text is a pre-release;
    /// - the same for NuGet, with a fourth number and without regard to case, and for pub, where build metadata counts;
    /// - Maven's order, `Gem::Version` for RubyGems, and PHP's `version_compare` for Packagist, in any case and without
    ///   a leading `v`; a `#` of Packagist is equal to every number and to none;
    /// - lists of numbers for CRAN and Hackage, text before numbers;
    /// - dpkg's order for Debian and Ubuntu, that of apk 3 for Alpine, Wolfi and Chainguard, that of RPM for the others,
    ///   where one without release comes before those with one;
    /// - tags and commits have none: that of their text.
    ///
    /// Numbers may have any length. Every text has a place.
    pub fn compare(self, left: &str, right: &str) -> Ordering {
        match self.order() {
            Order::Packagist => packagist::compare(left, right),
            _ => Version::parse(self, left).cmp(&Version::parse(self, right)),
        }
    }

    /// Whether the version is written as the ecosystem's rules ask; the place of others is ours.
    pub(crate) fn is_regular(self, version: &str) -> bool {
        match self.order() {
            Order::Pep440 => pep440::Version::is_regular(version),
            // `v4` is a tag that moves from one fourth version to the next.
            Order::SemVer if self == Self::GitHubActions => {
                semver::Version::is_regular(version) && version.matches('.').count() >= 2
            }
            Order::SemVer | Order::Pub => semver::Version::is_regular(version),
            Order::NuGet => semver::Version::is_regular_nuget(version),
            Order::Maven => maven::Version::is_regular(version),
            Order::RubyGems => rubygems::Version::is_regular(version),
            Order::Packagist => packagist::Version::is_regular(version),
            Order::Dotted => dotted::Version::is_regular(version),
            Order::Debian => debian::Version::is_regular(version),
            Order::Alpine => alpine::Version::is_regular(version),
            Order::Rpm => rpm::Version::is_regular(version),
            Order::Tag => true,
        }
    }
}

#[cfg(test)]
mod tests;
