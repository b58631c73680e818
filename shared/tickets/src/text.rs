//! Text of unknown origin in tickets: it pings nobody, links nowhere and makes no structure.

/// Most characters of a title. GitHub takes 256.
pub const TITLE_CHARS: usize = 250;
/// Most characters of a text. GitHub takes 65,536.
pub const BODY_CHARS: usize = 60_000;

/// Joins what would otherwise be read as a mention, a reference or an address; nobody sees it.
const JOINER: char = '\u{2060}';

/// `text` within a line of Markdown.
pub fn quiet(text: &str) -> String {
    let mut quiet = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => quiet.push_str("&amp;"),
            '<' => quiet.push_str("&lt;"),
            '>' => quiet.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '$' => quiet.extend(['\\', c]),
            c => quiet.push(c),
        }
    }
    quiet
}

/// `text` as a title, which is shown as it is, but for mentions and references.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        if c.is_control() || is_invisible(c) {
            plain.push(' ');
            continue;
        }
        plain.push(c);
        let joins = match c {
            // `@name`, `#1` and `owner/name#1`, `GH-1`, `https://`, `www.`
            '@' | '#' => true,
            '-' => ends_with(&plain, "gh-") && next.is_ascii_digit(),
            ':' => next == '/',
            '.' => ends_with(&plain, "www."),
            _ => false,
        };
        if joins {
            plain.push(JOINER);
        }
    }
    plain
}

/// The beginning of `text`, of at most so many characters.
pub fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

fn ends_with(text: &str, end: &str) -> bool {
    let start = text.len().saturating_sub(end.len());
    text.get(start..).is_some_and(|it| it.eq_ignore_ascii_case(end))
}

/// Line separators, and what reverses or hides text.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    #[test]
    fn hostile_text_pings_nobody_and_links_nowhere() {
        for (text, expected) in [
            ("@everyone look", "@\u{2060}everyone look"),
            ("see #1 and acme/app#2", "see #\u{2060}1 and acme/app#\u{2060}2"),
            ("GH-7, gh-8, not GH-x", "GH-\u{2060}7, gh-\u{2060}8, not GH-x"),
            ("https://evil.example/x", "https:\u{2060}//evil.example/x"),
            ("www.evil.example", "www.\u{2060}evil.example"),
            ("a\nb\u{202e}c\u{2028}d", "a b c d"),
            ("\u{feff}äöü → ≥", " äöü → ≥"),
        ] {
            assert_eq!(plain(text), expected);
        }
        assert_eq!(quiet("**bold** [x](y) `c`"), "\\*\\*bold\\*\\* \\[x\\](y) \\`c\\`");
        assert_eq!(quiet("<img src=x>&lt;"), "&lt;img src=x&gt;&amp;lt;");
    }

    #[test]
    fn text_of_others_carries_no_key() {
        let marker = Key::of(events::Digest::of(b"theirs")).marker();
        assert!(Key::in_text(&marker).is_some());
        assert_eq!(Key::in_text(&quiet(&marker)), None);
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 2), "äö");
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("", 0), "");
    }
}
