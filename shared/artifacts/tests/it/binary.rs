//! Programs that say what they were made of.

use std::io::Write;

use crate::{gaps, scan, tar_of, told};

const AUDIT: &str = r#"{"packages": [
    {"name": "app", "version": "1.0.0", "source": "local", "root": true, "dependencies": [1]},
    {"name": "log", "version": "0.4.1", "source": "crates.io"}
]}"#;
const MODULES: &str = "path\texample.org/app\nmod\texample.org/app\t(devel)\t\n\
    dep\texample.org/lib\tv1.2.3\th1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";

/// A program of 64-bit Linux with one section.
fn elf(section: &str, data: &[u8]) -> Vec<u8> {
    let names = [b"\0", section.as_bytes(), b"\0.shstrtab\0"].concat();
    let (data_at, names_at) = (64, 64 + data.len() as u64);
    let table_at = names_at + names.len() as u64;
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    for word in [0, 0, table_at] {
        elf.extend(word.to_le_bytes());
    }
    elf.extend([0, 0, 0, 0, 64, 0, 56, 0, 0, 0, 64, 0, 3, 0, 2, 0]);
    elf.extend(data);
    elf.extend(&names);
    let mut header = |name: u32, kind: u32, at: u64, size: u64| {
        elf.extend(name.to_le_bytes());
        elf.extend(kind.to_le_bytes());
        for word in [0, 0, at, size, 0, 1, 0] {
            elf.extend(word.to_le_bytes());
        }
    };
    header(0, 0, 0, 0);
    header(1, 1, data_at, data.len() as u64);
    header(section.len() as u32 + 2, 3, names_at, names.len() as u64);
    elf
}

fn auditable(json: &[u8]) -> Vec<u8> {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(json).unwrap();
    elf(".dep-v0", &zlib.finish().unwrap())
}

/// Build information as Go 1.18 and later write it.
fn go(version: &str, modules: &str) -> Vec<u8> {
    let modules = ["0123456789abcdef", modules, "0123456789abcdef"].concat();
    let mut data = b"\xff Go buildinf:\x08\x02".to_vec();
    data.resize(32, 0);
    for text in [version, &modules] {
        let mut length = text.len();
        while length >= 0x80 {
            data.push((length & 0x7f | 0x80) as u8);
            length >>= 7;
        }
        data.push(length as u8);
        data.extend(text.as_bytes());
    }
    elf(".go.buildinfo", &data)
}

#[test]
fn rust_program_tells_its_crates() {
    let contents = scan("app", &auditable(AUDIT.as_bytes()));

    assert_eq!(told(&contents), ["pkg:cargo/app@1.0.0 (root)", "pkg:cargo/log@0.4.1"]);
    assert_eq!(contents.inventories()[0].packages[0].dependencies, [1]);
    assert_eq!(contents.inventories()[0].path, "app");
}

#[test]
fn go_program_tells_its_modules_and_its_go() {
    let contents = scan("app", &go("go1.22.1", MODULES));

    let told = told(&contents);
    assert!(told.iter().any(|it| it == "pkg:golang/example.org/lib@v1.2.3"), "{told:?}");
    assert!(told.iter().any(|it| it.starts_with("pkg:golang/stdlib@")), "{told:?}");
    assert_eq!(gaps(&contents), [""; 0]);
}

#[test]
fn programs_in_archives_are_read() {
    let program = auditable(AUDIT.as_bytes());
    let contents =
        scan("app.tar", &tar_of(&[("usr/bin/app", &program), ("usr/bin/sh", b"\x7fELF")]));

    assert_eq!(
        told(&contents),
        ["pkg:cargo/app@1.0.0 (root) usr/bin/app", "pkg:cargo/log@0.4.1 usr/bin/app"]
    );
    assert_eq!(gaps(&contents), [""; 0]);
}

#[test]
fn list_that_cannot_be_read_is_missing() {
    for (program, expected) in [
        (elf(".dep-v0", b"no zlib"), "its list of crates"),
        (auditable(b"[]"), "syntax error"),
        (elf(".go.buildinfo", b"\xff Go buildinf:\x08\x02"), "its build information is broken"),
        (elf(".go.buildinfo", b"\xff Go buildinf:\x08\x00\xff\xff\xff\xff"), "is broken"),
        (
            elf(".go.buildinfo", &[&b"\xff Go buildinf:\x08\x02"[..], &[0xff; 40]].concat()),
            "broken",
        ),
    ] {
        let contents = scan("app", &program);
        assert!(gaps(&contents)[0].contains(expected), "{contents:?}");
    }
}

#[test]
fn program_that_tells_nothing_holds_nothing() {
    let contents = scan("app", &elf(".text", b""));
    assert_eq!((told(&contents).len(), gaps(&contents).len()), (0, 0));
}

#[test]
fn arbitrary_changes_to_a_program_never_panic() {
    let mut random = fastrand::Rng::with_seed(7);
    for good in [auditable(AUDIT.as_bytes()), go("go1.22.1", MODULES)] {
        for _ in 0..300 {
            let mut bytes = good.clone();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(4..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes.truncate(random.usize(bytes.len() / 2..=bytes.len()));
            scan("app", &bytes);
        }
    }
}
