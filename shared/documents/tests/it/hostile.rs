//! Broken and hostile input: an error that helps, and never a panic.

use documents::lockfile::{LockfileError, MAX_LOCKFILE_BYTES, Position, Problem, parse};

use crate::fixture;

const APP: &str =
    "version = 1\n[[package]]\nname = \"app\"\nversion = \"1\"\nsource = { virtual = \".\" }\n";

fn uv(text: &str) -> LockfileError {
    parse("uv.lock", text.as_bytes()).unwrap_err()
}

fn line(error: &LockfileError) -> usize {
    error.position.unwrap_or_else(|| panic!("{error} without a place")).line
}

#[test]
fn broken_lock_names_file_line_and_remedy() {
    let error = uv("version = 1\n[[package]]\nname = \"a\nversion = \"1\"\n");
    assert!(matches!(error.problem, Problem::Syntax { .. }));
    assert_eq!(line(&error), 3);
    let text = error.to_string();
    assert!(text.starts_with("uv.lock:3:"), "{text}");
    assert!(text.ends_with("run `uv lock` again and commit the result"), "{text}");
}

#[test]
fn merge_conflict_is_named_as_such() {
    let error = uv("version = 1\n<<<<<<< HEAD\nrevision = 2\n=======\nrevision = 3\n>>>>>>> x\n");
    assert_eq!(error.problem, Problem::MergeConflict);
    assert_eq!(error.position, Some(Position { line: 2, column: 1 }));
    assert!(error.to_string().contains("take one side, then run `uv lock`"), "{error}");
}

#[test]
fn faults_of_meaning_are_typed_and_placed() {
    let registry = "source = { registry = \"https://pypi.org/simple\" }\n";
    let missing = |owner: &str, field| Problem::MissingField { owner: owner.into(), field };
    let cases = [
        ("[[package]]\nname = \"a\"\n".to_owned(), missing("the file", "version"), None),
        (format!("{APP}[[package]]\nversion = \"1\"\n"), missing("a package", "name"), Some(6)),
        (format!("{APP}[[package]]\nname = \"a\"\n{registry}"), missing("a", "version"), Some(6)),
        (
            format!("{APP}[[package]]\nname = \"a\"\nversion = \"1\"\n"),
            missing("a", "source"),
            Some(6),
        ),
        ("version = 2\n".to_owned(), Problem::UnsupportedVersion { version: 2 }, Some(1)),
        (
            format!("{APP}dependencies = [\n {{ name = \"b\" }}]\n"),
            Problem::DanglingDependency { package: "app 1".into(), dependency: "b".into() },
            Some(7),
        ),
        (
            format!("{APP}{}", APP.replacen("version = 1\n", "", 1)),
            Problem::DuplicatePackage { package: "app 1".into() },
            Some(6),
        ),
        (
            format!(
                "{APP}dependencies = [{{ name = \"b\" }}]\n\
                 [[package]]\nname = \"b\"\nversion = \"1\"\n{registry}\
                 [[package]]\nname = \"b\"\nversion = \"2\"\n{registry}"
            ),
            Problem::AmbiguousDependency { package: "app 1".into(), dependency: "b".into() },
            Some(6),
        ),
    ];
    for (text, problem, at) in cases {
        let error = uv(&text);
        assert_eq!((&error.problem, error.position.map(|it| it.line)), (&problem, at), "{error}");
    }
}

#[test]
fn values_that_break_their_rules_are_refused() {
    let package = |name: &str, version: &str, rest: &str| {
        format!("version = 1\n[[package]]\nname = {name}\nversion = {version}\n{rest}\n")
    };
    let local = "source = { virtual = \".\" }";
    for text in [
        package("\"a b\"", "\"1\"", local),
        package("\"-a\"", "\"1\"", local),
        package("\"é\"", "\"1\"", local),
        package("\"\"", "\"1\"", local),
        package("\"a\"", "\"\"", local),
        package("\"a\"", "\"1\\u0000\"", local),
        package("\"a\"", "\"1\"", "source = {}"),
        package("\"a\"", "\"1\"", "source = { virtual = \".\", git = \"x\" }"),
        package("\"a\"", "\"1\"", &format!("{local}\nsdist = {{ hash = \"sha256:12\" }}")),
        package("\"a\"", "\"1\"", &format!("{local}\nsdist = {{ hash = \"crc32:12345678\" }}")),
    ] {
        let error = uv(&text);
        assert!(matches!(error.problem, Problem::InvalidValue { .. }), "{text}: {error}");
    }
}

#[test]
fn a_name_of_ten_megabytes_is_too_long() {
    let error = uv(&APP.replacen("app", &"a".repeat(10 << 20), 1));
    assert!(matches!(error.problem, Problem::TooLong { field: "name", .. }));
    assert!(error.to_string().len() < 300);
}

