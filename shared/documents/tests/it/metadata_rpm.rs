//! Headers of an rpm database: three real ones, and ones built here.

use documents::inventory::Inventory;
use documents::metadata::{Context, Kind, MetadataError, OsRelease, read_parts};

use crate::{dependencies, fixture, package};

const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const INT32: u32 = 4;

fn read(headers: &[Vec<u8>]) -> Result<Inventory, MetadataError> {
    read_parts(Kind::RpmHeaders, "rpmdb.sqlite", headers, &Context::default())
}

/// A header of tags, each with its type, count and bytes.
fn header(tags: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
    let (mut index, mut store) = (Vec::new(), Vec::new());
    for (tag, kind, count, bytes) in tags {
        for number in [*tag, *kind, u32::try_from(store.len()).unwrap(), *count] {
            index.extend(number.to_be_bytes());
        }
        store.extend_from_slice(bytes);
    }
    let counts = [tags.len(), store.len()].map(|count| u32::try_from(count).unwrap().to_be_bytes());
    [&counts.concat()[..], &index, &store].concat()
}

fn named<'a>(name: &'a [u8], more: &[(u32, u32, u32, &'a [u8])]) -> Vec<u8> {
    let tags = [
        (1000, STRING, 1, name),
        (1001, STRING, 1, &b"1.0\0"[..]),
        (1002, STRING, 1, b"2.fc39\0"),
        (1022, STRING, 1, b"x86_64\0"),
    ];
    header(&[&tags[..], more].concat())
}

#[test]
fn real_headers_tell_packages_and_edges() {
    let system = OsRelease::read("os-release", b"ID=mariner\nVERSION_ID=\"2.0\"\n").unwrap();
    let names = ["zstd", "zstd-libs", "zstd-devel"];
    let headers = names.map(|name| fixture(&format!("metadata/mariner-{name}.rpm-header")));
    let context = Context { system: Some(&system) };
    let inventory = read_parts(Kind::RpmHeaders, "rpmdb.sqlite", headers, &context).unwrap();
    let devel = package(&inventory, "zstd-devel");
    assert_eq!(
        devel.purl,
        "pkg:rpm/mariner/zstd-devel@1.5.0-1.cm2?arch=x86_64&distro=mariner-2.0\
         &upstream=zstd-1.5.0-1.cm2.src.rpm"
    );
    assert_eq!(devel.licence.as_deref(), Some("BSD or GPLv2"));
    assert_eq!(devel.supplier.as_deref(), Some("Microsoft Corporation"));
    assert_eq!(dependencies(&inventory, devel), ["zstd 1.5.0-1.cm2"]);
    assert!(!package(&inventory, "zstd").purl.contains("upstream"));
}

#[test]
fn epochs_keys_and_files_are_understood() {
    let user = named(
        b"user\0",
        &[
            (1003, INT32, 1, &[0, 0, 0, 4]),
            (1049, STRING_ARRAY, 3, b"/usr/bin/tool\0rpmlib(X)\0/usr/share/doc\0"),
        ],
    );
    let maker = named(
        b"maker\0",
        &[
            (1116, INT32, 2, &[0, 0, 0, 1, 0, 0, 0, 0]),
            (1117, STRING_ARRAY, 2, b"doc\0tool\0"),
            (1118, STRING_ARRAY, 2, b"/usr/bin/\0/usr/share/\0"),
        ],
    );
    let key = named(b"gpg-pubkey\0", &[]);
    let inventory = read(&[user, maker, key]).unwrap();
    assert_eq!(inventory.packages.len(), 2);
    let user = package(&inventory, "user");
    assert_eq!(user.purl, "pkg:rpm/fedora/user@1.0-2.fc39?arch=x86_64&epoch=4");
    assert_eq!(user.version.as_deref(), Some("4:1.0-2.fc39"));
    assert_eq!(dependencies(&inventory, user), ["maker 1.0-2.fc39"]);
}

#[test]
fn headers_that_lie_are_refused() {
    let sound = named(b"a\0", &[]);
    for end in 0..sound.len() {
        read(&[sound[..end].to_vec()]).unwrap_err();
    }
    let number = |at: usize, value: u32| {
        let mut broken = sound.clone();
        broken[at..at + 4].copy_from_slice(&value.to_be_bytes());
        broken
    };
    let texts = |kind, count, bytes| named(b"a\0", &[(1047, kind, count, bytes)]);
    for (broken, says) in [
        (number(0, u32::MAX), "more tags"),
        (number(0, 0xFFFF), "within its index"),
        (number(4, u32::MAX), "another length"),
        (number(16, u32::MAX), "outside of its store"),
        (number(12, STRING_ARRAY), "another type"),
        (number(24, 1000), "there twice"),
        (texts(STRING_ARRAY, 2, b"x\0"), "does not end"),
        (texts(STRING_ARRAY, u32::MAX, b"x\0"), "more keys and values"),
        (texts(INT32, 1, b"abcd"), "another type"),
        (named(b"a\0", &[(1003, INT32, u32::MAX, b"abcd")]), "outside of its store"),
        (named(b"a\0", &[(1117, STRING_ARRAY, 1, b"f\0")]), "differ in number"),
        (
            named(b"a\0", &[(1117, STRING_ARRAY, 1, b"f\0"), (1116, INT32, 1, &[0, 0, 0, 9])]),
            "not there",
        ),
        (named(b"a b\0", &[]), "without white space"),
        (header(&[]), "no `Name`"),
    ] {
        let error = read(&[broken]).unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
}
