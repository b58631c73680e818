//! The families of packages that can be matched, named as in OSV.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A family of packages with one registry and one version order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ecosystem {
    /// Python distributions; versions as in PEP 440.
    #[serde(rename = "PyPI")]
    PyPi,
    /// Rust crates; Semantic Versioning 2.0.
    #[serde(rename = "crates.io")]
    CratesIo,
    /// JavaScript packages; Semantic Versioning 2.0.
    #[serde(rename = "npm")]
    Npm,
    /// Go modules, its standard library and toolchain; Semantic Versioning 2.0 with a leading `v`.
    Go,
    /// Java artefacts, named `group:artifact`.
    Maven,
    /// .NET packages.
    NuGet,
    /// Ruby gems.
    RubyGems,
    /// PHP packages, named `vendor/name`.
    Packagist,
    /// Dart and Flutter packages.
    Pub,
    /// Erlang and Elixir packages.
    Hex,
    /// R packages.
    #[serde(rename = "CRAN")]
    Cran,
    /// Haskell packages.
    Hackage,
    /// Swift packages, named by the address of their repository.
    #[serde(rename = "SwiftURL")]
    SwiftUrl,
    /// Actions of GitHub's workflows, named `owner/repository`.
    #[serde(rename = "GitHub Actions")]
    GitHubActions,
    /// Source packages of Debian.
    Debian,
    /// Source packages of Ubuntu.
    Ubuntu,
    /// Source packages of Alpine.
    Alpine,
    /// Source packages of Wolfi.
    Wolfi,
    /// Source packages of Chainguard.
    Chainguard,
    /// Packages of Red Hat.
    #[serde(rename = "Red Hat")]
    RedHat,
    /// Source packages of Rocky Linux.
    #[serde(rename = "Rocky Linux")]
    Rocky,
    /// Packages of AlmaLinux.
    AlmaLinux,
    /// Source packages of SUSE Linux Enterprise.
    #[serde(rename = "SUSE")]
    Suse,
    /// Source packages of openSUSE.
    #[serde(rename = "openSUSE")]
    OpenSuse,
    /// Source packages of openEuler.
    #[serde(rename = "openEuler")]
    OpenEuler,
    /// Source packages of Mageia.
    Mageia,
    /// Source packages of Azure Linux, once Mariner.
    #[serde(rename = "Azure Linux")]
    AzureLinux,
    /// Repositories, named `host/path`; tags and commits, which have no order.
    #[serde(rename = "GIT")]
    Git,
}

impl Ecosystem {
    /// Every ecosystem that can be matched.
    pub const ALL: [Self; 28] = [
        Self::PyPi,
        Self::CratesIo,
        Self::Npm,
        Self::Go,
        Self::Maven,
        Self::NuGet,
        Self::RubyGems,
        Self::Packagist,
        Self::Pub,
        Self::Hex,
        Self::Cran,
        Self::Hackage,
        Self::SwiftUrl,
        Self::GitHubActions,
        Self::Debian,
        Self::Ubuntu,
        Self::Alpine,
        Self::Wolfi,
        Self::Chainguard,
        Self::RedHat,
        Self::Rocky,
        Self::AlmaLinux,
        Self::Suse,
        Self::OpenSuse,
        Self::OpenEuler,
        Self::Mageia,
        Self::AzureLinux,
        Self::Git,
    ];

