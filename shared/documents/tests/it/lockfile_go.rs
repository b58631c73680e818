//! go.mod with what lies beside it, read rightly.

use documents::inventory::{Inventory, Source};
use documents::lockfile::{File, Problem, is_companion, parse, parse_all};

use crate::lockfile_sound::{check, check_fixture, collected};
use crate::package;

fn read_all(files: &[(&str, &str)]) -> Vec<Inventory> {
    let files: Vec<_> =
        files.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    let (read, failed) = parse_all(&files);
    assert!(failed.is_empty(), "{failed:?}");
    read.iter().for_each(check);
    read
}

#[test]
fn a_go_module_is_sound_and_knows_its_lines() {
    let read = check_fixture("guac.go.mod");
    let text = String::from_utf8(crate::fixture("lockfiles/guac.go.mod")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    for it in read.packages.iter().filter(|it| !it.root) {
        let line = lines[it.line.unwrap() - 1];
        assert!(line.contains(&it.name) || line.contains("opencontainers"), "{line}");
        assert_eq!(line.contains("// indirect"), !it.direct, "{line}");
    }
    assert!(is_companion("a/go.sum") && is_companion("go.work"));
}

#[test]
fn every_module_of_real_files_is_read() {
    for (name, text) in collected("go").iter().filter(|(name, _)| name.ends_with("go.mod")) {
        let sums = collected("go").into_iter().find(|(it, _)| *it == name.replace(".mod", ".sum"));
        let sums = sums.unwrap().1;
        let read = read_all(&[("go.mod", text), ("go.sum", &sums)]).remove(0);
        let required = text.lines().filter(|line| {
            let line = line.trim_start_matches("require ").trim();
            line.split(' ').nth(1).is_some_and(|it| it.starts_with('v')) && !line.contains("=>")
        });
        assert_eq!(read.packages.len(), required.count() + 1, "{name}");
        assert!(read.notes.is_empty(), "{:?}", read.notes);
    }
}

#[test]
fn modules_without_a_sum_are_remarked_upon() {
    let text = "module m.example\ngo 1.22\nrequire a.example/a v1.0.0\nrequire b.example/b v1.0.0\n\
                require c.example/c v1.0.0\nreplace c.example/c => ./c\n";
    let sums = "a.example/a v1.0.0 h1:x=\na.example/a v1.0.0/go.mod h1:y=\n";
    let read = read_all(&[("x/go.mod", text), ("x/go.sum", sums), ("go.sum", "")]);
    let notes: Vec<_> = read[0].notes.iter().map(|it| (it.line, it.message.as_str())).collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(notes[0].0, 4);
    assert!(notes[0].1.starts_with("b.example/b and 0 others"), "{notes:?}");
    assert!(read[0].packages.iter().all(|it| it.distributions.is_empty()));
}

#[test]
fn tools_are_asked_for_by_name() {
    let read = read_all(&[(
        "go.mod",
        "module m.example\ngo 1.24\ntool (\n\ta.example/tools/cmd/x\n\tb.example/y\n)\n\
         require (\n\ta.example/tools v1.0.0 // indirect\n\ta.example v1.0.0 // indirect\n\
         \tb.example/y v1.0.0\n)\nignore ./x\ntoolchain go1.24.1\ngodebug x=y\n",
    )]);
    let found: Vec<_> = read[0].packages.iter().map(|it| (it.direct, it.groups.clone())).collect();
    let tool = vec!["tool".to_owned()];
    let expected = [(false, vec![]), (true, tool.clone()), (false, vec![]), (true, tool)];
    assert_eq!(found, expected);
}

#[test]
fn members_of_a_workspace_are_built_from_their_folders() {
    let files = [
        (
            "go.work",
            "go 1.22\nuse (\n\t./a\n\t./tools/b\n)\nreplace x.example/x => ./x\n\
             replace y.example/y v1.0.0 => z.example/z v2.0.0\n",
        ),
        (
            "a/go.mod",
            "module w.example/a\ngo 1.22\nrequire (\n\tw.example/b v0.1.0\n\tx.example/x v1.0.0\n\
             \ty.example/y v1.0.0\n)\nreplace x.example/x => x.example/x v1.5.0\n",
        ),
        ("tools/b/go.mod", "// a comment\nmodule w.example/b\ngo 1.22\n"),
        ("c/go.mod", "module w.example/c\ngo 1.22\nrequire w.example/b v0.1.0\n"),
    ];
    let read = read_all(&files);
    assert_eq!(read.len(), 3);
    let local = |path: &str| Source::Local { path: Some(path.to_owned()) };
    assert_eq!(package(&read[0], "w.example/b").source, local("../tools/b"));
    assert_eq!(package(&read[0], "x.example/x").source, local("../x"));
    assert_eq!(package(&read[0], "z.example/z").version.as_deref(), Some("v2.0.0"));
    assert_eq!(read[0].notes[0].line, 1);
    // It lies in the same tree and is no member.
    assert!(matches!(package(&read[2], "w.example/b").source, Source::Registry { .. }));
    assert!(read[2].notes.is_empty());
}

#[test]
fn hostile_go_files_are_refused_by_line() {
    for (text, line) in [
        ("module m\nrequire a\u{7} v1.0.0\n", 2),
        ("module m\n=======\n>>>>>>> x\n", 3),
        ("module m\nrequire a v1.0.0\u{1}\n", 2),
    ] {
        let error = parse("go.mod", text.as_bytes()).unwrap_err();
        assert_eq!(error.position.map(|it| it.line), Some(line), "{error}");
    }
    let many = format!("module m\n{}", "use ./a\n".repeat(200_001));
    let error = parse("go.mod", many.as_bytes()).unwrap_err();
    assert!(matches!(error.problem, Problem::TooManyPackages { .. }), "{error}");
}
