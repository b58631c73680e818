use serde_json::Value;

use super::*;
use crate::{
    config::Config,
    store::{Reader, Store},
    testing::{
        JINJA, JINJA_FIXED, TORCH, acme, day, full_index, now, project, says, sbom, supplier,
    },
};

/// Of everything something: open, reopened, fixed, suppressed, without a fix, two kinds of scopes.
fn register(hostile: bool) -> Register {
    let directory = tempfile::tempdir().expect("temporary");
    let path = directory.path().join("backlog.db");
    let store = Store::open(&path).expect("opens");
    let (hotpass, widget, gadget) =
        (project("hotpass"), supplier("acme", "widget"), supplier("acme", "gadget"));
    let vex = says(acme(), day(5), "not_affected", &["CVE-2024-23334"], "pkg:generic/gadget");
    let vex = crate::store::Arrival {
        event: crate::testing::event(9),
        time: day(5),
        content: crate::store::Content::Vex(vex),
    };
    let mut arrivals = vec![
        sbom(1, day(1), &hotpass, &[JINJA, TORCH]),
        sbom(2, day(2), &hotpass, &[JINJA_FIXED, TORCH]),
        sbom(3, day(3), &hotpass, &[JINJA, TORCH]),
        sbom(4, day(1), &widget, &[JINJA, "pkg:pypi/torch@2.3.0"]),
        sbom(5, day(4), &widget, &["pkg:pypi/torch@2.3.0"]),
        sbom(6, day(4), &gadget, &["pkg:pypi/aiohttp@3.9.1"]),
        vex,
    ];
    if hostile {
        let product = "=cmd|'/C calc'!A0 <img src=x onerror=alert(1)> `x` | [a](b) *#* \"q\"";
        arrivals = vec![sbom(1, day(1), &supplier("acme", product), &[JINJA])];
    }
    for arrival in arrivals {
        store.record(&arrival, Some(&full_index()), now()).expect("records");
    }
    let mut register = Reader::open(&path)
        .and_then(|reader| reader.register(&Config::default(), None, day(8)))
        .expect("reads");
    // It changes with the format of the index, which is not ours.
    register.advisories = None;
    register.entries.iter_mut().for_each(|it| it.evidence.advisories = None);
    register
}

#[test]
fn backlog_looks_like_hotpass_own() {
    let register = register(false);
    insta::assert_snapshot!("backlog.md", render(&register, Table::Backlog, Form::Markdown));
    insta::assert_snapshot!("backlog.csv", render(&register, Table::Backlog, Form::Csv));
    insta::assert_snapshot!("backlog.json", render(&register, Table::Backlog, Form::Json));
}

#[test]
fn risk_register_looks_like_hotpass_own() {
    let register = register(false);
    insta::assert_snapshot!("risk.md", render(&register, Table::Risk, Form::Markdown));
    insta::assert_snapshot!("risk.csv", render(&register, Table::Risk, Form::Csv));
    insta::assert_snapshot!("risk.json", render(&register, Table::Risk, Form::Json));
}

#[test]
fn hostile_names_make_no_structure() {
    let register = register(true);
    insta::assert_snapshot!("hostile.md", render(&register, Table::Backlog, Form::Markdown));
    insta::assert_snapshot!("hostile_risk.md", render(&register, Table::Risk, Form::Markdown));
    insta::assert_snapshot!("hostile.csv", render(&register, Table::Risk, Form::Csv));
}

#[test]
fn exported_json_is_read_back_as_it_was() {
    let register = register(false);
    let text = render(&register, Table::Backlog, Form::Json);
    let read: json::Backlog = serde_json::from_str(&text).expect("reads");
    assert_eq!(read.entries, register.entries);
    let risks: json::Risks =
        serde_json::from_str(&render(&register, Table::Risk, Form::Json)).expect("reads");
    assert_eq!(risks.risks, register.risks);
    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["last_updated"], "2026-02-07");
}

#[test]
fn nothing_known_is_a_document_too() {
    let text = render(&Register::default(), Table::Backlog, Form::Markdown);
    assert!(text.contains("last_updated: never"), "{text}");
}
