//! Entries by lockfile, with the way to the package, however documents come to name them.

use advisories::{Index, Source};
use serde_json::{Value, json};

use super::*;
use crate::{
    inventory::Inventory,
    priority::Class,
    register::{EntryRow, Register},
    slot::SlotKind,
};

const FLASK: &str = "pkg:pypi/flask@2.0";

/// A component of a document: purl, lockfiles, scope.
type Listed<'a> = (&'a str, &'a [&'a str], &'a str);

/// An SBOM in which each component is asked for by the one before it, and the first by the product.
fn listed(number: u128, time: Timestamp, slot: &Slot, components: &[Listed<'_>]) -> Arrival {
    let chain = components.iter().map(|(purl, ..)| json!(purl));
    let refs: Vec<Value> = [json!("product")].into_iter().chain(chain).collect();
    let dependencies: Vec<Value> =
        refs.windows(2).map(|it| json!({ "ref": it[0], "dependsOn": [it[1]] })).collect();
    let components: Vec<Value> = components
        .iter()
        .map(|(purl, locks, scope)| {
            let (name, version) = purl.rsplit_once('@').expect("a version");
            let name = name.rsplit('/').next().expect("a name");
            let occurrences: Vec<_> = locks.iter().map(|it| json!({ "location": it })).collect();
            json!({
                "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
                "scope": scope, "evidence": { "occurrences": occurrences },
            })
        })
        .collect();
    let product = slot.product.as_str();
    let bom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": { "component": { "type": "application", "bom-ref": "product", "name": product } },
        "components": components,
        "dependencies": dependencies,
    });
    brings(number, time, slot, &bom)
}

fn brings(number: u128, time: Timestamp, slot: &Slot, bom: &Value) -> Arrival {
    let bytes = serde_json::to_vec(bom).expect("encodes");
    let inventory = Inventory::of(documents::bom::read(&bytes).expect("valid CycloneDX"));
    let digest = Digest::of(format!("document {number}").as_bytes());
    let content = Content::Sboms(vec![Sbom { slot: slot.clone(), digest, inventory }]);
    Arrival { event: event(number), time, content }
}

fn register(place: &Place) -> Register {
    place.reader().register(&Config::default(), None, now()).expect("reads")
}

/// Lockfile and status of each entry, with its id.
fn standing(place: &Place) -> Vec<(String, String, &'static str)> {
    let row = |it: EntryRow| (it.id, it.lock.unwrap_or_default(), it.status.as_str());
    let mut rows: Vec<_> = register(place).entries.into_iter().map(row).collect();
    rows.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    rows
}

#[test]
fn component_in_two_lockfiles_is_two_things_to_do() {
    let place = Place::new();
    let (store, slot) = (place.open(), project("hotpass"));
    let both = ["uv.lock", "web/uv.lock"];
    let first = listed(1, day(1), &slot, &[(FLASK, &both, "required"), (JINJA, &both, "excluded")]);
    let told = record(&store, &first);
    assert_eq!((told.findings, told.opened.len()), (2, 2));
    let titles: Vec<_> = register(&place).entries.iter().map(|it| it.title.clone()).collect();
    let mut sorted = titles.clone();
    sorted.sort();
    assert_eq!(
        sorted,
        [
            "Bump jinja2 to ≥ 2.11.3 in uv.lock of hotpass",
            "Bump jinja2 to ≥ 2.11.3 in web/uv.lock of hotpass",
        ]
    );
    for row in register(&place).entries {
        assert_eq!(
            (row.path.as_slice(), row.artifacts),
            (&["flask".into(), "jinja2".into()][..], 1)
        );
        assert_eq!(row.way(), "hotpass → flask → jinja2");
        assert_eq!(row.need, Some(documents::bom::Scope::Excluded));
        assert!(row.priority.terms.iter().any(|it| it.name == "scope" && it.points == -40));
    }
    // One of the two is done.
    let fixed = [(JINJA_FIXED, &both[..1], "required"), (JINJA, &both[1..], "required")];
    record(&store, &listed(2, day(2), &slot, &fixed));
    let standing: Vec<_> = standing(&place).into_iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(standing, [("uv.lock".to_owned(), "fixed"), ("web/uv.lock".to_owned(), "open")]);
}