    /// The name that OSV records use (OSV schema, `affected[].package.ecosystem`); `GIT`, the type of a range, for
    /// repositories, which have none.
    pub fn osv_name(self) -> &'static str {
        match self {
            Self::PyPi => "PyPI",
            Self::CratesIo => "crates.io",
            Self::Npm => "npm",
            Self::Go => "Go",
            Self::Maven => "Maven",
            Self::NuGet => "NuGet",
            Self::RubyGems => "RubyGems",
            Self::Packagist => "Packagist",
            Self::Pub => "Pub",
            Self::Hex => "Hex",
            Self::Cran => "CRAN",
            Self::Hackage => "Hackage",
            Self::SwiftUrl => "SwiftURL",
            Self::GitHubActions => "GitHub Actions",
            Self::Debian => "Debian",
            Self::Ubuntu => "Ubuntu",
            Self::Alpine => "Alpine",
            Self::Wolfi => "Wolfi",
            Self::Chainguard => "Chainguard",
            Self::RedHat => "Red Hat",
            Self::Rocky => "Rocky Linux",
            Self::AlmaLinux => "AlmaLinux",
            Self::Suse => "SUSE",
            Self::OpenSuse => "openSUSE",
            Self::OpenEuler => "openEuler",
            Self::Mageia => "Mageia",
            Self::AzureLinux => "Azure Linux",
            Self::Git => "GIT",
        }
    }

    /// The ecosystem of packages whose purl is of that type, such as `golang`; none if they cannot be matched, and for
    /// `deb`, `apk` and `rpm`, where the namespace decides.
    pub fn from_purl_type(purl_type: &str) -> Option<Self> {
        match purl_type.to_ascii_lowercase().as_str() {
            "pypi" => Some(Self::PyPi),
            "cargo" => Some(Self::CratesIo),
            "npm" => Some(Self::Npm),
            "golang" => Some(Self::Go),
            "maven" => Some(Self::Maven),
            "nuget" => Some(Self::NuGet),
            "gem" => Some(Self::RubyGems),
            "composer" => Some(Self::Packagist),
            "pub" => Some(Self::Pub),
            "hex" => Some(Self::Hex),
            "cran" => Some(Self::Cran),
            "hackage" => Some(Self::Hackage),
            "swift" => Some(Self::SwiftUrl),
            "githubactions" => Some(Self::GitHubActions),
            "github" | "bitbucket" | "gitlab" => Some(Self::Git),
            _ => None,
        }
    }

    /// The distribution of packages of type `deb`, `apk` or `rpm` whose vendor (the namespace of the purl, or the first
    /// word of `distro`) goes by that name.
    pub(crate) fn of_distribution(purl_type: &str, vendor: &str) -> Option<Self> {
        match (purl_type, vendor) {
            ("deb", "debian") => Some(Self::Debian),
            ("deb", "ubuntu") => Some(Self::Ubuntu),
            ("apk", "alpine") => Some(Self::Alpine),
            ("apk", "wolfi") => Some(Self::Wolfi),
            ("apk", "chainguard") => Some(Self::Chainguard),
            ("rpm", "redhat" | "rhel") => Some(Self::RedHat),
            ("rpm", "rocky" | "rocky-linux" | "rockylinux") => Some(Self::Rocky),
            ("rpm", "almalinux" | "alma") => Some(Self::AlmaLinux),
            ("rpm", "suse" | "sles" | "sled" | "sle_hpc") => Some(Self::Suse),
            ("rpm", "opensuse") => Some(Self::OpenSuse),
            ("rpm", "openeuler") => Some(Self::OpenEuler),
            ("rpm", "mageia") => Some(Self::Mageia),
            ("rpm", "azurelinux" | "mariner" | "azure-linux") => Some(Self::AzureLinux),
            _ => None,
        }
    }

    /// The ecosystem of that OSV name, whose `:suffix` says nothing here; none if it cannot be matched.
    pub fn from_osv(name: &str) -> Option<Self> {
        let family = name.split_once(':').map_or(name, |(family, _)| family);
        Self::ALL.into_iter().find(|ecosystem| ecosystem.osv_name() == family)
    }

    /// An ecosystem whose version order packages of that purl type have; none if they have no order that is known.
    pub fn ordering(purl_type: &str) -> Option<Self> {
        match purl_type.to_ascii_lowercase().as_str() {
            "deb" => Some(Self::Debian),
            "apk" => Some(Self::Alpine),
            "rpm" => Some(Self::RedHat),
            other => Self::from_purl_type(other).filter(|it| *it != Self::Git),
        }
    }

    /// Whether its packages are those of an operating system: of `deb`, `apk` or `rpm`.
    pub fn is_distribution(self) -> bool {
        self.has_releases() || matches!(self, Self::Wolfi | Self::Chainguard)
    }

    /// Whether records tell its releases apart.
    pub(crate) fn has_releases(self) -> bool {
        matches!(
            self,
            Self::Debian
                | Self::Ubuntu
                | Self::Alpine
                | Self::RedHat
                | Self::Rocky
                | Self::AlmaLinux
                | Self::Suse
                | Self::OpenSuse
                | Self::OpenEuler
                | Self::Mageia
                | Self::AzureLinux
        )
    }

    /// Whether records name source packages, and not what is built from them.
    pub(crate) fn names_sources(self) -> bool {
        self.is_distribution() && !matches!(self, Self::RedHat | Self::AlmaLinux)
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.osv_name())
    }
}
