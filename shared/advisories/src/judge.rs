//! Whether a package is affected by what records tell of it, by which rule, and how sure that is.

use std::collections::BTreeSet;

use crate::{
    Advisory, Affected, Confidence, Doubt, Ecosystem, Match, MatchRule, Package,
    arena::{About, Names},
    git::{self, Standing},
    range::Evaluator,
    version::Version,
};

/// One vulnerability, as far as records tell of one package; withdrawn ones do not count.
pub(crate) struct Told<'a> {
    /// Ids and aliases of all records about the vulnerability, also of those that do not name the package.
    pub(crate) ids: Names<'a>,
    /// What names the package, by the name under which records and packages meet.
    pub(crate) records: Vec<(About<'a>, Affected)>,
}

/// What is told of one package, its versions parsed once for all that are held against them.
pub(crate) struct Judge<'t, 'a> {
    told: &'t [Told<'a>],
    /// Of each of `told` its records.
    records: Vec<Vec<Record<'t>>>,
}

struct Record<'t> {
    advisory: &'t About<'t>,
    affected: &'t Affected,
    evaluator: Evaluator<'t>,
}

impl<'t, 'a> Judge<'t, 'a> {
    pub(crate) fn of(told: &'t [Told<'a>]) -> Self {
        let record = |(advisory, affected): &'t (About<'a>, Affected)| {
            let evaluator = Evaluator::new(affected);
            Record { advisory, affected, evaluator }
        };
        let records = told.iter().map(|it| it.records.iter().map(record).collect());
        Self { told, records: records.collect() }
    }

    /// The vulnerabilities of `package`, sorted by id; each once, however many records tell of it. Whether they are
    /// exploited is not known here.
    pub(crate) fn matches(&self, package: &Package) -> Vec<Match> {
        let affecting = |judged: &Judged<'_>| matches!(judged.standing, Standing::Affected(_));
        self.choose(package, |judged| judged.iter().any(affecting).then_some(affecting))
    }

    /// The vulnerabilities of which records name the package, but only by ranges of commits, so that nobody can say
    /// whether `package` has them; those that it has for sure are not among them. Sorted by id.
    pub(crate) fn undecided(&self, package: &Package) -> Vec<Match> {
        let is_open = |judged: &Judged<'_>| judged.standing == Standing::Undecided;
        let affecting = |judged: &Judged<'_>| matches!(judged.standing, Standing::Affected(_));
        self.choose(package, |judged| {
            (!judged.iter().any(affecting) && judged.iter().any(is_open)).then_some(is_open)
        })
    }

    /// One match for each vulnerability for which `choose` tells which of its records count.
    fn choose<F>(
        &self,
        package: &Package,
        choose: impl Fn(&[Judged<'_>]) -> Option<F>,
    ) -> Vec<Match>
    where
        F: Fn(&Judged<'_>) -> bool,
    {
        if self.told.is_empty() {
            return Vec::new();
        }
        let looked_for = LookedFor::new(self.told, package);
        let mut matches = Vec::new();
        let mut judged = Vec::new();
        for (told, records) in self.told.iter().zip(&self.records) {
            let named = records.iter().filter(|it| looked_for.is_named_by(it.affected));
            judged.clear();
            judged.extend(named.map(|it| looked_for.judge(it)));
            let Some(counts) = choose(&judged) else { continue };
            let counting: Vec<_> = judged.iter().filter(|it| counts(it)).collect();
            matches.push(to_match(told, &judged, &counting, &looked_for.version));
        }
        matches.sort_by(|left, right| left.id.cmp(&right.id));
        matches
    }
}

/// The package, and what is to be known of it to hold records against it.
struct LookedFor<'a> {
    package: &'a Package,
    version: Version,
    /// Whether some record writes the name exactly so, where case tells packages apart.
    is_exact: bool,
    is_regular: bool,
}

/// What one record says of the package.
struct Judged<'a> {
    advisory: &'a About<'a>,
    affected: &'a Affected,
    evaluator: &'a Evaluator<'a>,
    standing: Standing,
    doubts: BTreeSet<Doubt>,
}

