//! Requirements as PEP 508 writes them, as far as they tell which package is meant.

/// One requirement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Requirement<'a> {
    /// The name as it is written.
    pub(super) name: &'a str,
    /// The only version that is admitted, by `==` or `===`.
    pub(super) version: Option<&'a str>,
    /// The URL after `@`.
    pub(super) url: Option<&'a str>,
    /// The environments in which alone it counts, as they are written.
    pub(super) marker: Option<&'a str>,
}

impl<'a> Requirement<'a> {
    /// Reads `NAME [EXTRAS] SPECIFIERS ; MARKER` or `NAME [EXTRAS] @ URL ; MARKER`; what is neither
    /// is nothing.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let (name, rest) = text.split_at(text.find(|c| !is_inner(c)).unwrap_or(text.len()));
        if name.is_empty() {
            return None;
        }
        let rest = after_extras(rest.trim_start())?;
        if let Some(url) = rest.strip_prefix('@') {
            // A URL may hold a semicolon; the one before a marker has a space before it.
            let (url, marker) = split_marker(url, " ;");
            return Some(Self { name, version: None, url: Some(url.trim()), marker });
        }
        let (specifiers, marker) = split_marker(rest, ";");
        let version = pinned(specifiers.trim())?;
        Some(Self { name, version, url: None, marker })
    }
}

/// The name in `#egg=NAME[EXTRAS]&…`.
pub(super) fn egg(place: &str) -> Option<&str> {
    let (_, fragment) = place.split_once('#')?;
    let egg = fragment.split('&').find_map(|part| part.strip_prefix("egg="))?;
    let name = egg.split(['[', ' ', ';']).next()?;
    (!name.is_empty()).then_some(name)
}

fn after_extras(rest: &str) -> Option<&str> {
    match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']').map(|(_, rest)| rest.trim_start()),
        None => Some(rest),
    }
}

fn split_marker<'a>(text: &'a str, separator: &str) -> (&'a str, Option<&'a str>) {
    text.split_once(separator)
        .map_or((text, None), |(before, marker)| (before, Some(marker.trim())))
}

/// The version that `specifiers` pin, if they do; nothing if they are no specifiers.
fn pinned(specifiers: &str) -> Option<Option<&str>> {
    let inner = specifiers.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
    let mut pinned = None;
    for clause in inner.unwrap_or(specifiers).split(',').map(str::trim) {
        // Nothing at all is a requirement; a comma at the end is common.
        if clause.is_empty() {
            continue;
        }
        const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];
        let operator = OPERATORS.into_iter().find(|operator| clause.starts_with(operator))?;
        let version = clause[operator.len()..].trim_start();
        if version.is_empty() || version.contains(char::is_whitespace) {
            return None;
        }
        // A variable of the environment is no version either.
        let is_version_char = |c: char| c.is_ascii_alphanumeric() || ".-_+!".contains(c);
        if operator.starts_with("==") && version.chars().all(is_version_char) {
            pinned = pinned.or(Some(version));
        }
    }
    Some(pinned)
}

#[cfg(test)]
mod tests {
    use super::Requirement;

    #[test]
    fn only_an_exact_version_is_a_version() {
        for (text, version) in [
            ("a==1.0", Some("1.0")),
            ("a == 1.0", Some("1.0")),
            ("a===1.0-x", Some("1.0-x")),
            ("a (==1.0)", Some("1.0")),
            ("a[x, y] ==1.0 ; python_version < '3'", Some("1.0")),
            ("a>=0.9,==1.0", Some("1.0")),
            ("a==1.0+cpu", Some("1.0+cpu")),
            ("a", None),
            ("a==1.*", None),
            ("a==${VERSION}", None),
            ("a~=1.0", None),
            ("a>=1.0,<2", None),
            ("a!=1.0", None),
        ] {
            let read = Requirement::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((read.name, read.version), ("a", version), "{text}");
            assert_eq!(read.marker, text.split_once("; ").map(|(_, marker)| marker), "{text}");
        }
    }

    #[test]
    fn urls_end_before_the_marker() {
        let read = Requirement::parse("a[x] @ https://h.example/a;b.whl ; os_name == 'nt'");
        assert_eq!(
            read,
            Some(Requirement {
                name: "a",
                version: None,
                url: Some("https://h.example/a;b.whl"),
                marker: Some("os_name == 'nt'"),
            })
        );
    }

    #[test]
    fn prose_and_addresses_are_no_requirements() {
        for text in ["", "to do: sleep", "a b", "git+https://h.example/x", "a[x", "a==", "a=1"] {
            assert_eq!(Requirement::parse(text), None, "{text}");
        }
    }
}
