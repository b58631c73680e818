//! What is looked for, as it is kept.

use events::Digest;

use crate::inventory::{canonical, short_name};

/// What is looked for.
pub(super) enum Term {
    /// A document.
    Document(Digest),
    /// A package URL, with or without version, in its canonical form; what is none, as it was typed.
    Purl(String),
    /// A CPE or the first parts of one, in lower case and in both bindings (NISTIR 7695, 6).
    Cpe(Vec<String>),
    /// A name, in lower case.
    Name(String),
}

impl Term {
    pub(super) fn of(text: &str) -> Self {
        let lower = text.to_lowercase();
        if let Ok(digest) = text.parse() {
            return Self::Document(digest);
        }
        if lower.starts_with("pkg:") {
            return Self::Purl(canonical(text.to_owned()).0);
        }
        if lower.starts_with("cpe:") {
            return Self::Cpe(cpes(&lower));
        }
        Self::Name(lower)
    }

    /// Ranges of the column that has such a term, each from its first to its last value.
    pub(super) fn ranges(&self) -> Vec<(String, String)> {
        let from = |text: &String| (text.clone(), format!("{text}\u{10ffff}"));
        match self {
            Self::Document(_) => Vec::new(),
            Self::Purl(text) => vec![from(text)],
            Self::Cpe(texts) => texts.iter().map(from).collect(),
            Self::Name(name) => {
                let short = short_name(name);
                vec![(short.clone(), short)]
            }
        }
    }

    /// The column of components that it is looked up in.
    pub(super) fn column(&self) -> &'static str {
        match self {
            Self::Document(_) | Self::Name(_) => "short_name",
            Self::Purl(_) => "purl",
            Self::Cpe(_) => "cpe",
        }
    }

    /// Whether a component with these is what is looked for.
    pub(super) fn fits(&self, name: &str, purl: Option<&str>, cpe: Option<&str>) -> bool {
        match self {
            Self::Document(_) => false,
            Self::Purl(text) => purl.is_some_and(|it| begins_with(it, text, &['@', '?', '#'])),
            Self::Cpe(texts) => {
                cpe.is_some_and(|it| texts.iter().any(|text| begins_with(it, text, &[':'])))
            }
            Self::Name(looked_for) => {
                let name = name.to_lowercase();
                let rest = name.strip_suffix(looked_for.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
            }
        }
    }
}

/// Whether `text` is `part`, or goes on behind it with another part.
fn begins_with(text: &str, part: &str, ends: &[char]) -> bool {
    text.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with(ends))
}

/// A CPE without the parts at its end that are any, as a formatted string and as a URI. Where names
/// have characters that the two escape differently, only the one that was typed finds them.
fn cpes(text: &str) -> Vec<String> {
    let text = text.trim_end_matches([':', '*']);
    let bindings = ["cpe:2.3:", "cpe:/"];
    match bindings.iter().find_map(|it| text.strip_prefix(it)) {
        Some(rest) if rest.contains(':') => {
            bindings.iter().map(|binding| format!("{binding}{rest}")).collect()
        }
        // A bare binding would be everything.
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(term: &str, name: &str, purl: &str, cpe: &str) -> bool {
        Term::of(term).fits(name, Some(purl), Some(cpe))
    }

    #[test]
    fn purl_fits_in_every_spelling_and_up_to_its_parts() {
        let kept = "pkg:pypi/jinja2@2.10";
        for term in ["pkg:pypi/jinja2", "pkg:PyPI/Jinja2", "PKG:pypi/Jinja2@2.10", kept] {
            assert!(fits(term, "x", kept, ""), "{term}");
        }
        for term in ["pkg:pypi/jinja", "pkg:pypi/", "pkg:", "pkg:npm/jinja2", "pkg:pypi/jinja2@2.1"]
        {
            assert!(!fits(term, "x", kept, ""), "{term}");
        }
        assert!(fits("pkg:nothing", "x", "pkg:nothing", ""), "what is no purl is equal to itself");
    }

    #[test]
    fn cpe_fits_in_both_bindings_and_up_to_its_parts() {
        let kept = "cpe:2.3:a:acme:widget:1.0:*:*:*:*:*:*:*";
        for term in [
            kept,
            "cpe:2.3:a:acme:widget",
            "CPE:2.3:a:Acme:Widget:1.0",
            "cpe:/a:acme:widget:1.0",
            "cpe:2.3:a:acme:widget:*:*:*:*:*:*:*:*",
            "cpe:2.3:a:acme",
        ] {
            assert!(fits(term, "x", "", kept), "{term}");
        }
        for term in
            ["cpe:2.3:a:acme:wid", "cpe:2.3:a:acme:widget:2.0", "cpe:", "cpe:2.3:*", "cpe:/"]
        {
            assert!(!fits(term, "x", "", kept), "{term}");
        }
        assert!(fits("cpe:2.3:a:acme:widget", "x", "", "cpe:/a:acme:widget:1.0"));
    }

    #[test]
    fn name_fits_with_or_without_its_group() {
        for term in ["Left", "acme/left", "org/acme/LEFT"] {
            assert!(fits(term, "org/Acme/left", "", ""), "{term}");
        }
        for term in ["eft", "e/left", "acme", "*", "%"] {
            assert!(!fits(term, "org/Acme/left", "", ""), "{term}");
        }
    }
}
