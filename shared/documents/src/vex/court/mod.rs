//! Which of several VEX statements about the same counts, and which contradict it.
//!
//! A ruling is a function of the set of statements, of the target and of the time: the order in which
//! they arrived makes no difference. `docs/vex.md` has the table in words.

mod decide;

use std::{collections::HashMap, sync::Arc};

use events::Digest;
use jiff::{SignedDuration, Timestamp};

use super::{Edition, Statement, Target, Version, target::Place};

/// How much later than its acceptance a statement may claim to be said: clocks differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(24);
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// All that is said, found by vulnerability.
#[derive(Default)]
pub struct Court {
    by_vulnerability: HashMap<String, Vec<Testimony>>,
    /// The newest version of each document of each issuer.
    newest: HashMap<Series, Version>,
}

/// With what right somebody speaks about a target; the weightiest is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Authority {
    /// With none: a supplier about products that are not its own. It is shown, and never counts.
    Nobody,
    /// An SBOM about what it lists.
    Itself,
    /// A supplier about its own products.
    Supplier,
    /// An operator about everything.
    Everywhere,
    /// An operator about this project or supplier.
    Scope,
}

/// Who says something, with what right, and in which document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `supplier acme`, or `operator`.
    pub who: String,
    /// With what right.
    pub authority: Authority,
    /// The document that says it.
    pub document: Digest,
    /// Which version of which document that is, where it says so.
    pub edition: Option<Edition>,
    /// When the document was said last, as it claims.
    pub said: Option<Timestamp>,
    /// When it was accepted, the first time.
    pub accepted: Timestamp,
    /// How long what suppresses does so after it was said; without it for good.
    pub valid_for: Option<SignedDuration>,
}

/// What is said about one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruling<'a> {
    /// Every statement about it, each once: the one that counts first, then those that contradict it.
    pub opinions: Vec<Opinion<'a>>,
    /// What decided that the first one counts; none if none does.
    pub rule: Option<Rule>,
}

/// One statement about a target, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opinion<'a> {
    /// Who says it.
    pub source: &'a Source,
    /// What is said.
    pub statement: &'a Statement,
    /// Which of the document's statements it is.
    pub position: usize,
    /// When it was said; none if that is not known or cannot be true.
    pub said: Option<Timestamp>,
    /// From when on it does not count any more.
    pub ends: Option<Timestamp>,
    /// What becomes of it.
    pub standing: Standing,
}

/// What becomes of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It is the one that counts.
    Counts,
    /// It says something else than the one that counts.
    Contradicts,
    /// It says the same.
    Agrees,
    /// Its issuer has said something newer.
    Superseded,
    /// It was too long ago.
    Expired,
    /// It is about some of the CVEs that are one vulnerability here, and suppresses nothing: nobody says the
    /// same of the others.
    Partial,
    /// A newer version of its document is there.
    Withdrawn,
    /// Who says it has no say in this.
    NoAuthority,
}

/// Which line of the table decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// There was nothing to decide.
    Alone,
    /// The greater authority counts.
    Authority,
    /// What was said last counts.
    Time,
    /// The most cautious status counts.
    Caution,
    /// All say the same; one of them stands for the others.
    Unanimous,
}

/// A document of an issuer in all its versions.
#[derive(PartialEq, Eq, Hash)]
struct Series {
    authority: Authority,
    who: String,
    id: String,
}

/// One statement; shared by all its ids, of which a document may name many.
struct Testimony {
    source: Arc<Source>,
    statement: Arc<Statement>,
    position: usize,
}

