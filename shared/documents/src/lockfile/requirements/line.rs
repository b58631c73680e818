//! The lines of a requirements file: joined, without comments, and taken apart.

/// A line as pip sees it, after continuations are joined and comments cut.
pub(super) struct Line {
    /// Number of its first line, from 1.
    pub(super) number: usize,
    /// Offset of its first line, in bytes.
    pub(super) offset: usize,
    /// Trimmed, and not empty.
    pub(super) text: String,
}

/// The lines of `text` that say something.
pub(super) fn logical(text: &str) -> impl Iterator<Item = Line> {
    let mut lines = text.split_inclusive('\n').enumerate();
    let mut next_offset = 0;
    std::iter::from_fn(move || {
        loop {
            let (at, first) = lines.next()?;
            let offset = next_offset;
            next_offset += first.len();
            let mut joined = String::new();
            let mut part = first.trim_end_matches(['\r', '\n']);
            // A comment goes on to the end of its own line only.
            while let Some(begun) = part.strip_suffix('\\').filter(|_| !is_comment(part)) {
                joined.push_str(begun);
                let Some((_, next)) = lines.next() else {
                    part = "";
                    break;
                };
                next_offset += next.len();
                part = next.trim_end_matches(['\r', '\n']);
            }
            if is_comment(part) {
                // A space, so that the comment is seen as one after what is joined.
                joined.push(' ');
            }
            joined.push_str(part);
            let text = without_comment(joined.trim_start_matches('\u{feff}')).trim();
            if !text.is_empty() {
                return Some(Line { number: at + 1, offset, text: text.to_owned() });
            }
        }
    })
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// `#` begins a comment at the start and after white space only: URLs have fragments.
fn without_comment(line: &str) -> &str {
    let begins =
        |(at, _): &(usize, &str)| line[..*at].chars().next_back().is_none_or(char::is_whitespace);
    line.match_indices('#').find(begins).map_or(line, |(at, _)| &line[..at])
}

impl Line {
    /// An option and its value, where the line begins with one.
    pub(super) fn option(&self) -> Option<(&str, &str)> {
        let text = self.text.as_str();
        if text.starts_with("--") {
            let end = text.find(|c: char| c == '=' || c.is_whitespace());
            let (option, value) = text.split_at(end.unwrap_or(text.len()));
            return Some((option, value.trim_start_matches('=').trim()));
        }
        let is_letter = text.starts_with('-') && text.get(1..2).is_some_and(|it| it != "-");
        is_letter.then(|| (&text[..2], text[2..].trim()))
    }

    /// The requirement, and the options that follow it.
    pub(super) fn requirement_and_options(&self) -> (&str, &str) {
        let text = self.text.as_str();
        let options = text
            .match_indices('-')
            .find(|(at, _)| text[..*at].chars().next_back().is_some_and(char::is_whitespace));
        let (requirement, options) = text.split_at(options.map_or(text.len(), |(at, _)| at));
        (requirement.trim_end(), options)
    }
}

/// The values of `--hash` among options.
pub(super) fn hashes(options: &str) -> impl Iterator<Item = &str> {
    let mut words = options.split_whitespace();
    std::iter::from_fn(move || {
        loop {
            match words.next()? {
                "--hash" => return words.next(),
                word => {
                    if let Some(hash) = word.strip_prefix("--hash=") {
                        return Some(hash);
                    }
                }
            }
        }
    })
}

/// Whether this can be an option of pip, of whatever age, that says nothing of packages.
pub(super) fn is_other_option(option: &str) -> bool {
    let is_word = |it: &str| {
        it.starts_with(|c: char| c.is_ascii_lowercase())
            && it.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    matches!(option, "-f" | "-Z") || option.strip_prefix("--").is_some_and(is_word)
}

/// Whether this is a URL, and not a requirement that has one.
pub(super) fn is_url(text: &str) -> bool {
    let scheme = text.split("://").next().unwrap_or_default();
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    text.starts_with("file:")
        || (scheme.len() < text.len() && !scheme.is_empty() && scheme.chars().all(is_scheme))
}

/// Whether pip takes this for a file or folder.
pub(super) fn is_path(text: &str) -> bool {
    const ARCHIVES: [&str; 7] = [".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tar.xz"];
    let place = text.split(" ;").next().unwrap_or(text);
    let is_file = || ARCHIVES.iter().any(|end| place.ends_with(end)) || place.contains('/');
    text.starts_with(['.', '/', '~', '\\'])
        || (!place.contains(['@', '=', ' ']) && is_file() && !is_url(place))
}