#[test]
fn sizes_beyond_the_limits_are_refused_before_parsing() {
    let error = parse("uv.lock", &vec![b'\n'; MAX_LOCKFILE_BYTES + 1]).unwrap_err();
    assert_eq!(error.problem, Problem::TooLarge { bytes: MAX_LOCKFILE_BYTES + 1 });
    let dots = format!("k{} = 1\n", ".a".repeat(70));
    for many in [
        format!("a = [{}]", "1,".repeat(5_000_000)),
        dots.repeat(10_000),
        format!("a = ['\"', {{ {dots} }}]\n").replace("1\n }", "1 }").repeat(10_000),
        format!("x = \"\"\"\n\"\"\"\n{}", dots.repeat(10_000)),
    ] {
        let error = uv(&many);
        assert!(matches!(error.problem, Problem::TooManyValues { .. }), "{error}");
    }
    let text_is_no_key = format!("{APP}x = \"{}\"\n", ".=,".repeat(5_000_000));
    assert!(parse("uv.lock", text_is_no_key.as_bytes()).is_ok());
}

#[test]
fn deep_nesting_ends_in_an_error() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
        "a = ".to_owned() + &"{a=".repeat(100_000),
        format!("{} = 1", vec!["a"; 100_000].join(".")),
        format!("[{}]", vec!["a"; 100_000].join(".")),
    ] {
        assert!(matches!(uv(&text).problem, Problem::Syntax { .. }));
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let error = parse("uv.lock", b"version = 1\n\xff").unwrap_err();
    assert_eq!(error.problem, Problem::NotUtf8);
    assert_eq!(error.position, Some(Position { line: 2, column: 1 }));
    assert!(matches!(uv("version = 1\0").problem, Problem::Syntax { .. }));
    assert!(matches!(parse("Cargo.lock", b"").unwrap_err().problem, Problem::MissingField { .. }));
}

#[test]
fn cycles_are_kept_and_do_not_hang() {
    let text = "version = 4\n\
        [[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\"b\", \"a\"]\n\
        [[package]]\nname = \"b\"\nversion = \"1.0.0\"\ndependencies = [\"a\"]\n";
    let read = parse("Cargo.lock", text.as_bytes()).unwrap();
    assert_eq!(read.packages[0].dependencies, [1]);
    assert_eq!(read.packages[1].dependencies, [0]);
}

#[test]
fn a_hundred_thousand_namesakes_are_read_in_linear_time() {
    let mut text = APP.to_owned() + "dependencies = [\n";
    let source = "source = { registry = \"https://pypi.org/simple\" }";
    for version in 0..100_000 {
        text += &format!("{{ name = \"b\", version = \"{version}\", {source} }},\n");
    }
    text += "]\n";
    for version in 0..100_000 {
        text += &format!("[[package]]\nname = \"b\"\nversion = \"{version}\"\n{source}\n");
    }
    let read = parse("uv.lock", text.as_bytes()).unwrap();
    assert_eq!(read.packages[0].dependencies.len(), 100_000);
}

#[test]
fn a_truncated_lock_is_an_error_or_a_whole_lock() {
    let whole = fixture("lockfiles/edge-cases.uv.lock");
    for length in 0..whole.len() {
        if let Ok(read) = parse("uv.lock", &whole[..length]) {
            for package in &read.packages {
                assert!(package.dependencies.iter().all(|&to| to < read.packages.len()));
            }
        }
    }
}

#[test]
fn mutated_locks_never_panic() {
    for (path, name) in [("uv.lock", "edge-cases.uv.lock"), ("Cargo.lock", "ripgrep-v1.Cargo.lock")]
    {
        let original = fixture(&format!("lockfiles/{name}"));
        let mut random = Xorshift(0x9E37_79B9_7F4A_7C15);
        let mut read = 0;
        for _ in 0..2_000 {
            let mut bytes = original.clone();
            for _ in 0..=random.below(3) {
                mutate(&mut bytes, &mut random);
            }
            match parse(path, &bytes) {
                Ok(_) => read += 1,
                Err(error) => assert!(error.to_string().len() < 2_000),
            }
        }
        assert!(read > 0, "no mutation of {name} was read: the mutations are too coarse");
    }
}

pub(crate) fn mutate(bytes: &mut Vec<u8>, random: &mut Xorshift) {
    let (at, from) = (random.below(bytes.len()), random.below(bytes.len()));
    let length = random.below(40).min(bytes.len() - from);
    match random.below(5) {
        0 => bytes[at] = random.next().to_le_bytes()[0],
        1 => drop(bytes.drain(from..from + length)),
        2 => {
            let copied = bytes[from..from + length].to_vec();
            bytes.splice(at..at, copied);
        }
        3 => bytes[at] = b"\"'[]{}=,.\n#\\\0"[random.below(13)],
        _ => bytes.truncate(at.max(1)),
    }
}

pub(crate) struct Xorshift(pub(crate) u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }
}
