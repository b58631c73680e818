//! The version that `nats-server --version` prints.

use std::fmt;

/// A released version; what follows the patch number (`-RC.1`) is not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Changes when the protocol does.
    pub major: u32,
    /// Changes when features come.
    pub minor: u32,
    /// Changes when bugs go.
    pub patch: u32,
}

impl Version {
    /// Reads the line `nats-server: v2.14.6`; `None` when it is something else.
    #[must_use]
    pub fn from_output(output: &str) -> Option<Self> {
        let version = output.trim().strip_prefix("nats-server:")?.trim();
        let version = version.strip_prefix('v').unwrap_or(version);
        let mut numbers = version.splitn(3, '.').map(leading_number);
        Some(Self { major: numbers.next()??, minor: numbers.next()??, patch: numbers.next()?? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u32, minor: u32, patch: u32) -> Option<Version> {
        Some(Version { major, minor, patch })
    }

    #[test]
    fn reads_what_servers_print() {
        assert_eq!(Version::from_output("nats-server: v2.14.6\n"), version(2, 14, 6));
        assert_eq!(Version::from_output("nats-server: 2.9.10"), version(2, 9, 10));
        assert_eq!(Version::from_output("nats-server: v2.15.0-RC.1"), version(2, 15, 0));
    }

    #[test]
    fn other_programs_have_no_version() {
        for output in
            ["", "nginx version: 1.22", "nats-server:", "nats-server: v2", "nats-server: v2.x.1"]
        {
            assert_eq!(Version::from_output(output), None, "{output}");
        }
        assert_eq!(Version::from_output("nats-server: v99999999999.0.0"), None);
    }

    #[test]
    fn numbers_are_compared_not_letters() {
        assert!(Version::from_output("nats-server: v2.9.10") < Some(crate::OLDEST));
        assert!(Version::from_output("nats-server: v2.12.0") >= Some(crate::OLDEST));
        assert!(Some(crate::PINNED) >= Some(crate::OLDEST));
    }
}
