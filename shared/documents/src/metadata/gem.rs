//! Gem specifications as RubyGems writes them into `specifications/`: Ruby code whose values are
//! literals. No other Ruby is understood.

use super::error::Fault;
use super::words;
use crate::inventory::{Package, Source};
use crate::lockfile::text;

const RUBYGEMS: &str = "https://rubygems.org";
/// The platform of gems without compiled code, which package URLs leave out.
const ANY_PLATFORM: &str = "ruby";

pub(super) fn read(file: &str) -> Result<Package, Fault> {
    let (mut name, mut version, mut platform) = (None, None, None);
    let (mut licences, mut authors) = (Vec::new(), Vec::new());
    for (at, line) in file.lines().enumerate() {
        let Some((field, value)) = assignment(line) else { continue };
        let slot = match field {
            "name" => &mut name,
            "version" => &mut version,
            "platform" => &mut platform,
            "license" | "licenses" => {
                licences = literals(value);
                continue;
            }
            "author" | "authors" => {
                authors = literals(value);
                continue;
            }
            _ => continue,
        };
        if slot.is_some() {
            return Err(Fault::syntax(at + 1, format!("`{field}` is there twice")));
        }
        let value = value.strip_prefix("Gem::Version.new(").unwrap_or(value);
        if let [only] = literals(value)[..] {
            *slot = Some((at + 1, only));
        }
    }
    let (line, name) = name.ok_or_else(|| Fault::missing("the specification", "name"))?;
    let (_, version) = version.ok_or_else(|| Fault::missing("the specification", "version"))?;
    text::word("name", name).map_err(|problem| Fault::from(problem).on(line))?;
    let platform = platform.map(|(_, platform)| platform).filter(|it| *it != ANY_PLATFORM);
    let purl = words::purl("gem", None, name, Some(version), &[("platform", platform)])?;
    let source = Source::Registry { url: RUBYGEMS.to_owned() };
    let package = Package::new(name.to_owned(), Some(version), purl, source)?;
    // Several licences are a choice (RubyGems specification reference, `licenses=`) only by habit.
    let licence = match licences[..] {
        [only] => words::remark(only),
        _ => None,
    };
    let supplier = words::remark(&authors.join(", "));
    Ok(Package { line: Some(line), licence, supplier, ..package })
}

/// Field and value of `s.field = value`, whatever the variable is called.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (target, value) = line.trim().split_once(" = ")?;
    let (variable, field) = target.trim_end().split_once('.')?;
    let is_name = |it: &str| it.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (is_name(variable) && is_name(field)).then_some((field, value.trim_start()))
}

/// The texts of `"a".freeze` or `["a".freeze, 'b']`; none where anything else stands there.
fn literals(value: &str) -> Vec<&str> {
    let list = value.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(list, _)| list);
    let mut rest = list.unwrap_or(value).trim();
    let mut texts = Vec::new();
    while let Some(mark) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let Some((text, after)) = rest[1..].split_once(mark) else { return Vec::new() };
        // Code in a text, and escapes, are not literal.
        if text.contains(['#', '\\']) {
            return Vec::new();
        }
        texts.push(text);
        rest = after.trim_start_matches(".freeze").trim_start_matches([',', ' ', ')']);
    }
    if rest.is_empty() { texts } else { Vec::new() }
}
