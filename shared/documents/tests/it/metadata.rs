//! Metadata inside artifacts: real files of each kind, and what is read from them.

use documents::inventory::{Ecosystem, Inventory, Package, Scope, Source};
use documents::metadata::{Context, Kind, OsRelease, read, read_parts};

use crate::{dependencies, fixture, package};

pub(crate) fn text(kind: Kind, path: &str, text: &str) -> Inventory {
    read(kind, path, text.as_bytes(), &Context::default()).unwrap()
}

fn file(kind: Kind, name: &str) -> Inventory {
    read(kind, name, &fixture(&format!("metadata/{name}")), &Context::default()).unwrap()
}

fn only(inventory: &Inventory) -> &Package {
    let [package] = &inventory.packages[..] else {
        panic!("{} packages", inventory.packages.len())
    };
    package
}

fn debian() -> OsRelease {
    OsRelease::read("etc/os-release", &fixture("metadata/debian.os-release")).unwrap()
}

#[test]
fn python_metadata_tells_name_version_licence_and_author() {
    let inventory = file(Kind::PythonMetadata, "six.PKG-INFO");
    assert_eq!((inventory.format.as_ref(), inventory.ecosystem), ("METADATA", Ecosystem::PyPi));
    assert!(!inventory.edges_known && !inventory.complete);
    let six = only(&inventory);
    assert_eq!((six.name.as_str(), six.version.as_deref()), ("six", Some("1.16.0")));
    assert_eq!(six.purl, "pkg:pypi/six@1.16.0");
    assert_eq!((six.licence.as_deref(), six.line), (Some("MIT"), Some(2)));
    assert_eq!(six.supplier.as_deref(), Some("Benjamin Peterson"));
    assert!(!six.root);
}

#[test]
fn python_licences_are_the_expression_or_a_short_text_or_the_only_classifier() {
    let licence = |headers: &str| {
        let file = format!("Name: A_b\nVersion: 1\n{headers}\n\nLicense: body\n");
        text(Kind::PythonMetadata, "METADATA", &file).packages[0].licence.clone()
    };
    let mit = "Classifier: License :: OSI Approved :: MIT License";
    let bsd = "Classifier: License :: OSI Approved :: BSD License";
    for (headers, expected) in [
        (
            "License: BSD\nLicense-Expression: MIT OR Apache-2.0".to_owned(),
            Some("MIT OR Apache-2.0"),
        ),
        (format!("License: UNKNOWN\n{mit}"), Some("MIT License")),
        (
            format!("License: Copyright me\n  All rights\n        \n  reserved\n{mit}"),
            Some("MIT License"),
        ),
        (format!("{mit}\n{bsd}"), None),
        ("Classifier: License :: OSI Approved".to_owned(), None),
        (String::new(), None),
    ] {
        assert_eq!(licence(&headers).as_deref(), expected, "{headers}");
    }
}

#[test]
fn python_metadata_in_latin_1_is_read() {
    let bytes = b"Name: x\nVersion: 1\nAuthor: Andr\xE9\n";
    let inventory = read(Kind::PythonMetadata, "METADATA", bytes, &Context::default()).unwrap();
    assert_eq!(only(&inventory).supplier.as_deref(), Some("André"));
}

#[test]
fn jars_have_maven_coordinates_or_none_at_all() {
    let maven = file(Kind::PomProperties, "commons-cli.pom.properties");
    assert_eq!(only(&maven).purl, "pkg:maven/commons-cli/commons-cli@1.5.0");
    assert_eq!(only(&maven).name, "commons-cli:commons-cli");

    let path = "app.jar!/lib/guice-servlet-4.2.3.jar!/META-INF/MANIFEST.MF";
    let bytes = fixture("metadata/guice-servlet.MANIFEST.MF");
    let manifest = read(Kind::JarManifest, path, &bytes, &Context::default()).unwrap();
    assert_eq!(only(&manifest).purl, "pkg:generic/com.google.inject.servlet@4.2.3");
    assert_eq!(only(&manifest).supplier.as_deref(), Some("Google, Inc."));

    let long = "Manifest-Version: 1.0\r\nImplementation-Title: Some words\r\nBundle-SymbolicName: a.\r\n \
                b;singleton:=true\r\nImplementation-Version: ${v}\r\n\r\nName: x\r\nBundle-Version: 9\r\n";
    let long = text(Kind::JarManifest, "x/y-2.0.jar!/META-INF/MANIFEST.MF", long);
    assert_eq!(only(&long).purl, "pkg:generic/a.b@2.0");
    let nothing = text(Kind::JarManifest, "x/y.jar!/META-INF/MANIFEST.MF", "");
    assert_eq!((only(&nothing).purl.as_str(), &only(&nothing).version), ("pkg:generic/y", &None));
}

