//! A made-up world: packages of four ecosystems, advisories about them, and components that have them. The same seed
//! makes the same one.

use std::io::{self, Write};

use advisories::{Ecosystem, Package};
use fastrand::Rng;
use serde_json::{Value, json};

/// Versions that each package has.
const VERSIONS: u64 = 120;
const NPM: (&str, Ecosystem) = ("npm", Ecosystem::Npm);
const PYPI: (&str, Ecosystem) = ("PyPI", Ecosystem::PyPi);
const CRATES: (&str, Ecosystem) = ("crates.io", Ecosystem::CratesIo);
const GO: (&str, Ecosystem) = ("Go", Ecosystem::Go);
/// How often each is met, as in OSV.
const ECOSYSTEMS: [(&str, Ecosystem); 8] = [NPM, NPM, NPM, PYPI, PYPI, PYPI, GO, CRATES];

/// How large the world is.
#[derive(Clone, Copy)]
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) records: u64,
}

/// A package by its rank; the first are the best known.
struct Known {
    rank: u64,
}

impl World {
    /// Packages that records name; as many again are in use that no record names.
    fn packages(self) -> u64 {
        (self.records / 5).max(1)
    }

    /// Writes one record a line. Two of five tell of what the one before tells of, under another id; the best known
    /// thousandth of packages has a hundredth of all records.
    pub(super) fn write_records(self, mut file: impl Write) -> io::Result<()> {
        let mut random = Rng::with_seed(self.seed);
        let mut last: Option<(u64, Value)> = None;
        for number in 0..self.records {
            let is_again = random.u8(..5) < 2;
            let (id, cve, affected) = match last.take() {
                Some((cve, affected)) if is_again => (format!("PYSEC-{number}"), cve, affected),
                _ => {
                    let known = Known::pick(&mut random, self.packages());
                    (format!("GHSA-{number:08}"), number, known.affected(&mut random))
                }
            };
            let minute = number % (60 * 24 * 365 * 5);
            let record = json!({
                "id": id,
                "modified": time(minute + 500),
                "published": time(minute),
                "aliases": [cve_id(cve)],
                "summary": "Something in this package does what an attacker wants when it is asked in a certain way",
                "severity": [{ "type": "CVSS_V3", "score": vector(&mut random) }],
                "affected": affected,
                "references": [{ "type": "WEB", "url": format!("https://example.org/advisories/{id}") }],
            });
            writeln!(file, "{record}")?;
            last = Some((cve, affected));
        }
        Ok(())
    }

    /// A score for each vulnerability, as FIRST publishes them.
    pub(super) fn write_scores(self, mut file: impl Write) -> io::Result<()> {
        writeln!(file, "#model_version:v2026.01.01,score_date:2026-11-30T00:00:00Z")?;
        writeln!(file, "cve,epss,percentile")?;
        (0..self.records).try_for_each(|number| {
            let score = (number % 1_000) as f64 / 1_000.0;
            writeln!(file, "{},{score},{score}", cve_id(number))
        })
    }

    /// Components as inventories have them: well-known packages are met more often, new versions too. One in three is a
    /// package that no record names.
    pub(super) fn components(self, part: u64, count: u64) -> impl Iterator<Item = Package> {
        let mut random = Rng::with_seed(self.seed ^ (part + 1) << 32);
        (0..count).map(move |_| {
            let known = Known::pick(&mut random, self.packages());
            let is_named = random.u8(..3) > 0;
            let name = if is_named { known.name() } else { format!("{}-unnamed", known.name()) };
            let age = random.f64().powi(4);
            let version = ((1.0 - age) * (VERSIONS - 1) as f64) as u64;
            Package::new(known.ecosystem().1, &name, &version_text(version))
        })
    }
}

impl Known {
    fn pick(random: &mut Rng, packages: u64) -> Self {
        Self { rank: (random.f64().powf(1.5) * packages as f64) as u64 }
    }

    fn ecosystem(&self) -> (&'static str, Ecosystem) {
        ECOSYSTEMS[(self.rank % ECOSYSTEMS.len() as u64) as usize]
    }

    fn name(&self) -> String {
        match self.ecosystem().1 {
            Ecosystem::Go => format!("github.com/owner-{}/module-{}", self.rank % 997, self.rank),
            _ => format!("package-{}", self.rank),
        }
    }

    /// One range, or two; Python's records list versions too, as OSV's do.
    fn affected(&self, random: &mut Rng) -> Value {
        let mut events = Vec::new();
        let mut from = if random.u8(..5) < 3 { 0 } else { random.u64(..VERSIONS - 1) };
        for _ in 0..random.u64(1..=5).saturating_sub(3).max(1) {
            let fixed = random.u64(from + 1..VERSIONS);
            let introduced = if from == 0 { "0".to_owned() } else { version_text(from) };
            events.push(json!([{ "introduced": introduced }, { "fixed": version_text(fixed) }]));
            from = fixed + 1;
            if from + 2 > VERSIONS {
                break;
            }
        }
        let (osv, ecosystem) = self.ecosystem();
        let kind = if ecosystem == Ecosystem::PyPi { "ECOSYSTEM" } else { "SEMVER" };
        let ranges = events.into_iter().map(|it| json!({ "type": kind, "events": it }));
        let ranges: Vec<Value> = ranges.collect();
        let listed = if ecosystem == Ecosystem::PyPi { 30 } else { 0 };
        let versions: Vec<_> = (0..listed).map(version_text).collect();
        json!([{ "package": { "ecosystem": osv, "name": self.name() }, "ranges": ranges, "versions": versions }])
    }
}

fn version_text(number: u64) -> String {
    format!("{}.{}.{}", number / 24, number / 4 % 6, number % 4)
}

fn cve_id(number: u64) -> String {
    format!("CVE-{}-{}", 2000 + number % 26, 10_000 + number)
}

fn time(minute: u64) -> String {
    let (day, minute) = (minute / 1_440, minute % 1_440);
    let (year, day) = (2021 + day / 336, day % 336);
    format!(
        "{year}-{:02}-{:02}T{:02}:{:02}:00Z",
        day / 28 + 1,
        day % 28 + 1,
        minute / 60,
        minute % 60
    )
}

fn vector(random: &mut Rng) -> String {
    let [vector, impact] = [["N", "L"], ["H", "L"]].map(|it| it[random.usize(..2)]);
    format!("CVSS:3.1/AV:{vector}/AC:L/PR:N/UI:N/S:U/C:{impact}/I:{impact}/A:N")
}
