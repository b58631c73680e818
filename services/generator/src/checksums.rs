//! `checksums.txt`, as `sha256sum` writes and checks it.

use std::fmt::Write;

use events::Digest;

/// One line per file, by name, for `sha256sum --check` in the directory of the release.
pub(crate) fn checksums<'a>(files: impl IntoIterator<Item = (&'a str, Digest)>) -> String {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let mut lines = String::new();
    for (name, digest) in files {
        let (mark, name) = escaped(name);
        // Writing to a String cannot fail.
        writeln!(lines, "{mark}{}  {name}", digest.hex()).unwrap_or_default();
    }
    lines
}

/// A name as GNU `sha256sum` writes it, and what marks the line of one that is escaped.
fn escaped(name: &str) -> (&'static str, String) {
    let name = match name {
        // Alone it would be standard input.
        "-" => "./-",
        name => name,
    };
    match name.contains(['\\', '\n', '\r']) {
        true => ("\\", name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")),
        false => ("", name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::*;

    #[test]
    fn sha256sum_finds_every_file_whatever_its_name() {
        let names =
            ["-", "-c", " a", "*b", "a  b", "b\\n", "c\nd", "e\r", "\\", "sub/é.whl", "#", "z"];
        let directory = tempfile::tempdir().expect("temporary");
        fs::create_dir(directory.path().join("sub")).expect("creates");
        for name in names {
            fs::write(directory.path().join(name), name).expect("writes");
        }
        let lines = checksums(names.map(|name| (name, Digest::of(name.as_bytes()))));
        fs::write(directory.path().join("checksums.txt"), &lines).expect("writes");

        let mut check = Command::new("sha256sum");
        check.args(["--check", "--strict", "checksums.txt"]).current_dir(directory.path());
        let output = check.output().expect("sha256sum runs");

        assert!(output.status.success(), "{lines}{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said.matches(": OK").count(), names.len(), "{said}");
    }

    #[test]
    fn order_of_files_does_not_matter() {
        let (a, b) = (("a", Digest::of(b"a")), ("b", Digest::of(b"b")));

        assert_eq!(checksums([b, a]), checksums([a, b]));
    }
}
