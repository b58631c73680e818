//! What holds for every lockfile format: names, wholeness, SBOMs, hostile input.

use std::collections::BTreeSet;

use documents::cyclonedx::{SbomInput, SpecVersion, write};
use documents::inventory::Inventory;
use documents::lockfile::{MAX_PACKAGES, Problem, is_known, known_names, parse};
use documents::schema::{CycloneDxVersion, validate_cyclonedx};
use serde_json::Value;

use crate::fixture;

#[test]
fn the_file_name_decides_the_format() {
    for (path, format) in [
        ("a/b/uv.lock", "uv.lock"),
        ("a\\Cargo.lock", "Cargo.lock"),
        ("./poetry.lock", "poetry.lock"),
        ("pdm.lock", "pdm.lock"),
        ("Pipfile.lock", "Pipfile.lock"),
        ("pylock.dev.toml", "pylock.toml"),
        ("npm-shrinkwrap.json", "package-lock.json"),
        ("web/pnpm-lock.yaml", "pnpm-lock.yaml"),
        ("yarn.lock", "yarn.lock"),
        ("go.mod", "go.mod"),
        ("requirements.txt", "requirements.txt"),
        ("a/requirements-dev.txt", "requirements.txt"),
        ("a/dev-requirements.txt", "requirements.txt"),
        ("requirements/main.txt", "requirements.txt"),
    ] {
        assert!(is_known(path), "{path}");
        assert_eq!(format_read(path), Some(format), "{path}");
    }
    // A search passes these over: copies under other names, and lists of who knows what.
    for (path, format) in [
        ("hotpass.uv.lock", "uv.lock"),
        ("rust-analyzer.Cargo.lock", "Cargo.lock"),
        ("web.package-lock.json", "package-lock.json"),
        ("a.npm-shrinkwrap.json", "package-lock.json"),
        ("spectree.pylock.toml", "pylock.toml"),
        ("guac.go.mod", "go.mod"),
        ("hotpass.requirements-ci.txt", "requirements.txt"),
        ("constraints.txt", "requirements.txt"),
    ] {
        assert!(!is_known(path), "{path}");
        assert_eq!(format_read(path), Some(format), "{path}");
    }
    for path in ["", "lock", "my-uv.lock", "uv.lock/", "cargo.lock", "uv.lock.bak", "go.sum"] {
        assert!(!is_known(path), "{path}");
        assert_eq!(format_read(path), None, "{path}");
    }
    let error = parse("a/unknown.lock", b"").unwrap_err();
    let names: Vec<_> = known_names().collect();
    let expected = format!("name one of {}", names.join(", "));
    assert!(error.to_string().ends_with(&expected), "{error}");
    assert!(names.starts_with(&["Cargo.lock", "uv.lock"]), "{names:?}");
    assert_eq!(names.last(), Some(&"requirements.txt"), "it takes any `.txt`");
}

/// The format that a file of this name is read as, by the command that its error names.
fn format_read(path: &str) -> Option<&'static str> {
    let error = parse(path, b"\xff").unwrap_err();
    let remedies = [
        ("cargo generate-lockfile", "Cargo.lock"),
        ("uv lock", "uv.lock"),
        ("poetry lock", "poetry.lock"),
        ("pdm lock", "pdm.lock"),
        ("pipenv lock", "Pipfile.lock"),
        ("created-by", "pylock.toml"),
        ("`npm install", "package-lock.json"),
        ("pnpm install", "pnpm-lock.yaml"),
        ("yarn install", "yarn.lock"),
        ("go mod tidy", "go.mod"),
        ("pip-compile", "requirements.txt"),
    ];
    let text = error.to_string();
    remedies.into_iter().find(|(part, _)| text.contains(part)).map(|(_, format)| format)
}

/// Fixtures of the formats that state scopes themselves.
const FIXTURES: [&str; 13] = [
    "poetry.poetry.lock",
    "syft.pdm.lock",
    "osv-schema-ghsa.Pipfile.lock",
    "pip-build-project.pylock.toml",
    "defectdojo.requirements.txt",
    "warehouse.main.txt",
    "npm-cli.package-lock.json",
    "vue-core-v5.4.pnpm-lock.yaml",
    "vue-core-v6.pnpm-lock.yaml",
    "vue-core-v9.pnpm-lock.yaml",
    "rails.yarn.lock",
    "redux.yarn.lock",
    "guac.go.mod",
];

