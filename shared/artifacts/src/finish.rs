//! What only makes sense once all files of an archive or image are known.

use documents::{
    inventory::{Inventory, Missing},
    lockfile,
    metadata::{self, Context, Kind, OsRelease},
};

use crate::{
    budget::Held,
    contents::{Contents, Found, Outcome},
    interest::{DPKG_PARTS, Database, Interest},
    rpm,
};

/// What the files together say.
pub(crate) fn all(contents: Contents<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let (packed_crates, system) = (packed_crates(&contents), os_release(&contents, &mut outcome));
    let context = Context { system: system.as_ref() };
    let mut lockfiles = Vec::new();
    let mut dpkg_parts = Vec::new();
    let Contents { place, found, missing, .. } = contents;
    for (path, Found { outcome: own, later }) in found {
        let name = format!("{place}!/{path}");
        outcome.append(own);
        match later {
            Some((Interest::System(Database::DpkgPart), bytes)) => dpkg_parts.push(bytes),
            Some((Interest::System(database), bytes)) => {
                outcome.append(installed(database, &name, &bytes, &context));
            }
            Some((Interest::Lockfile | Interest::CrateManifest, bytes)) => {
                if packed_crates.contains(&path) {
                    outcome
                        .add(&name, metadata::read(Kind::CrateManifest, &name, &bytes, &context));
                }
                lockfiles.push((name, bytes));
            }
            _ => {}
        }
    }
    if !dpkg_parts.is_empty() {
        let name = format!("{place}!/{DPKG_PARTS}");
        let read = metadata::read_parts(Kind::DpkgStatus, &name, &dpkg_parts, &context);
        outcome.add(&name, read);
    }
    outcome.append(locked(&lockfiles));
    outcome.missing.extend(missing);
    outcome
}

/// What the files of a zip archive say, which may be one of Java.
pub(crate) fn java(contents: Contents<'_>) -> Outcome {
    let place = contents.place.clone();
    let mut poms = Outcome::default();
    let mut manifest = None;
    for (path, found) in &contents.found {
        let name = format!("{place}!/{path}");
        match &found.later {
            Some((Interest::PomProperties, bytes)) => {
                poms.add(
                    &name,
                    metadata::read(Kind::PomProperties, &name, bytes, &Context::default()),
                );
            }
            Some((Interest::JarManifest, bytes)) => manifest = Some((name, bytes)),
            _ => {}
        }
    }
    let mut outcome = Outcome::default();
    let has_own = poms.inventories.len() == 1
        || poms.inventories.iter().flat_map(|it| &it.packages).any(|it| is_named(&place, &it.name));
    match manifest {
        Some((name, bytes)) if !has_own => {
            outcome
                .add(&name, metadata::read(Kind::JarManifest, &name, bytes, &Context::default()));
        }
        None if !has_own && is_java(&place) => {
            let name = format!("{place}!/META-INF/MANIFEST.MF");
            outcome.add(&name, metadata::read(Kind::JarManifest, &name, &[], &Context::default()));
        }
        _ => {}
    }
    outcome.append(poms);
    outcome.append(all(contents));
    outcome
}

/// Whether the archive's file is named after the Maven artifact `name`.
fn is_named(place: &str, name: &str) -> bool {
    let file = place.rsplit('/').next().unwrap_or(place);
    let artifact = name.rsplit([':', '/']).next().unwrap_or(name);
    file.strip_prefix(artifact).is_some_and(|rest| rest.starts_with(['-', '.', '_']))
}

fn is_java(place: &str) -> bool {
    [".jar", ".war", ".ear"].iter().any(|end| place.ends_with(end))
}

fn os_release(contents: &Contents<'_>, outcome: &mut Outcome) -> Option<OsRelease> {
    // `etc/os-release` is a link to the other where it is not a file of its own (os-release(5)).
    for path in ["etc/os-release", "usr/lib/os-release"] {
        let Some(Found { later: Some((_, bytes)), .. }) = contents.found.get(path) else {
            continue;
        };
        let name = format!("{}!/{path}", contents.place);
        match OsRelease::read(&name, bytes) {
            Ok(system) => return Some(system),
            Err(error) => outcome.append(Outcome::missing(&name, error.problem)),
        }
    }
    None
}

/// The manifests of packed crates: those beside which cargo left what the author wrote.
fn packed_crates(contents: &Contents<'_>) -> Vec<String> {
    let is_mark = |found: &Found| matches!(found.later, Some((Interest::PackedCrate, _)));
    let marks = contents.found.iter().filter(|(_, found)| is_mark(found));
    marks.filter_map(|(path, _)| path.strip_suffix(".orig").map(str::to_owned)).collect()
}

fn installed(database: Database, name: &str, bytes: &Held, context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let headers = match database {
        Database::Dpkg | Database::DpkgPart => {
            outcome.add(name, metadata::read(Kind::DpkgStatus, name, bytes, context));
            return outcome;
        }
        Database::Apk => {
            outcome.add(name, metadata::read(Kind::ApkInstalled, name, bytes, context));
            return outcome;
        }
        Database::RpmSqlite => rpm::sqlite_headers(bytes),
        Database::RpmNdb => rpm::ndb_headers(bytes),
        Database::RpmBerkeley => {
            Err("is an rpm database of the old kind (Berkeley DB), which is not \
            read; list its packages by other means"
                .to_owned())
        }
    };
    match headers {
        Ok(headers) => {
            outcome.add(name, metadata::read_parts(Kind::RpmHeaders, name, headers, context));
        }
        Err(reason) => outcome.append(Outcome::missing(name, reason)),
    }
    outcome
}

fn locked(files: &[(String, Held)]) -> Outcome {
    let files: Vec<lockfile::File<'_>> =
        files.iter().map(|(path, bytes)| lockfile::File { path, bytes }).collect();
    let (inventories, errors) = lockfile::parse_all(&files);
    let missing = errors.into_iter().map(|error| Missing {
        line: error.position.map(|position| position.line),
        reason: error.problem.to_string(),
        path: error.path,
    });
    Outcome { inventories, missing: missing.collect() }
}

/// Marks the one package that the artifact itself is, where its own metadata says so.
pub(crate) fn mark_root(inventories: &mut [Inventory], artifact: &str) {
    let is_own = |inventory: &&mut Inventory| {
        let Some(path) = inventory.path.strip_prefix(artifact) else { return false };
        let parts: Vec<&str> = path.trim_start_matches("!/").split('/').collect();
        match parts[..] {
            [folder, "METADATA"] => folder.ends_with(".dist-info"),
            [_, "PKG-INFO" | "Cargo.toml" | "package.json"] => true,
            ["META-INF", "MANIFEST.MF"] => true,
            ["META-INF", "maven", .., "pom.properties"] => {
                inventory.packages.iter().any(|it| is_named(artifact, &it.name))
            }
            _ => false,
        }
    };
    let mut own: Vec<&mut Inventory> = inventories.iter_mut().filter(is_own).collect();
    if let [own] = &mut own[..]
        && let [package] = &mut own.packages[..]
    {
        package.root = true;
    }
}
