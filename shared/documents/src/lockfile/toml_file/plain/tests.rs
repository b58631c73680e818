//! What is read plainly is what `toml` reads, to the byte.

use std::collections::BTreeMap;
use std::{fmt, fs};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use super::super::{only, split::Split};
use super::table;

/// Real files and the name of their array.
const FILES: [(&str, &str); 9] = [
    ("edge-cases.Cargo.lock", "package"),
    ("ripgrep-v1.Cargo.lock", "package"),
    ("edge-cases.uv.lock", "package"),
    ("groups.uv.lock", "package"),
    ("hotpass.uv.lock", "package"),
    ("script.uv.lock", "package"),
    ("poetry.poetry.lock", "package"),
    ("syft.pdm.lock", "package"),
    ("pip-build-project.pylock.toml", "packages"),
];
const CHANGES: usize = 2_000;

/// Any value, with the places of those in lists.
#[derive(Debug, PartialEq)]
enum Tree {
    Text(String),
    Number(i64),
    Truth(bool),
    List(Vec<(usize, Tree)>),
    Map(BTreeMap<String, Tree>),
}

impl<'a> Deserialize<'a> for Tree {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'a> Visitor<'a> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that tools write")
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(number))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Tree, E> {
        Ok(Tree::Truth(truth))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<Spanned<Tree>>()? {
            items.push((item.span().start, item.into_inner()));
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some((key, value)) = map.next_entry()? {
            entries.insert(key, value);
        }
        Ok(Tree::Map(entries))
    }
}

fn file(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/lockfiles/");
    fs::read_to_string(format!("{folder}{name}")).unwrap()
}

/// Whether `text` is read plainly; if so, as `toml` reads it.
fn is_plain(text: &str, key: &str) -> bool {
    let read: Option<Tree> = table(text, key);
    if let Some(read) = &read {
        match only::<Tree>(text, key) {
            Ok(expected) => assert_eq!(*read, expected, "{text}"),
            Err(error) => panic!("read {text} which is wrong: {error}"),
        }
    }
    read.is_some()
}

/// `text` with a few changes of the kind that break or bend the syntax.
fn changed(text: &str, random: &mut fastrand::Rng) -> String {
    const PARTS: [&str; 40] = [
        "\"",
        "'",
        "\\",
        "\\\"",
        "\\n",
        "[",
        "]",
        "{",
        "}",
        ",",
        "=",
        ".",
        "#",
        "\n",
        "\r\n",
        "\r",
        "\t",
        " ",
        "-",
        "_",
        "0",
        "1",
        "9223372036854775808",
        "1.5",
        "true",
        "false",
        "nan",
        "1979-05-27",
        "\u{7f}",
        "\u{0}",
        "é",
        "name = \"x\"\n",
        "[package.x]\n",
        "[[package.x]]\n",
        "[package.source]\n",
        "a.b = 1\n",
        "\"a\" = 1\n",
        "'''",
        "\"\"",
        "=[{a=[1,],},]\n",
    ];
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..random.usize(1..=3) {
        let at = random.usize(0..=chars.len());
        let until = chars.len().min(at + random.usize(0..4));
        let part = if random.u8(0..4) == 0 { "" } else { PARTS[random.usize(0..PARTS.len())] };
        chars.splice(at..until, part.chars());
    }
    chars.into_iter().collect()
}

#[test]
fn nearly_all_of_what_tools_write_is_read_plainly_and_as_toml_reads_it() {
    for (name, key) in FILES {
        let text = file(name);
        let split = Split::of(&text, key).unwrap();
        let plain = split.tables.iter().filter(|(_, table)| is_plain(table, key)).count();
        let all = split.tables.len();
        // Dates, long strings and arrays of tables are left to the full parser.
        let least = if name.ends_with("pylock.toml") { 0 } else { all * 9 / 10 };
        assert!(plain >= least, "{name}: {plain} of {all}");
    }
}

#[test]
fn what_is_read_of_changed_tables_is_what_toml_reads() {
    for (seed, (name, key)) in FILES.into_iter().enumerate() {
        let text = file(name);
        let tables = Split::of(&text, key).unwrap().tables;
        let mut tables: Vec<_> = tables.into_iter().map(|(_, table)| table).collect();
        // Long tables take the same paths, and more time.
        tables.sort_by_key(|table| table.len());
        tables.truncate(tables.len() * 3 / 4 + 1);
        let mut random = fastrand::Rng::with_seed(seed as u64);
        for _ in 0..CHANGES {
            let table = tables[random.usize(0..tables.len())];
            is_plain(&changed(table, &mut random), key);
        }
    }
}

#[test]
fn what_tools_do_not_write_is_left_to_toml() {
    for (is_taken, body) in [
        (true, ""),
        (true, "a = 1 # why\r\n\r\n# more\nb = [ 1, # one\n true, ]\nc = { d = \"\", e = [] }"),
        (true, "a = \"say \\\"x\\\" \\\\\"\n[package.b]\nc = 0\n\n[package.d]"),
        (false, "a = 1\na = 2"),
        (false, "a = 1\n[package.a]"),
        (false, "[package.a]\n[package.a.b]"),
        (false, "a = { b = 1, b = 2 }"),
        (false, "a.b = 1"),
        (false, "\"a\" = 1"),
        (false, "a = 'x'"),
        (false, "a = \"\\u0041\""),
        (false, "a = \"x\" b = 1"),
        (false, "a = 01"),
        (false, "a = 1_000"),
        (false, "a = 1234567890123456789"),
        (false, "a = 1979-05-27"),
        (false, "a = 1.5"),
        (false, "a = truer"),
        (false, "a = [1 2]"),
        (false, "a = [,]"),
        (false, "a = [1"),
        (false, "a = { b = 1"),
        (false, "a = { b = 1, }"),
        (false, "a = 1 # \u{0}"),
        (false, "a = [[[[[[[[[[1]]]]]]]]]]"),
        (false, "<<<<<<< HEAD"),
    ] {
        let text = format!("[[package]]\n{body}");
        assert_eq!(is_plain(&text, "package"), is_taken, "{text}");
    }
}