#[test]
fn products_from_one_lockfile_are_told_as_so_many_artifacts() {
    let place = Place::new();
    let store = place.open();
    let named = |product: &str| Slot { product: Label::of(product), ..project("hotpass") };
    let component: [Listed<'_>; 1] = [(JINJA, &["uv.lock"], "required")];
    for (number, product) in (1..).zip(["api", "worker", "cli"]) {
        record(&store, &listed(number, day(1), &named(product), &component));
    }
    record(&store, &listed(4, day(1), &named("other"), &[(JINJA, &["web/uv.lock"], "required")]));
    record(&store, &listed(5, day(1), &project("elsewhere"), &component));
    record(&store, &listed(6, day(2), &named("cli"), &[]));
    let mut counts: Vec<_> =
        register(&place).entries.iter().map(|it| (it.product.to_string(), it.artifacts)).collect();
    counts.sort();
    let expected = [("api", 2), ("cli", 2), ("elsewhere", 1), ("other", 1), ("worker", 2)];
    assert_eq!(counts, expected.map(|(product, count)| (product.to_owned(), count)));
    for row in register(&place).entries {
        let shown = place.reader().entry(&row.id, &Config::default(), None);
        assert_eq!(shown.expect("reads").expect("known"), row);
    }
    let hits = place.reader().search("jinja2", &Config::default(), None).expect("searches");
    assert_eq!(hits.entries.iter().map(|it| it.artifacts).max(), Some(2));
}

#[test]
fn suppliers_are_asked_once_whatever_their_lockfiles() {
    let ids = |arrival: &Arrival| {
        let place = Place::new();
        record(&place.open(), arrival);
        standing(&place)
    };
    let widget = supplier("acme", "widget");
    let both = [(JINJA, &["uv.lock", "web/uv.lock"][..], "required")];
    let with = ids(&listed(1, day(1), &widget, &both));
    assert_eq!(with, ids(&sbom(1, day(1), &widget, &[JINJA])));
    assert_eq!(with.len(), 1);
    assert_eq!(widget.kind, SlotKind::Supplier);
}

#[test]
fn entry_without_lockfile_becomes_that_of_the_first_and_keeps_its_id() {
    let place = Place::new();
    let (store, slot) = (place.open(), project("hotpass"));
    record(&store, &sbom(1, day(1), &slot, &[JINJA]));
    let before = standing(&place);
    assert_eq!((before.len(), before[0].1.as_str()), (1, ""));
    let id = before[0].0.clone();

    record(&store, &listed(2, day(2), &slot, &[(JINJA, &["uv.lock"], "required")]));
    assert_eq!(standing(&place), [(id.clone(), "uv.lock".to_owned(), "open")]);
    assert_eq!(register(&place).entries[0].history.len(), 1, "nothing has happened to it");

    record(&store, &listed(3, day(3), &slot, &[(JINJA, &["uv.lock", "b/uv.lock"], "required")]));
    let two = standing(&place);
    assert_eq!(two.len(), 2);
    assert_eq!(two[1], (id.clone(), "uv.lock".to_owned(), "open"));

    // A document that names no lockfile speaks of both.
    record(&store, &sbom(4, day(4), &slot, &[JINJA]));
    assert_eq!(standing(&place), two);
    record(&store, &sbom(5, day(5), &slot, &[]));
    assert!(standing(&place).iter().all(|it| it.2 == "fixed"));
}

#[test]
fn entry_that_an_older_release_made_keeps_its_id() {
    let place = Place::new();
    let (store, slot) = (place.open(), project("hotpass"));
    record(&store, &sbom(1, day(1), &slot, &[JINJA]));
    let [(id, ..)] = standing(&place).try_into().expect("one");
    // The document comes again, by another event, and is read for its lockfile.
    let mut again = listed(1, day(2), &slot, &[(JINJA, &["uv.lock"], "required")]);
    again.event = event(2);
    record(&store, &again);
    assert_eq!(standing(&place), [(id, "uv.lock".to_owned(), "open")]);
    assert_eq!(register(&place).entries[0].history.len(), 1);
}

#[test]
fn what_is_told_of_components_is_kept_once_and_changes_no_inventory() {
    let place = Place::new();
    let (store, slot) = (place.open(), project("hotpass"));
    for (number, lock) in (1..).zip([&["uv.lock"], &["uv.lock"], &["web/uv.lock"]]) {
        let components = [(FLASK, &lock[..], "required"), (JINJA, &lock[..], "required")];
        record(&store, &listed(number, day(1), &slot, &components));
    }
    let connection = place.reader().connection;
    let count = |table: &str| {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).expect("counts")
    };
    assert_eq!((count("document"), count("inventory"), count("places")), (3, 1, 2));
}

