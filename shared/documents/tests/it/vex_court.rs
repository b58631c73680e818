//! The truth table of VEX: formats × statuses × authority × time × order of arrival × expiry.
//!
//! What each cell expects is read from the tables below, which are those of `docs/vex.md`.

mod formats;
mod partial;
mod sets;

use documents::vex::{
    Authority, Court, Document, Opinion, Rule, Ruling, Source, Standing, Status, Target, read,
};
use events::Digest;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::vex_target::finding;
pub(crate) use formats::{FORMATS, cyclonedx, openvex};

const CVE: &str = "CVE-2014-0012";
const PRODUCT: &str = "pkg:pypi/jinja2@2.4.1";

const STATUSES: [Status; 4] =
    [Status::Affected, Status::UnderInvestigation, Status::Fixed, Status::NotAffected];
/// Of two statements of one authority and one time: `1` if the one of the row counts, `2` if that of
/// the column does, `=` where they say the same. In the order of [`STATUSES`].
const CAUTION: [&str; 4] = ["=111", "2=11", "22=1", "222="];
/// Whether it ages: nobody is too old to be careful.
const AGES: [bool; 4] = [false, false, true, true];

const AUTHORITIES: [Authority; 5] = [
    Authority::Nobody,
    Authority::Itself,
    Authority::Supplier,
    Authority::Everywhere,
    Authority::Scope,
];
/// As above, `-` if neither counts. In the order of [`AUTHORITIES`].
const AUTHORITY: [&str; 5] = ["-2222", "1=222", "11=22", "111=2", "1111="];

/// Days between the first statement and the second, and which of them is the newer one.
const TIME: [(i64, char); 3] = [(-1, '1'), (0, '='), (1, '2')];

/// Days that the first statement suppresses, asked for on the day [`ASKED`], and whether it still does.
const EXPIRY: [(Option<i64>, bool); 3] = [(None, true), (Some(30), true), (Some(9), false)];
const SAID: i64 = 100;
const ASKED: i64 = 110;

pub(crate) fn day(day: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + day * 86_400).unwrap()
}

/// A document as its real reader reads it, and the digest of its bytes.
#[derive(Clone)]
pub(crate) struct Told {
    document: Document,
    digest: Digest,
}

impl Told {
    pub(crate) fn of(document: &Value) -> Self {
        let bytes = document.to_string().into_bytes();
        let read = read(&bytes).unwrap_or_else(|error| panic!("{error}: {document}"));
        Self { document: read, digest: Digest::of(&bytes) }
    }

    /// As a court hears it.
    pub(crate) fn source(&self, authority: Authority, accepted: Timestamp) -> Source {
        Source {
            who: who(authority).to_owned(),
            authority,
            document: self.digest,
            edition: self.document.edition.clone(),
            said: self.document.timestamp,
            accepted,
            valid_for: None,
        }
    }

    pub(crate) fn tell(&self, court: &mut Court, source: Source) {
        court.hear(source, &self.document.statements);
    }
}

fn who(authority: Authority) -> &'static str {
    match authority {
        Authority::Nobody => "supplier other",
        Authority::Itself => "product",
        Authority::Supplier => "supplier acme",
        Authority::Everywhere | Authority::Scope => "operator",
    }
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

fn ruling<'a>(court: &'a Court, now: Timestamp) -> Ruling<'a> {
    static NOTHING: std::sync::LazyLock<Court> = std::sync::LazyLock::new(Court::default);
    let target: Target<'static> = finding(CVE, &[]);
    court.rule(&NOTHING, &target, now)
}

fn standing(ruling: &Ruling<'_>, document: Digest) -> Option<Standing> {
    let found = ruling.opinions.iter().find(|it| it.source.document == document);
    found.map(|it| it.standing)
}

