//! poetry.lock, pdm.lock, Pipfile.lock, pylock.toml and requirements.txt, read rightly.

use documents::inventory::{HashAlgorithm, Inventory, Scope, Source};
use documents::lockfile::{Problem, parse};

use crate::{dependencies, lockfile, package};

fn read(path: &str, text: &str) -> Inventory {
    parse(path, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn labels(read: &Inventory) -> Vec<String> {
    let label = |it: &documents::inventory::Package| {
        format!("{} {}", it.name, it.version.as_deref().unwrap_or("-"))
    };
    read.packages.iter().map(label).collect()
}

#[test]
fn poetry_groups_are_scopes_and_names_are_edges() {
    let read = lockfile("poetry.poetry.lock");
    let scope = |name| package(&read, name).scope;
    assert_eq!(scope("requests"), Scope::Required);
    assert_eq!(scope("mypy"), Scope::Dev);
    assert_eq!(scope("typing-extensions"), Scope::Required);
    let asked = dependencies(&read, package(&read, "mypy"));
    // Written `mypy_extensions` there.
    assert!(asked.contains(&"mypy-extensions 1.1.0".to_owned()), "{asked:?}");
    let core = package(&read, "poetry-core");
    assert!(matches!(&core.source, Source::Git { commit: Some(commit), .. } if commit.len() == 40));
    assert!(core.direct, "nobody else asks for it");
    assert!(!package(&read, "idna").direct);
    let file = &package(&read, "requests").distributions[0];
    assert_eq!(file.hash.as_ref().unwrap().algorithm, HashAlgorithm::Sha256);
}

#[test]
fn old_poetry_locks_have_categories_and_files_apart() {
    let hash = "ab".repeat(32);
    let read = read(
        "poetry.lock",
        &format!(
            "[[package]]\nname = \"A.b\"\nversion = \"1.0\"\ncategory = \"main\"\noptional = true\n\
             [package.dependencies]\nc = {{version = \"*\", optional = true}}\nwindows-only = \"*\"\n\
             [[package]]\nname = \"c\"\nversion = \"2\"\ncategory = \"dev\"\noptional = false\n\
             [package.source]\ntype = \"legacy\"\nurl = \"https://u:p@index.example/simple\"\n\
             [metadata]\nlock-version = \"1.1\"\n\
             [metadata.files]\n\"A.b\" = [{{file = \"a.b-1.0.tar.gz\", hash = \"sha256:{hash}\"}}]\nc = []\n"
        ),
    );
    assert_eq!(labels(&read), ["a-b 1.0", "c 2"]);
    assert_eq!(read.packages[0].scope, Scope::Optional);
    assert_eq!(read.packages[0].dependencies, [1]);
    assert_eq!(read.packages[0].distributions[0].hash.as_ref().unwrap().hex, hash);
    assert_eq!(read.packages[1].scope, Scope::Dev);
    assert!(read.packages[1].purl.ends_with("?repository_url=https:%2F%2Findex.example%2Fsimple"));
}

#[test]
fn pdm_entries_with_extras_are_one_package() {
    let read = lockfile("syft.pdm.lock");
    let rfc = package(&read, "rfc3986");
    assert_eq!(dependencies(&read, rfc), ["idna 3.3"]);
    assert_eq!(rfc.distributions.len(), 2);
    let asked = dependencies(&read, package(&read, "httpx"));
    assert_eq!(asked.len(), 4, "{asked:?}");
}

#[test]
fn pdm_groups_and_pins_are_told_apart() {
    let read = read(
        "pdm.lock",
        "[metadata]\nlock_version = \"4.5.0\"\n\
         [[package]]\nname = \"a\"\nversion = \"1\"\ngroups = [\"default\", \"dev\"]\n\
         dependencies = [\"b==2; python_version < '3.9'\", \"c\"]\n\
         [[package]]\nname = \"b\"\nversion = \"1\"\ngroups = [\"dev\"]\n\
         [[package]]\nname = \"b\"\nversion = \"2\"\ngroups = [\"default\"]\n\
         [[package]]\nname = \"here\"\nversion = \"0\"\npath = \".\"\neditable = true\n",
    );
    assert_eq!(dependencies(&read, &read.packages[0]), ["b 2"]);
    assert_eq!(read.packages[1].scope, Scope::Optional);
    assert_eq!(read.packages[2].scope, Scope::Required);
    assert!(read.packages[3].root);
}

#[test]
fn pipenv_categories_are_scopes() {
    let read = lockfile("osv-schema-ghsa.Pipfile.lock");
    assert_eq!(package(&read, "requests").scope, Scope::Required);
    assert_eq!(package(&read, "pylint").scope, Scope::Dev);
    // The former address of the index is the index.
    assert!(package(&read, "requests").purl.starts_with("pkg:pypi/requests@2."));
    assert_eq!(package(&read, "requests").distributions.len(), 2);
    assert!(!read.edges_known);
}

#[test]
fn one_package_of_two_pipenv_categories_is_required() {
    let read = read(
        "Pipfile.lock",
        r#"{"_meta": {"sources": [{"name": "own", "url": "https://u:p@index.example/simple"}]},
            "develop": {"a": {"version": "==1.0"}, "tool": {"git": "https://h.example/t", "ref": "abc"}},
            "default": {"A": {"version": "==1.0"}, "here": {"path": ".", "editable": true}}}"#,
    );
    assert_eq!(labels(&read), ["a 1.0", "here -", "tool -"]);
    assert_eq!(read.packages[0].scope, Scope::Required);
    assert!(read.packages[0].purl.contains("index.example"));
    assert!(!read.packages[0].purl.contains("u:p"));
    assert!(read.packages[1].root);
    assert_eq!(read.packages[2].scope, Scope::Dev);
}

#[test]
fn pylock_has_files_with_their_digests() {
    let read = lockfile("pip-build-project.pylock.toml");
    assert_eq!(
        labels(&read),
        ["build 1.5.0", "flit-core 4.0.2", "packaging 26.3", "pyproject-hooks 1.2.0"]
    );
    let file = &read.packages[0].distributions[0];
    assert!(file.location.as_ref().unwrap().ends_with("/build-1.5.0-py3-none-any.whl"));
    let hash = file.hash.as_ref().unwrap();
    assert_eq!(hash.hex, "13f3eecb844759ab66efec90ca17639bbf14dc06cb2fdf37a9010322d9c50a6f");
}

#[test]
fn pylock_markers_sources_and_edges_are_read() {
    let read = read(
        "pylock.dev.toml",
        r#"lock-version = "1.0"
created-by = "x"
default-groups = ["default"]
[[packages]]
name = "a"
version = "1"
marker = "'default' in dependency_groups or 'dev' in dependency_groups"
dependencies = [{ name = "b", version = "2" }]
sdist = { name = "a.tar.gz", hashes = { md5 = "00000000000000000000000000000000", shake = "1" } }
[[packages]]
name = "b"
version = "2"
marker = "'dev' in dependency_groups"
[[packages]]
name = "c"
version = "3"
marker = "python_version < '3.9' and 'x' in extras"
[[packages]]
name = "d"
vcs = { type = "git", url = "https://h.example/d", commit-id = "abc" }
marker = "python_version < '3.9' or 'x' in extras"
[[packages]]
name = "e"
directory = { path = "." }
"#,
    );
    let scopes: Vec<_> = read.packages.iter().map(|package| package.scope).collect();
    use Scope::{Dev, Optional, Required};
    assert_eq!(scopes, [Required, Dev, Optional, Required, Required]);
    assert_eq!(read.packages[0].dependencies, [1]);
    let hash = read.packages[0].distributions[0].hash.as_ref().unwrap();
    assert_eq!(hash.algorithm, HashAlgorithm::Md5);
    assert!(matches!(read.packages[3].source, Source::Git { .. }));
    assert!(read.packages[4].root);
}

#[test]
fn formats_of_another_version_are_refused_at_their_line() {
    for (path, text) in [
        ("poetry.lock", "[metadata]\nlock-version = \"3.0\"\n"),
        ("pdm.lock", "[metadata]\nlock_version = \"5.0\"\n"),
        ("pylock.toml", "\nlock-version = \"2.0\"\n"),
    ] {
        let error = parse(path, text.as_bytes()).unwrap_err();
        assert!(matches!(error.problem, Problem::UnsupportedVersion { .. }), "{error}");
        assert_eq!(error.position.unwrap().line, 2, "{error}");
    }
    for path in ["poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock", "package-lock.json"] {
        let text = if path.contains(['P', '-']) { "{}" } else { "" };
        let error = parse(path, text.as_bytes()).unwrap_err();
        assert!(matches!(error.problem, Problem::MissingField { .. }), "{error}");
    }
}

#[test]
fn hashed_requirements_are_whole() {
    let read = lockfile("warehouse.main.txt");
    assert_eq!(read.packages.len(), 12);
    assert_eq!(package(&read, "alembic").version.as_deref(), Some("1.18.5"));
    assert!(read.packages.iter().all(|package| package.direct));
    assert_eq!(package(&read, "celery").distributions.len(), 2);
    assert!(read.notes.is_empty());
}

#[test]
fn a_pin_speaks_for_the_lines_of_its_package_that_have_none() {
    let read = lockfile("defectdojo.requirements.txt");
    assert_eq!(package(&read, "bleach").version.as_deref(), Some("6.3.0"));
    assert_eq!(package(&read, "markdown").version.as_deref(), Some("3.10.2"));
    let tagulous = package(&read, "django-tagulous");
    assert_eq!(tagulous.version, None);
    assert!(matches!(&tagulous.source, Source::Git { commit: Some(_), url }
        if url == "https://github.com/valentijnscholten/django-tagulous.git"));
}

#[test]
fn every_kind_of_requirement_line_is_understood() {
    let read = read(
        "requirements.txt",
        "\u{feff}--index-url https://u:p@index.example/simple\n\
         -r base.txt\n-cconstraints.txt\n-e .\n--no-binary :all:\n\n\
         a == 1.0  # pinned\r\n\
         b>=1.0,\\\n  <2 # joined\n\
         c[x,y]===2.0 ; python_version < '3'\n\
         c==3.0; python_version >= '3'\nc\n\
         d @ https://h.example/d-1.0.whl#sha256=00 ; os_name == 'nt'\n\
         -e git+ssh://git@h.example/e.git@main#egg=E_e[x]\n\
         ./wheels/f-1.0.whl\nlibs/here\n--use-wheel\ng==1.*\n\
         h==1 \\\n # a comment ends nothing \\\n",
    );
    assert_eq!(
        labels(&read),
        ["a 1.0", "b -", "c 2.0", "c 3.0", "c -", "d -", "e-e -", "g -", "h 1"]
    );
    assert!(read.packages[0].purl.ends_with("?repository_url=https:%2F%2Findex.example%2Fsimple"));
    assert_eq!(read.packages[2].line, Some(10));
    assert_eq!(read.packages[2].conditions, ["python_version < '3'"]);
    assert_eq!(package(&read, "d").conditions, ["os_name == 'nt'"]);
    assert!(!read.complete && !read.direct_known);
    let expected = Source::Git { url: "ssh://git@h.example/e.git".to_owned(), commit: None };
    assert_eq!(package(&read, "e-e").source, expected);
    let notes: Vec<_> = read.notes.iter().map(|note| (note.line, note.message.as_str())).collect();
    assert_eq!(
        notes,
        [
            (2, "base.txt is not at hand; what it asks for is missing"),
            (3, "constraints.txt is not at hand; its versions are not applied"),
            (4, ". names no package; write `NAME @` before it"),
            (8, "b has no version; pin it with `==`"),
            (12, "c has no version; pin it with `==`"),
            (15, "./wheels/f-1.0.whl names no package; write `NAME @` before it"),
            (16, "libs/here names no package; write `NAME @` before it"),
            (18, "g has no version; pin it with `==`"),
        ]
    );
}

#[test]
fn prose_is_no_requirements_file() {
    for (text, line) in [("a==1\n\nbuy milk\n", 3), ("- a list\n", 1), ("a==1 \\\nb==2\n", 1)] {
        let error = parse("notes.txt", text.as_bytes()).unwrap_err();
        assert!(matches!(error.problem, Problem::Syntax { .. }), "{error}");
        assert_eq!(error.position.unwrap().line, line, "{error}");
    }
    let error = parse("requirements.txt", b"a==1\n<<<<<<< HEAD\n").unwrap_err();
    assert_eq!(error.problem, Problem::MergeConflict);
}
