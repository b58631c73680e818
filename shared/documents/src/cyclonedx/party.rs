//! People and organisations: who wrote an SBOM, who made a package, and who hands it out.

use crate::inventory::{Package, Source};

/// Someone who answers for an SBOM or supplies what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Party<'a> {
    /// Name of the organisation or person.
    pub name: &'a str,
    /// Home page.
    pub url: Option<&'a str>,
    /// Address to write to; left out of the SBOM if it is none.
    pub email: Option<&'a str>,
}

/// Registries by host: their names and home pages.
const REGISTRIES: [(&str, &str, &str); 21] = [
    ("pypi.org", "Python Package Index", "https://pypi.org"),
    ("pypi.python.org", "Python Package Index", "https://pypi.org"),
    ("files.pythonhosted.org", "Python Package Index", "https://pypi.org"),
    ("crates.io", "crates.io", "https://crates.io"),
    ("index.crates.io", "crates.io", "https://crates.io"),
    ("static.crates.io", "crates.io", "https://crates.io"),
    ("registry.npmjs.org", "npm", "https://www.npmjs.com"),
    ("registry.yarnpkg.com", "npm", "https://www.npmjs.com"),
    ("proxy.golang.org", "Go module mirror", "https://proxy.golang.org"),
    ("repo.maven.apache.org", "Maven Central", "https://central.sonatype.com"),
    ("repo1.maven.org", "Maven Central", "https://central.sonatype.com"),
    ("dl.google.com", "Google Maven repository", "https://maven.google.com"),
    ("maven.google.com", "Google Maven repository", "https://maven.google.com"),
    ("plugins.gradle.org", "Gradle Plugin Portal", "https://plugins.gradle.org"),
    ("api.nuget.org", "NuGet Gallery", "https://www.nuget.org"),
    ("www.nuget.org", "NuGet Gallery", "https://www.nuget.org"),
    ("packagist.org", "Packagist", "https://packagist.org"),
    ("repo.packagist.org", "Packagist", "https://packagist.org"),
    ("rubygems.org", "RubyGems.org", "https://rubygems.org"),
    ("pub.dev", "pub.dev", "https://pub.dev"),
    ("hex.pm", "Hex", "https://hex.pm"),
];
const CRATES_IO_INDEX: &str = "https://github.com/rust-lang/crates.io-index";

/// Types of packages that their maker hands out: a distribution's own.
const OF_DISTRIBUTIONS: [&str; 3] = ["pkg:deb/", "pkg:apk/", "pkg:rpm/"];

/// Whether the package comes from whom its file names as its maker.
pub(super) fn is_of_distribution(package: &Package) -> bool {
    OF_DISTRIBUTIONS.iter().any(|kind| package.purl.starts_with(kind))
}

/// Where the build gets the package from: a registry, or the host of a repository or archive.
///
/// CycloneDX: "The supplier may often be the manufacturer, but may also be a distributor."
pub(super) fn distributor(source: &Source) -> Option<Party<'_>> {
    let url = match source {
        Source::Registry { url } | Source::Git { url, .. } | Source::Archive { url } => url,
        Source::Local { .. } => return None,
    };
    let host = match url.strip_prefix(CRATES_IO_INDEX) {
        Some(_) => "crates.io",
        None => host(url)?,
    };
    let known = REGISTRIES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(host));
    let (name, url) = known.map_or((host, None), |&(_, name, url)| (name, Some(url)));
    Some(Party { name, url, email: None })
}

fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    let is_plain = host.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-'));
    (is_plain && !host.is_empty() && host.len() <= 253).then_some(host)
}

impl<'a> Party<'a> {
    /// `Name <name@host.example>`, or anything else as a name.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let split = text.strip_suffix('>').and_then(|it| it.split_once('<'));
        let split = split.map(|(name, email)| (name.trim(), email));
        let (name, email) = match split {
            Some((name, email)) if !name.is_empty() && is_email(email) => (name, Some(email)),
            _ => (text, None),
        };
        (!name.is_empty()).then_some(Self { name, url: None, email })
    }
}

/// Whether `text` is a plain address: letters and digits at a host of several names.
///
/// Narrower than RFC 5322 and what the schema's `idn-email` allows.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let is_atom = |part: &str| {
        let plain = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&it);
        !part.is_empty() && part.bytes().all(plain)
    };
    let is_label = |part: &str| {
        let plain = |it: u8| it.is_ascii_alphanumeric() || it == b'-';
        let ends = part.starts_with('-') || part.ends_with('-');
        (1..=63).contains(&part.len()) && !ends && part.bytes().all(plain)
    };
    let is_short = local.len() <= 64 && host.len() <= 253;
    is_short && host.contains('.') && local.split('.').all(is_atom) && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::{Party, distributor, is_email};
    use crate::inventory::Source;

    #[test]
    fn a_registry_is_known_by_its_host_and_others_by_their_host_alone() {
        for (url, name) in [
            ("https://pypi.org/simple", Some("Python Package Index")),
            ("https://registry.npmjs.org/a/-/a-1.tgz", Some("npm")),
            ("https://github.com/rust-lang/crates.io-index", Some("crates.io")),
            ("https://pypi.example:8443/simple", Some("pypi.example")),
            ("../wheels", None),
            ("https:///simple", None),
            ("https://ö.example/", None),
        ] {
            let source = Source::Registry { url: url.to_owned() };
            assert_eq!(distributor(&source).map(|it| it.name), name, "{url}");
        }
        assert_eq!(distributor(&Source::Local { path: None }), None);
    }

    #[test]
    fn an_address_is_split_off_only_if_it_is_one() {
        for (text, expected) in [
            ("Ann Other <ann@host.example>", Some(("Ann Other", Some("ann@host.example")))),
            ("Ann <not an address>", Some(("Ann <not an address>", None))),
            ("<ann@host.example>", Some(("<ann@host.example>", None))),
            ("A <a@h.example>, B <b@h.example>", Some(("A <a@h.example>, B <b@h.example>", None))),
            ("Canonical Ltd.", Some(("Canonical Ltd.", None))),
            ("  ", None),
        ] {
            assert_eq!(Party::read(text).map(|it| (it.name, it.email)), expected, "{text}");
        }
        for text in ["a@b", "a..b@c.example", "a@-c.example", "a@c..example", "a b@c.example"] {
            assert!(!is_email(text), "{text}");
        }
    }
}
