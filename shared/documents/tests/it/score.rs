//! Which elements of the standards an SBOM has, on documents whose names say what is wrong in them.

use documents::score::{Element, Level, MAX_LACKING, Report, Score, Standard, score};
use serde_json::json;

use crate::fixture;

fn scored(name: &str) -> Report {
    score(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn by(report: &Report, standard: Standard) -> &Score {
    report.scores.iter().find(|it| it.standard == standard).unwrap()
}

fn element<'a>(report: &'a Report, standard: Standard, id: &str) -> &'a Element {
    let mut elements = by(report, standard).elements.iter();
    elements.find(|it| it.id == id).unwrap_or_else(|| panic!("no element {id}"))
}

fn bsi<'a>(report: &'a Report, id: &str) -> &'a Element {
    element(report, Standard::Bsi, id)
}

#[test]
fn every_document_that_lacks_something_is_told_what() {
    for (name, id, finding) in [
        ("absentMetadataAuthor", "sbom-creator", "absent"),
        ("invalidComponentHashMD5", "deployable-hash", "invalid"),
        ("invalidComponentLicenseExpression", "distribution-licences", "invalid"),
        ("invalidComponentLicenseExpressionNoAssertion", "distribution-licences", "unknown"),
        ("invalidComponentLicenseExpressionNone", "distribution-licences", "unknown"),
        ("invalidComponentLicenseID", "distribution-licences", "invalid"),
        ("invalidComponentLicenseNoAssertion", "distribution-licences", "unknown"),
        ("invalidComponentLicenseNone", "original-licences", "unknown"),
        ("invalidComponentManufacturerURL", "component-creator", "invalid"),
        ("invalidComponentSecurityTxtURL", "security-txt", "invalid"),
        ("invalidComponentSourceCodeURL", "source-uri", "invalid"),
        ("invalidComponentSourceHash", "source-hash", "invalid"),
        ("invalidMetadataManufacturerURL", "sbom-creator", "invalid"),
        ("invalidMetadataTimestamp", "timestamp", "invalid"),
        ("missingComponentAuthorEmail", "component-creator", "invalid"),
        ("missingComponentBsiFilename", "filename", "absent"),
        ("missingComponentDeployableHash", "deployable-hash", "absent"),
        ("missingComponentManufacturerEmailAndURL", "component-creator", "invalid"),
        ("missingComponentSecurityTxtURL", "security-txt", "absent"),
        ("missingComponentVersion", "component-version", "absent"),
        ("missingDependencyInfo", "dependencies", "absent"),
        ("missingMetadataAuthorEmail", "sbom-creator", "invalid"),
        ("missingMetadataTimestamp", "timestamp", "absent"),
        ("missingSerialNumber", "sbom-uri", "absent"),
        ("mixComponentLicenses", "distribution-licences", "invalid"),
        ("noneComponentLicense", "distribution-licences", "unknown"),
        ("withVulnerabilities", "no-vulnerabilities", "invalid"),
        // These were right by version 1.1 of the guideline, which asked for SHA-256.
        ("validComponentExtRefDistributionHashSHA256", "deployable-hash", "invalid"),
        ("validComponentDeployableHashDistributionIntake", "deployable-hash", "invalid"),
        ("validComponentHashSHA256", "deployable-hash", "invalid"),
        ("validComponentExtRefDistributionHashEmpty", "deployable-hash", "unknown"),
    ] {
        let report = scored(&format!("bsi/{name}.cdx16.json"));
        let element = bsi(&report, id);
        assert_eq!(element.present, 0, "{name}: {element:?}");
        assert_eq!(element.lacking[0].finding, finding, "{name}: {element:?}");
        assert!(!by(&report, Standard::Bsi).met || element.level != Level::Required, "{name}");
    }
}

#[test]
fn every_document_that_has_something_is_believed() {
    for (name, standard, id) in [
        ("validComponentBsiArchive", Standard::Bsi, "archive"),
        ("validComponentBsiEffectiveLicense", Standard::Bsi, "effective-licence"),
        ("validComponentDeployableHashDistributionIntake", Standard::Bsi, "deployable-uri"),
        ("validComponentDeployableHashDistributionIntake", Standard::Cisa, "component-hash"),
        ("validComponentExtRefDistributionHashSHA256", Standard::Cisa, "component-hash"),
        ("validComponentExtRefDistributionIntakeHashSHA512", Standard::Bsi, "deployable-hash"),
        ("validComponentHashSHA256", Standard::Cisa, "component-hash"),
        ("validComponentLicenseDeclared", Standard::Bsi, "original-licences"),
        ("validComponentLicenseDeclared", Standard::Cisa, "component-licence"),
        ("validComponentManufacturerEmailAndURL", Standard::Bsi, "component-creator"),
        ("validComponentManufacturerEmailAndURL", Standard::Ntia, "supplier"),
        ("validComponentPURL", Standard::Bsi, "unique-identifiers"),
        ("validComponentPURL", Standard::Cisa, "software-identifiers"),
        ("validComponentSecurityTxtURL", Standard::Bsi, "security-txt"),
        ("validComponentSupplierEmail", Standard::Bsi, "component-creator"),
        ("validComponentSupplierURL", Standard::Bsi, "component-creator"),
        ("validMetadataManufacturerEmail", Standard::Bsi, "sbom-creator"),
        ("validMetadataManufacturerEmailAndURL", Standard::Cisa, "sbom-author"),
        ("validMetadataSupplierEmail", Standard::Bsi, "sbom-creator"),
        ("validMetadataSupplierEmailAndURL", Standard::Bsi, "sbom-creator"),
    ] {
        let report = scored(&format!("bsi/{name}.cdx16.json"));
        let element = element(&report, standard, id);
        assert_eq!((element.present, element.of), (1, 1), "{name}: {element:?}");
        assert!(element.lacking.is_empty(), "{name}");
    }
}

