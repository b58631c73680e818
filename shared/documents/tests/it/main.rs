//! What the crate promises, checked on real documents and hostile ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of tests may panic as tests may"
)]

mod arbitrary;
mod bom;
mod bom_again;
mod bom_places;
mod carried;
mod contents;
mod convert;
mod cyclonedx;
mod cyclonedx_inventories;
mod cyclonedx_random;
mod detect;
mod deviations;
mod diff;
mod foreign;
mod hostile;
mod lockfile;
mod lockfile_beside;
mod lockfile_composer;
mod lockfile_formats;
mod lockfile_gemfile;
mod lockfile_go;
mod lockfile_gradle;
mod lockfile_maven;
mod lockfile_npm;
mod lockfile_nuget;
mod lockfile_others;
mod lockfile_pnpm;
mod lockfile_python;
mod lockfile_sound;
mod lockfile_yarn;
mod metadata;
mod metadata_hostile;
mod metadata_rpm;
mod samples;
mod schema;
mod score;
mod spdx_hostile;
mod spdx_read;
mod spdx_tag_value;
mod spdx_write;
mod vex;
mod vex_court;
mod vex_csaf;
mod vex_csaf_examples;
mod vex_csaf_hostile;
mod vex_target;
mod xml;

use documents::inventory::{Inventory, Package};
use documents::lockfile::parse;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Reads a lockfile fixture named `SOMETHING.FORMAT` as `SOMETHING/FORMAT`.
fn lockfile(name: &str) -> Inventory {
    let (project, format) = name.split_once('.').unwrap();
    parse(&format!("{project}/{format}"), &fixture(&format!("lockfiles/{name}"))).unwrap()
}

/// Every lockfile fixture, and every lockfile of the wider collection where there is one.
fn all_lockfiles() -> Vec<(String, Vec<u8>)> {
    let here = env!("CARGO_MANIFEST_DIR");
    let folders = [
        format!("{here}/fixtures/lockfiles"),
        format!("{here}/../../../shared/data/lockfiles/uv"),
        format!("{here}/../../../shared/data/lockfiles/cargo"),
    ];
    let mut found = Vec::new();
    for entry in folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if let Some(format) = ["uv.lock", "Cargo.lock"].into_iter().find(|it| name.ends_with(it)) {
            found.push((format!("{name}/{format}"), std::fs::read(&path).unwrap()));
        }
    }
    assert!(found.len() >= 6, "the fixtures are missing");
    found.sort();
    found
}

fn package<'a>(lockfile: &'a Inventory, name: &str) -> &'a Package {
    let mut found = lockfile.packages.iter().filter(|package| package.name == name);
    let package = found.next().unwrap_or_else(|| panic!("no package {name}"));
    assert!(found.next().is_none(), "several packages {name}");
    package
}

/// `NAME VERSION` of each dependency.
fn dependencies(lockfile: &Inventory, package: &Package) -> Vec<String> {
    let labels = package.dependencies.iter().map(|&at| {
        let Package { name, version, .. } = &lockfile.packages[at];
        format!("{name} {}", version.as_deref().unwrap_or("-"))
    });
    labels.collect()
}
