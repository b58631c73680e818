//! Headers of installed packages, as the rpm database stores them.

mod header;

use super::error::Fault;
use super::installed::Installed;
use super::{Context, OsRelease, words};
use crate::inventory::{Package, Source};
use crate::lockfile::catalog::Contents;
use crate::lockfile::text;
use header::Header;

/// Public keys of distributions, which rpm keeps among the packages.
const KEY: &str = "gpg-pubkey";

/// What rpm itself provides; no package does.
const RPM_FEATURE: &str = "rpmlib(";

/// Vendor in package URLs, and the `distro` qualifier.
type Vendor<'a> = (&'a str, Option<&'a str>);

pub(super) fn read<T: AsRef<[u8]>>(
    parts: impl IntoIterator<Item = T>,
    context: &Context<'_>,
) -> Result<Contents, Fault> {
    let distro = context.system.map(OsRelease::distro);
    let vendor = match context.system.map_or("fedora", |system| &system.id) {
        "rhel" => "redhat",
        suse if suse.starts_with("opensuse") => "opensuse",
        other => other,
    };
    let mut installed = Installed::default();
    for part in parts {
        add(&mut installed, &Header::read(part.as_ref())?, (vendor, distro.as_deref()))?;
    }
    Ok(installed.into_contents()?)
}

fn add(
    installed: &mut Installed,
    header: &Header<'_>,
    (vendor, distro): Vendor<'_>,
) -> Result<(), Fault> {
    let required = |tag, field| header.text(tag)?.ok_or_else(|| Fault::missing("a header", field));
    let name = required(header::NAME, "Name")?;
    if name == KEY {
        return Ok(());
    }
    text::word("Name", &name)?;
    let (version, release) =
        (required(header::VERSION, "Version")?, required(header::RELEASE, "Release")?);
    let version = format!("{version}-{release}");
    let epoch = header.number(header::EPOCH)?.filter(|&epoch| epoch > 0);
    let epoch = epoch.map(|epoch| epoch.to_string());
    let architecture = header.text(header::ARCH)?;
    // The source of a package of the same name and version needs no mention.
    let source = header.text(header::SOURCERPM)?;
    let source = source.filter(|source| *source != format!("{name}-{version}.src.rpm"));
    for word in [&architecture, &source].into_iter().flatten() {
        text::word("Arch", word)?;
    }
    let qualifiers = [
        ("arch", architecture.as_deref()),
        ("distro", distro),
        ("epoch", epoch.as_deref()),
        ("upstream", source.as_deref()),
    ];
    let purl = words::purl("rpm", Some(vendor), &name, Some(&version), &qualifiers)?;
    let version = epoch.map_or_else(|| version.clone(), |epoch| format!("{epoch}:{version}"));
    let registry = Source::Registry { url: vendor.to_owned() };
    let remark = |tag| Ok::<_, Fault>(header.text(tag)?.as_deref().and_then(words::remark));
    let package = Package {
        licence: remark(header::LICENSE)?,
        supplier: remark(header::VENDOR)?,
        ..Package::new(name.to_string(), Some(&version), purl, registry)?
    };
    let (provides, files) = (header.texts(header::PROVIDENAME)?, header.programs()?);
    let requires = header.texts(header::REQUIRENAME)?;
    let provided = [name.as_ref()].into_iter();
    let provided = provided.chain(provides.iter().chain(&files).map(AsRef::as_ref));
    let requires =
        requires.iter().map(AsRef::as_ref).filter(|it: &&str| !it.starts_with(RPM_FEATURE));
    Ok(installed.add(package, None, provided, requires)?)
}
