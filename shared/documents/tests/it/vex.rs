//! VEX of others: real documents are read, and a statement applies to nothing but its products.

use documents::vex::{Format, Status, VexError, read};

use crate::fixture;
use crate::samples::{files_below, mutate_often};
use crate::vex_target::finding;

pub(crate) fn vex(name: &str) -> documents::vex::Document {
    read(&fixture(&format!("vex/{name}"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn openvex_is_read_with_every_name_of_its_products() {
    let document = vex("go-vex-0.2.0.json");
    assert_eq!(document.format, Format::OpenVex0_2_0);
    assert!(
        document
            .id
            .ends_with("vex-d4e9020b6d0d26f131d535e055902dd6ccf3e2088bce3079a8cd3588a4b14c78")
    );
    assert_eq!(document.author.as_deref(), Some("The OpenVEX Project <openvex@openssf.org>"));
    assert_eq!(document.statements.len(), 5);
    let first = &document.statements[0];
    assert_eq!((first.vulnerability.as_str(), first.status), ("CVE-2023-1255", Status::Fixed));
    assert_eq!(first.timestamp, document.timestamp);
    assert_eq!(first.products[0].subcomponents.len(), 2);
    let text = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.example/1","author":"a",
        "timestamp":"2026-11-23T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-1","aliases":["GHSA-1"]},
        "timestamp":"2026-11-24T01:00:00+01:00","status":"not_affected","impact_statement":"no such code","products":[{
        "@id":"https://e.example/app","identifiers":{"purl":"pkg:pypi/app","cpe23":"cpe:2.3:a:e:app:*:*:*:*:*:*:*:*"},
        "hashes":{"sha-256":"00ff"},"subcomponents":[{"@id":"pkg:pypi/lib@1","identifiers":{"purl":"pkg:pypi/lib@1"}}]}]}]}"#;
    let statement = read(text.as_bytes()).unwrap().statements.remove(0);
    assert_eq!(statement.aliases, ["GHSA-1"]);
    assert_eq!(statement.statement.as_deref(), Some("no such code"));
    assert_eq!(statement.timestamp, Some("2026-11-24T00:00:00Z".parse().unwrap()));
    let product = &statement.products[0];
    assert_eq!(product.id, "https://e.example/app");
    assert_eq!(product.aliases, ["pkg:pypi/app", "sha256:00ff", "cpe:2.3:a:e:app:*:*:*:*:*:*:*:*"]);
    assert_eq!(product.subcomponents, ["pkg:pypi/lib@1"]);
}

#[test]
fn the_first_version_of_openvex_is_read_too() {
    let document = vex("v0.0.1-noversion.json");
    assert_eq!(document.format, Format::OpenVex0_0_1);
    let [statement] = &document.statements[..] else { panic!("not one statement") };
    assert_eq!(
        (statement.vulnerability.as_str(), statement.status),
        ("CVE-2023-12345", Status::Fixed)
    );
    assert_eq!(statement.products[1].id, "pkg:apk/wolfi/git@2.39.0-r1?arch=x86_64");
    assert_eq!(statement.timestamp, Some("2023-01-09T00:02:03.647787998Z".parse().unwrap()));
    assert_eq!(vex("images.vex.json").statements.len(), 4);
    let text = r#"{"@context":"https://openvex.dev/ns","@id":"x","author":"a","statements":[{"vulnerability":"CVE-1",
        "status":"not_affected","justification":"component_not_present","products":["pkg:oci/a","pkg:oci/b"],"subcomponents":["pkg:npm/c"]}]}"#;
    let statement = read(text.as_bytes()).unwrap().statements.remove(0);
    assert!(statement.products.iter().all(|product| product.subcomponents == ["pkg:npm/c"]));
}

