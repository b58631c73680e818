//! The grammar of `go.mod`: one directive in a line, or several in parentheses.

use std::collections::HashMap;

use crate::lockfile::MAX_PACKAGES;
use crate::lockfile::error::{Fault, Problem};

/// Most words of a line that are kept; no directive has as many.
const MAX_WORDS: usize = 16;

/// What the directives say, as far as it matters here.
#[derive(Default)]
pub(super) struct Module {
    /// The module's own path, and where it stands.
    pub(super) path: Option<(usize, String)>,
    /// Version of the language, such as 1.17.
    pub(super) language: Option<(u32, u32)>,
    pub(super) requirements: Vec<Requirement>,
    /// Packages of commands that the project runs to work on itself.
    pub(super) tools: Vec<String>,
    /// Folders of the modules of a workspace, in `go.work`.
    pub(super) uses: Vec<String>,
    /// By path, and version where only one is replaced.
    replacements: HashMap<(String, Option<String>), Replacement>,
}

/// A module that is needed, in the version that was selected.
pub(super) struct Requirement {
    pub(super) offset: usize,
    pub(super) path: String,
    pub(super) version: String,
    /// Whether only other modules ask for it.
    pub(super) indirect: bool,
}

/// What stands in for a module.
pub(super) struct Replacement {
    /// Another module, or a folder where there is no version.
    pub(super) path: String,
    pub(super) version: Option<String>,
}

/// Reads `text`; unknown directives are passed over, as Go does in the files of dependencies.
pub(super) fn read(text: &str) -> Result<Module, Fault> {
    let mut module = Module::default();
    let mut block: Option<(usize, String)> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let (words, comment) = words(line).map_err(|problem| problem.at(offset))?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match (&block, &words[..]) {
            (_, []) | (None, [_, "(", ")"]) => {}
            (Some(_), [")"]) => block = None,
            (None, [directive, "("]) => block = Some((offset, (*directive).to_owned())),
            (Some((_, directive)), values) => module.take(offset, directive, values, comment)?,
            (None, [directive, values @ ..]) => module.take(offset, directive, values, comment)?,
        }
        offset += line.len();
    }
    match block {
        None => Ok(module),
        Some((offset, directive)) => {
            Err(syntax(format!("`{}` is not closed", directive.escape_debug())).at(offset))
        }
    }
}

/// The path of the module that `text` is of, found without reading the rest.
pub(super) fn module_path(text: &str) -> Option<String> {
    text.lines().find_map(|line| match words(line).ok()?.0 {
        mut values if values.len() == 2 && values[0] == "module" => values.pop(),
        _ => None,
    })
}

impl Module {
    /// What stands in for this module: for this version first, otherwise for any.
    pub(super) fn replacement(&self, path: &str, version: &str) -> Option<&Replacement> {
        let one = self.replacements.get(&(path.to_owned(), Some(version.to_owned())));
        one.or_else(|| self.replacements.get(&(path.to_owned(), None)))
    }

    fn take(
        &mut self,
        offset: usize,
        directive: &str,
        values: &[&str],
        comment: &str,
    ) -> Result<(), Fault> {
        let replaced = |path: &str, version: Option<&str>| Replacement {
            path: path.to_owned(),
            version: version.map(str::to_owned),
        };
        match (directive, values) {
            ("module", [path]) => self.path = Some((offset, (*path).to_owned())),
            ("go", [version]) => self.language = language(version),
            ("require", [path, version]) => self.requirements.push(Requirement {
                offset,
                path: (*path).to_owned(),
                version: (*version).to_owned(),
                indirect: is_indirect(comment),
            }),
            ("replace", [path, rest @ ..]) => {
                let (version, to) = match rest {
                    ["=>", to] => (None, replaced(to, None)),
                    ["=>", to, of] => (None, replaced(to, Some(of))),
                    [version, "=>", to] => (Some(*version), replaced(to, None)),
                    [version, "=>", to, of] => (Some(*version), replaced(to, Some(of))),
                    _ => return Err(syntax("`replace` is not `OLD => NEW`".to_owned()).at(offset)),
                };
                let key = ((*path).to_owned(), version.map(str::to_owned));
                self.replacements.insert(key, to);
            }
            ("tool", [package]) => self.tools.push((*package).to_owned()),
            ("use", [folder]) => self.uses.push((*folder).to_owned()),
            ("module" | "go" | "require" | "replace", _) => {
                let message = format!("`{directive}` with {} values", values.len());
                return Err(syntax(message).at(offset));
            }
            _ => {}
        }
        let named = self.tools.len() + self.uses.len();
        match self.requirements.len() + self.replacements.len() + named {
            packages if packages > MAX_PACKAGES => {
                Err(Problem::TooManyPackages { packages }.at(offset))
            }
            _ => Ok(()),
        }
    }
}

/// The words of a line, strings unquoted, and its comment.
fn words(line: &str) -> Result<(Vec<String>, &str), Problem> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        words.truncate(MAX_WORDS);
        if let Some(comment) = rest.strip_prefix("//") {
            return Ok((words, comment.trim()));
        }
        let end = match first {
            '(' | ')' => 1,
            '"' | '`' => {
                let quoted = rest[1..].split_once(first);
                let (inner, after) =
                    quoted.ok_or_else(|| syntax("a string is not closed".to_owned()))?;
                words.push(inner.to_owned());
                rest = after.trim_start();
                continue;
            }
            _ => word_end(rest),
        };
        words.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    Ok((words, ""))
}

fn word_end(text: &str) -> usize {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '`'));
    let end = end.unwrap_or(text.len());
    text[..end].find("//").unwrap_or(end)
}

/// Whether a comment is `indirect`, perhaps with more behind a semicolon.
fn is_indirect(comment: &str) -> bool {
    comment.split(';').next().is_some_and(|first| first.trim() == "indirect")
}

/// Major and minor of a version such as `1.17` or `1.26.0`.
fn language(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().unwrap_or("0");
    let digits = minor.find(|c: char| !c.is_ascii_digit()).unwrap_or(minor.len());
    Some((major, minor[..digits].parse().ok()?))
}

fn syntax(message: String) -> Problem {
    Problem::Syntax { message }
}
