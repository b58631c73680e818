//! npm packages, whoever locks them: names, sources, digests, conditions.

use memchr::memmem;

use super::integrity;
use crate::inventory::Source;
use crate::lockfile::borrowed::Texts;
use crate::lockfile::error::Problem;
use crate::lockfile::source::without_credentials;
use crate::lockfile::{Distribution, Package, Scope, text};

const REGISTRY: &str = "https://registry.npmjs.org";

/// A package with nothing but its identity.
pub(in crate::lockfile) fn package(
    name: &str,
    version: Option<&str>,
    source: Source,
) -> Result<Package, Problem> {
    text::word("name", name)?;
    let purl = source.purl("npm", name, version, is_npm)?;
    Package::new(name.to_owned(), version, purl, source)
}

/// Yarn's address is the same registry, and so is one without TLS.
fn is_npm(registry: &str) -> bool {
    let host = registry.split_once("://").map_or(registry, |(_, host)| host);
    matches!(host.trim_end_matches('/'), "registry.npmjs.org" | "registry.yarnpkg.com")
}

/// Where the package `name` comes from, if its archive, repository or folder is `resolved`.
pub(in crate::lockfile) fn source_of(
    name: &str,
    resolved: Option<&str>,
) -> Result<Source, Problem> {
    let Some(resolved) = resolved else {
        return Ok(Source::Registry { url: REGISTRY.to_owned() });
    };
    text::location("resolved", resolved)?;
    if let Some(path) = resolved.strip_prefix("file:") {
        return Ok(Source::Local { path: Some(path.to_owned()) });
    }
    if let Some(git) = git_source(resolved) {
        return Ok(git);
    }
    // Registries keep archives at `NAME/-/FILE`.
    let url = without_credentials(resolved);
    let url = url.split('#').next().unwrap_or(&url);
    if !url.contains("://") {
        // A file of an offline mirror, which has what the registry has.
        return Ok(Source::Registry { url: REGISTRY.to_owned() });
    }
    let of_package = memmem::find_iter(url.as_bytes(), "/-/").map(|at| &url[..at]);
    let mut registries =
        of_package.clone().filter_map(|it| it.strip_suffix(name)?.strip_suffix('/'));
    let registry = registries.next().or_else(|| {
        let escaped = of_package.take(1).find(|it| it.contains("%2"));
        escaped?.rsplit_once('/').map(|(registry, _)| registry)
    });
    Ok(match registry.map(str::to_owned) {
        Some(url) => Source::Registry { url },
        None => Source::Archive { url: url.to_owned() },
    })
}

/// A repository, as npm, pnpm and Yarn write it.
fn git_source(resolved: &str) -> Option<Source> {
    let archive = resolved.strip_prefix("https://codeload.github.com/");
    if let Some((repository, commit)) = archive.and_then(|rest| rest.split_once("/tar.gz/")) {
        let url = format!("https://github.com/{repository}");
        let commit = commit.split(['#', '?']).next().map(str::to_owned);
        return Some(Source::Git { url, commit });
    }
    let reference = resolved.strip_prefix("git+").unwrap_or(resolved);
    let scheme = reference.split([':', '@']).next().unwrap_or_default();
    let repository = reference.split('#').next().unwrap_or(reference);
    let is_git = reference.len() < resolved.len()
        || matches!(scheme, "git" | "ssh" | "github" | "gitlab" | "bitbucket")
        || repository.ends_with(".git");
    let Source::Git { url, commit } = is_git.then(|| Source::git(reference))? else { return None };
    // Yarn 2 and later name the commit among other things.
    let commit = commit.map(|commit| {
        let named = commit.split('&').find_map(|part| part.strip_prefix("commit="));
        named.unwrap_or(&commit).to_owned()
    });
    Some(Source::Git { url, commit })
}

/// The archive of a package, and its strongest digest.
pub(in crate::lockfile) fn distributions_of(
    source: &Source,
    resolved: Option<&str>,
    integrity: Option<&str>,
) -> Result<Vec<Distribution>, Problem> {
    let is_file = |resolved: &&str| {
        !matches!(source, Source::Git { .. }) || resolved.starts_with("https://codeload.")
    };
    let location = resolved.filter(is_file).map(without_credentials);
    let hash = integrity.map(integrity::strongest).transpose()?.flatten();
    let known = location.is_some() || hash.is_some();
    Ok(known.then_some(Distribution { location, hash }).into_iter().collect())
}

/// When a package is installed: on one of these systems, and one of these processors, and with one
/// of these C libraries; `!win32` is any but this.
pub(in crate::lockfile) fn conditions(
    os: &Texts<'_>,
    cpu: &Texts<'_>,
    libc: &Texts<'_>,
) -> Result<Vec<String>, Problem> {
    let mut parts = Vec::new();
    for (key, values) in [("os", os), ("cpu", cpu), ("libc", libc)] {
        for value in &values.0 {
            text::word(key, value)?;
        }
        let mut values: Vec<&str> =
            values.0.iter().map(|it| &**it).filter(|it| *it != "any").collect();
        values.sort_unstable();
        if !values.is_empty() {
            parts.push(format!("{key}: {}", values.join(", ")));
        }
    }
    Ok(if parts.is_empty() { Vec::new() } else { vec![parts.join("; ")] })
}

/// A licence or an author as written, if it is one line of sane length.
pub(in crate::lockfile) fn one_line(texts: &Texts<'_>) -> Option<String> {
    let line = texts.only()?.trim();
    let sane = line.len() <= crate::lockfile::MAX_WORD_BYTES && !line.contains(char::is_control);
    (sane && !line.is_empty()).then(|| line.to_owned())
}

/// `packages`, with the names of the groups that ask for some of them.
pub(in crate::lockfile) fn with_groups(
    mut packages: Vec<Package>,
    groups: &[(usize, &'static str)],
) -> Vec<Package> {
    let mut groups: Vec<_> = groups.iter().filter(|(at, _)| !packages[*at].root).collect();
    groups.sort_unstable();
    groups.dedup();
    for (at, group) in groups {
        packages[*at].groups.push((*group).to_owned());
    }
    packages
}

/// `packages`, each with the strongest of its scopes; one without any keeps what it has.
pub(in crate::lockfile) fn with_scopes(
    mut packages: Vec<Package>,
    scopes: impl Iterator<Item = (usize, Scope)>,
) -> Vec<Package> {
    let mut known = vec![false; packages.len()];
    for (at, scope) in scopes {
        let first = !std::mem::replace(&mut known[at], true);
        let package = &mut packages[at];
        package.scope = if first { scope } else { package.scope.min(scope) };
    }
    packages
}