#[test]
fn cyclonedx_states_become_those_of_openvex() {
    let state = |state: &str| {
        let text = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","vulnerabilities":[
            {{"id":"CVE-1","references":[{{"id":"GHSA-1","source":{{}}}}],"analysis":{{"state":"{state}","detail":"d"}}}}]}}"#
        );
        read(text.as_bytes()).unwrap().statements.remove(0)
    };
    for (text, status) in [
        ("resolved", Status::Fixed),
        ("resolved_with_pedigree", Status::Fixed),
        ("exploitable", Status::Affected),
        ("in_triage", Status::UnderInvestigation),
        ("false_positive", Status::NotAffected),
        ("not_affected", Status::NotAffected),
    ] {
        assert_eq!(state(text).status, status);
    }
    let statement = state("resolved");
    assert_eq!(
        (&statement.aliases[..], statement.statement.as_deref()),
        (&["GHSA-1".into()][..], Some("d"))
    );
    for (name, status) in [
        ("affected", Status::Affected),
        ("fixed", Status::Fixed),
        ("not_affected", Status::NotAffected),
        ("under_investigation", Status::UnderInvestigation),
    ] {
        assert_eq!(vex(&format!("cisa-1-{name}.cdx.json")).statements[0].status, status);
    }
}

/// Documents that are refused, with the code and a part of the text.
#[test]
fn what_is_no_sound_vex_is_refused_for_its_own_reason() {
    let openvex = |members: &str| {
        format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.example/1","author":"a","timestamp":"2026-11-23T00:00:00Z","version":1,{members}}}"#
        )
    };
    let statement = |rest: &str| {
        openvex(&format!(r#""statements":[{{"vulnerability":{{"name":"CVE-1"}},{rest}}}]"#))
    };
    for (text, code, part) in [
        (statement(r#""status":"not_affected""#), "schema", "/statements/0"),
        (statement(r#""status":"affected""#), "schema", "action_statement"),
        (statement(r#""status":"harmless""#), "schema", "/statements/0/status"),
        (
            statement(r#""status":"fixed","justification":"because""#),
            "schema",
            "/statements/0/justification",
        ),
        (
            statement(r#""status":"fixed","products":["pkg:npm/a"]"#),
            "schema",
            "/statements/0/products/0",
        ),
        (statement(r#""status":"fixed","timestamp":"today""#), "schema", "date-time"),
        (openvex(r#""statements":[]"#), "schema", "/statements"),
        (openvex(r#""statements":[{"status":"fixed"}]"#), "schema", "vulnerability"),
        (openvex(r#""statements":1,"statements":2"#), "duplicate-key", "statements"),
        (openvex("").replace("v0.2.0", "v9"), "not-json", "comma"),
        (r#"{"@context":"https://openvex.dev/ns/v9"}"#.into(), "unsupported-version", "v9"),
        (r#"{"@context":"https://openvex.dev/ns"}"#.into(), "schema", "author"),
        (r#"{"@context":"https://schema.example"}"#.into(), "not-vex", "`@context`"),
        (r#"{"document":{"csaf_version":"2.0"}}"#.into(), "schema", "/document"),
        (
            r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#.into(),
            "no-statements",
            "analysis.state",
        ),
        (r#"{"bomFormat":"CycloneDX","specVersion":"1.3"}"#.into(), "unsupported-version", "1.4"),
        ("[".repeat(100_000), "too-deep", "nested"),
        (String::new(), "empty", "empty"),
    ] {
        let error = read(text.as_bytes()).expect_err(&text);
        assert_eq!(error.code(), code, "{text:.200}: {error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let invented = read(&fixture("vex/sample-1statement.openvex.json")).unwrap_err();
    assert!(matches!(invented, VexError::Invalid { .. }), "{invented}");
    let sbom_alone = read(&fixture("vex/cisa-8-bom-1.cdx.json")).unwrap_err();
    assert_eq!(sbom_alone, VexError::NoStatements);
}

#[test]
fn texts_that_apply_to_everything_are_not_multiplied_without_limit() {
    let many = |name: &str| {
        (0..1_000).map(|nth| format!("\"{name}-{nth}\"")).collect::<Vec<_>>().join(",")
    };
    let text = format!(
        r#"{{"@context":"https://openvex.dev/ns","@id":"x","author":"a","statements":[{{"vulnerability":"CVE-1","status":"fixed","products":[{}],"subcomponents":[{}]}}]}}"#,
        many("product"),
        many("part")
    );
    assert_eq!(read(text.as_bytes()).unwrap_err().code(), "too-many-values");
}

/// OpenVEX 0.0.1 with one long subcomponent of many products.
fn one_part_of_many(bytes: usize, products: usize) -> String {
    let products = (0..products).map(|nth| format!("\"{nth}\"")).collect::<Vec<_>>().join(",");
    let part = "x".repeat(bytes);
    format!(
        r#"{{"@context":"https://openvex.dev/ns","@id":"x","author":"a","statements":[{{"vulnerability":"CVE-1","status":"fixed","products":[{products}],"subcomponents":["{part}"]}}]}}"#
    )
}

#[test]
fn one_long_text_is_not_copied_to_thousands_of_products() {
    let error = read(one_part_of_many(200_000, 8_000).as_bytes()).unwrap_err();
    assert_eq!(error.code(), "too-many-values");
    assert!(error.to_string().contains("16777216 bytes would be copied"), "{error}");
    // To the byte: 4,096 copies of 4,096 bytes are all that may be.
    let read = |bytes, products| read(one_part_of_many(bytes, products).as_bytes());
    let products = read(4_096, 4_096).unwrap().statements.remove(0).products;
    assert!(products.iter().all(|product| product.subcomponents[0].len() == 4_096));
    assert_eq!(read(4_096, 4_097).unwrap_err(), error);
    assert_eq!(read(4_097, 4_096).unwrap_err(), error);
    assert_eq!(read(1, 200_000).unwrap_err(), error, "each product counts, and its part");
}

#[test]
fn one_long_purl_is_not_copied_to_thousands_of_vulnerabilities() {
    let analysed = |vulnerabilities: usize| {
        let purl = format!("pkg:npm/{}@1", "a".repeat(2_000));
        let vulnerability = |nth| {
            format!(
                r#"{{"id":"CVE-{nth}","analysis":{{"state":"resolved"}},"affects":[{{"ref":"a"}}]}}"#
            )
        };
        let vulnerabilities = (0..vulnerabilities).map(vulnerability).collect::<Vec<_>>().join(",");
        read(format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{{"type":"library","bom-ref":"a","name":"a","version":"1","purl":"{purl}"}}],"vulnerabilities":[{vulnerabilities}]}}"#
        ).as_bytes())
    };
    assert_eq!(analysed(8_000).unwrap().statements.len(), 8_000);
    assert_eq!(analysed(9_000).unwrap_err().code(), "too-many-values");
}

#[test]
fn the_wider_collection_is_read_or_refused_where_it_is_at_hand() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/vex");
    let judge = |folder: &str| {
        let mut codes = std::collections::BTreeMap::new();
        for bytes in files_below(&format!("{data}/{folder}")) {
            let code = read(&bytes).map_or_else(|error| error.code(), |_| "read");
            *codes.entry(code).or_insert(0) += 1;
        }
        Vec::from_iter(codes)
    };
    let openvex = judge("openvex");
    if !openvex.is_empty() {
        // Four are schemas and indexes; three have a field that OpenVEX does not.
        assert_eq!(openvex, [("not-vex", 4), ("read", 16), ("schema", 3)]);
        // Four are plain SBOMs, one of them is of version 1.3.
        assert_eq!(
            judge("cyclonedx"),
            [("no-statements", 4), ("read", 12), ("unsupported-version", 1)]
        );
    }
}

#[test]
fn mutated_vex_never_panics() {
    for name in ["go-vex-0.2.0.json", "v0.0.1-noversion.json", "cisa-8.cdx.json"] {
        mutate_often(&fixture(&format!("vex/{name}")), |bytes| {
            let document = read(bytes).map_err(|error| error.to_string())?;
            for statement in &document.statements {
                statement.applies_to(&finding(&statement.vulnerability, &[]));
            }
            Ok(())
        });
    }
}
