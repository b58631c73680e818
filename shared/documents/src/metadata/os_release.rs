//! `os-release`: which operating system an image holds (os-release(5)).

use super::error::{Fault, MetadataError};
use super::words;
use crate::lockfile::text;

/// What `os-release` says of an operating system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsRelease {
    /// `ID`, such as `debian`.
    pub id: String,
    /// `VERSION_ID`, such as `12`; rolling releases have none.
    pub version_id: Option<String>,
    /// `VERSION_CODENAME`, such as `bookworm`.
    pub version_codename: Option<String>,
    /// `PRETTY_NAME`, such as `Debian GNU/Linux 12 (bookworm)`.
    pub pretty_name: Option<String>,
}

impl OsRelease {
    /// Reads `bytes`; of a name that is there twice, the last counts, as in a shell.
    ///
    /// # Errors
    /// `ID` or a version is no word, or the file is too large.
    pub fn read(path: &str, bytes: &[u8]) -> Result<Self, MetadataError> {
        let fail =
            |fault| MetadataError::new(path, fault, "build the image again with a sound one");
        words::decode(bytes).and_then(|text| Self::of(&text)).map_err(fail)
    }

    /// `ID-VERSION_ID`, or as much of it as is known: the `distro` qualifier of package URLs.
    pub fn distro(&self) -> String {
        match self.version_id.as_ref().or(self.version_codename.as_ref()) {
            Some(version) => format!("{}-{version}", self.id),
            None => self.id.clone(),
        }
    }

    fn of(text: &str) -> Result<Self, Fault> {
        let (mut id, mut version_id, mut codename, mut pretty_name) = (None, None, None, None);
        for (at, line) in text.lines().enumerate() {
            let Some((name, value)) = line.trim().split_once('=') else { continue };
            let value = unquoted(value);
            let word = |field| match value.as_str() {
                "" => Ok(None),
                value => text::word(field, value)
                    .map(|()| Some(value.to_owned()))
                    .map_err(|problem| Fault::from(problem).on(at + 1)),
            };
            match name {
                "ID" => id = word("ID")?,
                "VERSION_ID" => version_id = word("VERSION_ID")?,
                "VERSION_CODENAME" => codename = word("VERSION_CODENAME")?,
                "PRETTY_NAME" => pretty_name = words::remark(&value),
                _ => {}
            }
        }
        // What os-release(5) says an absent one means.
        let id = id.unwrap_or_else(|| "linux".to_owned());
        Ok(Self { id, version_id, version_codename: codename, pretty_name })
    }
}

/// A value without the quotes and backslashes of a shell.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    let quoted = |mark| value.strip_prefix(mark)?.strip_suffix(mark);
    if let Some(literal) = quoted('\'') {
        return literal.to_owned();
    }
    let mut text = String::with_capacity(value.len());
    let mut chars = quoted('"').unwrap_or(value).chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> OsRelease {
        OsRelease::read("etc/os-release", text.as_bytes()).unwrap()
    }

    #[test]
    fn quotes_are_those_of_a_shell() {
        let debian = read(
            "# comment\nPRETTY_NAME=\"Debian \\\"12\\\"\"\nVERSION_ID='12'\n ID=debian \nID_LIKE=x\n",
        );
        assert_eq!(debian.pretty_name.as_deref(), Some("Debian \"12\""));
        assert_eq!(debian.distro(), "debian-12");
    }

    #[test]
    fn rolling_releases_have_their_code_name_or_nothing() {
        assert_eq!(read("ID=debian\nVERSION_CODENAME=sid\n").distro(), "debian-sid");
        assert_eq!(read("ID=arch\nVERSION_ID=\n").distro(), "arch");
        assert_eq!(read("").distro(), "linux");
    }

    #[test]
    fn an_id_with_a_space_is_refused_with_its_line() {
        let error = OsRelease::read("etc/os-release", b"NAME=x\nID=\"a b\"\n").unwrap_err();
        assert_eq!(error.line, Some(2));
        assert!(error.to_string().starts_with("etc/os-release:2: `ID` is \"a b\""), "{error}");
    }
}
