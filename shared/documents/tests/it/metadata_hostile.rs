//! Broken and hostile metadata: an error that names the line, bounded memory, linear time.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use documents::lockfile::{MAX_LOCKFILE_BYTES, Problem};
use documents::metadata::{Context, Kind, MetadataError, read};

use crate::fixture;
use crate::samples::mutate_often;

fn refused(kind: Kind, bytes: &[u8]) -> MetadataError {
    match read(kind, "a.jar!/x", bytes, &Context::default()) {
        Ok(inventory) => panic!("{kind:?}: {} packages", inventory.packages.len()),
        Err(error) => error,
    }
}

#[test]
fn faults_name_file_line_and_remedy() {
    for (kind, text, says) in [
        (Kind::PythonMetadata, "Name: x\n", "a.jar!/x:1: the package has no `Version`; build"),
        (
            Kind::PythonMetadata,
            "Name: x\nVersion: 1\nName: y\n",
            ":3: syntax error: `Name` is there twice",
        ),
        (Kind::PythonMetadata, "Name: x y\nVersion: 1\n", ":1: `name` is \"x y\""),
        (Kind::PythonMetadata, "", "has no `Name`"),
        (Kind::PomProperties, "groupId=a\nartifactId=b\n", "the file has no `version`"),
        (
            Kind::PomProperties,
            "groupId=a\ngroupId=b\n",
            ":2: syntax error: `groupId` is there twice",
        ),
        (Kind::PomProperties, "groupId=a\\u0000\n", ":1: `coordinate` is"),
        (Kind::JarManifest, " a\n", ":1: syntax error"),
        (Kind::JarManifest, "A: b\nc\n", ":2: syntax error"),
        (Kind::GoBuildInfo, "", "has no `path`"),
        (Kind::GoBuildInfo, "=>\ta\tv1\n", ":1: syntax error: a replacement of no module"),
        (Kind::GoBuildInfo, "mod\ta\tv1\nmod\tb\tv1\n", ":2: syntax error: `mod` is there twice"),
        (Kind::GoBuildInfo, "path\ta\ndep\ta b\tv1\n", ":2: `module` is"),
        (Kind::CargoAuditable, "{", "syntax error"),
        (
            Kind::CargoAuditable,
            "{\"packages\":[{\"name\":\"a\",\"version\":\"1\",\"source\":\"x\",\"dependencies\":[1]}]}",
            "`a` depends on `package 1`",
        ),
        (Kind::CargoAuditable, "{\"packages\":[],\n\"packages\":[]}", ":2: syntax error: key"),
        (Kind::NpmManifest, "{\"name\":\"a b\",\"version\":\"1\"}", "`name` is \"a b\""),
        (Kind::GemSpecification, "s.name = \"x\"\ns.version = VERSION\n", "no `version`"),
        (Kind::GemSpecification, "s.name = \"x#{`id`}\"\n", "no `name`"),
        (Kind::CrateManifest, "[package]\nname = \"a\"\n", "missing field `version`"),
        (
            Kind::DpkgStatus,
            "Package: a\n\nPackage: b\nVersion: 1\n",
            ":1: the package has no `Version`; build the image",
        ),
        (Kind::DpkgStatus, "Package: a\nVersion: 1\nversion: 2\n", ":3: syntax error"),
        (Kind::DpkgStatus, "Package: a\nno field\n", ":2: syntax error"),
        (Kind::DpkgStatus, " folded\n", ":1: syntax error"),
        (Kind::ApkInstalled, "P:a\nV:1\n\nP:b\n", ":4: the package has no `V`"),
        (Kind::ApkInstalled, "P:a\nP:b\n", ":2: syntax error"),
        (Kind::ApkInstalled, "P:a\nV:1\x07\n", ":1: `V` is"),
    ] {
        let error = refused(kind, text.as_bytes()).to_string();
        assert!(error.contains(says), "{says} is not in {error}");
    }
}

