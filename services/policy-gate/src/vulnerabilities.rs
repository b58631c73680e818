//! What the advisory index knows about the components of a build.

use std::{cmp::Reverse, collections::BTreeMap};

use advisories::{Confidence, Doubt, Index, Match, MatchRule, Package, Severity};
use documents::{
    bom::{self, Bom, BomError},
    vex::{Court, Opinion, Part, Standing, Target},
};
use events::{Digest, Digester};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::difference::Packages;

/// Most vulnerabilities that policies see, the worst. Reports list half of it, and real builds have a
/// tenth of it.
pub(crate) const MAX_LISTED: usize = 2_000;
/// Most statements that are told to contradict the one that counts.
const MAX_CONTRADICTIONS: usize = 8;

/// The vulnerabilities of a build's components.
#[derive(Debug, Default)]
pub(crate) struct Vulnerabilities {
    /// The worst first, then by id and component; [`MAX_LISTED`] at most.
    pub(crate) listed: Vec<Vulnerability>,
    /// How many there are, those not listed included.
    pub(crate) count: usize,
    /// The same as long as advisories say the same of these components, whatever else they say; none without
    /// an index. EPSS counts in hundredths, because it changes every day.
    pub(crate) advice: Option<Digest>,
}

/// A known vulnerability of one component.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
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
    /// Whether it is exploited, as CISA's catalogue of known exploited vulnerabilities has it.
    kev: bool,
    /// FIRST's probability, 0 to 1, that it will be exploited within 30 days.
    epss: Option<f64>,
    /// When an advisory about it was published first.
    published: Option<Timestamp>,
    /// Whether the package itself is malware (OSV's `MAL-` records).
    malicious: bool,
    /// Whether the build that was promoted before had not this component in this version; true without one.
    new: bool,
    /// How the component was found to have it.
    rule: MatchRule,
    /// How far that can be relied on.
    confidence: Confidence,
    /// What lessens the confidence.
    doubts: Vec<Doubt>,
    /// The VEX statement that counts, or null.
    vex: Option<Said>,
}

/// What VEX says of a vulnerability.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Said {
    /// As OpenVEX writes it.
    status: &'static str,
    justification: Option<String>,
    statement: Option<String>,
    who: String,
    document: Digest,
    /// When the document was accepted.
    time: Timestamp,
    /// When it was said, or null if that is not known.
    said: Option<Timestamp>,
    /// Statements that say something else and do not count; of very many the weightiest.
    contradicted_by: Vec<Contradiction>,
}

/// A VEX statement that does not count.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Contradiction {
    /// As OpenVEX writes it.
    status: &'static str,
    who: String,
    document: Digest,
}

/// What vulnerabilities are seen in the light of.
pub(crate) struct Light<'a> {
    pub(crate) court: &'a Court,
    /// Packages of the build that was promoted before.
    pub(crate) before: Option<&'a Packages>,
    /// Digests of the SBOM and of what the build made.
    pub(crate) digests: &'a [Digest],
    /// As of when.
    pub(crate) now: Timestamp,
}

impl Vulnerabilities {
    /// What `index` knows about the components of `sbom`. A record that only informs, such as
    /// `unmaintained`, is no vulnerability, and what cannot be matched has none.
    ///
    /// # Errors
    /// The SBOM cannot be read, so that nobody knows what it would hide.
    pub(crate) fn find(index: &Index, sbom: &[u8], light: &Light<'_>) -> Result<Self, BomError> {
        let bom = bom::read(sbom)?;
        let mut parts: BTreeMap<&str, Part<'_>> = BTreeMap::new();
        for component in &bom.components {
            if let Some(purl) = &component.purl {
                parts.entry(purl).or_insert_with(|| component.into());
            }
        }
        let mut found = Self::default();
        let mut advice = Digester::default();
        for (purl, part) in parts {
            let Ok(package) = Package::from_purl(purl) else { continue };
            let matches = index.matches(&package);
            for it in matches.into_iter().filter(|it| it.informational.is_none()) {
                found.count += 1;
                advice.update(advised(&it, purl).as_bytes());
                let said = Said::of(&it, part, &bom, light);
                let is_new = light.before.is_none_or(|it| !it.has(purl));
                found.listed.push(Vulnerability::of(it, purl, is_new, said));
            }
            // Now and then only, so that all of it stays near linear.
            if found.listed.len() >= 2 * MAX_LISTED {
                found.keep_worst();
            }
        }
        found.keep_worst();
        found.advice = Some(advice.finish());
        Ok(found)
    }