impl<'a> LookedFor<'a> {
    fn new(told: &[Told<'_>], package: &'a Package) -> Self {
        let mut names = told.iter().flat_map(|it| &it.records).map(|(_, affected)| &affected.name);
        Self {
            version: Version::parse(package.ecosystem, &package.version),
            is_exact: package.ecosystem.is_case_sensitive() && names.any(|it| *it == package.name),
            is_regular: package.ecosystem.is_regular(&package.version),
            package,
        }
    }

    fn is_named_by(&self, affected: &Affected) -> bool {
        let is_release = match (&affected.release, &self.package.release) {
            (Some(said), Some(found)) => said.covers(found),
            _ => true,
        };
        is_release && (!self.is_exact || affected.name == self.package.name)
    }

    fn judge<'b>(&self, record: &'b Record<'b>) -> Judged<'b> {
        let Record { advisory, affected, evaluator } = record;
        let standing = match self.package.ecosystem {
            Ecosystem::Git => git::standing(affected, &self.package.version),
            _ if affected.only_commits => Standing::Undecided,
            _ => match evaluator.affects(&self.version) {
                Some(rule) => Standing::Affected(rule),
                None => Standing::NotAffected,
            },
        };
        let doubts = self.doubts(affected, standing);
        Judged { advisory, affected, evaluator, standing, doubts }
    }

    fn doubts(&self, affected: &Affected, standing: Standing) -> BTreeSet<Doubt> {
        let Package { ecosystem, name, .. } = self.package;
        let by_range = standing == Standing::Affected(MatchRule::Range);
        let last_known = affected.last_known.as_ref().filter(|_| by_range);
        let is_beyond = |it: &String| self.version > Version::parse(*ecosystem, it);
        let doubts = [
            (Doubt::NameByCase, ecosystem.is_case_sensitive() && affected.name != *name),
            (Doubt::IrregularVersion, by_range && !self.is_regular),
            (Doubt::NoRelease, affected.release.is_some() && self.package.release.is_none()),
            (Doubt::SourcePackageGuessed, self.package.source_guessed),
            (Doubt::BeyondLastKnown, last_known.is_some_and(is_beyond)),
            (Doubt::GitRange, standing == Standing::Undecided),
        ];
        doubts.into_iter().filter_map(|(doubt, is_there)| is_there.then_some(doubt)).collect()
    }
}

impl Judged<'_> {
    fn rule(&self) -> MatchRule {
        match self.standing {
            Standing::Affected(rule) => rule,
            Standing::NotAffected | Standing::Undecided => MatchRule::GitRange,
        }
    }

    fn confidence(&self) -> Confidence {
        let lessened = self.doubts.iter().map(|it| it.confidence());
        lessened.min().unwrap_or(Confidence::High)
    }
}

/// `counting` are those of `judged` by which the package has the vulnerability; there is one.
fn to_match(
    told: &Told<'_>,
    judged: &[Judged<'_>],
    counting: &[&Judged<'_>],
    version: &Version,
) -> Match {
    let advisories = || counting.iter().map(|it| &**it.advisory);
    let id = told.ids.iter().copied().min_by_key(|id| preference(id)).unwrap_or_default();
    let aliases = told.ids.iter().copied().filter(|it| *it != id);
    // One record that is sure is enough.
    let surest = counting.iter().max_by_key(|it| (it.confidence(), it.rule()));
    let informational = counting.iter().map(|it| it.affected.informational.as_ref());
    let ids: BTreeSet<_> = advisories().map(|it| &it.id).collect();
    let upstream = advisories().flat_map(|it| &it.upstream);
    let upstream: BTreeSet<_> = upstream.filter(|it| !told.ids.contains(it.as_str())).collect();
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
        severity: counting
            .iter()
            .map(|it| it.advisory.severity.max(it.affected.severity))
            .max()
            .unwrap_or_default(),
        cvss: advisories()
            .filter_map(|it| it.cvss.as_ref())
            .max_by(|left, right| left.order(right))
            .cloned(),
        fixed: lowest_fix(judged, version),
        rule: surest.map_or(MatchRule::GitRange, |it| it.rule()),
        confidence: surest.map_or(Confidence::Low, |it| it.confidence()),
        doubts: surest.into_iter().flat_map(|it| &it.doubts).copied().collect(),
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

/// Also a record that does not match speaks here: what one fixes another may still be affected by. Commits have no order,
/// so that none of them is a lowest one.
fn lowest_fix(judged: &[Judged<'_>], found: &Version) -> Option<String> {
    let ordered = || judged.iter().filter(|it| it.affected.ecosystem != Ecosystem::Git);
    let fixes = ordered().flat_map(|it| it.evaluator.fixes());
    let mut above: Vec<_> = fixes.filter(|(version, _)| *version > found).collect();
    above.sort_unstable();
    above.dedup_by(|next, kept| next.0 == kept.0);
    let is_clean = |version: &Version| ordered().all(|it| it.evaluator.affects(version).is_none());
    above.into_iter().find(|(version, _)| is_clean(version)).map(|(_, text)| text.to_owned())
}
