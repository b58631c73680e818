//! What is looked for is found however it is written.

use super::*;

const CPE: &str = "cpe:2.3:a:palletsprojects:jinja:2.10:*:*:*:*:*:*:*";

/// A supplier's product with a component that is written oddly, and one of ours with the same.
fn filled() -> Place {
    let place = Place::new();
    let store = place.open();
    let mut odd = sbom(1, day(1), &supplier("acme", "widget"), &["pkg:PyPI/Jinja2@2.10"]);
    let Content::Sboms(sboms) = &mut odd.content else { unreachable!("it is one") };
    sboms[0].inventory.components[0].cpe = Some(CPE.to_owned());
    sboms[0].inventory.components[0].name = "Pallets/Jinja2".to_owned();
    record(&store, &odd);
    record(&store, &sbom(2, day(2), &project("hotpass"), &[JINJA]));
    place
}

fn scopes(place: &Place, term: &str) -> Vec<String> {
    let hits = place.reader().search(term, &Config::default(), None).expect("searches");
    hits.products.iter().map(|it| it.slot.scope.to_string()).collect()
}

#[test]
fn component_is_found_by_purl_name_and_cpe() {
    let place = filled();
    for term in ["pkg:pypi/jinja2", "pkg:PyPI/Jinja2@2.10", "jinja2", "JINJA2"] {
        assert_eq!(scopes(&place, term), ["hotpass", "acme"], "{term}");
    }
    for term in [
        CPE,
        "cpe:2.3:a:palletsprojects:jinja",
        "cpe:/a:PalletsProjects:jinja:2.10",
        "pallets/jinja2",
    ] {
        assert_eq!(scopes(&place, term), ["acme"], "{term}");
    }
    for term in ["cpe:2.3:a:palletsprojects:jin", "cpe:", "pkg:pypi/jinja", "allets/jinja2"] {
        assert!(scopes(&place, term).is_empty(), "{term}");
    }
    let hits =
        place.reader().search("pkg:pypi/jinja2", &Config::default(), None).expect("searches");
    let written: Vec<_> =
        hits.products.iter().filter_map(|it| it.component.as_ref()?.written.clone()).collect();
    assert_eq!(written, ["pkg:PyPI/Jinja2@2.10"]);
    assert_eq!(hits.findings.len(), 4);
    assert_eq!(
        place.reader().search(CPE, &Config::default(), None).expect("searches").findings.len(),
        2
    );
}

#[test]
fn every_kind_of_term_is_looked_up_in_an_index() {
    let place = filled();
    let reader = place.reader();
    for (column, index) in [
        ("purl", "component_by_purl"),
        ("cpe", "component_by_cpe"),
        ("short_name", "component_by_short_name"),
    ] {
        let sql = format!("EXPLAIN QUERY PLAN {}", search::components_sql(column));
        let plan: String =
            reader.connection.query_row(&sql, ["a", "b"], |row| row.get(3)).expect("plans");
        assert!(plan.contains(index), "{plan}");
    }
}