    /// What [`Self::advice`] is, of the components of `sbom`.
    ///
    /// # Errors
    /// As of [`Self::find`].
    pub(crate) fn advice(index: &Index, sbom: &[u8]) -> Result<Option<Digest>, BomError> {
        let court = Court::default();
        let light = Light { court: &court, before: None, digests: &[], now: Timestamp::UNIX_EPOCH };
        Self::find(index, sbom, &light).map(|it| it.advice)
    }

    fn keep_worst(&mut self) {
        self.listed.sort_unstable_by(|left, right| left.rank().cmp(&right.rank()));
        self.listed.truncate(MAX_LISTED);
    }
}

/// What an advisory says that a policy may ask for. How sure a finding is belongs to it: a record that lists one more
/// version, or another release, makes it surer or less sure, and by `minimum_confidence` that stops a build or lets
/// it pass.
fn advised(found: &Match, purl: &str) -> String {
    let Match { id, aliases, severity, fixed, published, malicious, kev, epss, .. } = found;
    let Match { rule, confidence, doubts, .. } = found;
    let hundredths = epss.map(|it| format!("{:.2}", it.score));
    let said = (
        purl,
        id,
        aliases,
        severity.as_str(),
        fixed,
        published,
        malicious,
        kev.is_some(),
        hundredths,
        (rule, confidence, doubts),
    );
    format!("{said:?}\n")
}

impl Vulnerability {
    fn of(found: Match, purl: &str, is_new: bool, vex: Option<Said>) -> Self {
        let Match { id, aliases, severity, fixed, published, malicious, .. } = found;
        let Match { rule, confidence, doubts, .. } = found;
        Self {
            id,
            aliases,
            severity,
            purl: purl.to_owned(),
            fixed,
            kev: found.kev.is_some(),
            epss: found.epss.map(|it| it.score),
            published,
            malicious,
            new: is_new,
            rule,
            confidence,
            doubts,
            vex,
        }
    }

    /// Malware and what is exploited come first, whatever their severity.
    fn rank(&self) -> (Reverse<(bool, bool, Severity)>, &str, &str) {
        (Reverse((self.malicious, self.kev, self.severity)), &self.id, &self.purl)
    }
}

impl Said {
    fn of(found: &Match, component: Part<'_>, bom: &Bom, light: &Light<'_>) -> Option<Self> {
        let target = Target {
            vulnerability: &found.id,
            aliases: &found.aliases,
            component,
            subject: bom.subject.as_ref().map(Part::from).unwrap_or_default(),
            serial: bom.serial.as_deref(),
            bom_version: bom.bom_version,
            digests: light.digests,
        };
        let own = Court::default();
        let ruling = light.court.rule(&own, &target, light.now);
        let Opinion { source, statement, said, .. } = ruling.counts()?;
        let others = ruling.opinions.iter().filter(|it| it.standing == Standing::Contradicts);
        Some(Self {
            status: statement.status.as_str(),
            justification: statement.justification.clone(),
            statement: statement.statement.clone(),
            who: source.who.clone(),
            document: source.document,
            time: source.accepted,
            said: *said,
            contradicted_by: others.take(MAX_CONTRADICTIONS).map(Contradiction::of).collect(),
        })
    }
}

