//! `gradle.lockfile`: each module with the configurations that it is locked in.
//!
//! The file has no edges, and does not say what the project itself asks for.

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::{Beside, Ecosystem, Format, Package, Scope, text};
use crate::inventory::Source;

pub(super) const FORMAT: Format = Format {
    file_names: &["gradle.lockfile", "buildscript-gradle.lockfile", "settings-gradle.lockfile"],
    // One for each configuration, until Gradle 6.
    pattern: Some(("", "Classpath.lockfile")),
    is_lock: true,
    companions: &[],
    ecosystem: Ecosystem::Maven,
    relock: "run `gradle dependencies --write-locks` and commit the result",
    read,
};

const CENTRAL: &str = "https://repo.maven.apache.org/maven2";
/// Configurations of Gradle's own plugins that only check the project, and the one that holds its
/// plugins; nothing of them is in what is built.
const TOOLS: [&str; 7] =
    ["checkstyle", "classpath", "codenarc", "jacocoAgent", "jacocoAnt", "pmd", "pmdAux"];
/// Configurations without any module.
const EMPTY: &str = "empty";

fn read(text: &str, _: &Beside<'_>) -> Result<Contents, Fault> {
    if let Some(offset) = text::conflict_marker(text) {
        return Err(Problem::MergeConflict.at(offset));
    }
    let mut catalog = Catalog::default();
    let mut offset = 0;
    let mut is_lock = false;
    for (at, whole) in text.split_inclusive('\n').enumerate() {
        let line = whole.trim();
        if !line.is_empty() && !line.starts_with('#') {
            is_lock = true;
            let (module, configurations) = line.split_once('=').unwrap_or((line, ""));
            if module != EMPTY {
                package(module, configurations)
                    .and_then(|package| catalog.add(Package { line: Some(at + 1), ..package }))
                    .map_err(|problem| problem.at(offset))?;
            }
        }
        offset += whole.len();
    }
    if !is_lock {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: EMPTY };
        return Err(problem.anywhere());
    }
    Ok(Contents {
        packages: catalog.into_packages(),
        notes: Vec::new(),
        edges_known: false,
        direct_known: false,
        complete: true,
    })
}

fn package(module: &str, configurations: &str) -> Result<Package, Problem> {
    let parts: Vec<&str> = module.splitn(4, ':').collect();
    let [group, artifact, version] = parts[..] else {
        return Err(text::invalid("module", module, "a module such as group:artifact:1.0"));
    };
    text::word("group", group)?;
    text::word("artifact", artifact)?;
    let mut groups = Vec::new();
    for configuration in configurations.split(',').filter(|it| !it.is_empty()) {
        text::word("configuration", configuration)?;
        groups.push(configuration.to_owned());
    }
    let is_dev = !groups.is_empty() && groups.iter().all(|it| is_for_development(it));
    let source = Source::Registry { url: CENTRAL.to_owned() };
    let name = format!("{group}:{artifact}");
    let purl = source.purl("maven", &name, Some(version), |_| true)?;
    Ok(Package {
        scope: if is_dev { Scope::Dev } else { Scope::Required },
        groups,
        ..Package::new(name, Some(version), purl, source)?
    })
}

/// Whether a configuration is for tests, by the names that Gradle's plugins form (`testImplementation`,
/// `integrationTestRuntimeClasspath`), or for tools.
fn is_for_development(configuration: &str) -> bool {
    let is_test = match configuration.strip_prefix("test") {
        Some(rest) => !rest.starts_with(|c: char| c.is_lowercase()),
        None => configuration.contains("Test"),
    };
    is_test || TOOLS.contains(&configuration)
}
