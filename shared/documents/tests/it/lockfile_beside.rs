//! What files beside a Python or Rust lockfile add to it, and which files are read at all.

use documents::inventory::{Inventory, Package, Scope, Source};
use documents::lockfile::{File, included, parse_all, wanted};

use crate::{dependencies, package};

/// Reads all files; none of them may be refused.
fn read(files: &[(&str, &str)]) -> Vec<Inventory> {
    let (read, failed) = read_some(files);
    assert_eq!(failed, Vec::<String>::new());
    read
}

fn read_some(files: &[(&str, &str)]) -> (Vec<Inventory>, Vec<String>) {
    let files: Vec<_> =
        files.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    let (read, failed) = parse_all(&files);
    (read, failed.iter().map(ToString::to_string).collect())
}

fn root(read: &Inventory) -> &Package {
    let mut roots = read.packages.iter().filter(|package| package.root);
    let root = roots.next().expect("there is a root");
    assert!(roots.next().is_none(), "there are several roots");
    root
}

const POETRY_LOCK: &str = r#"
[[package]]
name = "requests"
version = "2.0"
optional = false
groups = ["main", "dev"]
[package.dependencies]
idna = ">=2"
[[package]]
name = "idna"
version = "3.0"
optional = false
groups = ["main", "dev"]
[[package]]
name = "colorama"
version = "0.4"
optional = false
groups = ["dev", "docs"]
markers = {dev = "sys_platform == \"win32\"", docs = "os_name == \"nt\""}
[[package]]
name = "pysocks"
version = "1.7"
optional = true
groups = ["main"]
markers = "extra == \"socks\""
[metadata]
lock-version = "2.1"
"#;

#[test]
fn a_poetry_lock_has_its_root_from_the_project_file() {
    let project = r#"
[tool.poetry]
name = "My.App"
version = "1.2.3"
license = "MIT"
authors = ["Ann <ann@example.org>", "Bob"]
[tool.poetry.dependencies]
python = ">=3.9"
Requests = "^2.0"
pysocks = { version = "*", optional = true }
[tool.poetry.extras]
socks = ["PySocks"]
[tool.poetry.group.dev.dependencies]
colorama = "*"
requests = "*"
"#;
    let all = read(&[("a/poetry.lock", POETRY_LOCK), ("a/pyproject.toml", project)]);
    let read = &all[0];
    let app = root(read);
    assert_eq!(app.purl, "pkg:pypi/my-app@1.2.3");
    assert_eq!(app.licence.as_deref(), Some("MIT"));
    assert_eq!(app.supplier.as_deref(), Some("Ann <ann@example.org>, Bob"));
    assert_eq!(dependencies(read, app), ["requests 2.0", "colorama 0.4", "pysocks 1.7"]);
    assert!(read.direct_known && !package(read, "idna").direct);
    assert_eq!(package(read, "requests").groups, ["dev"]);
    assert_eq!(package(read, "pysocks").groups, ["socks"]);
    assert_eq!(package(read, "pysocks").scope, Scope::Optional);
    let colorama = package(read, "colorama");
    assert_eq!((colorama.scope, colorama.line), (Scope::Dev, Some(14)));
    assert_eq!(colorama.conditions, ["os_name == \"nt\"", "sys_platform == \"win32\""]);
}

#[test]
fn a_poetry_lock_without_groups_has_its_scopes_from_the_project_file() {
    let lock = POETRY_LOCK.lines().filter(|line| !line.starts_with("groups"));
    let lock = lock.collect::<Vec<_>>().join("\n");
    let project = "[project]\nname = \"app\"\ndynamic = [\"version\"]\n\
        dependencies = [\"requests (>=2.0) ; python_version > '3'\"]\n\
        [dependency-groups]\ndev = [\"colorama\", {include-group = \"x\"}]\n";
    let all = read(&[("poetry.lock", &lock), ("pyproject.toml", project)]);
    let scope = |name| package(&all[0], name).scope;
    assert_eq!(root(&all[0]).purl, "pkg:pypi/app");
    assert_eq!((scope("idna"), scope("colorama")), (Scope::Required, Scope::Dev));
}

#[test]
fn a_broken_project_file_is_a_note_and_no_failure() {
    for broken in ["[project\nname = 1", "a = 1\na = 2\n", "[project]\n\n<<<<<<< HEAD\n"] {
        let all = read(&[("poetry.lock", POETRY_LOCK), ("pyproject.toml", broken)]);
        assert!(all[0].packages.iter().all(|package| !package.root));
        let [note] = &all[0].notes[..] else { panic!("{:?}", all[0].notes) };
        assert!(note.message.starts_with("pyproject.toml, line "), "{}", note.message);
    }
    // Values of any type where others belong.
    for odd in [
        "project = 1",
        "[project]\nname = [1]\nauthors = [[1]]\ndependencies = {}",
        "[tool.poetry]\nname = \"-\"\nextras = 1\n[tool.poetry.group]\na = 1\nb.dependencies = 2",
    ] {
        let all = read(&[("poetry.lock", POETRY_LOCK), ("pyproject.toml", odd)]);
        assert_eq!(all[0].packages.len(), 4, "{odd}");
    }
}