impl Contradiction {
    fn of(opinion: &Opinion<'_>) -> Self {
        let Opinion { source, statement, .. } = opinion;
        let (who, document) = (source.who.clone(), source.document);
        Self { status: statement.status.as_str(), who, document }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::*;

    /// An index of records that affect every version of `left` below `fixed`.
    pub(crate) fn index(records: &[(&str, &str, Option<&str>)]) -> Index {
        let of = |(id, severity, fixed): &(&str, &str, Option<&str>)| {
            record(id, severity, *fixed, "PyPI")
        };
        index_of(&records.iter().map(of).collect::<Vec<_>>())
    }

    /// An index of a record that affects every version of the source package `left` of Debian 12.
    pub(crate) fn index_of_debian() -> Index {
        index_of(&[record("DEBIAN-CVE-2026-1", "CRITICAL", None, "Debian:12")])
    }

    fn record(id: &str, severity: &str, fixed: Option<&str>, ecosystem: &str) -> Value {
        let mut events = vec![json!({ "introduced": "0" })];
        events.extend(fixed.map(|fixed| json!({ "fixed": fixed })));
        json!({
            "id": id,
            "modified": "2026-01-01T00:00:00Z",
            "database_specific": { "severity": severity },
            "affected": [{
                "package": { "ecosystem": ecosystem, "name": "left" },
                "ranges": [{ "type": "ECOSYSTEM", "events": events }],
            }],
        })
    }

    fn index_of(records: &[Value]) -> Index {
        let directory = tempfile::tempdir().expect("temporary");
        for (number, record) in records.iter().enumerate() {
            let file = directory.path().join(format!("{number}.json"));
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

    /// Nothing is known beside.
    fn dark() -> Light<'static> {
        static NOTHING: std::sync::LazyLock<Court> = std::sync::LazyLock::new(Court::default);
        Light { court: &NOTHING, before: None, digests: &[], now: Timestamp::UNIX_EPOCH }
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

        let found = Vulnerabilities::find(&index, &sbom, &dark()).expect("reads");

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
    fn a_finding_says_by_which_rule_it_was_found_and_how_sure_that_is() {
        let index = index_of_debian();
        let said = |purl: &str| {
            let found = Vulnerabilities::find(&index, &sbom(&[purl]), &dark()).expect("reads");
            let found = serde_json::to_value(&found.listed[0]).expect("encodes");
            ["rule", "confidence", "doubts"].map(|it| found[it].clone())
        };

        let sure = said("pkg:deb/debian/left@1.0?distro=debian-12&upstream=left");
        assert_eq!(sure, [json!("range"), json!("high"), json!([])]);
        let doubts = json!(["no-release", "source-package-guessed"]);
        assert_eq!(said("pkg:deb/debian/left@1.0"), [json!("range"), json!("low"), doubts]);
    }

    #[test]
    fn of_too_many_the_worst_are_listed_and_all_are_counted() {
        let index = index(&[("A-LOW", "LOW", None), ("B-HIGH", "HIGH", None)]);
        let purls: Vec<_> = (0..MAX_LISTED + 10).map(|it| format!("pkg:pypi/left@{it}")).collect();
        let purls: Vec<_> = purls.iter().map(String::as_str).collect();

        let found = Vulnerabilities::find(&index, &sbom(&purls), &dark()).expect("reads");

        assert_eq!((found.listed.len(), found.count), (MAX_LISTED, 2 * (MAX_LISTED + 10)));
        assert!(found.listed.iter().all(|it| it.severity == Severity::High));
    }

    #[test]
    fn advice_is_another_when_something_is_said_of_these_components_and_only_then() {
        let sbom = sbom(&["pkg:pypi/left@1.0"]);
        let kev = |cve: &str| {
            json!({
                "title": "", "catalogVersion": "1", "dateReleased": "2026-11-01T00:00:00Z", "count": 1,
                "vulnerabilities": [{ "cveID": cve, "dateAdded": "2026-11-01", "dueDate": "2026-11-20" }],
            })
            .to_string()
        };
        let epss = |score: &str| format!("cve,epss,percentile\nCVE-2026-1001,{score},0.5\n");
        let of = |extra: &[(&str, String)]| {
            let directory = tempfile::tempdir().expect("temporary");
            let write = |name: &str, text: String| {
                fs::write(directory.path().join(name), text).expect("writes");
            };
            for (id, package) in [("CVE-2026-1001", "left"), ("CVE-2026-1002", "right")] {
                let record = json!({
                    "id": id, "modified": "2026-01-01T00:00:00Z",
                    "affected": [{
                        "package": { "ecosystem": "PyPI", "name": package },
                        "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }],
                    }],
                });
                write(&format!("{id}.json"), record.to_string());
            }
            extra.iter().for_each(|(name, text)| write(name, text.clone()));
            let (index, _) = Index::build(&[directory.path().to_owned()]).expect("builds");
            Vulnerabilities::advice(&index, &sbom).expect("reads").expect("an advice")
        };
        let plain = of(&[]);
        assert_eq!(of(&[("kev.json", kev("CVE-2026-1002"))]), plain, "of another package");
        assert_ne!(of(&[("kev.json", kev("CVE-2026-1001"))]), plain, "exploited now");
        let tenth = of(&[("epss.csv", epss("0.101"))]);
        assert_ne!(tenth, plain);
        assert_eq!(of(&[("epss.csv", epss("0.099"))]), tenth, "as good as before");
        assert_ne!(of(&[("epss.csv", epss("0.2"))]), tenth);
        let listing = |versions: &[&str]| {
            let mut record = record("CVE-2026-1001", "", None, "PyPI");
            record["affected"][0]["versions"] = json!(versions);
            of(&[("CVE-2026-1001.json", record.to_string())])
        };
        assert_ne!(listing(&["0.9"]), plain, "less sure: nobody may have looked at 1.0");
        assert_eq!(listing(&["0.9", "1.0"]), plain, "as sure as before");
    }

    #[test]
    fn an_sbom_that_cannot_be_read_is_an_error() {
        let index = index(&[]);
        assert!(Vulnerabilities::find(&index, b"{}", &dark()).is_err());
    }
}
