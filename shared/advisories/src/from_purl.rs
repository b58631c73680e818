//! What a package URL is looked up by.

use purl::Purl;

use crate::{Ecosystem, NotMatchable, Package, Release};

impl Package {
    /// The package that a package URL names. Of a distribution's packages that is mostly the source package, by the
    /// qualifier `upstream`, and the release, by `distro`; of repositories the tag or the commit, by the version or by
    /// `vcs_url`.
    ///
    /// # Errors
    /// Not a package URL, packages of a type or a distribution that cannot be matched, or no version.
    pub fn from_purl(purl: &str) -> Result<Self, NotMatchable> {
        let shown = || shortened(purl);
        let purl = Purl::canonicalize(purl.trim()).map_err(|_| NotMatchable::NotAPurl(shown()))?;
        let package = match purl.kind() {
            "deb" | "apk" | "rpm" => of_distribution(&purl)?,
            kind => match Ecosystem::from_purl_type(kind) {
                Some(Ecosystem::Git) => of_repository(&purl),
                Some(ecosystem) => purl
                    .version()
                    .map(|version| Self::new(ecosystem, &name(ecosystem, &purl), version)),
                None if purl.qualifiers().contains_key("vcs_url") => of_address(&purl),
                None => return Err(NotMatchable::Type(shortened(kind))),
            },
        };
        package.ok_or_else(|| NotMatchable::NoVersion(shown()))
    }
}

/// The name as records of the ecosystem write it.
fn name(ecosystem: Ecosystem, purl: &Purl) -> String {
    match (ecosystem, purl.namespace()) {
        (Ecosystem::Maven, Some(group)) => format!("{group}:{}", purl.name()),
        (
            Ecosystem::Npm
            | Ecosystem::Go
            | Ecosystem::Packagist
            | Ecosystem::SwiftUrl
            | Ecosystem::GitHubActions,
            Some(namespace),
        ) => format!("{namespace}/{}", purl.name()),
        _ => purl.name().to_owned(),
    }
}

/// A repository on a host that is the purl's type.
fn of_repository(purl: &Purl) -> Option<Package> {
    let host = match purl.kind() {
        "bitbucket" => "bitbucket.org",
        "gitlab" => "gitlab.com",
        _ => "github.com",
    };
    let name = format!("{host}/{}/{}", purl.namespace().unwrap_or_default(), purl.name());
    Some(Package::new(Ecosystem::Git, &name, purl.version()?))
}

/// A repository at an address, such as `git+https://example.org/x.git@COMMIT`.
fn of_address(purl: &Purl) -> Option<Package> {
    let address = purl.qualifiers().get("vcs_url")?;
    let path_at = address.rfind('/').unwrap_or_default();
    let (repository, commit) = match address[path_at..].split_once('@') {
        Some((name, commit)) => (&address[..path_at + name.len()], Some(commit)),
        None => (address.as_str(), None),
    };
    let at = commit.filter(|it| !it.is_empty()).or(purl.version())?;
    Some(Package::new(Ecosystem::Git, repository, at))
}

/// None if there is no version.
fn of_distribution(purl: &Purl) -> Result<Option<Package>, NotMatchable> {
    let qualifier = |key: &str| purl.qualifiers().get(key).map(String::as_str);
    let distro = qualifier("distro").unwrap_or_default();
    let vendor = match purl.namespace() {
        Some(vendor) => vendor.to_owned(),
        None => distro.split('-').next().unwrap_or_default().to_ascii_lowercase(),
    };
    let kind = purl.kind();
    let not_matched = || NotMatchable::Type(shortened(&format!("{kind}/{vendor}")));
    let ecosystem = Ecosystem::of_distribution(kind, &vendor).ok_or_else(not_matched)?;
    let Some(version) = purl.version() else { return Ok(None) };
    let upstream = qualifier("upstream").filter(|_| ecosystem.names_sources());
    let (name, version) = match (kind, upstream) {
        (_, None) => (purl.name(), version),
        ("rpm", Some(file)) => (name_of_source_rpm(file), version),
        (_, Some(source)) => source.split_once('@').unwrap_or((source, version)),
    };
    let epoch =
        qualifier("epoch").filter(|epoch| kind == "rpm" && !version.contains(':') && *epoch != "0");
    let version = match epoch {
        Some(epoch) => format!("{epoch}:{version}"),
        None => version.to_owned(),
    };
    Ok(Some(Package {
        release: Release::of_distro(ecosystem, distro),
        source_guessed: ecosystem.names_sources() && upstream.is_none(),
        ..Package::new(ecosystem, name, &version)
    }))
}