#[test]
fn a_pdm_lock_tells_extras_from_groups_by_the_project_file() {
    let lock = "[[package]]\nname = \"a\"\nversion = \"1\"\ngroups = [\"test\"]\nmarker = \"os_name == 'nt'\"\n\
        [[package]]\nname = \"b\"\nversion = \"1\"\ngroups = [\"fast\", \"test\"]\n\
        [metadata]\nlock_version = \"4.5.0\"\n";
    let project = "[project]\nname = \"app\"\nversion = \"1\"\noptional-dependencies.fast = [\"b\"]\n\
        [tool.pdm.dev-dependencies]\ntest = [\"a\"]\n";
    let all = read(&[("pdm.lock", lock), ("pyproject.toml", project)]);
    assert_eq!(package(&all[0], "a").scope, Scope::Dev);
    assert_eq!(package(&all[0], "a").conditions, ["os_name == 'nt'"]);
    assert_eq!(package(&all[0], "b").scope, Scope::Optional);
    assert_eq!(package(&all[0], "b").groups, ["fast"]);
    assert_eq!(dependencies(&all[0], root(&all[0])), ["a 1", "b 1"]);
}

#[test]
fn a_pipfile_tells_what_is_asked_for_by_name() {
    let lock = "{\n\"_meta\": {},\n\"default\": {\n\"a\": {\"version\": \"==1\", \"markers\": \"x == 'y'\"},\n\
        \"b\": {\"version\": \"==2\"}},\n\"develop\": {\"c\": {\"version\": \"==3\"}}}";
    let pipfile = "[packages]\nA = \"*\"\n[dev-packages]\nc = {version = \"*\"}\n";
    let all = read(&[("Pipfile.lock", lock), ("Pipfile", pipfile)]);
    let of = |name| (package(&all[0], name).direct, package(&all[0], name).line);
    assert_eq!((of("a"), of("b"), of("c")), ((true, Some(4)), (false, Some(5)), (true, Some(6))));
    assert_eq!(package(&all[0], "a").conditions, ["x == 'y'"]);
    assert_eq!(package(&all[0], "c").groups, ["dev"]);
}

#[test]
fn a_uv_lock_has_groups_conditions_and_licences_of_its_members() {
    let lock = r#"version = 1
[manifest]
members = ["app", "core"]
[[package]]
name = "app"
version = "1"
source = { editable = "." }
dependencies = [{ name = "core" }, { name = "win", marker = "sys_platform == 'win32'" }]
[package.dev-dependencies]
lint = [{ name = "ruff" }]
[[package]]
name = "core"
version = "1"
source = { editable = "packages/core" }
[package.optional-dependencies]
fast = [{ name = "deep", marker = "os_name == 'nt'" }]
[[package]]
name = "win"
version = "1"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "deep" }]
[[package]]
name = "deep"
version = "1"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "ruff"
version = "1"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_version < '3.9'"]
"#;
    let all = read(&[
        ("uv.lock", lock),
        ("packages/core/pyproject.toml", "[project]\nlicense = {text = \"BSD-3-Clause\"}\n"),
    ]);
    let of = |name| package(&all[0], name);
    assert_eq!(of("core").licence.as_deref(), Some("BSD-3-Clause"));
    assert_eq!(of("win").conditions, ["sys_platform == 'win32'"]);
    assert_eq!(of("deep").conditions, ["os_name == 'nt'", "sys_platform == 'win32'"]);
    assert_eq!((of("deep").groups.as_slice(), of("deep").direct), (&["fast".to_owned()][..], true));
    assert_eq!(of("ruff").groups, ["lint"]);
    assert_eq!(of("ruff").conditions, ["python_version < '3.9'"]);
    assert_eq!((of("core").line, of("ruff").line), (Some(11), Some(26)));
    assert!(of("core").conditions.is_empty());
}

