//! Repositories: how they are named, and what a record's commits say of a tag or a commit.
//!
//! Which commit comes before which only the repository knows, and it is not at hand: a range of commits decides about
//! the commits that it names, and about nothing between them.

use crate::{Affected, Event, MatchRule};

/// Fewest hexadecimal digits that are taken for an abbreviated commit.
const MIN_COMMIT_DIGITS: usize = 7;
/// A whole SHA-1.
const COMMIT_DIGITS: usize = 40;

/// What a record says of a tag or a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Affected(MatchRule),
    NotAffected,
    Undecided,
}

/// The name of the repository at an address, such as `github.com/madler/zlib`: without scheme, user and `.git`, in lower
/// case.
pub(crate) fn repository(address: &str) -> String {
    let address = address.trim();
    let address = address.split_once("://").map_or(address, |(_scheme, rest)| rest);
    let host_ends = address.find('/').unwrap_or(address.len());
    let user_ends = address[..host_ends].find('@').map_or(0, |at| at + 1);
    let address = address[user_ends..].trim_end_matches('/');
    let name = address.strip_suffix(".git").unwrap_or(address).to_lowercase();
    match name.split_once(':') {
        // `git@host:path`, and no port.
        Some((host, path))
            if !host.contains('/') && !path.starts_with(|it: char| it.is_ascii_digit()) =>
        {
            format!("{host}/{path}")
        }
        _ => name,
    }
}

/// What the entry says of the tag or the commit `at`.
pub(crate) fn standing(affected: &Affected, at: &str) -> Standing {
    if affected.versions.iter().any(|it| tag(it) == tag(at)) {
        return Standing::Affected(MatchRule::ExactVersion);
    }
    if is_commit(at) {
        let named =
            affected.ranges.iter().flat_map(|it| &it.events).filter(|it| is_same(it.version(), at));
        let mut is_affected = None;
        for event in named {
            match event {
                Event::Introduced(_) | Event::LastAffected(_) => is_affected = Some(true),
                Event::Fixed(_) | Event::Limit(_) => is_affected = is_affected.or(Some(false)),
            }
        }
        return match is_affected {
            Some(true) => Standing::Affected(MatchRule::GitRange),
            Some(false) => Standing::NotAffected,
            None => Standing::Undecided,
        };
    }
    // Where a record lists tags, it lists every one that is affected.
    match affected.versions.is_empty() {
        true => Standing::Undecided,
        false => Standing::NotAffected,
    }
}

/// A tag without what is written in front of some.
fn tag(text: &str) -> &str {
    let text = text.strip_prefix("refs/tags/").unwrap_or(text);
    match text.strip_prefix(['v', 'V']) {
        Some(rest) if rest.starts_with(|it: char| it.is_ascii_digit()) => rest,
        _ => text,
    }
}

/// Digits alone are rather a date, unless there are as many as a commit has.
fn is_commit(text: &str) -> bool {
    let has_letter = text.bytes().any(|it| it.is_ascii_alphabetic());
    text.bytes().all(|it| it.is_ascii_hexdigit())
        && text.len() >= if has_letter { MIN_COMMIT_DIGITS } else { COMMIT_DIGITS }
}

/// Whether `at` is the commit, or the beginning of it.
fn is_same(commit: &str, at: &str) -> bool {
    commit.get(..at.len()).is_some_and(|start| start.eq_ignore_ascii_case(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ecosystem, Range, Severity};

    const INTRODUCED: &str = "2a6f290a9d3ba0bb1e1a6d6c3d3f1a1e0c4a1b11";
    const FIXED: &str = "5c44459c3b28a9bd3283aaceab7c615f8020c531";

    fn affected(tags: &[&str]) -> Affected {
        Affected {
            ecosystem: Ecosystem::Git,
            release: None,
            name: "github.com/madler/zlib".into(),
            ranges: vec![Range {
                events: vec![Event::Introduced(INTRODUCED.into()), Event::Fixed(FIXED.into())],
            }],
            versions: tags.iter().map(|it| (*it).to_owned()).collect(),
            only_commits: false,
            last_known: None,
            severity: Severity::Unknown,
            informational: None,
        }
    }

    #[test]
    fn addresses_of_one_repository_have_one_name() {
        for address in [
            "https://github.com/madler/zlib",
            "https://github.com/Madler/zlib.git",
            "git+https://git@github.com/madler/zlib/",
            "git@github.com:madler/zlib.git",
            "github.com/madler/zlib",
        ] {
            assert_eq!(repository(address), "github.com/madler/zlib", "{address}");
        }
        assert_eq!(repository("ssh://git@example.org:2222/x"), "example.org:2222/x");
        assert_eq!(repository(""), "");
    }

    #[test]
    fn commits_decide_about_themselves_only() {
        let affected = affected(&[]);

        let exact = Standing::Affected(MatchRule::GitRange);
        assert_eq!(standing(&affected, INTRODUCED), exact);
        assert_eq!(standing(&affected, &INTRODUCED[..12]), exact);
        assert_eq!(standing(&affected, FIXED), Standing::NotAffected);
        assert_eq!(standing(&affected, &FIXED.to_uppercase()), Standing::NotAffected);
        assert_eq!(
            standing(&affected, "cacf7f1d4e3d44d871b605da3b647f07d718623f"),
            Standing::Undecided
        );
        assert_eq!(standing(&affected, "v1.2.11"), Standing::Undecided);
    }

    #[test]
    fn tags_that_are_listed_are_affected_and_no_others() {
        let affected = affected(&["v1.2.10", "v1.2.11"]);

        for at in ["v1.2.11", "1.2.11", "refs/tags/v1.2.11"] {
            assert_eq!(
                standing(&affected, at),
                Standing::Affected(MatchRule::ExactVersion),
                "{at}"
            );
        }
        assert_eq!(standing(&affected, "v1.2.12"), Standing::NotAffected);
        assert_eq!(standing(&affected, "20240101"), Standing::NotAffected);
        assert_eq!(standing(&affected, "deadbeef"), Standing::Undecided);
    }
}
