//! Releases of distributions, as records and as package URLs write them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Ecosystem;

/// A release of a distribution, such as `12` of Debian or `3.19` of Alpine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Release(String);

/// Releases that go by a name.
const CODENAMES: [(Ecosystem, &str, &str); 21] = [
    (Ecosystem::Debian, "wheezy", "7"),
    (Ecosystem::Debian, "jessie", "8"),
    (Ecosystem::Debian, "stretch", "9"),
    (Ecosystem::Debian, "buster", "10"),
    (Ecosystem::Debian, "bullseye", "11"),
    (Ecosystem::Debian, "bookworm", "12"),
    (Ecosystem::Debian, "trixie", "13"),
    (Ecosystem::Debian, "forky", "14"),
    (Ecosystem::Debian, "duke", "15"),
    (Ecosystem::Ubuntu, "precise", "12.04"),
    (Ecosystem::Ubuntu, "trusty", "14.04"),
    (Ecosystem::Ubuntu, "xenial", "16.04"),
    (Ecosystem::Ubuntu, "bionic", "18.04"),
    (Ecosystem::Ubuntu, "focal", "20.04"),
    (Ecosystem::Ubuntu, "jammy", "22.04"),
    (Ecosystem::Ubuntu, "lunar", "23.04"),
    (Ecosystem::Ubuntu, "mantic", "23.10"),
    (Ecosystem::Ubuntu, "noble", "24.04"),
    (Ecosystem::Ubuntu, "oracular", "24.10"),
    (Ecosystem::Ubuntu, "plucky", "25.04"),
    (Ecosystem::Ubuntu, "questing", "25.10"),
];

impl Release {
    /// As its distribution numbers it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is said of this release is said of `found`: the same one, or one of its minor releases.
    pub fn covers(&self, found: &Self) -> bool {
        let rest = found.0.strip_prefix(&self.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// What follows the ecosystem's name in a record (OSV schema, "Defined ecosystems"); none if that tells no release.
    ///
    /// Ubuntu Pro counts as the release that it extends. A product of Red Hat that is no release of its Linux, and other
    /// variants of Ubuntu, keep their whole name: no package of a release is one of theirs.
    pub(crate) fn of_osv(ecosystem: Ecosystem, suffix: &str) -> Option<Self> {
        if !ecosystem.has_releases() || suffix.trim().is_empty() {
            return None;
        }
        let suffix = suffix.trim().to_ascii_lowercase();
        Some(Self(match ecosystem {
            Ecosystem::Ubuntu => {
                let release = suffix.strip_suffix(":lts").unwrap_or(&suffix);
                release.strip_prefix("pro:").unwrap_or(release).to_owned()
            }
            Ecosystem::Alpine => suffix.strip_prefix('v').unwrap_or(&suffix).to_owned(),
            Ecosystem::RedHat => match suffix.split(':').collect::<Vec<_>>()[..] {
                ["enterprise_linux", release, ..] => major(release).to_owned(),
                [product, release, ..] if product.starts_with("rhel_") => release.to_owned(),
                _ => suffix,
            },
            Ecosystem::Suse | Ecosystem::OpenSuse | Ecosystem::OpenEuler => {
                numbered(ecosystem, &suffix).unwrap_or(suffix)
            }
            _ => suffix,
        }))
    }

    /// What the qualifier `distro` of a package URL says, such as `debian-12`, `alpine-3.19.1` or `bookworm`; none if
    /// that tells no release.
    pub(crate) fn of_distro(ecosystem: Ecosystem, distro: &str) -> Option<Self> {
        if !ecosystem.has_releases() {
            return None;
        }
        let distro = distro.trim().to_ascii_lowercase();
        if let Some(release) = numbered(ecosystem, &distro) {
            return Some(Self(release));
        }
        let name = distro.rsplit('-').next().unwrap_or_default();
        let mut named =
            CODENAMES.iter().filter(|(of, codename, _)| *of == ecosystem && *codename == name);
        named.next().map(|(_, _, release)| Self((*release).to_owned()))
    }
}

fn major(release: &str) -> &str {
    release.split('.').next().unwrap_or(release)
}

/// The first word that is a number, with the service pack after it; and the one release of openSUSE that has none.
fn numbered(ecosystem: Ecosystem, text: &str) -> Option<String> {
    if ecosystem == Ecosystem::OpenSuse && text.contains("tumbleweed") {
        return Some("tumbleweed".to_owned());
    }
    let mut words = text.split(|it: char| it == '-' || it == ':' || it.is_whitespace());
    let is_number = |it: &&str| it.starts_with(|it: char| it.is_ascii_digit());
    let release = words.by_ref().map(|it| it.strip_prefix('v').unwrap_or(it)).find(is_number)?;
    if ecosystem != Ecosystem::Suse || release.contains('.') {
        return Some(release.to_owned());
    }
    let pack = words.find_map(|it| it.strip_prefix("sp")).unwrap_or("0");
    Some(format!("{release}.{pack}"))
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ecosystem::{Alpine, Debian, OpenSuse, RedHat, Rocky, Suse, Ubuntu, Wolfi};

    #[test]
    fn releases_of_records_cover_those_of_packages() {
        for (ecosystem, record, package, covers) in [
            (Debian, "12", "debian-12", true),
            (Debian, "12", "debian-12.5", true),
            (Debian, "12", "bookworm", true),
            (Debian, "12", "debian-bullseye", false),
            (Debian, "1", "debian-12", false),
            (Ubuntu, "22.04:LTS", "ubuntu-22.04", true),
            (Ubuntu, "Pro:18.04:LTS", "ubuntu-bionic", true),
            (Ubuntu, "Pro:FIPS-updates:18.04:LTS", "ubuntu-18.04", false),
            (Ubuntu, "23.10", "ubuntu-23.04", false),
            (Alpine, "v3.19", "alpine-3.19.1", true),
            (Alpine, "v3.19", "3.19.1", true),
            (Alpine, "v3.1", "alpine-3.19.1", false),
            (RedHat, "enterprise_linux:9::baseos", "rhel-9.2", true),
            (RedHat, "enterprise_linux:10.0", "redhat-10.1", true),
            (RedHat, "rhel_eus:9.2::appstream", "rhel-9.2", true),
            (RedHat, "rhel_eus:9.2::appstream", "rhel-9.4", false),
            (RedHat, "openshift:4.12::el9", "rhel-9.2", false),
            (Rocky, "9", "rocky-9.3", true),
            (Suse, "Linux Enterprise Server 15 SP5-LTSS", "sles-15.5", true),
            (Suse, "Linux Enterprise Server 15", "sles-15.5", false),
            (Suse, "Linux Enterprise Server 12 SP5", "sles-12-sp5", true),
            (OpenSuse, "Leap 15.5", "opensuse-leap-15.5", true),
            (OpenSuse, "Tumbleweed", "opensuse-tumbleweed-20240101", true),
        ] {
            let said = Release::of_osv(ecosystem, record).unwrap();
            let found = Release::of_distro(ecosystem, package).unwrap();
            assert_eq!(said.covers(&found), covers, "{ecosystem}: {record} {package}");
        }
    }

    #[test]
    fn what_tells_no_release_is_none() {
        assert_eq!(Release::of_distro(Debian, "debian-sid"), None);
        assert_eq!(Release::of_distro(Debian, "jammy"), None);
        assert_eq!(Release::of_distro(Wolfi, "wolfi-20230201"), None);
        assert_eq!(Release::of_osv(Debian, " "), None);
        assert_eq!(Release::of_osv(Ecosystem::PyPi, "https://pypi.org"), None);
    }
}