/// Each kind of document once per status and time: the serial numbers differ, so that none replaces
/// another.
fn documents() -> Vec<Vec<Vec<Told>>> {
    let all = FORMATS.into_iter().enumerate().map(|(number, format)| {
        let of = |status, at: i64| {
            let mut document = format(status, day(SAID + at), 1);
            // The two that a cell compares have nothing in common but what they are about.
            let name = format!("{number}-{at}");
            if document.get("@id").is_some() {
                document["@id"] = json!(format!("https://acme.example/vex/{name}"));
            } else if document.get("serialNumber").is_some() {
                let serial =
                    format!("urn:uuid:3e671687-395b-41f5-a30f-a58921a6{number}{:03}", at + 9);
                document["serialNumber"] = json!(serial);
            } else {
                document["document"]["tracking"]["id"] = json!(name);
            }
            Told::of(&document)
        };
        STATUSES.map(|status| [-1, 0, 1].map(|at| of(status, at)).to_vec()).to_vec()
    });
    all.collect()
}

/// Which of two statements counts, by the tables.
fn expected(first: &Cell, second: &Cell, newer: char, still: bool) -> char {
    let is_out = first.authority == 0 || (!still && AGES[first.status]);
    match (is_out, second.authority == 0) {
        (true, true) => return '-',
        (true, false) => return '2',
        (false, true) => return '1',
        (false, false) => {}
    }
    match at(&AUTHORITY, first.authority, second.authority) {
        '=' if newer == '=' => at(&CAUTION, first.status, second.status),
        '=' => newer,
        decided => decided,
    }
}

fn at(table: &[&str], row: usize, column: usize) -> char {
    table[row].as_bytes()[column].into()
}

/// One of the two statements: places in the tables.
#[derive(Debug)]
struct Cell {
    format: usize,
    status: usize,
    authority: usize,
}

fn cells() -> impl Iterator<Item = Cell> {
    let all = |format| {
        let of = move |status| {
            (0..AUTHORITIES.len()).map(move |authority| Cell { format, status, authority })
        };
        (0..STATUSES.len()).flat_map(of)
    };
    (0..FORMATS.len()).flat_map(all)
}