#[test]
fn cargo_manifests_tell_purposes_targets_and_licences() {
    let source = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let crates = ["cc", "fake", "libc", "off", "on", "tempfile", "winapi"];
    let mut lock = "version = 4\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"cc\", \"core\", \"libc\", \"off\", \"on\", \"tempfile\", \"winapi\"]\n\
        [[package]]\nname = \"core\"\nversion = \"0.2.0\"\ndependencies = [\"fake\"]\n".to_owned();
    for name in crates {
        lock += &format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n{source}\n");
    }
    let top = r#"
[workspace]
members = ["crates/*"]
package = { license = "Apache-2.0", version = "0.2.0" }
dependencies = { renamed = { package = "fake", version = "1" } }
[package]
name = "app"
version = "0.1.0"
license = "MIT"
authors = ["Ann"]
[features]
default = ["dep:on"]
[dependencies]
core = { path = "crates/core" }
libc = "1"
on = { version = "1", optional = true }
off = { version = "1", optional = true }
[build-dependencies]
cc = "1"
[dev-dependencies]
tempfile = "1"
[target.'cfg(windows)'.dependencies]
winapi = "1"
"#;
    let core = "[package]\nname = \"core\"\nversion.workspace = true\nlicense.workspace = true\n\
        [dev-dependencies]\nrenamed.workspace = true\n";
    let all = read(&[
        ("w/Cargo.lock", &lock),
        ("w/Cargo.toml", top),
        ("w/crates/core/Cargo.toml", core),
        ("w/broken/Cargo.toml", "[package\n"),
        ("w/fuzz/Cargo.lock", &lock),
        (
            "w/fuzz/Cargo.toml",
            "[package]\nname = \"core\"\nversion = \"0.2.0\"\nlicense = \"ISC\"\n",
        ),
    ]);
    let of = |name| package(&all[0], name);
    assert_eq!(of("app").licence.as_deref(), Some("MIT"));
    assert_eq!(of("app").supplier.as_deref(), Some("Ann"));
    assert_eq!(of("core").licence.as_deref(), Some("Apache-2.0"));
    assert_eq!(of("core").source, Source::Local { path: Some("crates/core".to_owned()) });
    use Scope::{Dev, Optional, Required};
    let scopes: Vec<_> = crates.iter().map(|name| of(name).scope).collect();
    assert_eq!(scopes, [Required, Dev, Required, Optional, Required, Dev, Required]);
    assert_eq!(of("winapi").conditions, ["cfg(windows)"]);
    assert_eq!(
        (of("tempfile").groups.as_slice(), of("tempfile").line),
        (&["dev".to_owned()][..], Some(30))
    );
    assert_eq!(dependencies(&all[0], of("app")).len(), 7);
    assert!(all[0].notes[0].message.starts_with("broken/Cargo.toml, line 1: syntax error"));
    assert_eq!(all[0].notes.len(), 1);
    assert_eq!(package(&all[1], "core").licence.as_deref(), Some("ISC"));
}

#[test]
fn lists_that_include_each_other_are_read_once() {
    let (all, failed) = read_some(&[
        ("base.txt", "a==1\n-r requirements.txt\n"),
        ("requirements.txt", "-r base.txt\n-r reqs/more.in\nb\nc\n-c constraints.txt\n-r gone.txt"),
        ("reqs/more.in", "# more\nd==4; os_name == 'nt'\n-r ../base.txt\n"),
        ("constraints.txt", "b==2\ne==5\nc==3\nc==4\n"),
    ]);
    let [list] = &all[..] else { panic!("{} lists", all.len()) };
    let said = list.packages.iter().map(|it| (&*it.name, it.version.as_deref(), it.line.unwrap()));
    let said: Vec<_> = said.collect();
    // `requirements.txt` is the second line of `base.txt`.
    assert_eq!(
        said,
        [("a", Some("1"), 1), ("d", Some("4"), 2), ("b", Some("2"), 2), ("c", None, 2)]
    );
    let notes: Vec<_> = list.notes.iter().map(|note| (note.line, note.message.as_str())).collect();
    assert_eq!(
        notes,
        [
            (2, "gone.txt is not at hand; what it asks for is missing"),
            (2, "c has no version; pin it with `==`"),
        ]
    );
    let [lacks] = &failed[..] else { panic!("{failed:?}") };
    assert!(lacks.starts_with("base.txt:2:1: it includes `gone.txt`, which is not at hand; "));
}

#[test]
fn what_lists_include_is_told_whether_it_is_at_hand_or_not() {
    let files = [
        ("uv.lock", "-r no.txt"),
        (
            "a/requirements.txt",
            "x==1\n-r ../base\n--constraint=./pins/all.in  # why\n-r https://h.example/y.txt",
        ),
        ("base", "-c lost.txt\n-r ../outside.txt\n-r base\n"),
        ("apart", "-r never.txt"),
    ];
    let files = files.map(|(path, text)| File { path, bytes: text.as_bytes() });
    let expected = ["a/pins/all.in", "base", "lost.txt"];
    assert!(included(&files).iter().eq(expected.iter()), "{:?}", included(&files));
}

