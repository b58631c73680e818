//! `pom.properties`, which Maven puts into every jar: its coordinates (the syntax is that of
//! `java.util.Properties`).

use super::error::Fault;
use super::words;
use crate::inventory::{Package, Source};
use crate::lockfile::text;

pub(super) const MAVEN_CENTRAL: &str = "https://repo.maven.apache.org/maven2";

pub(super) fn read(file: &str) -> Result<Package, Fault> {
    let (mut group, mut artifact, mut version) = (None, None, None);
    for (line, key, value) in properties(file) {
        let slot = match key.as_str() {
            "groupId" => &mut group,
            "artifactId" => &mut artifact,
            "version" => &mut version,
            _ => continue,
        };
        text::word("coordinate", &value).map_err(|problem| Fault::from(problem).on(line))?;
        if slot.replace((line, value)).is_some() {
            return Err(Fault::syntax(line, format!("`{key}` is there twice")));
        }
    }
    let missing = |field| Fault::missing("the file", field);
    let (_, group) = group.ok_or_else(|| missing("groupId"))?;
    let (line, artifact) = artifact.ok_or_else(|| missing("artifactId"))?;
    let (_, version) = version.ok_or_else(|| missing("version"))?;
    let purl = words::purl("maven", Some(&group), &artifact, Some(&version), &[])?;
    let source = Source::Registry { url: MAVEN_CENTRAL.to_owned() };
    let package = Package::new(format!("{group}:{artifact}"), Some(&version), purl, source)?;
    Ok(Package { line: Some(line), ..package })
}

/// Line, key and value of each property.
fn properties(file: &str) -> impl Iterator<Item = (usize, String, String)> {
    let mut lines = file.lines().enumerate();
    std::iter::from_fn(move || {
        loop {
            let (at, line) = lines.next()?;
            let mut logical = line.trim_start().to_owned();
            if logical.is_empty() || logical.starts_with(['#', '!']) {
                continue;
            }
            while is_continued(&logical) {
                logical.pop();
                let Some((_, next)) = lines.next() else { break };
                logical.push_str(next.trim_start());
            }
            let (key, value) = split(&logical);
            return Some((at + 1, unescaped(key), unescaped(value).trim_end().to_owned()));
        }
    })
}

/// Whether a line ends with a backslash that no other one escapes.
fn is_continued(line: &str) -> bool {
    line.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1
}

/// Key and value, which `=`, `:` or white space separates.
fn split(line: &str) -> (&str, &str) {
    let mut is_escaped = false;
    let end = line.find(|c: char| {
        let ends = !is_escaped && (matches!(c, '=' | ':') || c.is_whitespace());
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    let (key, value) = line.split_at(end.unwrap_or(line.len()));
    let value = value.trim_start();
    (key, value.strip_prefix(['=', ':']).unwrap_or(value).trim_start())
}

fn unescaped(escaped: &str) -> String {
    let mut text = String::with_capacity(escaped.len());
    let mut rest = escaped.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match rest.next() {
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                // Half of a pair of surrogates is no character, and in no name.
                text.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some('t') => text.push('\t'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('f') => text.push('\u{C}'),
            Some(other) => text.push(other),
            None => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_continued_lines_are_those_of_java() {
        let file = "#x\n! y\n\n a\\:b : c\\u0041\\\n   d\\\\\nk\nl=\\n=\n";
        let found: Vec<_> = properties(file).collect();
        let expected = [(4, "a:b", "cAd\\"), (6, "k", ""), (7, "l", "\n=")];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(line, key, value)| (line, key.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(found, expected);
    }
}
