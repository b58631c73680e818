//! Which folders are members of a workspace, by the patterns of `package.json`.

use std::collections::HashSet;

use crate::lockfile::borrowed::Texts;

/// Most patterns with wildcards, and as many that refuse; more are passed over.
const MAX_PATTERNS: usize = 100;

/// The patterns of a workspace.
#[derive(Default)]
pub(in crate::lockfile) struct Members<'a> {
    folders: HashSet<&'a str>,
    patterns: Vec<Vec<&'a str>>,
    refused: Vec<Vec<&'a str>>,
}

impl<'a> Members<'a> {
    pub(in crate::lockfile) fn new(patterns: &'a Texts<'_>) -> Self {
        let mut members = Self::default();
        for pattern in &patterns.0 {
            let refused = pattern.strip_prefix('!');
            let pattern = refused.unwrap_or(pattern).trim_start_matches("./").trim_end_matches('/');
            let list = if refused.is_some() { &mut members.refused } else { &mut members.patterns };
            if refused.is_none() && !pattern.contains(['*', '{', '?', '[']) {
                members.folders.insert(pattern);
            } else if list.len() < MAX_PATTERNS {
                list.push(pattern.split('/').collect());
            }
        }
        members
    }

    /// Whether the folder at `path` is a member.
    pub(in crate::lockfile) fn contain(&self, path: &str) -> bool {
        let segments: Vec<&str> = path.split('/').collect();
        let fits = |pattern: &Vec<&str>| fits(pattern, &segments, |it| *it == "**", fits_segment);
        (self.folders.contains(path) || self.patterns.iter().any(fits))
            && !self.refused.iter().any(fits)
    }
}

fn fits_segment(pattern: &&str, segment: &&str) -> bool {
    // Sets and alternatives are rare: what they may mean is taken for a member.
    pattern.contains(['{', '?', '['])
        || fits(pattern.as_bytes(), segment.as_bytes(), |it| *it == b'*', |a, b| a == b)
}

/// Whether `text` fits `pattern`, in which some parts stand for any number of others.
fn fits<T>(
    pattern: &[T],
    text: &[T],
    is_star: impl Fn(&T) -> bool,
    is_same: impl Fn(&T, &T) -> bool,
) -> bool {
    let (mut at, mut read) = (0, 0);
    // The last star, and how much of the text it takes in.
    let mut star = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(part) if is_star(part) => {
                star = Some((at, read));
                at += 1;
            }
            Some(part) if is_same(part, &text[read]) => (at, read) = (at + 1, read + 1),
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, read) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(is_star)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::lockfile::borrowed::Text;

    #[test]
    fn members_fit_a_pattern_and_none_that_is_refused() {
        let patterns = ["./docs/", "packages/*", "apps/**/web-*", "!packages/old"];
        let patterns = Texts(patterns.map(|it| Text(Cow::Borrowed(it))).to_vec());
        let members = Members::new(&patterns);
        for path in ["docs", "packages/a", "apps/web-1", "apps/x/y/web-2"] {
            assert!(members.contain(path), "{path}");
        }
        for path in ["doc", "packages", "packages/a/b", "packages/old", "apps/x/api", "vendor/a"] {
            assert!(!members.contain(path), "{path}");
        }
    }
}
