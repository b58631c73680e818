//! `META-INF/MANIFEST.MF` and the name of a jar, where no `pom.properties` names its coordinates
//! (JAR file specification, OSGi core).
//!
//! Neither names a Maven group for sure, so the package URL is of type `generic`.

use super::error::Fault;
use super::fields::MAX_FIELDS;
use super::words;
use crate::inventory::{Package, Source};
use crate::lockfile::{Problem, text};

/// Attributes of a manifest that name the library or its version, the surest first.
const NAMES: [&str; 3] = ["Implementation-Title", "Bundle-SymbolicName", "Automatic-Module-Name"];
const VERSIONS: [&str; 2] = ["Implementation-Version", "Bundle-Version"];
const VENDORS: [&str; 2] = ["Implementation-Vendor", "Bundle-Vendor"];

/// `path` is that of the manifest, as in `app.war!/WEB-INF/lib/a-1.0.jar!/META-INF/MANIFEST.MF`.
pub(super) fn read(manifest: &str, path: &str) -> Result<Package, Fault> {
    let attributes = main_attributes(manifest)?;
    let value = |names: &'static [&str]| {
        let values = names.iter().flat_map(|name| {
            attributes.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name))
        });
        values.filter_map(|(_, value)| words::remark(value))
    };
    let (file_name, file_version) = parts_of(jar_name(path));
    let word = |value: String| {
        // Directives follow a semicolon, and what a build tool should have filled in has braces.
        let value = value.split(';').next().unwrap_or_default().trim().to_owned();
        (text::word("name", &value).is_ok() && !value.contains("${")).then_some(value)
    };
    let name = value(&NAMES).find_map(word).unwrap_or_else(|| file_name.to_owned());
    let version = value(&VERSIONS).find_map(word);
    let version = version.as_deref().or(file_version);
    text::word("name", &name)?;
    let purl = words::purl("generic", None, &name, version, &[])?;
    let package = Package::new(name, version, purl, Source::Local { path: None })?;
    Ok(Package { supplier: value(&VENDORS).next(), ..package })
}

/// The attributes before the first empty line. A line that begins with a space continues the last.
fn main_attributes(manifest: &str) -> Result<Vec<(&str, String)>, Fault> {
    let mut attributes: Vec<(&str, String)> = Vec::new();
    for (at, line) in manifest.lines().enumerate().take_while(|(_, line)| !line.is_empty()) {
        match (line.strip_prefix(' '), attributes.last_mut(), line.split_once(':')) {
            (Some(rest), Some((_, value)), _) => value.push_str(rest),
            _ if at >= MAX_FIELDS => {
                let problem = Problem::TooManyValues { limit: MAX_FIELDS };
                return Err(Fault::from(problem).on(at + 1));
            }
            (None, _, Some((name, value))) => {
                attributes.push((name, value.trim_start().to_owned()));
            }
            _ => return Err(Fault::syntax(at + 1, "a line that is no `Name: value`")),
        }
    }
    Ok(attributes)
}

/// The jar that the manifest is in: the last but one part of a path through containers.
fn jar_name(path: &str) -> &str {
    let jar = path.rsplit_once("!/").map_or(path, |(jar, _)| jar);
    jar.rsplit(['/', '\\']).next().unwrap_or(jar)
}

/// Name and version of `name-1.2.3.jar`: the version begins at the first digit after a hyphen.
fn parts_of(jar: &str) -> (&str, Option<&str>) {
    let stem = jar.rsplit_once('.').map_or(jar, |(stem, _)| stem);
    let starts = stem.match_indices('-').map(|(at, _)| at);
    let mut starts = starts.filter(|&at| stem[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    match starts.next() {
        Some(at) if at > 0 => (&stem[..at], Some(&stem[at + 1..])),
        _ => (stem, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_jars_end_where_their_version_begins() {
        for (path, name, version) in [
            ("commons-io-2.11.0.jar!/META-INF/MANIFEST.MF", "commons-io", Some("2.11.0")),
            ("a.war!/lib/log4j-1.2-api-2.17.jar!/META-INF/M", "log4j", Some("1.2-api-2.17")),
            ("x/app.jar!/META-INF/MANIFEST.MF", "app", None),
            ("-1.jar", "-1", None),
            ("", "", None),
        ] {
            assert_eq!(parts_of(jar_name(path)), (name, version), "{path}");
        }
    }
}