#[test]
fn compliant_document_meets_every_standard() {
    let report = scored("sbom/bsi-compliant-1.6.json");
    for score in &report.scores {
        let lacking = score.elements.iter().filter(|it| it.level == Level::Required);
        let lacking: Vec<_> = lacking.filter(|it| it.present < it.of).collect();
        assert!(score.met && score.score == 100 && score.grade == 'A', "{lacking:#?}");
    }
    assert_eq!((report.components, report.left_out), (3, 0));
}

#[test]
fn one_component_that_lacks_something_is_named_and_keeps_the_score_below_100() {
    let bytes = fixture("sbom/bsi-compliant-1.6.json");
    let text = String::from_utf8(bytes).unwrap();
    let text = text.replacen("\"version\": \"0.5.0\",", "\"version\": \"NOASSERTION\",", 1);
    let report = score(text.as_bytes()).unwrap();

    let ntia = by(&report, Standard::Ntia);
    assert!(!ntia.met && ntia.score < 100, "{ntia:?}");
    let version = element(&report, Standard::Ntia, "component-version");
    assert_eq!((version.of, version.present, version.declared_unknown), (3, 2, 1));
    let place = &version.lacking[0];
    assert_eq!(place.pointer, "/components/1");
    assert_eq!(place.bom_ref.as_deref(), Some("comp-2"));
    assert_eq!((place.name.as_deref(), place.finding), (Some("acme-utils"), "unknown"));
}

#[test]
fn what_is_declared_unknown_is_counted_apart_from_what_is_absent() {
    let component = |version: &str, supplier: &str| {
        json!({ "type": "library", "name": "a", "bom-ref": version, "version": version,
                "supplier": { "name": supplier } })
    };
    let bytes = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "components": [component("1", "Acme"), component("2", "NOASSERTION"), component("3", " "),
                       component("4", "Unknown")],
        "dependencies": [{ "ref": "1" }, { "ref": "2" }],
        "compositions": [{ "aggregate": "unknown", "dependencies": ["1"] }],
    });
    let report = score(bytes.to_string().as_bytes()).unwrap();

    let supplier = element(&report, Standard::Ntia, "supplier");
    assert_eq!((supplier.present, supplier.declared_unknown, supplier.absent), (1, 3, 0));
    let edges = element(&report, Standard::Cisa, "dependency-relationship");
    assert_eq!((edges.present, edges.declared_unknown, edges.absent), (1, 1, 2));
    assert_eq!(element(&report, Standard::Cisa, "coverage").declared_unknown, 1);
}

#[test]
fn files_are_left_out_unless_there_is_nothing_else() {
    let file = json!({ "type": "file", "name": "a.whl" });
    let bom = |components: serde_json::Value| json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": components });
    let library = json!({ "type": "library", "name": "a", "components": [file] });
    let report = score(bom(json!([library])).to_string().as_bytes()).unwrap();
    assert_eq!((report.components, report.left_out), (1, 1));
    let report = score(bom(json!([file])).to_string().as_bytes()).unwrap();
    assert_eq!((report.components, report.left_out), (1, 0));
}

#[test]
fn nothing_scores_nothing_and_strangers_of_every_version_are_read() {
    let empty = score(br#"{"bomFormat":"CycloneDX","specVersion":"1.2"}"#).unwrap();
    for score in &empty.scores {
        assert!(!score.met && score.grade == 'F', "{score:?}");
    }
    for name in ["cyclonedx-py-environment-1.6", "cyclonedx-php-composer-devReq-1.7"] {
        let report = scored(&format!("sbom/{name}.json"));
        assert!(by(&report, Standard::Ntia).score > 50, "{report:#?}");
    }
    let old = br#"{"bomFormat":"CycloneDX","specVersion":"1.4",
        "metadata":{"tools":[{"vendor":"Acme","name":"maker","version":"1"}]}}"#;
    let old = score(old).unwrap();
    assert_eq!(element(&old, Standard::Cisa, "tool-name").present, 1);
    assert!(score(b"{}").is_err() && score(b"[").is_err());
}

#[test]
fn odd_types_in_every_place_are_no_panic() {
    for value in [json!(null), json!(1), json!("x"), json!([]), json!([1, [2]]), json!({"a": []})] {
        let mut component = json!({ "components": [{}] });
        for key in [
            "name",
            "version",
            "purl",
            "hashes",
            "licenses",
            "supplier",
            "properties",
            "externalReferences",
            "bom-ref",
            "type",
            "swid",
            "authors",
            "omniborId",
        ] {
            component[key] = value.clone();
        }
        let mut bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.5" });
        for key in ["metadata", "dependencies", "compositions", "serialNumber", "vulnerabilities"] {
            bom[key] = value.clone();
        }
        bom["components"] = json!([component, value]);
        score(bom.to_string().as_bytes()).unwrap();
    }
}

#[test]
fn result_is_bounded_however_large_the_document_is() {
    let component = json!({ "type": "library", "name": "n".repeat(10_000) });
    let components = vec![component; 1_000];
    let bom = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": components });
    let report = score(bom.to_string().as_bytes()).unwrap();
    let version = element(&report, Standard::Cisa, "component-version");
    assert_eq!((version.absent, version.lacking.len()), (1_000, MAX_LACKING));
    assert!(serde_json::to_string(&report).unwrap().len() < 500_000);
}
