//! What the advisory index knows about the components of a build.

use std::{cmp::Reverse, collections::BTreeSet};

use advisories::{Index, Match, Package, Severity};
use documents::bom::{self, BomError};
use serde::Serialize;

/// Most vulnerabilities that policies see, the worst. Reports list half of it, and real builds have a
/// tenth of it.
pub(crate) const MAX_LISTED: usize = 2_000;

/// The vulnerabilities of a build's components.
#[derive(Debug, Default)]
pub(crate) struct Vulnerabilities {
    /// The worst first, then by id and component; [`MAX_LISTED`] at most.
    pub(crate) listed: Vec<Vulnerability>,
    /// How many there are, those not listed included.
    pub(crate) count: usize,
}

/// A known vulnerability of one component.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Vulnerability {
    /// A CVE id if there is one, else a GHSA id, else the smallest id.
    id: String,
    /// Its other ids.
    aliases: Vec<String>,
    /// The strongest severity that an advisory states.
    severity: Severity,
    /// Package URL of the component.
    purl: String,
    /// Lowest version above this one that is not affected any more.
    fixed: Option<String>,
}

impl Vulnerabilities {
    /// What `index` knows about the components of `sbom`. A record that only informs, such as
    /// `unmaintained`, is no vulnerability, and what cannot be matched has none.
    ///
    /// # Errors
    /// The SBOM cannot be read, so that nobody knows what it would hide.
    pub(crate) fn find(index: &Index, sbom: &[u8]) -> Result<Self, BomError> {
        let components = bom::read(sbom)?.components;
        let purls: BTreeSet<String> = components.into_iter().filter_map(|it| it.purl).collect();
        let mut found = Self::default();
        for purl in purls {
            let Ok(package) = Package::from_purl(&purl) else { continue };
            let matches = index.matches(&package);
            for it in matches.into_iter().filter(|it| it.informational.is_none()) {
                found.count += 1;
                found.listed.push(Vulnerability::of(it, &purl));
            }
            // Now and then only, so that all of it stays near linear.
            if found.listed.len() >= 2 * MAX_LISTED {
                found.keep_worst();
            }
        }
        found.keep_worst();
        Ok(found)
    }

    fn keep_worst(&mut self) {
        self.listed.sort_unstable_by(|left, right| left.rank().cmp(&right.rank()));
        self.listed.truncate(MAX_LISTED);
    }
}

impl Vulnerability {
    fn of(found: Match, purl: &str) -> Self {
        let Match { id, aliases, severity, fixed, .. } = found;
        Self { id, aliases, severity, purl: purl.to_owned(), fixed }
    }

    fn rank(&self) -> (Reverse<Severity>, &str, &str) {
        (Reverse(self.severity), &self.id, &self.purl)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::*;

    /// An index of records that affect every version of `left` below `fixed`.
    pub(crate) fn index(records: &[(&str, &str, Option<&str>)]) -> Index {
        let directory = tempfile::tempdir().expect("temporary");
        for (id, severity, fixed) in records {
            let mut events = vec![json!({ "introduced": "0" })];
            events.extend(fixed.map(|fixed| json!({ "fixed": fixed })));
            let record = json!({
                "id": id,
                "modified": "2026-01-01T00:00:00Z",
                "database_specific": { "severity": severity },
                "affected": [{
                    "package": { "ecosystem": "PyPI", "name": "left" },
                    "ranges": [{ "type": "ECOSYSTEM", "events": events }],
                }],
            });
            let file = directory.path().join(format!("{id}.json"));
            fs::write(file, record.to_string()).expect("writes");
        }
        Index::build(&[directory.path().to_owned()]).expect("builds").0
    }

    pub(crate) fn sbom(purls: &[&str]) -> Vec<u8> {
        let component = |(index, purl): (usize, &&str)| json!({ "bom-ref": index.to_string(), "type": "library", "name": "left", "purl": purl });
        let components: Vec<Value> = purls.iter().enumerate().map(component).collect();
        let bom =
            json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": components });
        bom.to_string().into_bytes()
    }

    fn told(found: &Vulnerabilities) -> Vec<(&str, &str)> {
        found.listed.iter().map(|it| (it.id.as_str(), it.purl.as_str())).collect()
    }

    #[test]
    fn vulnerabilities_are_found_by_purl_the_worst_first_and_each_once() {
        let index = index(&[
            ("A-LOW", "LOW", None),
            ("B-CRITICAL", "CRITICAL", Some("2.0")),
            ("C-SILENT", "", None),
        ]);
        let sbom = sbom(&[
            "pkg:pypi/left@2.0",
            "pkg:pypi/left@1.0",
            "pkg:pypi/left@1.0",
            "pkg:pypi/left",
            "pkg:npm/left@1.0",
            "left",
        ]);

        let found = Vulnerabilities::find(&index, &sbom).expect("reads");

        let (one, two) = ("pkg:pypi/left@1.0", "pkg:pypi/left@2.0");
        let expected = [
            ("B-CRITICAL", one),
            ("A-LOW", one),
            ("A-LOW", two),
            ("C-SILENT", one),
            ("C-SILENT", two),
        ];
        assert_eq!((told(&found), found.count), (expected.to_vec(), 5));
        assert_eq!(found.listed[0].fixed.as_deref(), Some("2.0"));
        assert_eq!(serde_json::to_value(&found.listed[3]).expect("encodes")["severity"], "unknown");
    }

    #[test]
    fn of_too_many_the_worst_are_listed_and_all_are_counted() {
        let index = index(&[("A-LOW", "LOW", None), ("B-HIGH", "HIGH", None)]);
        let purls: Vec<_> = (0..MAX_LISTED + 10).map(|it| format!("pkg:pypi/left@{it}")).collect();
        let purls: Vec<_> = purls.iter().map(String::as_str).collect();

        let found = Vulnerabilities::find(&index, &sbom(&purls)).expect("reads");

        assert_eq!((found.listed.len(), found.count), (MAX_LISTED, 2 * (MAX_LISTED + 10)));
        assert!(found.listed.iter().all(|it| it.severity == Severity::High));
    }

    #[test]
    fn an_sbom_that_cannot_be_read_is_an_error() {
        let index = index(&[]);
        assert!(Vulnerabilities::find(&index, b"{}").is_err());
    }
}