impl Court {
    /// Hears what a document says.
    pub fn hear<'a>(
        &mut self,
        source: Source,
        statements: impl IntoIterator<Item = &'a Statement>,
    ) {
        if let Some(Edition { version, .. }) = &source.edition {
            let newest = self.newest.entry(Series::of(&source)).or_insert(*version);
            *newest = (*newest).max(*version);
        }
        let source = Arc::new(source);
        for (position, statement) in statements.into_iter().enumerate() {
            let mut statement = statement.clone();
            if matches!(source.authority, Authority::Everywhere | Authority::Nobody) {
                statement.keep_global_names();
            }
            let statement = Arc::new(statement);
            for id in statement.ids().filter(|id| !id.is_empty()) {
                let (source, statement) = (source.clone(), statement.clone());
                let heard = self.by_vulnerability.entry(id.to_ascii_lowercase()).or_default();
                heard.push(Testimony { source, statement, position });
            }
        }
    }

    /// Whether nothing is said at all.
    pub fn is_empty(&self) -> bool {
        self.by_vulnerability.is_empty()
    }

    /// What counts about `target` at `now`, of what is said in `self` and in `own`.
    pub fn rule<'a>(&'a self, own: &'a Self, target: &Target<'_>, now: Timestamp) -> Ruling<'a> {
        let mut opinions = self.opinions(target, now);
        opinions.extend(own.opinions(target, now));
        decide::set_partial_aside(&mut opinions, target);
        decide::decide(opinions)
    }

    /// What is said about `target`; its standing is only what it has by itself.
    fn opinions(&self, target: &Target<'_>, now: Timestamp) -> Vec<Opinion<'_>> {
        let ids = std::iter::once(target.vulnerability)
            .chain(target.aliases.iter().map(String::as_str))
            .map(str::to_ascii_lowercase);
        let heard = ids.filter_map(|id| self.by_vulnerability.get(&id)).flatten();
        let place = Place::of(target);
        let about = heard.filter(|it| it.statement.covers(&place));
        about.map(|it| self.opinion(it, now)).collect()
    }

    fn opinion<'a>(&'a self, heard: &'a Testimony, now: Timestamp) -> Opinion<'a> {
        let Testimony { source, statement, position } = heard;
        let ends = source.ends(statement);
        let standing = match source.authority {
            Authority::Nobody => Standing::NoAuthority,
            _ if self.is_replaced(source) => Standing::Withdrawn,
            _ if ends.is_some_and(|ends| ends <= now) => Standing::Expired,
            _ => Standing::Agrees,
        };
        let said = source.believed(statement.timestamp);
        Opinion { source, statement, position: *position, said, ends, standing }
    }

    fn is_replaced(&self, source: &Source) -> bool {
        let Some(edition) = &source.edition else { return false };
        self.newest.get(&Series::of(source)).is_some_and(|newest| *newest > edition.version)
    }
}

impl Source {
    /// From when on `statement` of this document does not count any more: only what suppresses ages,
    /// and a newer version of the document says all of it again. Always at midnight, UTC.
    pub fn ends(&self, statement: &Statement) -> Option<Timestamp> {
        let valid_for = self.valid_for.filter(|_| statement.status.suppresses())?;
        let claimed = [statement.timestamp, self.said].map(|it| self.believed(it));
        let since = claimed.into_iter().flatten().max().unwrap_or(self.accepted);
        let last = since.checked_add(valid_for).ok()?.as_second().div_euclid(DAY_SECONDS);
        Timestamp::from_second((last + 1) * DAY_SECONDS).ok()
    }

    /// A time that may be true: nothing is said after it was accepted.
    fn believed(&self, claimed: Option<Timestamp>) -> Option<Timestamp> {
        claimed.filter(|it| it.duration_since(self.accepted) <= CLOCKS_DIFFER)
    }
}

impl Series {
    fn of(source: &Source) -> Self {
        let id = source.edition.as_ref().map(|it| it.id.clone()).unwrap_or_default();
        Self { authority: source.authority, who: source.who.clone(), id }
    }
}

impl<'a> Ruling<'a> {
    /// The statement that counts.
    pub fn counts(&self) -> Option<&Opinion<'a>> {
        self.opinions.first().filter(|it| it.standing == Standing::Counts)
    }
}

impl Standing {
    /// The standing in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Contradicts => "contradicts",
            Self::Agrees => "agrees",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::Partial => "partial",
            Self::Withdrawn => "withdrawn",
            Self::NoAuthority => "no_authority",
        }
    }
}

impl Rule {
    /// The rule in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Authority => "authority",
            Self::Time => "time",
            Self::Caution => "caution",
            Self::Unanimous => "unanimous",
        }
    }
}

impl Statement {
    /// Every identifier of the vulnerability.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.vulnerability).chain(&self.aliases).map(String::as_str)
    }

    /// Forgets products with names that mean something only within one document or one supplier.
    fn keep_global_names(&mut self) {
        let global = |name: &str| ["pkg:", "urn:", "sha256:"].iter().any(|it| name.starts_with(it));
        self.products.retain_mut(|product| {
            product.aliases.retain(|name| global(name));
            global(&product.id)
        });
    }
}
