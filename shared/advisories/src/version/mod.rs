//! Versions in the order of their ecosystem. Every text has a place: what follows no rule has a documented one.

mod number;
mod pep440;
mod semver;

use std::cmp::Ordering;

use crate::Ecosystem;

/// A version; only versions of one ecosystem are ever compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    Pep440(pep440::Version),
    SemVer(semver::Version),
}

impl Version {
    pub(crate) fn parse(ecosystem: Ecosystem, text: &str) -> Self {
        match ecosystem {
            Ecosystem::PyPi => Self::Pep440(pep440::Version::parse(text)),
            Ecosystem::CratesIo | Ecosystem::Npm | Ecosystem::Go => {
                Self::SemVer(semver::Version::parse(text))
            }
        }
    }

    /// Where this version lies as seen from `bound`, which somebody wrote to tell versions apart: a local label
    /// (`2.0+cpu`) counts only if the bound has one (PEP 440, "Version specifiers").
    pub(crate) fn against(&self, bound: &Self) -> Ordering {
        match (self, bound) {
            (Self::Pep440(found), Self::Pep440(bound)) => found.against(bound),
            _ => self.cmp(bound),
        }
    }

    /// This version without its local label, if it has one.
    pub(crate) fn public(&self) -> Option<Self> {
        match self {
            Self::Pep440(version) => version.public().map(Self::Pep440),
            Self::SemVer(_) => None,
        }
    }
}

impl Ecosystem {
    /// Compares two versions of this ecosystem: PEP 440 for PyPI, Semantic Versioning 2.0 for the others.
    ///
    /// Versions that follow no rule have a place too. For PyPI they lie before all others, in the order that
    /// setuptools gave them. For the others a leading `v` or `=` says nothing, missing numbers are zero, numbers after
    /// the third say nothing, and other text is a pre-release.
    pub fn compare(self, left: &str, right: &str) -> Ordering {
        Version::parse(self, left).cmp(&Version::parse(self, right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row of a table of osv-scalibr: `left operator right`.
    fn assert_table(ecosystem: Ecosystem, table: &str) -> usize {
        let rows =
            table.lines().map(str::trim).filter(|it| !it.is_empty() && !it.starts_with("//"));
        let check = |row: &str| {
            let [left, operator, right] = row.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("no row: {row}")
            };
            let expected = match operator {
                "<" => Ordering::Less,
                "=" => Ordering::Equal,
                ">" => Ordering::Greater,
                _ => panic!("no operator: {row}"),
            };
            assert_eq!(ecosystem.compare(left, right), expected, "{ecosystem}: {row}");
            assert_eq!(ecosystem.compare(right, left), expected.reverse(), "{ecosystem}: {row}");
        };
        rows.map(check).count()
    }

    #[test]
    fn every_row_of_the_pypi_table_holds() {
        let table = include_str!("../../fixtures/versions/pypi-versions.txt");

        assert_eq!(assert_table(Ecosystem::PyPi, table), 37);
    }

    #[test]
    fn every_row_of_the_semver_table_holds_for_its_three_ecosystems() {
        let table = include_str!("../../fixtures/versions/semver-versions.txt");

        for ecosystem in [Ecosystem::CratesIo, Ecosystem::Npm, Ecosystem::Go] {
            assert_eq!(assert_table(ecosystem, table), 86);
        }
    }

    #[test]
    fn order_is_total_for_any_text() {
        fastrand::seed(4);
        let letters = [
            "1", "0", "9", ".", "-", "_", "+", "a", "rc", "post", "dev", "!", "v", "x", "\u{e9}",
            " ", "*",
        ];
        let text = || {
            (0..fastrand::usize(..8))
                .map(|_| letters[fastrand::usize(..letters.len())])
                .collect::<String>()
        };
        for ecosystem in Ecosystem::ALL {
            for _ in 0..20_000 {
                let [a, b, c] = [text(), text(), text()].map(|it| Version::parse(ecosystem, &it));
                assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
                assert!(!(a <= b && b <= c) || a <= c, "{a:?} {b:?} {c:?}");
            }
        }
    }
}
