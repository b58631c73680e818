//! What every source file keeps to.

use super::SourceFile;

/// What a reader can hold in mind.
const MAX_LINES: usize = 450;

/// Written in two halves, so that this file does not break its own rules.
const UNFINISHED: [&str; 2] = [concat!("todo", "!("), concat!("unimplemented", "!(")];
const MACHINE_PATHS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

pub(super) fn violations(files: &[SourceFile]) -> Vec<String> {
    files.iter().flat_map(violations_in).collect()
}

fn violations_in(file: &SourceFile) -> Vec<String> {
    let mut violations = Vec::new();
    let is_source = file.path.ends_with(".rs") || file.path.ends_with(".rego");
    let lines = file.text.lines().count();
    if is_source && lines > MAX_LINES && !is_generated(file) {
        violations.push(format!(
            "{}: {lines} lines, at most {MAX_LINES}: split it by its nouns",
            file.path
        ));
    }
    // Documents in fixtures are real: they tell of the machines they were made on.
    let is_fixture = file.path.split('/').any(|it| it == "fixtures");
    for (number, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.path, number + 1);
        if is_source && UNFINISHED.iter().any(|it| line.contains(it)) {
            violations.push(format!("{place}: unfinished code; do it or open an issue"));
        }
        if !is_fixture && MACHINE_PATHS.iter().any(|it| holds_path(line, it)) {
            violations.push(format!("{place}: a path of somebody's machine"));
        }
    }
    violations
}

fn is_generated(file: &SourceFile) -> bool {
    file.text.lines().take(5).any(|line| line.contains("@generated"))
}

/// Whether an absolute path begins so; the same words inside a longer path are not meant.
fn holds_path(line: &str, prefix: &str) -> bool {
    line.match_indices(prefix).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|it| it.is_alphanumeric() || "._-~/}])>*".contains(it))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations_of(path: &str, text: &str) -> Vec<String> {
        violations(&[SourceFile { path: path.into(), text: text.into() }])
    }

    #[test]
    fn long_source_file_is_named_with_its_length() {
        let text = "\n".repeat(MAX_LINES + 1);
        assert_eq!(
            violations_of("shared/bus/src/lib.rs", &text),
            ["shared/bus/src/lib.rs: 451 lines, at most 450: split it by its nouns"]
        );
        assert_eq!(violations_of("policy/sbom.rego", &text).len(), 1);
        assert_eq!(violations_of("CHANGELOG.md", &text), [""; 0]);
        assert_eq!(violations_of("a.rs", &format!("// @generated{text}")), [""; 0]);
        assert_eq!(violations_of("a.rs", &text[1..]), [""; 0]);
    }

    #[test]
    fn unfinished_code_is_named_with_its_line() {
        for unfinished in UNFINISHED {
            let found = violations_of("a.rs", &format!("fn f() {{\n    {unfinished})\n}}"));
            assert_eq!(found, ["a.rs:2: unfinished code; do it or open an issue"]);
        }
    }

    #[test]
    fn machine_path_is_found_in_any_file_but_not_inside_other_paths() {
        for prefix in MACHINE_PATHS {
            let found = violations_of("README.md", &format!("see `{prefix}notes`"));
            assert_eq!(found, ["README.md:1: a path of somebody's machine"]);
            let inside =
                format!("runner{prefix}a ../trusted{prefix}b https://example.org{prefix}c");
            assert_eq!(violations_of("README.md", &inside), [""; 0]);
            assert_eq!(
                violations_of("shared/documents/fixtures/a.json", &format!("\"{prefix}a\"")),
                [""; 0]
            );
        }
    }
}