/// The fixtures, and every lockfile of the wider collection where there is one.
fn all() -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = FIXTURES
        .iter()
        .map(|name| ((*name).to_owned(), fixture(&format!("lockfiles/{name}"))))
        .collect();
    for folder in ["poetry", "pdm", "pipenv", "pylock", "requirements", "npm", "pnpm", "yarn", "go"]
    {
        let below = "../../../shared/data/lockfiles";
        let folder = format!("{}/{below}/{folder}", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if !name.ends_with("pyproject.toml") && !name.ends_with("go.sum") {
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found
}

fn pairs(read: &Inventory) -> BTreeSet<(String, String)> {
    let pair = |it: &documents::inventory::Package| (it.name.clone(), it.version.clone());
    let pairs = read.packages.iter().map(pair);
    pairs.map(|(name, version)| (name, version.unwrap_or_default())).collect()
}

#[test]
fn every_package_of_every_lockfile_is_read_and_none_is_invented() {
    for (name, bytes) in all() {
        let read = parse(&name, &bytes).unwrap_or_else(|error| panic!("{error}"));
        let text = std::str::from_utf8(&bytes).unwrap();
        let expected = match &*read.format {
            "poetry.lock" | "pdm.lock" | "pylock.toml" => written_in_toml(text),
            "Pipfile.lock" => written_by_pipenv(text),
            "package-lock.json" => written_by_npm(text),
            "requirements.txt" => written_as_pins(text),
            _ => continue,
        };
        let mut found = pairs(&read);
        if read.format == "requirements.txt" {
            found.retain(|(_, version)| !version.is_empty());
        }
        assert_eq!(found, expected, "{name}");
    }
}

fn normalized(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

fn written_in_toml(text: &str) -> BTreeSet<(String, String)> {
    let mut pairs = BTreeSet::new();
    let mut name = None;
    for line in text.lines() {
        let value = |key: &str| Some(line.strip_prefix(key)?.trim_matches('"').to_owned());
        if line.starts_with("[[package") {
            name = None;
        } else if let Some(found) = value("name = ") {
            name.get_or_insert(normalized(&found));
        } else if let Some(version) = value("version = ") {
            pairs.insert((name.clone().unwrap(), version));
        }
    }
    pairs
}

fn written_by_pipenv(text: &str) -> BTreeSet<(String, String)> {
    let lock: Value = serde_json::from_str(text).unwrap();
    let categories = ["default", "develop"].into_iter().filter_map(|it| lock[it].as_object());
    let version = |it: &Value| it["version"].as_str().unwrap()[2..].to_owned();
    categories.flatten().map(|(name, it)| (normalized(name), version(it))).collect()
}

fn written_by_npm(text: &str) -> BTreeSet<(String, String)> {
    let lock: Value = serde_json::from_str(text).unwrap();
    let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut pairs = BTreeSet::from([(text_of(&lock["name"]), text_of(&lock["version"]))]);
    if let Some(packages) = lock["packages"].as_object() {
        for (path, it) in packages.iter().filter(|(_, it)| it["link"] != true) {
            let folder = path.rsplit("node_modules/").next().unwrap();
            let folder = match path.contains("node_modules/") {
                true => folder,
                false => folder.rsplit('/').next().unwrap(),
            };
            let name = it["name"].as_str().unwrap_or(folder);
            pairs.insert((name.to_owned(), text_of(&it["version"])));
        }
        return pairs;
    }
    let mut pending = vec![&lock["dependencies"]];
    while let Some(object) = pending.pop() {
        for (name, it) in object.as_object().into_iter().flatten() {
            pairs.insert((name.clone(), text_of(&it["version"])));
            pending.push(&it["dependencies"]);
        }
    }
    pairs
}

fn written_as_pins(text: &str) -> BTreeSet<(String, String)> {
    let pins = text.lines().filter(|line| !line.starts_with([' ', '#'])).filter_map(|line| {
        let (name, version) = line.split_once("==")?;
        let version = version.split([' ', ';', '\\']).next()?;
        Some((normalized(name.split('[').next()?), version.to_owned()))
    });
    pins.collect()
}

#[test]
fn every_format_gives_a_valid_sbom_with_every_package() {
    for (name, bytes) in all() {
        let lockfiles = [parse(&name, &bytes).unwrap()];
        let input = SbomInput {
            project: "some/project",
            version: None,
            serial: "3e671687-395b-41f5-a30f-a58921a69b79".parse().unwrap(),
            timestamp: "2026-11-22T10:00:00Z".parse().unwrap(),
            artifacts: &[],
            inventories: &lockfiles,
            missing: &[],
            author: None,
            supplier: None,
            spec_version: SpecVersion::V1_6,
            tool_version: "0.1.0",
        };
        let sbom = write(&input);
        assert_eq!(validate_cyclonedx(&sbom), Ok(CycloneDxVersion::V1_6), "{name}");
        let bom: Value = serde_json::from_slice(&sbom).unwrap();
        let roots = lockfiles[0].packages.iter().filter(|package| package.root).count();
        let expected = lockfiles[0].packages.len() - usize::from(roots == 1);
        assert_eq!(bom["components"].as_array().unwrap().len(), expected, "{name}");
        let complete = bom["compositions"][0]["dependencies"].as_array().map_or(0, Vec::len);
        let known = match (lockfiles[0].edges_known, lockfiles[0].direct_known) {
            (true, true) => expected + 1,
            (true, false) => expected,
            (false, true) => 1,
            // Only what is unknown is left.
            (false, false) => expected + 1,
        };
        assert_eq!(complete, known, "{name}");
    }
}

#[test]
fn mutated_locks_never_panic_and_keep_their_edges_in_bounds() {
    for name in FIXTURES {
        let original = fixture(&format!("lockfiles/{name}"));
        let mut random = crate::hostile::Xorshift(0x9E37_79B9_7F4A_7C15);
        let mut read = 0;
        for _ in 0..500 {
            let mut bytes = original.clone();
            crate::hostile::mutate(&mut bytes, &mut random);
            match parse(name, &bytes) {
                Ok(lock) => {
                    let mut edges = lock.packages.iter().flat_map(|it| &it.dependencies);
                    assert!(edges.all(|&to| to < lock.packages.len()));
                    read += 1;
                }
                Err(error) => assert!(error.to_string().len() < 2_000),
            }
        }
        assert!(read > 0, "no mutation of {name} was read: the mutations are too coarse");
    }
}

#[test]
fn broken_json_names_the_line() {
    let line = |text: &str| {
        let error = parse("package-lock.json", text.as_bytes()).unwrap_err();
        (error.problem.clone(), error.position.map(|position| position.line))
    };
    let (problem, at) = line("{\n\"packages\": {},\n\"packages\": {}}");
    assert!(matches!(problem, Problem::Syntax { message } if message.contains("twice")));
    assert_eq!(at, Some(3));
    let (problem, at) = line("{\n<<<<<<< HEAD\n\"a\": 1\n=======\n>>>>>>> x\n}");
    assert_eq!((problem, at), (Problem::MergeConflict, Some(2)));
    let (problem, at) = line("{\n\n\"a\": }");
    assert!(matches!(problem, Problem::Syntax { .. }));
    assert_eq!(at, Some(3));
    let (problem, _) = line(&format!("{{\"a\":{}", "[".repeat(100_000)));
    assert!(matches!(problem, Problem::Syntax { .. }));
    let (problem, _) = line("{\"packages\":{\"node_modules/a\":{\"version\":1}}}");
    assert!(matches!(problem, Problem::Syntax { message } if message.contains("string")));
}

#[test]
fn a_hundred_thousand_namesakes_that_ask_for_each_other_are_refused() {
    let mut text = "[metadata]\nlock-version = \"2.1\"\n".to_owned();
    for version in 0..100_000 {
        text += &format!("[[package]]\nname=\"b\"\nversion=\"{version}\"\ndependencies={{b=1}}\n");
    }
    let error = parse("poetry.lock", text.as_bytes()).unwrap_err();
    assert!(matches!(error.problem, Problem::TooManyEdges { .. }), "{error}");
}

#[test]
fn more_packages_than_are_read_are_refused_in_every_format() {
    let many = 0..=MAX_PACKAGES;
    let lines: String = many.clone().map(|at| format!("p{at}==1\n")).collect();
    let requires: String = many.map(|at| format!("require p/{at} v1.0.0\n")).collect();
    for (path, text) in [("requirements.txt", lines), ("go.mod", format!("module m\n{requires}"))] {
        let error = parse(path, text.as_bytes()).unwrap_err();
        assert!(matches!(error.problem, Problem::TooManyPackages { .. }), "{error}");
    }
}

#[test]
fn folders_within_folders_cost_no_more_than_their_number() {
    let deep = format!("{{\"packages\":{{\"{}a\":{{}}}}}}", "node_modules/a/".repeat(1_000));
    let error = parse("package-lock.json", deep.as_bytes()).unwrap_err();
    assert!(matches!(error.problem, Problem::TooLong { field: "path", .. }), "{error}");
    let asked: Vec<_> = (0..20_000).map(|at| format!("\"q{at}\":\"\"")).collect();
    let path = "node_modules/a/".repeat(100) + "node_modules/b";
    let wide =
        format!("{{\"packages\":{{\"{path}\":{{\"dependencies\":{{{}}}}}}}}}", asked.join(","));
    assert_eq!(parse("package-lock.json", wide.as_bytes()).unwrap().packages.len(), 1);
}
