//! What the registers said at some time.

use super::*;
use crate::{
    edits::Edits,
    register::{EntryRow, Register},
    risk::RiskRow,
};

/// Both registers of then: entries with their status, risks with their exposure.
fn then(place: &Place, time: Timestamp) -> Option<(Vec<String>, Vec<String>)> {
    let register = place.reader().register_as_of(time).expect("reads")?;
    let entry = |it: &EntryRow| format!("{} {}", it.package, it.status.as_str());
    let risk = |it: &RiskRow| format!("{} {} {}", it.surface, it.exposure, it.owner);
    Some((register.entries.iter().map(entry).collect(), register.risks.iter().map(risk).collect()))
}

#[test]
fn registers_are_told_as_they_were() {
    let (place, index) = (Place::new(), full_index());
    let store = place.open();
    let hotpass = project("hotpass");
    let mut config = Config::default();
    let remember = |config: &Config, at: i64| {
        let register = place.reader().register(config, None, now()).expect("reads");
        store.remember(&register, day(at)).expect("remembers");
        register
    };
    let rows = |place: &Place| {
        let sql = "SELECT COUNT(*) FROM version";
        place.reader().connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("counts")
    };
    store.record(&sbom(1, day(1), &hotpass, &[JINJA]), Some(&index), day(1)).expect("records");
    let first = remember(&config, 1);
    let noted = rows(&place);
    // A build that changes nothing that an auditor sees.
    store.record(&sbom(2, day(2), &hotpass, &[JINJA]), Some(&index), day(2)).expect("records");
    remember(&config, 2);
    assert_eq!(rows(&place), noted);
    store
        .record(&sbom(3, day(3), &hotpass, &[JINJA_FIXED]), Some(&index), day(3))
        .expect("records");
    remember(&config, 3);
    let edit = format!("[[risk]]\nid = '{}'\nowner = 'Compliance'\n", first.risks[0].id);
    config.risks = crate::config::parse::<Edits>(Path::new("r"), &edit).expect("valid");
    let last = remember(&config, 4);

    assert_eq!(then(&place, day(0)), None);
    let told = |at: i64| {
        let (entries, risks) = then(&place, day(at)).expect("known");
        let owners = risks.iter().filter_map(|it| it.rsplit(' ').next()).collect::<Vec<_>>();
        (entries.join(", "), owners.join(", "))
    };
    let security = "Security".to_owned();
    assert_eq!(told(1), ("jinja2 open".to_owned(), security.clone()));
    assert_eq!(told(2), ("jinja2 open".to_owned(), security.clone()));
    assert_eq!(told(3), ("jinja2 fixed".to_owned(), security));
    assert_eq!(told(9), ("jinja2 fixed".to_owned(), "Compliance".to_owned()));
    let now = place.reader().register_as_of(day(9)).expect("reads").expect("known");
    assert_eq!(now.risks[0].edited, last.risks[0].edited);
    // A slot that is gone is in the past only.
    store.remember(&Register::default(), day(5)).expect("remembers");
    assert_eq!(then(&place, day(5)), Some((vec![], vec![])));
    assert!(then(&place, day(4)).is_some_and(|(entries, _)| entries.len() == 1));
}