#[test]
fn go_binaries_tell_modules_and_their_toolchain() {
    let inventory = file(Kind::GoBuildInfo, "nats-server.buildinfo");
    assert_eq!(inventory.packages.len(), 11);
    let main = package(&inventory, "github.com/nats-io/nats-server/v2");
    assert_eq!(main.purl, "pkg:golang/github.com/nats-io/nats-server/v2@v2.14.6");
    assert!(main.root && !main.direct && main.line == Some(3));
    assert_eq!(package(&inventory, "stdlib").purl, "pkg:golang/stdlib@1.27.0");
    let nkeys = package(&inventory, "github.com/nats-io/nkeys");
    assert!(nkeys.direct && nkeys.line == Some(8), "{:?}", nkeys.line);
    assert!(inventory.complete && !inventory.edges_known);
}

#[test]
fn go_replacements_stand_for_what_is_in_the_binary() {
    let info = "go\tdevel go1.23-abc\npath\tx.org/cmd\nmod\tx.org\t(devel)\t\n\
                dep\ta.org/a\tv1.0.0\n=>\tb.org/b\tv1.1.0\th1:x=\n\
                dep\tc.org/c\tv2.0.0\n=>\t./c\t(devel)\t\nbuild\t-flag=value\n";
    let inventory = text(Kind::GoBuildInfo, "bin!/buildinfo", info);
    let purls: Vec<_> = inventory.packages.iter().map(|it| it.purl.as_str()).collect();
    let expected = [
        "pkg:golang/x.org",
        "pkg:golang/b.org/b@v1.1.0",
        "pkg:golang/c.org/c@v2.0.0",
        "pkg:golang/stdlib",
    ];
    assert_eq!(purls, expected);
    assert_eq!(inventory.packages[2].source, Source::Local { path: Some("./c".into()) });
    let without_module =
        text(Kind::GoBuildInfo, "b", "go\tgo1.20 X:a\npath\tcommand-line-arguments\n");
    assert_eq!(only(&without_module).purl, "pkg:golang/stdlib@1.20");
}

#[test]
fn auditable_binaries_tell_edges_and_what_only_helped_to_build() {
    let json = r#"{"packages":[
        {"name":"app","version":"0.1.0","source":"local","dependencies":[1,2],"root":true},
        {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
        {"name":"serde","version":"1.0.2+x","source":"crates.io"}]}"#;
    let inventory = text(Kind::CargoAuditable, "app!/audit", json);
    let app = package(&inventory, "app");
    assert!(app.root && app.source == Source::Local { path: None });
    assert_eq!(dependencies(&inventory, app), ["cc 1.0.0", "serde 1.0.2+x"]);
    assert_eq!(package(&inventory, "cc").scope, Scope::Dev);
    let serde = package(&inventory, "serde");
    assert!(serde.direct && serde.purl == "pkg:cargo/serde@1.0.2%2Bx", "{}", serde.purl);
}

#[test]
fn manifests_of_npm_gems_and_crates_name_one_package() {
    let npm = file(Kind::NpmManifest, "util-deprecate.package.json");
    let npm = only(&npm);
    assert_eq!(
        (npm.purl.as_str(), npm.licence.as_deref()),
        ("pkg:npm/util-deprecate@1.0.2", Some("MIT"))
    );
    assert!(npm.supplier.as_deref().unwrap().starts_with("Nathan Rajlich"));
    for none in [r#"{"type":"module"}"#, r#"{"name":"a","version":"1","private":true}"#] {
        assert!(text(Kind::NpmManifest, "package.json", none).packages.is_empty());
    }

    let gem = "# stub: x 1 ruby lib\nGem::Specification.new do |s|\n  s.name = \"nokogiri\".freeze\n  \
               s.version = \"1.15.4\"\n  s.platform = \"x86_64-linux\".freeze\n  \
               s.licenses = [\"MIT\".freeze]\n  s.authors = [\"A\".freeze, \"B\".freeze]\n  \
               s.required_rubygems_version = Gem::Requirement.new(\">= 0\".freeze) if s.x\nend\n";
    let gem = text(Kind::GemSpecification, "specifications/nokogiri.gemspec", gem);
    let gem = only(&gem);
    assert_eq!(gem.purl, "pkg:gem/nokogiri@1.15.4?platform=x86_64-linux");
    assert_eq!((gem.licence.as_deref(), gem.supplier.as_deref()), (Some("MIT"), Some("A, B")));

    let krate =
        "[package]\nname = \"a\"\nversion = \"1.0.0\"\nlicense = \"MIT\"\nauthors = [\"x\"]\n";
    let krate = text(Kind::CrateManifest, "a-1.0.0.crate!/a-1.0.0/Cargo.toml", krate);
    assert_eq!(only(&krate).purl, "pkg:cargo/a@1.0.0");
}

