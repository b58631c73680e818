use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use tar::{Builder, Header};

use super::*;
use crate::{Bundle, DEFAULT_TIME_LIMIT};

const POLICY: &str = "package attestry.a\n\ndeny contains {\"id\": \"T-1\", \"title\": \"t\", \"severity\": \"low\", \"message\": \"m\", \"component\": null, \"remedy\": \"r\"} if input.bad\n";
const MANIFEST_OF_OPA: &str = r#"{"revision":"","roots":[""],"rego_version":1}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).expect("packs");
    packer.finish().expect("packs")
}

fn header(name: &str, kind: EntryType, size: usize) -> Header {
    let mut header = Header::new_ustar();
    // `set_path` would refuse what is tried here.
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size as u64);
    header.set_cksum();
    header
}

/// A bundle with these files, named as they are.
pub(crate) fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (name, text) in files {
        let header = header(name, EntryType::Regular, text.len());
        archive.append(&header, text.as_bytes()).expect("appends");
    }
    gzip(&archive.into_inner().expect("packs"))
}

fn refusal(bytes: &[u8]) -> LoadError {
    read(bytes).err().expect("is refused")
}

#[test]
fn a_bundle_is_what_its_directory_is() {
    let files = [
        ("acme.rego", POLICY),
        ("acme_test.rego", "package attestry.a_test\n\ntest_it if true\n"),
        ("lib/l.rego", "package attestry.lib.l\n\nx := 1\n"),
        ("data.json", "{}"),
    ];
    let directory = tempfile::tempdir().expect("made");
    for (name, text) in files {
        let path = directory.path().join("policy").join(name);
        fs::create_dir_all(path.parent().expect("has one")).expect("made");
        fs::write(path, text).expect("written");
    }
    let bundle = directory.path().join("bundle.tar.gz");
    let load = |place: &Path| {
        Bundle::load(place, DEFAULT_TIME_LIMIT).unwrap_or_else(|error| panic!("{error}")).digest()
    };
    let expected = load(&directory.path().join("policy"));
    for prefix in ["/", "", "./"] {
        let hidden =
            [(".manifest", MANIFEST_OF_OPA), (".signatures.json", "{}"), ("x/.y/z.rego", "!")];
        let named: Vec<(String, &str)> = hidden
            .into_iter()
            .chain(files)
            .map(|(name, it)| (format!("{prefix}{name}"), it))
            .collect();
        let named: Vec<(&str, &str)> =
            named.iter().map(|(name, it)| (name.as_str(), *it)).collect();
        fs::write(&bundle, packed(&named)).expect("written");

        assert_eq!(load(&bundle), expected, "{prefix}");
        assert_eq!(read(&packed(&named)).expect("reads").tests.len(), 1);
    }
}

#[test]
fn what_leads_out_of_a_bundle_or_stands_twice_in_it_is_refused() {
    for name in [
        "../a.rego",
        "a/../../b.rego",
        "//a.rego",
        "a//b.rego",
        "a/./b.rego",
        "/../a.rego",
        "a\n.rego",
    ] {
        let error = refusal(&packed(&[(name, POLICY)])).to_string();
        assert!(error.contains("is no path below the bundle"), "{name}: {error}");
    }
    let twice = refusal(&packed(&[("a.rego", POLICY), ("/a.rego", POLICY)])).to_string();
    assert!(twice.starts_with("/a.rego: stands twice; make the bundle anew"), "{twice}");
    let misplaced = refusal(&packed(&[("lists/data.json", "{}")]));
    assert!(matches!(misplaced, LoadError::MisplacedData { .. }), "{misplaced}");
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Fifo] {
        let mut archive = Builder::new(Vec::new());
        let mut link = header("a.rego", kind, 0);
        link.set_link_name("/etc/passwd").expect("fits");
        link.set_cksum();
        archive.append(&link, &b""[..]).expect("appends");
        let error = refusal(&gzip(&archive.into_inner().expect("packs"))).to_string();
        assert!(error.contains("a.rego: is a link or no file"), "{kind:?}: {error}");
    }
}

#[test]
fn a_bundle_that_unpacks_to_too_much_is_refused() {
    let zeros = gzip(&vec![0; 3 * MAX_UNPACKED_BYTES as usize]);
    assert!(zeros.len() < 200_000);
    assert!(matches!(refusal(&zeros), LoadError::TooLarge { max: MAX_UNPACKED_BYTES, .. }));
    let passed_over = "#".repeat(MAX_UNPACKED_BYTES as usize);
    let error = refusal(&packed(&[("README.md", &passed_over)]));
    assert!(matches!(error, LoadError::TooLarge { max: MAX_UNPACKED_BYTES, .. }), "{error}");
    let wanted = "#".repeat(MAX_BUNDLE_BYTES as usize / 2);
    let error = refusal(&packed(&[("a.rego", &wanted), ("b.rego", &wanted), ("c.rego", "#")]));
    assert!(matches!(error, LoadError::TooLarge { max: MAX_BUNDLE_BYTES, .. }), "{error}");
    let names: Vec<String> = (0..=MAX_ENTRIES).map(|index| format!("{index}.md")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert!(matches!(refusal(&packed(&many)), LoadError::TooManyFiles { .. }));
}

#[test]
fn a_bundle_of_webassembly_or_of_bytes_that_are_broken_is_refused() {
    let wasm = r#"{"roots":["a"],"wasm":[{"entrypoint":"a/deny","module":"/policy.wasm"}]}"#;
    let error = refusal(&packed(&[("/.manifest", wasm), ("/a.rego", POLICY)])).to_string();
    assert!(error.contains("/.manifest: names WebAssembly"), "{error}");
    let whole = packed(&[("a.rego", POLICY)]);
    let mut other_sum = whole.clone();
    other_sum[whole.len() - 6] ^= 1;
    for broken in [&b"package attestry.a"[..], &whole[..whole.len() / 2], &other_sum, &[]] {
        assert!(matches!(refusal(broken), LoadError::Tarball { .. }), "{:?}", broken.len());
    }
}
