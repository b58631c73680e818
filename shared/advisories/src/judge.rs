//! Whether a package is affected by what records tell of it, and what is then told.

use std::collections::BTreeSet;

use crate::{
    Advisory, Affected, Confidence, Match, MatchRule, Package, range::Evaluator, version::Version,
};

/// One vulnerability, as far as records tell of one package; withdrawn ones do not count.
pub(crate) struct Told<'a> {
    /// Ids and aliases of all records about the vulnerability, also of those that do not name the package.
    pub(crate) ids: BTreeSet<&'a str>,
    /// What names the package, by the name under which records and packages meet.
    pub(crate) records: Vec<(&'a Advisory, &'a Affected)>,
}

/// The vulnerabilities of `package`, sorted by id; each once, however many records tell of it. Whether they are exploited
/// is not known here.
pub(crate) fn judge(told: &[Told<'_>], package: &Package) -> Vec<Match> {
    let version = Version::parse(package.ecosystem, &package.version);
    let records = || told.iter().flat_map(|it| &it.records);
    let is_exact = package.ecosystem.is_case_sensitive()
        && records().any(|(_, affected)| affected.name == package.name);
    let names = |affected: &Affected| !is_exact || affected.name == package.name;
    let mut matches: Vec<_> = told
        .iter()
        .filter_map(|told| {
            let named = told.records.iter().filter(|(_, affected)| names(affected));
            let judged: Vec<_> = named
                .map(|(advisory, affected)| {
                    let evaluator = Evaluator::new(affected);
                    let rule = evaluator.affects(&version);
                    Judged { advisory, affected, evaluator, rule }
                })
                .collect();
            let is_affected = judged.iter().any(|it| it.rule.is_some());
            is_affected.then(|| to_match(told, &judged, &version))
        })
        .collect();
    matches.sort_by(|left, right| left.id.cmp(&right.id));
    matches
}

/// What one record says of the package, and whether the version found is affected by it.
struct Judged<'a> {
    advisory: &'a Advisory,
    affected: &'a Affected,
    evaluator: Evaluator<'a>,
    rule: Option<MatchRule>,
}

fn to_match(told: &Told<'_>, judged: &[Judged<'_>], version: &Version) -> Match {
    let matching: Vec<&Judged<'_>> = judged.iter().filter(|it| it.rule.is_some()).collect();
    let advisories = || matching.iter().map(|it| it.advisory);
    let id = told.ids.iter().copied().min_by_key(|id| preference(id)).unwrap_or_default();
    let aliases = told.ids.iter().copied().filter(|it| *it != id);
    let by_range = matching.iter().any(|it| it.rule == Some(MatchRule::Range));
    let informational = matching.iter().map(|it| it.affected.informational.as_ref());
    let ids: BTreeSet<_> = advisories().map(|it| &it.id).collect();
    let upstream: BTreeSet<_> = advisories().flat_map(|it| &it.upstream).collect();
    Match {
        id: id.to_owned(),
        aliases: aliases.map(str::to_owned).collect(),
        upstream: upstream.into_iter().cloned().collect(),
        advisories: ids.into_iter().cloned().collect(),
        summary: advisories()
            .map(|it| &it.summary)
            .find(|it| !it.is_empty())
            .cloned()
            .unwrap_or_default(),
        severity: matching
            .iter()
            .map(|it| it.advisory.severity.max(it.affected.severity))
            .max()
            .unwrap_or_default(),
        cvss: advisories()
            .filter_map(|it| it.cvss.as_ref())
            .max_by(|left, right| left.order(right))
            .cloned(),
        fixed: lowest_fix(judged, version),
        rule: if by_range { MatchRule::Range } else { MatchRule::ExactVersion },
        confidence: Confidence::High,
        doubts: Vec::new(),
        informational: informational.min().flatten().cloned(),
        malicious: advisories().any(is_malicious),
        kev: None,
        epss: None,
        published: advisories().filter_map(|it| it.published).min(),
        modified: advisories()
            .filter_map(|it| it.modified)
            .max()
            .map(|it| it.to_string())
            .unwrap_or_default(),
    }
}

/// By the ids that <https://github.com/ossf/malicious-packages> gives.
fn is_malicious(advisory: &Advisory) -> bool {
    let mut ids = [&advisory.id].into_iter().chain(&advisory.aliases);
    ids.any(|it| it.starts_with("MAL-"))
}

/// CVE before GHSA before the rest; smaller ids first.
fn preference(id: &str) -> (u8, &str) {
    match id {
        _ if id.starts_with("CVE-") => (0, id),
        _ if id.starts_with("GHSA-") => (1, id),
        _ => (2, id),
    }
}

/// Also a record that does not match speaks here: what one fixes another may still be affected by.
fn lowest_fix(judged: &[Judged<'_>], found: &Version) -> Option<String> {
    let fixes = judged.iter().flat_map(|it| it.evaluator.fixes());
    let mut above: Vec<_> = fixes.filter(|(version, _)| *version > found).collect();
    above.sort_unstable();
    above.dedup_by(|next, kept| next.0 == kept.0);
    let is_clean =
        |version: &Version| judged.iter().all(|it| it.evaluator.affects(version).is_none());
    above.into_iter().find(|(version, _)| is_clean(version)).map(|(_, text)| text.to_owned())
}
