//! Container images, as OCI layouts and as `docker save` writes them.

use std::fs;

use artifacts::{Limits, scan_file};
use documents::inventory::ArtifactContents;
use events::Digest;
use serde_json::{Value, json};

use crate::{
    CARGO_LOCK, DEBIAN, DPKG_STATUS, gaps, gzip, metadata, scan, tar_of, told, zip_of, zstd,
};

type Files = Vec<(String, Vec<u8>)>;

/// An OCI layout of images, each a platform and its layers as stored.
fn oci(images: &[(&str, Vec<Vec<u8>>)]) -> Files {
    let mut files = Files::new();
    let mut manifests = Vec::new();
    for (architecture, layers) in images {
        let layers: Vec<Value> = layers.iter().map(|layer| put(&mut files, layer)).collect();
        let mut config = put(&mut files, b"{}");
        config["mediaType"] = json!("application/vnd.oci.image.config.v1+json");
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
        let mut manifest = put(&mut files, manifest.to_string().as_bytes());
        manifest["platform"] = json!({ "os": "linux", "architecture": architecture });
        manifests.push(manifest);
    }
    let index = json!({ "schemaVersion": 2, "manifests": manifests });
    files.push(("index.json".to_owned(), index.to_string().into_bytes()));
    files.push(("oci-layout".to_owned(), br#"{"imageLayoutVersion": "1.0.0"}"#.to_vec()));
    files
}

fn put(files: &mut Files, blob: &[u8]) -> Value {
    let digest = Digest::of(blob);
    files.push((format!("blobs/sha256/{}", digest.hex()), blob.to_vec()));
    json!({ "mediaType": "application/x", "digest": digest.to_string(), "size": blob.len() })
}

fn archived(files: &Files) -> Vec<u8> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
    tar_of(&files)
}

fn image(layers: &[&[(&str, &[u8])]]) -> Vec<u8> {
    archived(&oci(&[("amd64", layers.iter().map(|files| gzip(&tar_of(files))).collect())]))
}

fn debian() -> Vec<(&'static str, &'static [u8])> {
    vec![("usr/lib/os-release", DEBIAN.as_bytes()), ("var/lib/dpkg/status", DPKG_STATUS.as_bytes())]
}

const GLIBC: &str =
    "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&upstream=glibc var/lib/dpkg/status";

#[test]
fn image_tells_its_system_and_what_was_installed_on_it() {
    let jar = zip_of(&[(
        "META-INF/maven/org.example/lib/pom.properties",
        b"groupId=org.example\nartifactId=lib\nversion=1.2\n",
    )]);
    let app: &[(&str, &[u8])] = &[
        (
            "./usr/lib/python3/site-packages/six-1.16.0.dist-info/METADATA",
            &metadata("six", "1.16.0"),
        ),
        ("app/node_modules/a/package.json", br#"{"name": "a", "version": "1.0.0"}"#),
        ("app/node_modules/a/Cargo.lock", b"not ours"),
        ("app/Cargo.lock", CARGO_LOCK.as_bytes()),
        ("app/lib.jar", &jar),
    ];

    let contents = scan("image.tar", &image(&[&debian(), app]));

    let told = told(&contents);
    assert!(told.iter().any(|it| it == GLIBC), "{told:?}");
    for expected in [
        "pkg:pypi/six@1.16.0 usr/lib/python3/site-packages/six-1.16.0.dist-info/METADATA",
        "pkg:npm/a@1.0.0 app/node_modules/a/package.json",
        "pkg:cargo/app@1.0.0 (root) app/Cargo.lock",
        "pkg:maven/org.example/lib@1.2 app/lib.jar!/META-INF/maven/org.example/lib/pom.properties",
    ] {
        assert!(told.iter().any(|it| it == expected), "{expected} is not in {told:?}");
    }
    assert_eq!(told.len(), 6);
    assert_eq!(gaps(&contents), [""; 0]);
}

#[test]
fn upper_layers_replace_and_remove_what_lower_ones_have() {
    let lower: &[(&str, &[u8])] = &[
        ("a/Cargo.lock", b"broken, and gone"),
        ("b/Cargo.lock", CARGO_LOCK.as_bytes()),
        ("c/x/Cargo.lock", CARGO_LOCK.as_bytes()),
        ("d/Cargo.lock", CARGO_LOCK.as_bytes()),
        ("e/Cargo.lock", b"broken, and replaced"),
        ("f/Cargo.lock", CARGO_LOCK.as_bytes()),
    ];
    let upper: &[(&str, &[u8])] = &[
        ("a/.wh.Cargo.lock", b""),
        (".wh.b", b""),
        ("c/Cargo.lock", CARGO_LOCK.as_bytes()),
        ("c/.wh..wh..opq", b""),
        ("d", b"a file where a folder was"),
        ("e/Cargo.lock", CARGO_LOCK.as_bytes()),
    ];

    let contents = scan("image.tar", &image(&[lower, upper]));

    let told: Vec<String> = told(&contents);
    let paths: Vec<&str> = told.iter().filter_map(|it| it.rsplit(' ').next()).collect();
    assert_eq!(paths, ["c/Cargo.lock", "e/Cargo.lock", "f/Cargo.lock"]);
    assert_eq!(gaps(&contents), [""; 0]);
}

#[test]
fn layers_may_be_packed_in_any_way_and_so_may_the_image() {
    let layer = tar_of(&debian());
    for stored in [layer.clone(), gzip(&layer), zstd(&layer)] {
        let image = archived(&oci(&[("amd64", vec![stored])]));
        for bytes in [image.clone(), gzip(&image), zstd(&image)] {
            assert!(told(&scan("image", &bytes)).iter().any(|it| it == GLIBC));
        }
    }
}

#[test]
fn layout_in_a_folder_is_known_by_its_image() {
    let dir = tempfile::tempdir().unwrap();
    let layout = dir.path().join("layout");
    let files = oci(&[("amd64", vec![gzip(&tar_of(&debian()))])]);
    for (name, bytes) in &files {
        fs::create_dir_all(layout.join(name).parent().unwrap()).unwrap();
        fs::write(layout.join(name), bytes).unwrap();
    }

    let contents = scan_file(&layout, &Limits::default()).unwrap().unwrap();

    assert_eq!(contents.artifact(), "layout");
    let (_, manifest) = &files[2];
    assert_eq!(contents.digest(), Digest::of(manifest));
    assert!(told(&contents).iter().any(|it| it == GLIBC));
    assert_eq!(ArtifactContents::read(&contents.write()), Ok(contents));
}

#[test]
fn images_of_several_platforms_are_told_apart() {
    let layer = || vec![gzip(&tar_of(&debian()))];
    let image = archived(&oci(&[("amd64", layer()), ("arm64", layer()), ("unknown", layer())]));

    let contents = scan("image.tar", &image);

    let paths: Vec<&str> = contents.inventories().iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths[0], "image.tar!/linux-amd64!/var/lib/dpkg/status");
    assert_eq!(paths[1], "image.tar!/linux-arm64!/var/lib/dpkg/status");
}

#[test]
fn docker_save_is_read_and_its_layers_are_checked() {
    let layer = tar_of(&debian());
    let image = |diff_id: &[u8]| {
        let config = json!({ "rootfs": { "diff_ids": [Digest::of(diff_id)] } }).to_string();
        let manifest = json!([{
            "Config": "0a1b.json",
            "RepoTags": ["app:1"],
            "Layers": ["1/layer.tar"],
        }]);
        tar_of(&[
            ("0a1b.json", config.as_bytes()),
            ("1/layer.tar", &layer),
            ("manifest.json", manifest.to_string().as_bytes()),
        ])
    };

    let contents = scan("image.tar", &image(&layer));
    assert!(told(&contents).iter().any(|it| it == GLIBC), "{:?}", told(&contents));
    assert_eq!(gaps(&contents), [""; 0]);

    let contents = scan("image.tar", &image(b"another"));
    assert!(told(&contents).iter().any(|it| it == GLIBC));
    assert!(gaps(&contents)[0].contains("1/layer.tar: has another digest"), "{contents:?}");
}

#[test]
fn layer_that_was_changed_or_is_gone_is_missing() {
    let layers = || vec![gzip(&tar_of(&debian())), gzip(&tar_of(&[("a/Cargo.lock", b"")]))];
    let mut changed = oci(&[("amd64", layers())]);
    changed[0].1 = gzip(&tar_of(&[("b/Cargo.lock", CARGO_LOCK.as_bytes())]));
    let contents = scan("image.tar", &archived(&changed));
    assert!(gaps(&contents)[0].contains("has another digest than the image says"), "{contents:?}");

    let mut gone = oci(&[("amd64", layers())]);
    gone.remove(1);
    let contents = scan("image.tar", &archived(&gone));
    assert!(gaps(&contents)[0].contains("is not in the artifact"), "{contents:?}");
    assert!(told(&contents).iter().any(|it| it == GLIBC));
}

#[test]
fn packages_without_dpkg_are_read_from_their_parts() {
    let contents = scan(
        "image.tar",
        &image(&[&[
            ("usr/lib/os-release", DEBIAN.as_bytes()),
            (
                "var/lib/dpkg/status.d/base",
                b"Package: base-files\nVersion: 12.4\nArchitecture: amd64\n",
            ),
            ("var/lib/dpkg/status.d/base.md5sums", b"0 x\n"),
            (
                "var/lib/dpkg/status.d/tzdata",
                b"Package: tzdata\nVersion: 2024a\nArchitecture: all\n",
            ),
        ]]),
    );
    let told = told(&contents);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].ends_with("var/lib/dpkg/status.d"));
}

#[test]
fn alpine_and_rpm_databases_are_read() {
    let apk = b"P:musl\nV:1.2.4-r2\nA:x86_64\n\n";
    let alpine = b"ID=alpine\nVERSION_ID=3.18.4\n";
    let contents =
        scan("image.tar", &image(&[&[("etc/os-release", alpine), ("lib/apk/db/installed", apk)]]));
    assert!(told(&contents)[0].starts_with("pkg:apk/alpine/musl@1.2.4-r2?"), "{contents:?}");

    let old = scan("image.tar", &image(&[&[("var/lib/rpm/Packages", b"\0\0\0\0")]]));
    assert!(gaps(&old)[0].contains("Berkeley DB"), "{old:?}");
    let broken =
        scan("image.tar", &image(&[&[("var/lib/rpm/rpmdb.sqlite", b"SQLite format 3\0")]]));
    assert!(gaps(&broken)[0].contains("is no rpm database"), "{broken:?}");
}