#[test]
fn what_the_document_reports_is_to_be_done_with_and_without_an_index() {
    let place = Place::new();
    let (store, slot) = (place.open(), supplier("acme", "widget"));
    let flask = json!({ "type": "library", "bom-ref": "f", "name": "flask", "version": "2.0", "purl": FLASK });
    let bom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [flask],
        "vulnerabilities": [{ "id": "CVE-2099-1", "affects": [{ "ref": "f" }] }],
    });
    let first = store.record(&brings(1, day(1), &slot, &bom), None, now()).expect("records");
    assert_eq!((first.findings, first.opened.len()), (1, 1));
    record(&store, &advisories(2, day(2)));
    let row = register(&place).entries.remove(0);
    let of = &row.vulnerabilities[0];
    assert_eq!((of.rule, row.status.is_open()), (Some(advisories::MatchRule::Reported), true));
    let said = says(acme(), day(3), "not_affected", &["CVE-2099-1"], FLASK);
    record(&store, &vex(3, said));
    assert_eq!(register(&place).entries[0].status.as_str(), "suppressed");
}

/// An index of one more file than the advisories of the fixtures.
pub(super) fn index_with(name: &str, text: &str) -> Index {
    let directory = tempfile::tempdir().expect("temporary");
    let path = directory.path().join(name);
    std::fs::write(&path, text).expect("writes");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/osv");
    let (index, report) = Index::build(&[fixtures, path]).expect("builds");
    assert_eq!(report.problem_count, 0, "{report:?}");
    index
}

#[test]
fn what_is_exploited_is_told_when_it_is_shown_and_touches_no_entry() {
    let kev = json!({
        "catalogVersion": "1", "dateReleased": "2026-02-10T00:00:00Z",
        "vulnerabilities": [{
            "cveID": "CVE-2019-10906", "dateAdded": "2026-02-10", "dueDate": "2026-03-01",
            "knownRansomwareCampaignUse": "Known",
        }],
    });
    let place = Place::new();
    let store = place.open();
    record(&store, &sbom(1, day(1), &project("hotpass"), &[JINJA]));
    let bodies = || {
        let connection = place.reader().connection;
        let sql = "SELECT body FROM entry ORDER BY id";
        let mut statement = connection.prepare(sql).expect("prepares");
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("queries");
        rows.collect::<Result<Vec<_>, _>>().expect("reads")
    };
    let before = bodies();
    let known = index_with("kev.json", &kev.to_string());
    let shown = |index| place.reader().register(&Config::default(), index, now()).expect("reads");

    let (without, with) = (shown(None).entries.remove(0), shown(Some(&known)).entries.remove(0));

    assert_eq!(bodies(), before);
    assert_eq!(
        (without.priority.class, without.due.to_string().as_str()),
        (Class::P3, "2026-05-04")
    );
    // cvss 50 (not rated) + exploited 60 + ransomware 20 + exposure 10 (internal) + fix 10
    assert_eq!((with.priority.class, with.priority.score), (Class::P1, 150));
    assert_eq!(with.priority.vulnerability, "CVE-2019-10906");
    // Three days from when it came into the catalogue, later than the first sight.
    assert_eq!(with.due.to_string(), "2026-02-13");
    assert_eq!(with.vulnerabilities.iter().map(|it| it.due).min(), Some(with.due));
}