/// `bind-9.16.23-1.el9.src.rpm` is a file of `bind`.
fn name_of_source_rpm(file: &str) -> &str {
    match file.strip_suffix(".rpm") {
        Some(file) => file.rsplitn(3, '-').nth(2).unwrap_or(file),
        None => file,
    }
}

/// Enough of other people's text to recognise it.
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(purl: &str) -> (Ecosystem, String, String) {
        let package = Package::from_purl(purl).expect(purl);
        (package.ecosystem, package.name, package.version)
    }

    #[test]
    fn purls_name_packages_as_records_do() {
        for (purl, ecosystem, name, version) in [
            ("pkg:pypi/Ruamel.YAML@0.18", Ecosystem::PyPi, "ruamel-yaml", "0.18"),
            ("pkg:pypi/a@1%2Bcpu?file_name=a.whl#b", Ecosystem::PyPi, "a", "1+cpu"),
            ("PKG://cargo/serde_json@1.0.0", Ecosystem::CratesIo, "serde_json", "1.0.0"),
            ("pkg:npm/%40babel/core@7.0.0", Ecosystem::Npm, "@babel/core", "7.0.0"),
            ("pkg:npm/@babel/core@7.0.0", Ecosystem::Npm, "@babel/core", "7.0.0"),
            (
                "pkg:golang/github.com/Masterminds/semver/v3@v3.2.0#x",
                Ecosystem::Go,
                "github.com/Masterminds/semver/v3",
                "v3.2.0",
            ),
            ("pkg:golang/stdlib@go1.21rc2", Ecosystem::Go, "stdlib", "1.21.0-rc.2"),
            ("pkg:golang/stdlib@v1.20.3", Ecosystem::Go, "stdlib", "1.20.3"),
            (
                "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar",
                Ecosystem::Maven,
                "org.apache.logging.log4j:log4j-core",
                "2.14.1",
            ),
            ("pkg:nuget/Newtonsoft.Json@12.0.1", Ecosystem::NuGet, "Newtonsoft.Json", "12.0.1"),
            ("pkg:gem/rails@7.0.4?platform=ruby", Ecosystem::RubyGems, "rails", "7.0.4"),
            (
                "pkg:composer/Symfony/Http-Kernel@v5.4.0",
                Ecosystem::Packagist,
                "symfony/http-kernel",
                "v5.4.0",
            ),
            ("pkg:pub/http@0.13.2", Ecosystem::Pub, "http", "0.13.2"),
            ("pkg:hex/Phoenix@1.6.0", Ecosystem::Hex, "phoenix", "1.6.0"),
            ("pkg:cran/commonmark@1.7", Ecosystem::Cran, "commonmark", "1.7"),
            ("pkg:hackage/aeson@1.5.6.0", Ecosystem::Hackage, "aeson", "1.5.6.0"),
            (
                "pkg:swift/github.com/apple/swift-nio@2.40.0",
                Ecosystem::SwiftUrl,
                "github.com/apple/swift-nio",
                "2.40.0",
            ),
            (
                "pkg:githubactions/tj-actions/changed-files@v45",
                Ecosystem::GitHubActions,
                "tj-actions/changed-files",
                "v45",
            ),
            ("pkg:github/Madler/zlib@v1.2.11", Ecosystem::Git, "github.com/madler/zlib", "v1.2.11"),
            (
                "pkg:generic/zlib@1.2.11?vcs_url=git%2Bhttps://github.com/madler/zlib.git%40cacf7f1d4e3d",
                Ecosystem::Git,
                "github.com/madler/zlib",
                "cacf7f1d4e3d",
            ),
        ] {
            assert_eq!(package(purl), (ecosystem, name.to_owned(), version.to_owned()), "{purl}");
        }
    }

    #[test]
    fn packages_of_distributions_are_sources_of_a_release() {
        for (purl, ecosystem, name, version, release, guessed) in [
            (
                "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl",
                Ecosystem::Debian,
                "openssl",
                "3.0.11-1~deb12u2",
                Some("12"),
                false,
            ),
            (
                "pkg:deb/ubuntu/libgcc-s1@12.3.0-1ubuntu1?distro=jammy&upstream=gcc-12%4012.3.0-1",
                Ecosystem::Ubuntu,
                "gcc-12",
                "12.3.0-1",
                Some("22.04"),
                false,
            ),
            ("pkg:deb/debian/curl@7.50.3-1", Ecosystem::Debian, "curl", "7.50.3-1", None, true),
            (
                "pkg:deb/curl@7.50.3-1?distro=debian-9",
                Ecosystem::Debian,
                "curl",
                "7.50.3-1",
                Some("9"),
                true,
            ),
            (
                "pkg:apk/alpine/libcrypto3@3.1.4-r1?distro=alpine-3.19.0&upstream=openssl",
                Ecosystem::Alpine,
                "openssl",
                "3.1.4-r1",
                Some("3.19.0"),
                false,
            ),
            ("pkg:apk/wolfi/curl@8.5.0-r0", Ecosystem::Wolfi, "curl", "8.5.0-r0", None, true),
            (
                "pkg:rpm/redhat/openssl-libs@3.0.7-24.el9?epoch=1&distro=rhel-9.3&upstream=openssl-3.0.7-24.el9.src.rpm",
                Ecosystem::RedHat,
                "openssl-libs",
                "1:3.0.7-24.el9",
                Some("9.3"),
                false,
            ),
            (
                "pkg:rpm/opensuse/libcurl4@8.0.1-1.1?distro=opensuse-leap-15.5&upstream=curl-mini-8.0.1-1.1.src.rpm",
                Ecosystem::OpenSuse,
                "curl-mini",
                "8.0.1-1.1",
                Some("15.5"),
                false,
            ),
        ] {
            let package = Package::from_purl(purl).expect(purl);
            let found = (package.ecosystem, package.name.as_str(), package.version.as_str());
            assert_eq!(found, (ecosystem, name, version), "{purl}");
            assert_eq!(package.release.as_ref().map(Release::as_str), release, "{purl}");
            assert_eq!(package.source_guessed, guessed, "{purl}");
        }
    }

    #[test]
    fn what_cannot_be_matched_says_why() {
        let not_a_purl = |text: &str| NotMatchable::NotAPurl(text.to_owned());
        for (purl, why) in [
            ("pkg:conan/zlib@1.2.11", NotMatchable::Type("conan".into())),
            ("pkg:deb/raspbian/curl@7.50.3", NotMatchable::Type("deb/raspbian".into())),
            ("pkg:rpm/x@1", NotMatchable::Type("rpm/".into())),
            ("pkg:apk/alpine/curl", NotMatchable::NoVersion("pkg:apk/alpine/curl".into())),
            ("pkg:pypi/django", NotMatchable::NoVersion("pkg:pypi/django".into())),
            ("pkg:npm/@babel/core", NotMatchable::NoVersion("pkg:npm/@babel/core".into())),
            ("pkg:pypi/django@", NotMatchable::NoVersion("pkg:pypi/django@".into())),
            ("pkg:pypi/%FF@1", not_a_purl("pkg:pypi/%FF@1")),
            ("pkg:pypi/a@%2", not_a_purl("pkg:pypi/a@%2")),
            ("pkg:pypi/", not_a_purl("pkg:pypi/")),
            ("pkg:pypi", not_a_purl("pkg:pypi")),
            ("django@4.2", not_a_purl("django@4.2")),
            ("", not_a_purl("")),
        ] {
            assert_eq!(Package::from_purl(purl), Err(why), "{purl}");
        }
    }
}