#[test]
fn names_of_ten_megabytes_are_too_long() {
    let name = "a".repeat(10 << 20);
    for (kind, text) in [
        (Kind::PythonMetadata, format!("Name: {name}\nVersion: 1\n")),
        (Kind::PomProperties, format!("groupId={name}\n")),
        (Kind::GoBuildInfo, format!("dep\t{name}\tv1\n")),
        (Kind::DpkgStatus, format!("Package: a\nVersion: {name}\n")),
        (Kind::ApkInstalled, format!("P:{name}\nV:1\n")),
        (Kind::GemSpecification, format!("s.name = \"{name}\"\ns.version = \"1\"\n")),
    ] {
        let error = refused(kind, text.as_bytes());
        assert!(matches!(error.problem, Problem::TooLong { .. }), "{kind:?}");
        assert!(error.to_string().len() < 300);
    }
}

#[test]
fn huge_counts_are_refused_before_memory_is_gone() {
    let lines = |line: &str| line.repeat(MAX_LOCKFILE_BYTES / 16 / line.len());
    for (kind, text) in [
        (Kind::PythonMetadata, lines("a:\n")),
        (Kind::JarManifest, lines("a:\n")),
        (Kind::GoBuildInfo, lines("dep\n")),
        (Kind::DpkgStatus, format!("Package: a\n{}", lines("a:\n"))),
        (Kind::DpkgStatus, format!("Package: a\nVersion: 1\nDepends: {}", lines("a,"))),
        (Kind::ApkInstalled, format!("P:a\nV:1\nD:{}", lines("a "))),
    ] {
        let error = refused(kind, text.as_bytes());
        let is_limit = matches!(
            error.problem,
            Problem::TooManyValues { .. }
                | Problem::TooManyEdges { .. }
                | Problem::TooManyPackages { .. }
        );
        assert!(is_limit, "{kind:?}: {error}");
    }
    let too_large = vec![b'\n'; MAX_LOCKFILE_BYTES + 1];
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::JarManifest) {
        assert!(matches!(refused(kind, &too_large).problem, Problem::TooLarge { .. }), "{kind:?}");
    }
}

#[test]
fn many_providers_of_one_name_are_bounded() {
    let mut status = String::new();
    for at in 0..10_000 {
        write!(status, "Package: a{at}\nVersion: 1\nProvides: x\nDepends: x\n\n").unwrap();
    }
    let error = refused(Kind::DpkgStatus, status.as_bytes());
    assert!(matches!(error.problem, Problem::TooManyEdges { .. }), "{error}");
}

#[test]
fn a_hundred_thousand_packages_take_linear_time() {
    let status = |count: usize| {
        let mut status = String::new();
        for at in 0..count {
            let next = (at + 1) % count;
            write!(
                status,
                "Package: a{at}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1-{at}\n\
                 Depends: a{next} (>= 1) | b, libc6\nDescription: x\n .\n y\n\n"
            )
            .unwrap();
        }
        status
    };
    let time = |count| {
        let status = status(count);
        let start = Instant::now();
        let inventory =
            read(Kind::DpkgStatus, "status", status.as_bytes(), &Context::default()).unwrap();
        assert_eq!(inventory.packages.len(), count);
        start.elapsed()
    };
    let (small, large) = (time(10_000), time(100_000));
    assert!(large < small * 30 + Duration::from_secs(1), "{small:?}, then {large:?}");
}

#[test]
fn mutated_files_never_panic() {
    for (kind, name) in [
        (Kind::PythonMetadata, "six.PKG-INFO"),
        (Kind::JarManifest, "guice-servlet.MANIFEST.MF"),
        (Kind::GoBuildInfo, "nats-server.buildinfo"),
        (Kind::NpmManifest, "util-deprecate.package.json"),
        (Kind::DpkgStatus, "debian.status"),
        (Kind::RpmHeaders, "mariner-zstd.rpm-header"),
    ] {
        mutate_often(&fixture(&format!("metadata/{name}")), |bytes| {
            let read = read(kind, "x", bytes, &Context::default());
            read.map(drop).map_err(|error| error.to_string())
        });
    }
}