#[test]
fn every_cell_of_the_table_is_as_it_says_whatever_came_first() {
    let documents = documents();
    let (mut count, mut wrong) = (0, Vec::new());
    for first in cells() {
        for second in cells() {
            for (apart, newer) in TIME {
                for (valid, still) in EXPIRY {
                    let one = &documents[first.format][first.status][1];
                    let other = &documents[second.format][second.status]
                        [usize::try_from(1 + apart).unwrap()];
                    // One document that says it twice is no second statement.
                    if one.digest == other.digest {
                        continue;
                    }
                    let expected = expected(&first, &second, newer, still);
                    for order in [[1, 2], [2, 1]] {
                        count += 1;
                        let mut court = Court::default();
                        // Hours apart: what is accepted later does not count for that.
                        for (hour, which) in (1..).zip(order) {
                            let accepted = day(ASKED) - SignedDuration::from_hours(10 - hour);
                            let (told, cell) =
                                if which == 1 { (one, &first) } else { (other, &second) };
                            let mut source = told.source(AUTHORITIES[cell.authority], accepted);
                            if which == 1 {
                                source.valid_for = valid.map(days);
                            }
                            told.tell(&mut court, source);
                        }
                        let ruling = ruling(&court, day(ASKED));
                        let found =
                            ruling.counts().map(|it| (it.source.document, it.statement.status));
                        let (one, other) = (
                            (one.digest, STATUSES[first.status]),
                            (other.digest, STATUSES[second.status]),
                        );
                        let right = match expected {
                            '1' => found == Some(one),
                            '2' => found == Some(other),
                            // Both say the same: which of them stands for it makes no difference.
                            '=' => found.is_some_and(|(_, status)| status == one.1),
                            _ => found.is_none(),
                        };
                        if !right {
                            wrong.push(format!(
                                "{first:?} {second:?} {newer} {valid:?} {order:?}: {expected}, not {found:?}"
                            ));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cells, such as\n{}", wrong.len(), wrong[0]);
    // 60 × 60 × 3 × 3 × 2, but those in which both are one document: 12 × 25 × 3 × 2.
    assert_eq!(count, 64_800 - 1_800);
}

#[test]
fn what_the_tables_say_of_both_sides_agrees() {
    for table in [&AUTHORITY[..], &CAUTION[..]] {
        for row in 0..table.len() {
            for column in 0..table.len() {
                let mirrored = match at(table, column, row) {
                    '1' => '2',
                    '2' => '1',
                    same => same,
                };
                assert_eq!(at(table, row, column), mirrored, "{row} {column}");
            }
        }
    }
}

#[test]
fn a_newer_version_replaces_an_older_one_as_a_whole_whatever_came_first() {
    for format in FORMATS {
        let about = |status, version| Told::of(&format(status, day(SAID), version));
        // It says nothing of this vulnerability any more, and was even written on an older clock.
        let silent = {
            let mut document = format(Status::Fixed, day(SAID - 5), 10);
            let text = document.to_string().replace(CVE, "CVE-2020-0001");
            document = serde_json::from_str(&text).unwrap();
            Told::of(&document)
        };
        let old = about(Status::NotAffected, 9);
        let same = about(Status::Affected, 9);
        for (others, expected) in [
            (vec![], Some(Status::NotAffected)),
            (vec![&silent], None),
            (vec![&same], Some(Status::Affected)),
            (vec![&about(Status::Fixed, 10)], Some(Status::Fixed)),
            (vec![&about(Status::Fixed, 8)], Some(Status::NotAffected)),
        ] {
            for reversed in [false, true] {
                let mut all: Vec<&Told> = vec![&old];
                all.extend(&others);
                if reversed {
                    all.reverse();
                }
                let mut court = Court::default();
                for (hour, told) in (0..).zip(all) {
                    let accepted = day(ASKED) + SignedDuration::from_hours(hour);
                    told.tell(&mut court, told.source(Authority::Supplier, accepted));
                }
                let ruling = ruling(&court, day(ASKED + 1));
                let found = ruling.counts().map(|it| it.statement.status);
                assert_eq!(found, expected, "{}", old.document.format.as_str());
                if expected.is_none() {
                    assert_eq!(standing(&ruling, old.digest), Some(Standing::Withdrawn));
                }
            }
        }
    }
}

#[test]
fn only_its_issuer_withdraws_a_document() {
    for format in FORMATS {
        let old = Told::of(&format(Status::NotAffected, day(SAID), 1));
        let new = Told::of(&format(Status::Affected, day(SAID + 1), 2));
        for other in [Authority::Nobody, Authority::Itself] {
            let mut court = Court::default();
            old.tell(&mut court, old.source(Authority::Supplier, day(ASKED)));
            new.tell(&mut court, new.source(other, day(ASKED)));
            let ruling = ruling(&court, day(ASKED));
            assert_eq!(ruling.counts().map(|it| it.source.document), Some(old.digest), "{other:?}");
        }
    }
}

#[test]
fn what_ends_counts_to_the_end_of_its_last_day() {
    let noon = day(SAID);
    let midnight = |day: Timestamp| {
        let days = day.as_second().div_euclid(86_400);
        Timestamp::from_second(days * 86_400).unwrap()
    };
    for format in FORMATS {
        for status in STATUSES {
            let told = Told::of(&format(status, noon, 1));
            let mut court = Court::default();
            let source = Source {
                valid_for: Some(days(30)),
                ..told.source(Authority::Supplier, day(SAID + 3))
            };
            told.tell(&mut court, source);
            let end = midnight(day(SAID + 31));
            for (now, counts) in [
                (day(SAID), true),
                (end - SignedDuration::from_nanos(1), true),
                (end, !status.suppresses()),
                (day(SAID + 1000), !status.suppresses()),
            ] {
                let ruling = ruling(&court, now);
                assert_eq!(ruling.counts().is_some(), counts, "{status:?} {now}");
                assert_eq!(ruling.opinions[0].ends, status.suppresses().then_some(end));
                let expected = if counts { Standing::Counts } else { Standing::Expired };
                assert_eq!(standing(&ruling, told.digest), Some(expected));
            }
        }
    }
}

#[test]
fn a_document_that_is_issued_again_confirms_its_old_statements() {
    let mut document = openvex(Status::NotAffected, day(0), 2);
    document["last_updated"] = json!(day(SAID).to_string());
    let told = Told::of(&document);
    assert_eq!(told.document.statements[0].timestamp, Some(day(0)), "it is as old as it is");
    let mut court = Court::default();
    let source =
        Source { valid_for: Some(days(30)), ..told.source(Authority::Supplier, day(ASKED)) };
    told.tell(&mut court, source);
    assert!(ruling(&court, day(SAID + 30)).counts().is_some());
    assert!(ruling(&court, day(SAID + 32)).counts().is_none());
}

/// A statement without a time, or with one that cannot be true.
fn undated(status: Status) -> Vec<Told> {
    let mut without = cyclonedx(status, day(SAID), 1);
    without["serialNumber"] = json!("urn:uuid:3e671687-395b-41f5-a30f-a58921a69b71");
    without["metadata"].as_object_mut().unwrap().remove("timestamp");
    let future = FORMATS.map(|format| Told::of(&format(status, day(ASKED + 2), 1)));
    future.into_iter().chain([Told::of(&without)]).collect()
}

#[test]
fn a_time_that_cannot_be_true_makes_nothing_newer() {
    let dated = |status| {
        let mut document = openvex(status, day(SAID), 1);
        document["@id"] = json!("https://acme.example/vex/dated");
        Told::of(&document)
    };
    for (dated_status, undated_status, expected) in [
        (Status::Affected, Status::NotAffected, Status::Affected),
        (Status::NotAffected, Status::Affected, Status::Affected),
        (Status::Fixed, Status::NotAffected, Status::Fixed),
        (Status::NotAffected, Status::NotAffected, Status::NotAffected),
    ] {
        let dated = dated(dated_status);
        for undated in undated(undated_status) {
            for now in [ASKED, ASKED + 1000] {
                let mut court = Court::default();
                undated.tell(&mut court, undated.source(Authority::Supplier, day(ASKED)));
                dated.tell(&mut court, dated.source(Authority::Supplier, day(ASKED)));
                let ruling = ruling(&court, day(now));
                assert_eq!(ruling.counts().map(|it| it.statement.status), Some(expected));
            }
        }
    }
}

#[test]
fn a_ruling_says_what_decided_and_what_contradicts() {
    let of = |number: usize, status, at| {
        let mut document = openvex(status, day(at), 1);
        document["@id"] = json!(format!("https://acme.example/vex/{number}"));
        Told::of(&document)
    };
    let no = of(1, Status::NotAffected, SAID);
    let yes = of(2, Status::Affected, SAID);
    let later = of(3, Status::Affected, SAID + 1);
    let again = of(4, Status::NotAffected, SAID);
    use Authority::{Everywhere, Nobody, Scope, Supplier};
    use Standing::{Agrees, Contradicts, Counts, NoAuthority, Superseded};
    type Said<'a> = (&'a Told, Authority);
    let cases: [(&[Said<'_>], Option<Rule>, &[Standing]); 8] = [
        (&[(&no, Supplier)], Some(Rule::Alone), &[Counts]),
        (&[(&no, Supplier), (&yes, Scope)], Some(Rule::Authority), &[Counts, Contradicts]),
        (&[(&no, Everywhere), (&yes, Supplier)], Some(Rule::Authority), &[Counts, Contradicts]),
        (&[(&no, Supplier), (&later, Supplier)], Some(Rule::Time), &[Counts, Superseded]),
        (&[(&no, Supplier), (&yes, Supplier)], Some(Rule::Caution), &[Counts, Contradicts]),
        (&[(&no, Supplier), (&again, Supplier)], Some(Rule::Unanimous), &[Counts, Agrees]),
        (&[(&no, Supplier), (&later, Nobody)], Some(Rule::Alone), &[Counts, NoAuthority]),
        (&[(&no, Nobody)], None, &[NoAuthority]),
    ];
    for (said, rule, standings) in cases {
        let mut court = Court::default();
        for (told, authority) in said {
            told.tell(&mut court, told.source(*authority, day(ASKED)));
        }
        let ruling = ruling(&court, day(ASKED));
        let found: Vec<Standing> = ruling.opinions.iter().map(|it| it.standing).collect();
        assert_eq!((ruling.rule, found.as_slice()), (rule, standings));
    }
}

/// What a ruling says, without when anything was accepted.
pub(crate) fn told(ruling: &Ruling<'_>) -> String {
    let line = |it: &Opinion<'_>| {
        let (who, document) = (&it.source.who, it.source.document);
        format!("{:?} {who} {document} {} {:?} {:?}", it.standing, it.position, it.said, it.ends)
    };
    let lines: Vec<String> = ruling.opinions.iter().map(line).collect();
    format!("{:?}\n{}", ruling.rule, lines.join("\n"))
}