#[test]
fn a_broken_list_does_not_keep_the_one_that_includes_it_from_being_read() {
    let (read, failed) = read_some(&[
        ("requirements.txt", "a==1\n-r dev.txt\nb==2\n"),
        ("dev.txt", "c==3\nbuy milk\n"),
    ]);
    let names: Vec<_> = read[0].packages.iter().map(|package| &*package.name).collect();
    assert_eq!(names, ["a", "c", "b"]);
    assert!(read[0].notes[0].message.starts_with("dev.txt, line 2: "), "{:?}", read[0].notes);
    assert!(!read[0].direct_known);
    assert_eq!(read.len(), 1);
    let [lacks, broken] = &failed[..] else { panic!("{failed:?}") };
    assert!(
        lacks.starts_with(
            "requirements.txt:2:1: it includes `dev.txt`, which has in line 2: syntax"
        )
    );
    assert!(broken.starts_with("dev.txt:2:1: syntax error"), "{broken}");
}

#[test]
fn lists_are_passed_over_where_a_lock_says_more() {
    let paths = [
        "a/uv.lock",
        "a/requirements.txt",
        "a/requirements/dev.txt",
        "a/b/requirements.txt",
        "a/pyproject.toml",
        "a/b/pyproject.toml",
        "Cargo.toml",
        "Pipfile",
        "c/package-lock.json",
        "c/requirements.txt",
        "README.md",
    ];
    let expected = [
        "a/uv.lock",
        "a/b/requirements.txt",
        "a/pyproject.toml",
        "a/b/pyproject.toml",
        "c/package-lock.json",
        "c/requirements.txt",
    ];
    assert_eq!(wanted(&paths), expected);
    let lock =
        "version = 1\n[[package]]\nname = \"a\"\nversion = \"1\"\nsource = { virtual = \".\" }\n";
    let all = read(&[("requirements.txt", "buy milk"), ("uv.lock", lock)]);
    assert_eq!(all.len(), 1);
}

#[test]
fn toml_that_cannot_be_taken_apart_reads_the_same() {
    let plain = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\n\"b\",\n]\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\n";
    let expected = read(&[("Cargo.lock", plain)])[0].packages.clone();
    for other in [
        plain.replace("[[package]]", "[[ \"package\" ]]"),
        plain.replace("\"a\"", "\"\"\"a\"\"\""),
        plain.replace("[[package]]\nname = \"b\"", "[[package]] # [ \" {\nname = 'b'"),
        plain.replace("[[package]]", "  [[package]]"),
        plain.replace("version = 4\n", "version = 4\nx = [\n[1],\n[[2]]\n]\n"),
        plain.replace("version = 4", "package = [{ name = \"c\", version = \"1\" }] #"),
    ] {
        let (read, failed) = read_some(&[("Cargo.lock", &other)]);
        match read.first() {
            Some(read) => {
                let names = |it: &[Package]| {
                    it.iter()
                        .map(|it| (it.purl.clone(), it.dependencies.clone()))
                        .collect::<Vec<_>>()
                };
                assert_eq!(names(&read.packages), names(&expected), "{other}");
            }
            None => assert!(other.starts_with("package") && failed.len() == 1, "{failed:?}"),
        }
    }
    let (_, failed) = read_some(&[(
        "poetry.lock",
        "[[package]]\nname = \"a\"\nversion = \"1\"\n[metadata]\nlock-version = \"2.1\"\n[metadata]\n",
    )]);
    assert!(failed[0].starts_with("poetry.lock:6:"), "{failed:?}");
}

#[test]
fn mutated_companions_never_panic_and_never_fail_the_lock() {
    let project = "[project]\nname = \"app\"\nversion = \"1\"\nlicense = {text = \"MIT\"}\n\
        dependencies = [\"requests[x]>=2; os_name == 'nt'\"]\n[tool.poetry.extras]\na = [\"idna\"]\n";
    let manifest = "[workspace.package]\nlicense = \"MIT\"\n[package]\nname = \"a\"\nversion = \"1.0.0\"\n\
        license.workspace = true\n[features]\ndefault = [\"dep:b\", \"b?/c\", \"b/d\"]\n\
        [dependencies]\nb = { version = \"1\", optional = true }\n";
    let cargo = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\"b\"]\n\
        [[package]]\nname = \"b\"\nversion = \"1.0.0\"\n";
    let pairs = [
        ("poetry.lock", POETRY_LOCK, "pyproject.toml", project),
        ("Cargo.lock", cargo, "Cargo.toml", manifest),
    ];
    let mut random = crate::hostile::Xorshift(0x9E37_79B9_7F4A_7C15);
    for (lock, text, companion, original) in pairs {
        for _ in 0..1_000 {
            let mut bytes = original.as_bytes().to_vec();
            crate::hostile::mutate(&mut bytes, &mut random);
            let files = [
                File { path: lock, bytes: text.as_bytes() },
                File { path: companion, bytes: &bytes },
            ];
            let (read, failed) = parse_all(&files);
            assert_eq!((read.len(), failed.len()), (1, 0), "{}", String::from_utf8_lossy(&bytes));
        }
    }
}
