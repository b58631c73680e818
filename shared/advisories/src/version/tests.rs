//! The tables of osv-scalibr, and that every order is one.

use super::*;
use crate::Ecosystem::{
    Alpine, Chainguard, Cran, CratesIo, Debian, Go, Hackage, Hex, Maven, Npm, NuGet, Packagist,
    Pub, PyPi, RedHat, Rocky, RubyGems, SwiftUrl, Ubuntu, Wolfi,
};

/// Every row of a table, `left operator right`; comments begin with `//` or `#`.
fn assert_table(ecosystem: Ecosystem, table: &str) -> usize {
    let is_row = |it: &&str| !it.is_empty() && !it.starts_with("//") && !it.starts_with('#');
    let check = |row: &str| {
        let [left, operator, right] = row.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("no row: {row}")
        };
        let expected = match operator {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            ">" => Ordering::Greater,
            _ => panic!("no operator: {row}"),
        };
        assert_eq!(ecosystem.compare(left, right), expected, "{ecosystem}: {row}");
        assert_eq!(ecosystem.compare(right, left), expected.reverse(), "{ecosystem}: {row}");
    };
    table.lines().map(str::trim).filter(is_row).map(check).count()
}

macro_rules! tables {
    ($($test:ident: $file:literal, $rows:literal, $($ecosystem:ident),+;)+) => {$(
        #[test]
        fn $test() {
            let table = include_str!(concat!("../../fixtures/versions/", $file, "-versions.txt"));
            for ecosystem in [$($ecosystem),+] {
                assert_eq!(assert_table(ecosystem, table), $rows);
            }
        }
    )+};
}

tables! {
    every_row_of_the_pypi_table_holds: "pypi", 37, PyPi;
    every_row_of_the_semver_table_holds: "semver", 86, CratesIo, Npm, Go, Hex, SwiftUrl;
    every_row_of_the_maven_table_holds: "maven", 102, Maven;
    every_row_of_the_nuget_table_holds: "nuget", 35, NuGet;
    every_row_of_the_packagist_table_holds: "packagist", 95, Packagist;
    every_row_of_the_pub_table_holds: "pub", 100, Pub;
    every_row_of_the_rubygems_table_holds: "rubygems", 25, RubyGems;
    every_row_of_the_cran_table_holds: "cran", 21, Cran;
    every_row_of_the_hackage_table_holds: "hackage", 11, Hackage;
    every_row_of_the_debian_table_holds: "debian", 30, Debian, Ubuntu;
    every_row_of_the_alpine_table_holds: "alpine", 778, Alpine, Wolfi, Chainguard;
    every_row_of_the_red_hat_table_holds: "redhat", 165, RedHat, Rocky;
}

/// Letters, words and separators that mean something in some order.
const PIECES: [&str; 38] = [
    "0",
    "1",
    "9",
    "01",
    "10",
    ".",
    "-",
    "_",
    "+",
    ":",
    "~",
    "^",
    "!",
    "#",
    "*",
    " ",
    "a",
    "b",
    "m",
    "v",
    "x",
    "Z",
    "rc",
    "RC",
    "cr",
    "post",
    "dev",
    "alpha",
    "ga",
    "sp",
    "final",
    "snapshot",
    "pl",
    "-r",
    "_p",
    "_pre",
    "\u{e9}",
    "\u{1d7d9}",
];

#[test]
fn order_is_total_for_any_text() {
    fastrand::seed(4);
    // Few pieces and short texts, so that many are equal or nearly so.
    for ecosystem in Ecosystem::ALL {
        for round in 0..20_000 {
            let pieces = [PIECES; 3].map(|it| it[fastrand::usize(..it.len())]);
            let text = || -> String {
                let any = round % 2 == 0;
                let piece = || match any {
                    true => PIECES[fastrand::usize(..PIECES.len())],
                    false => pieces[fastrand::usize(..pieces.len())],
                };
                ["1", ""]
                    .into_iter()
                    .skip(fastrand::usize(..2))
                    .take(1)
                    .chain((0..fastrand::usize(..7)).map(|_| piece()))
                    .collect()
            };
            let texts = [text(), text(), text()];
            let [a, b, c] = texts.each_ref().map(|it| Version::parse(ecosystem, it));
            assert_eq!(a.cmp(&b), b.cmp(&a).reverse(), "{ecosystem}: {texts:?}");
            assert_eq!(a.cmp(&b) == Ordering::Equal, a == b, "{ecosystem}: {texts:?}");
            assert!(!(a <= b && b <= c) || a <= c, "{ecosystem}: {texts:?}");
            assert!(!(a == b && b.cmp(&c).is_lt()) || a.cmp(&c).is_lt(), "{ecosystem}: {texts:?}");
        }
    }
}

#[test]
fn numbers_of_any_length_keep_their_order() {
    let (older, newer) = ("20240101000000000000000000", "20240101000000000000000001");
    for ecosystem in Ecosystem::ALL.into_iter().filter(|it| *it != Ecosystem::Git) {
        for (before, after) in [("", ""), ("1.", ""), ("1.", ".3")] {
            let text = |number: &str| format!("{before}{number}{after}");
            assert_eq!(
                ecosystem.compare(&text(older), &text(newer)),
                Ordering::Less,
                "{ecosystem}"
            );
            assert_eq!(ecosystem.compare(&text("9"), &text(older)), Ordering::Less, "{ecosystem}");
        }
    }
}

#[test]
fn texts_that_no_version_looks_like_are_irregular() {
    for ecosystem in Ecosystem::ALL.into_iter().filter(|it| *it != Ecosystem::Git) {
        assert!(ecosystem.is_regular("1.2.3"), "{ecosystem}");
        assert!(!ecosystem.is_regular("?"), "{ecosystem}");
        assert!(!ecosystem.is_regular(""), "{ecosystem}");
    }
    for (ecosystem, regular, irregular) in [
        (PyPi, "1.0rc1.post2+local", "1.0-ivysaur"),
        (Npm, "v1.2.3-rc.1+build", "1.2.3beta"),
        (Go, "v0.0.0-20190101000000-abcdefabcdef", "1.2.3.4"),
        (NuGet, "1.2.3.4-RC1", "1.2.3.4.5"),
        (Maven, "2.0.1-xyz", "RELEASE"),
        (RubyGems, "1.0.0.rc1-x86", "1.0+x"),
        (Packagist, "v1.0.0-beta.2", "dev-main"),
        (Debian, "1:2.36-9+deb12u4", "2.36 final"),
        (Alpine, "1.2.3a_rc1-r0", "1.2.3-final"),
        (RedHat, "1:1.0~rc1^git-1.el9", "1.0-1/el9"),
    ] {
        assert!(ecosystem.is_regular(regular), "{ecosystem}: {regular}");
        assert!(!ecosystem.is_regular(irregular), "{ecosystem}: {irregular}");
    }
}