#[test]
fn malware_is_due_at_once_although_nobody_rates_it() {
    let record = json!({
        "id": "MAL-2026-1", "modified": "2026-02-01T00:00:00Z", "published": "2026-02-01T00:00:00Z",
        "affected": [{ "package": { "ecosystem": "PyPI", "name": "flask" }, "versions": ["2.0"] }],
    });
    let place = Place::new();
    let index = index_with("mal.json", &record.to_string());
    let arrival = listed(1, day(1), &project("hotpass"), &[(FLASK, &["uv.lock"], "excluded")]);
    place.open().record(&arrival, Some(&index), now()).expect("records");
    let row = register(&place).entries.remove(0);
    assert_eq!(row.severity, advisories::Severity::Unknown);
    assert_eq!((row.priority.class, row.priority.score), (Class::P1, 200));
    assert_eq!((row.first_seen, row.due.to_string().as_str()), (day(1), "2026-02-04"));
}

#[test]
fn entry_that_is_reopened_has_its_days_again() {
    let place = Place::new();
    let (store, slot) = (place.open(), project("hotpass"));
    for (number, at, purl) in [(1, 1, JINJA), (2, 2, JINJA_FIXED), (3, 50, JINJA)] {
        record(&store, &sbom(number, day(at), &slot, &[purl]));
    }
    let row = register(&place).entries.remove(0);
    assert_eq!((row.status.as_str(), row.first_seen), ("reopened", day(1)));
    let due = crate::sla::date(day(50 + 90));
    assert_eq!((row.due, row.since), (due, day(50)));
}

#[test]
fn no_date_of_a_record_puts_off_more_than_the_first_sight_of_it() {
    let directory = tempfile::tempdir().expect("temporary");
    let file = directory.path().join("PYSEC-2026-1.json");
    let synced = |published: Timestamp, before: Option<&Index>, at: Timestamp| {
        let record = json!({
            "id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"],
            "modified": published.to_string(), "published": published.to_string(),
            "database_specific": { "severity": "HIGH" },
            "affected": [{ "package": { "ecosystem": "PyPI", "name": "flask" }, "versions": ["2.0"] }],
        });
        std::fs::write(&file, record.to_string()).expect("writes");
        Index::sync(&[Source::from(file.clone())], before, at).expect("builds").0
    };
    // A high one has 30 days from the day on which the entry was opened.
    let due = |index: &Index| {
        let place = Place::new();
        let arrival = listed(1, day(1), &project("hotpass"), &[(FLASK, &["uv.lock"], "required")]);
        place.open().record(&arrival, Some(index), now()).expect("records");
        let register =
            place.reader().register(&Config::default(), Some(index), now()).expect("reads");
        let row = &register.entries[0];
        assert_eq!((row.first_seen, row.vulnerabilities[0].due), (day(1), row.due));
        row.due
    };
    let after = |from: i64| crate::sla::date(day(from + 30));

    assert_eq!(due(&synced(day(-50), None, day(0))), after(1), "published before it was found");
    assert_eq!(due(&synced(day(10), None, day(20))), after(10), "published later, and read then");
    assert_eq!(due(&synced(day(300), None, day(0))), after(1), "published in the future");
    let ahead = synced(day(300), None, day(20));
    assert_eq!(due(&ahead), after(20), "read before it was published, it says");
    let further = synced(day(400), Some(&ahead), day(60));
    assert_eq!(due(&further), after(20), "put off once more, long after it was seen first");

    let record = std::fs::read_to_string(&file).expect("reads");
    assert_eq!(due(&index_with("record.json", &record)), after(1), "nobody knows when it was read");
}