#[test]
fn dpkg_tells_packages_of_the_distribution_with_their_edges() {
    let system = debian();
    let context = Context { system: Some(&system) };
    let bytes = fixture("metadata/debian.status");
    let inventory = read(Kind::DpkgStatus, "var/lib/dpkg/status", &bytes, &context).unwrap();
    assert_eq!(inventory.packages.len(), 20);
    let bash = package(&inventory, "bash");
    assert_eq!(
        bash.purl,
        "pkg:deb/debian/bash@5.2.15-2%2Bb8?arch=amd64&distro=debian-12&upstream=bash%405.2.15-2"
    );
    assert_eq!(bash.supplier.as_deref(), Some("Matthias Klose <doko@debian.org>"));
    let needed = dependencies(&inventory, bash);
    for name in ["base-files", "debianutils", "libc6", "libtinfo6"] {
        assert!(needed.iter().any(|it| it.starts_with(&format!("{name} "))), "{needed:?}");
    }
    // `awk` is what mawk provides.
    let base_files = package(&inventory, "base-files");
    assert_eq!(dependencies(&inventory, base_files).len(), 1);
    assert!(inventory.edges_known && inventory.complete && !inventory.direct_known);
}

#[test]
fn dpkg_prefers_the_same_architecture_and_passes_over_what_was_removed() {
    let status = "Package: a\nStatus: install ok installed\nArchitecture: i386\nVersion: 1:2-1\n\
                  Depends: b (>= 1) | none, c:any\n\n\
                  Package: b\nStatus: install ok installed\nArchitecture: i386\nVersion: 1\n\n\
                  Package: b\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2\n\n\
                  Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n \n\
                  Package: c\nStatus: hold ok half-configured\nArchitecture: all\nVersion: 3";
    let inventory = text(Kind::DpkgStatus, "status", status);
    let a = package(&inventory, "a");
    assert_eq!(a.purl, "pkg:deb/debian/a@1:2-1?arch=i386");
    assert_eq!(dependencies(&inventory, a), ["b 1", "c 3"]);
    assert_eq!(inventory.packages.len(), 4);
    assert_eq!(package(&inventory, "c").line, Some(22));
}

#[test]
fn files_of_status_d_are_one_database() {
    let parts = ["Package: a\nVersion: 1\nDepends: b\n", "Package: b\nVersion: 2\n"];
    let context = Context::default();
    let inventory = read_parts(Kind::DpkgStatus, "var/lib/dpkg/status.d", parts, &context).unwrap();
    let a = package(&inventory, "a");
    assert_eq!((dependencies(&inventory, a), a.line), (vec!["b 2".to_owned()], None));
}

#[test]
fn apk_tells_packages_with_what_provides_what_they_need() {
    let installed = "C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\no:musl\n\
                     m:Timo <t@alpinelinux.org>\np:so:libc.musl-x86_64.so.1=1\nF:lib\na:0:0:755\n\
                     R:ld.so\na:0:0:755\n\n\
                     P:ssl_client\nV:1.36.1-r5\nA:x86_64\nL:GPL-2.0-only\no:busybox\n\
                     D:so:libc.musl-x86_64.so.1 musl>=1 !other so:nowhere.so\n\n";
    let system = OsRelease::read("os-release", b"ID=alpine\nVERSION_ID=3.18.4\n").unwrap();
    let context = Context { system: Some(&system) };
    let inventory =
        read(Kind::ApkInstalled, "lib/apk/db/installed", installed.as_bytes(), &context).unwrap();
    let client = package(&inventory, "ssl_client");
    assert_eq!(
        client.purl,
        "pkg:apk/alpine/ssl_client@1.36.1-r5?arch=x86_64&distro=alpine-3.18.4&upstream=busybox"
    );
    assert_eq!(dependencies(&inventory, client), ["musl 1.2.4-r2"]);
    assert_eq!((client.line, client.licence.as_deref()), (Some(14), Some("GPL-2.0-only")));
    assert!(client.direct && package(&inventory, "musl").distributions.is_empty());
}
