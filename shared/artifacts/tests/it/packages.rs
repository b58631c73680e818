//! Packed packages of every ecosystem, known by their bytes.

use artifacts::{Limits, scan_file};
use events::Digest;

use crate::{CARGO_LOCK, artifact, gaps, gzip, metadata, scan, tar_of, told, zip_of, zstd};

const POM: &[u8] = b"groupId=org.example\nartifactId=lib\nversion=1.2\n";
const MANIFEST: &[u8] =
    b"Manifest-Version: 1.0\nImplementation-Title: app\nImplementation-Version: 3.0\n";

#[test]
fn wheel_is_its_own_root_and_may_hold_others() {
    let wheel = zip_of(&[
        ("app/__init__.py", b""),
        ("app-1.0.dist-info/METADATA", &metadata("App", "1.0")),
        ("app/_vendor/six-1.16.0.dist-info/METADATA", &metadata("six", "1.16.0")),
        ("app/web/package-lock.json", b"{\"lockfileVersion\": 3, \"packages\": {}}"),
    ]);
    for name in ["app-1.0-py3-none-any.whl", "download"] {
        let contents = scan(name, &wheel);
        assert_eq!(contents.digest(), Digest::of(&wheel));
        assert_eq!(
            told(&contents),
            [
                "pkg:pypi/app@1.0 (root) app-1.0.dist-info/METADATA",
                "pkg:pypi/six@1.16.0 app/_vendor/six-1.16.0.dist-info/METADATA",
            ]
        );
        let paths: Vec<&str> = contents.inventories().iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths[2], format!("{name}!/app/web/package-lock.json"));
        assert_eq!(gaps(&contents), [""; 0]);
    }
}

#[test]
fn zip_behind_a_script_is_read() {
    let mut program = b"#!/usr/bin/env python3\n".to_vec();
    program.extend(zip_of(&[(".deps/six-1.16.0.dist-info/METADATA", &metadata("six", "1.16.0"))]));

    let contents = scan("tool", &program);

    assert_eq!(told(&contents), ["pkg:pypi/six@1.16.0 .deps/six-1.16.0.dist-info/METADATA"]);
}

#[test]
fn source_distribution_npm_package_and_crate_are_their_own_roots() {
    let sdist = tar_of(&[("app-1.0/PKG-INFO", &metadata("app", "1.0")), ("app-1.0/setup.py", b"")]);
    let npm = tar_of(&[("package/package.json", br#"{"name": "@x/app", "version": "1.0.0"}"#)]);
    let manifest = b"[package]\nname = \"app\"\nversion = \"1.0.0\"\n";
    let packed = tar_of(&[
        ("app-1.0.0/Cargo.lock", CARGO_LOCK.as_bytes()),
        ("app-1.0.0/Cargo.toml", manifest),
        ("app-1.0.0/Cargo.toml.orig", manifest),
    ]);
    for (name, tar, expected) in [
        ("app-1.0.tar.gz", sdist, "pkg:pypi/app@1.0 (root) app-1.0/PKG-INFO"),
        ("app-1.0.0.tgz", npm, "pkg:npm/%40x/app@1.0.0 (root) package/package.json"),
        ("app-1.0.0.crate", packed, "pkg:cargo/app@1.0.0 (root) app-1.0.0/Cargo.toml"),
    ] {
        for bytes in [tar.clone(), gzip(&tar), zstd(&tar)] {
            let told = told(&scan(name, &bytes));
            assert!(told.iter().any(|it| it == expected), "{told:?}");
        }
    }
}

#[test]
fn archives_in_archives_are_read() {
    let jar = zip_of(&[("META-INF/maven/org.example/lib/pom.properties", POM)]);
    let war = zip_of(&[("META-INF/MANIFEST.MF", MANIFEST), ("WEB-INF/lib/lib-1.2.jar", &jar)]);
    let bundle = gzip(&tar_of(&[("deploy/app-3.0.war", &war)]));

    let contents = scan("bundle.tar.gz", &bundle);

    let told = told(&contents);
    assert!(told[0].ends_with("app@3.0 deploy/app-3.0.war!/META-INF/MANIFEST.MF"), "{told:?}");
    assert_eq!(
        told[1],
        "pkg:maven/org.example/lib@1.2 \
         deploy/app-3.0.war!/WEB-INF/lib/lib-1.2.jar!/META-INF/maven/org.example/lib/pom.properties"
    );
    assert_eq!(told.len(), 2);
}

#[test]
fn manifest_of_a_jar_speaks_only_where_no_pom_does() {
    let own = "META-INF/maven/org.example/lib/pom.properties";
    let other = "META-INF/maven/org.example/other/pom.properties";
    let other_pom = b"groupId=org.example\nartifactId=other\nversion=9\n";
    let is_told = |jar: &[u8]| {
        let contents = scan("lib-1.2.jar", jar);
        told(&contents).iter().any(|it| it.ends_with("MANIFEST.MF"))
    };

    assert!(is_told(&zip_of(&[("META-INF/MANIFEST.MF", MANIFEST)])));
    assert!(!is_told(&zip_of(&[("META-INF/MANIFEST.MF", MANIFEST), (own, POM)])));
    let shaded = [("META-INF/MANIFEST.MF", MANIFEST), (own, POM), (other, &other_pom[..])];
    assert!(!is_told(&zip_of(&shaded)));
    assert_eq!(told(&scan("lib-1.2.jar", &zip_of(&shaded))).len(), 2);
}

#[test]
fn companion_in_an_archive_speaks_for_its_lockfile() {
    let go_mod = b"module example.org/app\n\ngo 1.22\n\nrequire example.org/lib v1.0.0\n";
    let contents = scan("src.tar", &tar_of(&[("app/go.mod", go_mod)]));
    assert!(told(&contents).iter().any(|it| it.starts_with("pkg:golang/example.org/lib@v1.0.0")));
}

#[test]
fn what_is_broken_within_is_missing_with_its_line_and_the_rest_is_told() {
    let contents = scan(
        "src.tar",
        &tar_of(&[
            ("a/Cargo.lock", b"version = 4\n<<<<<<< ours\n"),
            ("b/Cargo.lock", CARGO_LOCK.as_bytes()),
        ]),
    );

    assert_eq!(told(&contents).len(), 1);
    assert_eq!(contents.missing()[0].path, "src.tar!/a/Cargo.lock");
    assert_eq!(contents.missing()[0].line, Some(2));
}

#[test]
fn other_files_are_not_artifacts_that_tell() {
    for bytes in [&b""[..], b"#!/bin/sh\n", b"{}", &[0; 2048], &gzip(b"text")] {
        let artifact = artifact("file", bytes);
        let contents = scan_file(&artifact.path, &Limits::default()).unwrap();
        assert!(contents.is_none_or(|it| it.inventories().is_empty() && it.missing().is_empty()));
    }
    let artifact = artifact("file", b"");
    assert!(scan_file(&artifact.dir.path().join("none"), &Limits::default()).is_err());
    assert!(scan_file(artifact.dir.path(), &Limits::default()).unwrap().is_none());
}
