//! The table: what has no say is out, then authority, then time, then caution.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use jiff::Timestamp;

use super::{Authority, Opinion, Rule, Ruling, Standing};
use crate::vex::Target;

/// Advisories that name several CVEs join them into one vulnerability. Who says that one of them does no harm
/// says nothing of the others: all of them have to be named, in one document of an issuer or in several.
pub(super) fn set_partial_aside(opinions: &mut [Opinion<'_>], target: &Target<'_>) {
    let ids =
        std::iter::once(target.vulnerability).chain(target.aliases.iter().map(String::as_str));
    let cves: HashSet<String> =
        ids.map(str::to_ascii_uppercase).filter(|it| it.starts_with("CVE-")).collect();
    if cves.len() < 2 {
        return;
    }
    let suppresses =
        |it: &Opinion<'_>| it.standing == Standing::Agrees && it.statement.status.suppresses();
    let mut named: HashMap<(Authority, &str), HashSet<String>> = HashMap::new();
    for it in opinions.iter().filter(|it| suppresses(it)) {
        let issuer = (it.source.authority, it.source.who.as_str());
        named.entry(issuer).or_default().extend(it.statement.ids().map(str::to_ascii_uppercase));
    }
    for it in opinions.iter_mut().filter(|it| suppresses(it)) {
        let issuer = (it.source.authority, it.source.who.as_str());
        if named.get(&issuer).is_none_or(|named| !cves.is_subset(named)) {
            it.standing = Standing::Partial;
        }
    }
}

/// Gives every opinion its standing, and orders them.
pub(super) fn decide(mut opinions: Vec<Opinion<'_>>) -> Ruling<'_> {
    keep_each_once(&mut opinions);
    let rule = choose(&opinions).map(|(winner, rule)| {
        let newest = newest(&opinions);
        let status = opinions[winner].statement.status;
        for (position, it) in opinions.iter_mut().enumerate() {
            it.standing = match it.standing {
                Standing::Agrees if position == winner => Standing::Counts,
                Standing::Agrees if is_older(it, &newest) => Standing::Superseded,
                Standing::Agrees if it.statement.status != status => Standing::Contradicts,
                standing => standing,
            };
        }
        rule
    });
    opinions.sort_by(|a, b| rank(a).cmp(&rank(b)));
    Ruling { opinions, rule }
}

/// A statement is found by each of its ids, and a document may have been accepted twice: the first
/// time counts.
fn keep_each_once(opinions: &mut Vec<Opinion<'_>>) {
    fn key<'a>(it: &Opinion<'a>) -> (Authority, &'a str, events::Digest, usize) {
        (it.source.authority, &it.source.who, it.source.document, it.position)
    }
    opinions.sort_by(|a, b| {
        key(a).cmp(&key(b)).then_with(|| a.source.accepted.cmp(&b.source.accepted))
    });
    opinions.dedup_by(|a, b| key(a) == key(b));
}

/// The one that counts among those that have a say, and what decided.
fn choose(opinions: &[Opinion<'_>]) -> Option<(usize, Rule)> {
    let mut left: Vec<usize> =
        (0..opinions.len()).filter(|&at| opinions[at].standing == Standing::Agrees).collect();
    let authority = left.iter().map(|&at| opinions[at].source.authority).max()?;
    let mut rule = Rule::Alone;
    let mut keep = |by: Rule, left: &mut Vec<usize>, stays: &dyn Fn(&Opinion<'_>) -> bool| {
        let before = left.len();
        left.retain(|&at| stays(&opinions[at]));
        if left.len() < before {
            rule = by;
        }
    };
    keep(Rule::Authority, &mut left, &|it| it.source.authority == authority);
    // What was said nobody knows when is neither older nor newer than anything.
    let latest = left.iter().filter_map(|&at| opinions[at].said).max();
    keep(Rule::Time, &mut left, &|it| it.said.is_none() || it.said == latest);
    let caution = left.iter().map(|&at| opinions[at].statement.status.caution()).max();
    keep(Rule::Caution, &mut left, &|it| Some(it.statement.status.caution()) == caution);
    if left.len() > 1 {
        rule = Rule::Unanimous;
    }
    let winner = left.into_iter().min_by_key(|&at| order(&opinions[at]))?;
    Some((winner, rule))
}

/// When each issuer said something last.
fn newest<'a>(opinions: &[Opinion<'a>]) -> HashMap<(Authority, &'a str), Timestamp> {
    let mut newest = HashMap::new();
    for it in opinions.iter().filter(|it| it.standing == Standing::Agrees) {
        let Some(said) = it.said else { continue };
        let known = newest.entry((it.source.authority, it.source.who.as_str())).or_insert(said);
        *known = said.max(*known);
    }
    newest
}

fn is_older(it: &Opinion<'_>, newest: &HashMap<(Authority, &str), Timestamp>) -> bool {
    let newest = newest.get(&(it.source.authority, it.source.who.as_str()));
    it.said.is_some() && it.said.as_ref() < newest
}

/// Among statements that weigh the same: dated ones first, then as good as any.
fn order(it: &Opinion<'_>) -> (Reverse<Option<Timestamp>>, events::Digest, usize) {
    (Reverse(it.said), it.source.document, it.position)
}

fn rank<'a>(it: &Opinion<'a>) -> impl Ord + use<'a> {
    (it.standing, Reverse(it.source.authority), order(it), it.source.who.as_str())
}
