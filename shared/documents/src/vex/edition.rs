//! Which version of which document: a newer one replaces an older one as a whole.

use serde_json::Value;

/// A version of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// What all versions of the document share: OpenVEX `@id`; CSAF `publisher.namespace` and `tracking.id`
    /// (3.2.1.12.4); the serial number of CycloneDX.
    pub id: String,
    /// Which version.
    pub version: Version,
}

/// Major, minor and patch; a whole number is a major version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub [u64; 3]);

impl Edition {
    /// None without an id, or with a version that cannot be compared.
    pub(super) fn of(id: Option<String>, version: Option<Version>) -> Option<Self> {
        Some(Self { id: id.filter(|it| !it.is_empty())?, version: version? })
    }
}

impl Version {
    /// A whole number, or a text with one, with `1.2` or with `1.2.3`. What follows `-` or `+` is of a
    /// draft or of a build (CSAF 2.0, 3.1.11), and orders nothing.
    pub(super) fn of(value: Option<&Value>) -> Option<Self> {
        match value? {
            Value::String(text) => Self::read(text),
            other => Some(Self([other.as_u64()?, 0, 0])),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let release = text.split(['-', '+']).next()?;
        let mut numbers = [0; 3];
        for (place, number) in release.split('.').enumerate() {
            *numbers.get_mut(place)? = number.parse().ok()?;
        }
        Some(Self(numbers))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_are_numbers_and_nothing_else_is_compared() {
        let of = |value: Value| Version::of(Some(&value)).map(|it| it.0);
        for (value, expected) in [
            (json!(7), Some([7, 0, 0])),
            (json!("7"), Some([7, 0, 0])),
            (json!("1.2"), Some([1, 2, 0])),
            (json!("1.10.0"), Some([1, 10, 0])),
            (json!("1.2.3-rc.1+5"), Some([1, 2, 3])),
            (json!(-1), None),
            (json!(1.5), None),
            (json!("1.2.3.4"), None),
            (json!("18446744073709551616"), None),
            (json!("v1"), None),
            (json!(""), None),
            (json!(null), None),
        ] {
            assert_eq!(of(value.clone()), expected, "{value}");
        }
        assert!(of(json!("1.10.0")) > of(json!("1.9.9")));
    }
}
