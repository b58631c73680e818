//! Which files inside artifacts say what they are made of, told by their paths.

use documents::{lockfile, metadata::Kind};

/// What a file is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    /// It speaks for itself.
    Package(Kind),
    /// It lists what an operating system has installed; which system, other files say.
    System(Database),
    /// It says which operating system this is.
    OsRelease,
    /// A lockfile, or what says more about one.
    Lockfile,
    /// `Cargo.toml` at the top, of a packed crate or of a project.
    CrateManifest,
    /// `Cargo.toml` as its author wrote it: the folder is a packed crate.
    PackedCrate,
    /// `MANIFEST.MF` of a Java archive.
    JarManifest,
    /// `pom.properties` of a Java archive.
    PomProperties,
}

/// A database of installed packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Dpkg,
    /// One package of an image that was put together without dpkg.
    DpkgPart,
    Apk,
    RpmSqlite,
    RpmNdb,
    RpmBerkeley,
}

/// Folder of dpkg's files in images that were put together without it.
pub(crate) const DPKG_PARTS: &str = "var/lib/dpkg/status.d";

/// Folders of packages that are installed or copied: lockfiles in them are those of others.
const OTHERS: [&str; 7] = [
    "bower_components",
    "dist-packages",
    "gems",
    "node_modules",
    "registry",
    "site-packages",
    "vendor",
];

/// What the file at `path`, below the root of an archive or image, is good for.
pub(crate) fn interest(path: &str) -> Option<Interest> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some(database) = database(folder, name) {
        return Some(Interest::System(database));
    }
    let parent = folder.rsplit_once('/').map_or(folder, |(_, last)| last);
    let package = match name {
        "METADATA" if folder.ends_with(".dist-info") => Kind::PythonMetadata,
        "PKG-INFO" if is_python_folder(folder, parent) => Kind::PythonMetadata,
        "package.json" if is_npm_package(folder) => Kind::NpmManifest,
        "os-release" if matches!(folder, "etc" | "usr/lib") => return Some(Interest::OsRelease),
        "MANIFEST.MF" if folder == "META-INF" => return Some(Interest::JarManifest),
        "pom.properties" if folder.starts_with("META-INF/maven/") => {
            return Some(Interest::PomProperties);
        }
        "Cargo.toml.orig" if !folder.contains('/') => return Some(Interest::PackedCrate),
        "Cargo.toml" if !folder.contains('/') => return Some(Interest::CrateManifest),
        name if name.ends_with(".egg-info") => Kind::PythonMetadata,
        name if name.ends_with(".gemspec") && is_gem_folder(folder) => Kind::GemSpecification,
        _ if lockfile::is_known(name) || lockfile::is_companion(name) => {
            let is_own = !folder.split('/').any(|folder| OTHERS.contains(&folder));
            return is_own.then_some(Interest::Lockfile);
        }
        _ => return None,
    };
    Some(Interest::Package(package))
}

fn database(folder: &str, name: &str) -> Option<Database> {
    Some(match (folder, name) {
        ("var/lib/dpkg", "status") => Database::Dpkg,
        (DPKG_PARTS, name) if !name.ends_with(".md5sums") => Database::DpkgPart,
        ("lib/apk/db" | "usr/lib/apk/db", "installed") => Database::Apk,
        ("var/lib/rpm" | "usr/lib/sysimage/rpm" | "usr/share/rpm", name) => match name {
            "rpmdb.sqlite" => Database::RpmSqlite,
            "Packages.db" => Database::RpmNdb,
            "Packages" => Database::RpmBerkeley,
            _ => return None,
        },
        _ => return None,
    })
}

/// Where installed Python packages have their metadata, and where a source distribution has its own.
fn is_python_folder(folder: &str, parent: &str) -> bool {
    let is_top = !folder.is_empty() && !folder.contains('/');
    parent.ends_with(".egg-info") || parent == "EGG-INFO" || is_top
}

/// The folder of a packed npm package, whatever its name, or one that npm installed; not one deeper
/// in a package.
fn is_npm_package(folder: &str) -> bool {
    let Some((before, name)) = folder.rsplit_once('/') else { return !folder.is_empty() };
    let before = match before.rsplit_once('/').unwrap_or(("", before)) {
        (before, scope) if scope.starts_with('@') => before,
        _ => before,
    };
    let is_in_modules = before == "node_modules" || before.ends_with("/node_modules");
    is_in_modules && !name.starts_with(['.', '@'])
}

fn is_gem_folder(folder: &str) -> bool {
    let folder = folder.strip_suffix("/default").unwrap_or(folder);
    folder == "specifications" || folder.ends_with("/specifications")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_where_they_lie() {
        let python = Some(Interest::Package(Kind::PythonMetadata));
        let npm = Some(Interest::Package(Kind::NpmManifest));
        let gem = Some(Interest::Package(Kind::GemSpecification));
        for (path, expected) in [
            ("app-1.0.dist-info/METADATA", python),
            ("usr/lib/python3/dist-packages/six.egg-info", python),
            ("usr/lib/python3/dist-packages/x-1.egg-info/PKG-INFO", python),
            ("app-1.0/PKG-INFO", python),
            ("app-1.0/src/PKG-INFO", None),
            ("METADATA", None),
            ("package/package.json", npm),
            ("node_modules/left-pad/package.json", npm),
            ("srv/app/node_modules/@types/node/package.json", npm),
            ("srv/node_modules/a/node_modules/b/package.json", npm),
            ("srv/node_modules/a/test/package.json", None),
            ("srv/node_modules/@types/package.json", None),
            ("usr/lib/ruby/gems/3.1.0/specifications/rake-13.gemspec", gem),
            ("usr/lib/ruby/gems/3.1.0/specifications/default/json-2.gemspec", gem),
            ("usr/lib/ruby/gems/3.1.0/gems/rake-13/rake.gemspec", None),
            ("var/lib/dpkg/status", Some(Interest::System(Database::Dpkg))),
            ("var/lib/dpkg/status.d/base", Some(Interest::System(Database::DpkgPart))),
            ("var/lib/dpkg/status.d/base.md5sums", None),
            ("srv/var/lib/dpkg/status", None),
            ("srv/app/Cargo.lock", Some(Interest::Lockfile)),
            ("usr/lib/python3/site-packages/x/Cargo.lock", None),
        ] {
            assert_eq!(interest(path), expected, "{path}");
        }
    }
}
