//! How a supplier does, and what of it is current, from its documents to the numbers.

use serde_json::{Value, json};

use crate::{
    place::{Place, wait_until},
    suppliers::{acme, advise, submit, submit_signed, widget},
};

/// Version 1, which is vulnerable and written oddly, and version 2 of the same document.
fn versions() -> (Value, Value) {
    let mut old = widget();
    old["components"][0]["purl"] = "pkg:PyPI/Left@1.4.0".into();
    old["components"][0]["cpe"] = "cpe:2.3:a:Left_Project:left:1.4.0:*:*:*:*:*:*:*".into();
    let mut new = widget();
    new["version"] = 2.into();
    new["metadata"]["timestamp"] = "2026-02-01T10:00:00Z".into();
    new["components"][0]["version"] = "1.5.0".into();
    new["components"][0]["purl"] = "pkg:pypi/left@1.5.0".into();
    (old, new)
}

fn purls(place: &Place, term: &str) -> Vec<(String, bool)> {
    let hits = place.attestry(&format!("search {term} --format json")).expect(0).json();
    let of = |hit: &Value| {
        let purl = hit["component"]["purl"].as_str().expect("a purl").to_owned();
        (purl, hit["current"].as_bool().expect("whether"))
    };
    let mut purls: Vec<_> = hits["products"].as_array().expect("hits").iter().map(of).collect();
    purls.sort();
    purls
}

#[test]
fn scorecard_tells_how_a_supplier_does_and_an_old_version_that_comes_late_changes_nothing() {
    let place = acme();
    let up = place.up();
    advise(&place);
    place.attestry("supplier scorecard acme").expect(1).says(&["acme has submitted nothing"]);
    let (old, new) = versions();
    submit(&place, "new.json", new.to_string()).expect(0);
    submit(&place, "old.json", old.to_string()).expect(0);
    place.write("tampered.json", new.to_string().replace("1.5.0", "1.5.1"));
    submit_signed(&place, "tampered.json", "new.json").expect(1).says(&["SUP-003"]);
    submit(&place, "text.json", "hello").expect(1).says(&["not-json"]);

    wait_until("both versions are known", || {
        place.attestry("search pkg:PyPI/LEFT").stdout.matches("document ").count() == 2
    });
    let both =
        [("pkg:pypi/left@1.4.0".to_owned(), false), ("pkg:pypi/left@1.5.0".to_owned(), true)];
    assert_eq!(purls(&place, "pkg:PyPI/Left"), both);
    assert_eq!(purls(&place, "LEFT"), both);
    assert_eq!(purls(&place, "cpe:/a:left_project:left"), both[..1]);
    place.attestry("search cpe:2.3:a:left_project:left").expect(0).says(&[
        "written    pkg:PyPI/Left@1.4.0",
        "cpe        cpe:2.3:a:left_project:left:1.4.0",
        "before",
    ]);
    assert!(!place.attestry("backlog list").expect(0).stdout.contains("left"), "it is fixed");

    let card = place.attestry("supplier scorecard acme --format json").expect(0).json();
    assert_eq!((&card["documents"], &card["accepted"]), (&json!(4), &json!(2)));
    let rules =
        json!([{ "rule": "SUP-003", "documents": 1 }, { "rule": "not-json", "documents": 1 }]);
    assert_eq!(card["rejections"], rules);
    let product = &card["products"][0];
    assert_eq!((&product["product"], &product["documents"]), (&json!("widget"), &json!(2)));
    assert_eq!(product["made_at"], "2026-02-01T10:00:00Z");
    assert_eq!((&product["signer"], &product["format"]), (&json!("acme"), &json!("cyclonedx 1.6")));
    assert_eq!(card["findings"][0]["open"], json!({}), "{card}");
    let document = card["products"][0]["document"].as_str().expect("a digest");
    assert_eq!(card["findings"][0]["document"], document, "both mean the same by current");
    place.attestry("supplier scorecard acme").expect(0).says(&[
        "4 decided: 2 accepted, 2 rejected; 0 unanswered",
        "rejected   1 by SUP-003",
        "widget: newest of 2 SBOMs",
        "signed by acme",
        "widget: no open findings",
    ]);
    let all = place.attestry("supplier scorecard").expect(0);
    all.says(&["acme  2 accepted, 2 rejected, 0 unanswered", "no open findings"]);
    let later = place.attestry("supplier scorecard acme --since 2999-01-01 --format json");
    assert_eq!(later.expect(0).json()["documents"], 0);
    place.attestry("supplier scorecard acme --since yesterday").expect(2);
    let explained = place.attestry(&format!("explain {document}")).expect(0);
    explained.says(&["about widget, cyclonedx 1.6", "signed by  acme, verified"]);

    let (_, metrics) = up.get("/metrics");
    let counted = "attestry_supplier_rejections_total{rule=\"SUP-003\",supplier=\"acme\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    wait_until("freshness is measured", || {
        let newest = "attestry_supplier_newest_sbom_timestamp_seconds{supplier=\"acme\"}";
        up.get("/metrics").1.contains(newest)
    });
}
