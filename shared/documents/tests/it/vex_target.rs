//! A statement applies to its products, and to nothing else.

use documents::bom::{self, Bom};
use documents::vex::{Part, Product, Statement, Status, Target};
use events::Digest;

use crate::vex::vex;

const SERIAL: &str = "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79";
const LINK: &str = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/2";

/// `pkg:pypi/jinja2@2.4.1` in version 2 of the SBOM of `pkg:pypi/app@1.0`.
pub(crate) fn finding<'a>(vulnerability: &'a str, aliases: &'a [String]) -> Target<'a> {
    Target {
        vulnerability,
        aliases,
        component: Part {
            purl: Some("pkg:pypi/jinja2@2.4.1?arch=x86_64&os=linux#src/core"),
            version: Some("2.4.1"),
            bom_ref: Some("part?7"),
        },
        subject: Part {
            purl: Some("pkg:pypi/app@1.0"),
            version: Some("1.0"),
            bom_ref: Some("app"),
        },
        serial: Some(SERIAL),
        bom_version: 2,
        digests: &[],
    }
}

fn about(product: &str, subcomponents: &[&str]) -> Statement {
    Statement {
        vulnerability: "CVE-2014-0012".into(),
        aliases: vec!["GHSA-fqh9-2qgg-h84h".into()],
        status: Status::NotAffected,
        justification: None,
        statement: None,
        products: vec![Product {
            id: product.into(),
            subcomponents: subcomponents.iter().map(ToString::to_string).collect(),
            ..Product::default()
        }],
        timestamp: None,
    }
}

#[test]
fn a_statement_applies_to_its_products_and_to_nothing_else() {
    let digest = Digest::of(b"app");
    let (own, other) = (digest.to_string(), Digest::of(b"other").to_string());
    let upper = format!("sha256:{}", digest.hex().to_uppercase());
    let target = Target { digests: &[digest], ..finding("CVE-2014-0012", &[]) };
    let link = |rest: &str| format!("{LINK}{rest}");
    let table: &[(&str, bool)] = &[
        // The product is what the document describes.
        ("pkg:pypi/app@1.0", true),
        ("pkg:pypi/app", true),
        ("pkg:PyPI/App@1.0", true),
        ("pkg:pypi/app@1.1", false),
        ("pkg:pypi/app@1.0?arch=x86_64", false),
        ("pkg:pypi/app2", false),
        ("pkg:npm/app", false),
        ("pkg:pypi/other", false),
        (&own, true),
        (&upper, true),
        (&other, false),
        (&link(""), true),
        (&link("").to_uppercase(), true),
        ("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1", false),
        ("urn:cdx:11111111-395b-41f5-a30f-a58921a69b79/2", false),
        (&link("#app"), true),
        ("app", true),
        // The product is the component.
        ("pkg:pypi/jinja2", true),
        ("pkg:pypi/jinja2@2.4.1", true),
        ("pkg:pypi/jinja2@2.4.1?os=linux", true),
        ("pkg:pypi/jinja2@2.4.1?os=linux&arch=x86_64", true),
        ("pkg:pypi/jinja2?os=windows", false),
        ("pkg:pypi/jinja2@2.4.1?distro=x", false),
        ("pkg:pypi/jinja2#src/core", true),
        ("pkg:pypi/jinja2#src", false),
        ("pkg:pypi/jinja2@2.4", false),
        ("pkg:pypi/jinja", false),
        (&link("#part?7"), true),
        (&link("#part%3F7"), true),
        (&link("#part"), false),
        (&link("#Part?7"), false),
        ("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#part?7", false),
        ("part?7", true),
        ("PART?7", false),
        // Nothing at all.
        ("", false),
        ("pkg:", false),
        ("urn:cdx:", false),
        ("sha256:", false),
        ("jinja2", false),
    ];
    for (product, expected) in table {
        assert_eq!(about(product, &[]).applies_to(&target), *expected, "{product}");
    }
}

#[test]
fn subcomponents_narrow_a_product() {
    let target = finding("CVE-2014-0012", &[]);
    let table: &[(&str, &[&str], bool)] = &[
        ("pkg:pypi/app", &["pkg:pypi/jinja2"], true),
        ("pkg:pypi/app", &["pkg:pypi/flask", "pkg:pypi/jinja2@2.4.1"], true),
        ("pkg:pypi/app", &["part?7"], true),
        ("pkg:pypi/app", &["pkg:pypi/flask"], false),
        ("pkg:pypi/app", &["pkg:pypi/jinja2@2.5"], false),
        ("pkg:pypi/app", &["pkg:pypi/app"], false),
        ("pkg:pypi/other", &["pkg:pypi/jinja2"], false),
        // A part of the component is not the component.
        ("pkg:pypi/jinja2", &["pkg:pypi/markupsafe"], false),
        ("pkg:pypi/jinja2", &["pkg:pypi/jinja2"], true),
    ];
    for (product, subcomponents, expected) in table {
        let applies = about(product, subcomponents).applies_to(&target);
        assert_eq!(applies, *expected, "{product} {subcomponents:?}");
    }
}

#[test]
fn vulnerabilities_are_the_same_by_any_identifier_in_any_case() {
    let statement = about("pkg:pypi/jinja2", &[]);
    let aliases = ["PYSEC-2014-82".to_owned(), "ghsa-FQH9-2qgg-h84h".to_owned()];
    for (vulnerability, aliases, expected) in [
        ("CVE-2014-0012", &[][..], true),
        ("cve-2014-0012", &[], true),
        ("GHSA-fqh9-2qgg-h84h", &[], true),
        ("PYSEC-2014-82", &aliases[..], true),
        ("PYSEC-2014-82", &aliases[..1], false),
        ("CVE-2014-00121", &[], false),
        ("", &[], false),
    ] {
        let target = finding(vulnerability, aliases);
        assert_eq!(statement.applies_to(&target), expected, "{vulnerability} {aliases:?}");
    }
    let nameless = Statement { vulnerability: String::new(), aliases: Vec::new(), ..statement };
    assert!(!nameless.applies_to(&finding("", &[])));
}

#[test]
fn a_statement_without_products_applies_to_nothing() {
    let statement = Statement { products: Vec::new(), ..about("", &[]) };
    assert!(!statement.applies_to(&finding("CVE-2014-0012", &[])));
}

#[test]
fn a_version_that_stands_beside_the_purl_counts_as_its_own() {
    let subject = Part { purl: Some("pkg:pypi/app"), version: Some("1.0"), bom_ref: None };
    let target = Target { subject, ..finding("CVE-2014-0012", &[]) };
    assert!(about("pkg:pypi/app@1.0", &[]).applies_to(&target));
    assert!(!about("pkg:pypi/app@1.1", &[]).applies_to(&target));
    let unknown = Target { subject: Part { version: None, ..subject }, ..target };
    assert!(!about("pkg:pypi/app@1.0", &[]).applies_to(&unknown));
}

/// An SBOM that says something of its component `lib`, which has the purl `pkg:npm/lib@1`.
fn sbom_with_statement(serial: &str) -> Bom {
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6",{serial}"version":2,
        "components":[{{"type":"library","bom-ref":"lib","name":"lib","version":"1","purl":"pkg:npm/lib@1"}}],
        "vulnerabilities":[{{"id":"CVE-1","analysis":{{"state":"not_affected"}},"affects":[{{"ref":"lib"}}]}}]}}"#
    );
    bom::read(text.as_bytes()).unwrap()
}

#[test]
fn a_bom_ref_of_a_document_with_a_serial_means_nothing_in_another_document() {
    let bom = sbom_with_statement(&format!(r#""serialNumber":"{SERIAL}","#));
    let [statement] = &bom.statements[..] else { panic!("not one statement") };
    assert_eq!(statement.products[0].id, format!("{LINK}#lib"));
    assert_eq!(statement.products[0].aliases, ["pkg:npm/lib@1"]);
    let component = |purl| Part { purl, version: None, bom_ref: Some("lib") };
    let target = |purl, bom_version| Target {
        component: component(purl),
        bom_version,
        ..finding("CVE-1", &[])
    };
    assert!(statement.applies_to(&target(None, 2)));
    assert!(!statement.applies_to(&target(None, 3)));
    assert!(statement.applies_to(&target(Some("pkg:npm/lib@1"), 3)), "the purl means the same");
    assert!(!statement.applies_to(&target(Some("pkg:npm/lib@2"), 3)));
    let nameless = sbom_with_statement("").statements;
    assert_eq!(nameless[0].products[0].id, "lib");
}

#[test]
fn a_published_statement_finds_its_component_and_no_other() {
    let document = vex("jackson.cdx.json");
    let component = |bom_ref| Part { purl: None, version: None, bom_ref: Some(bom_ref) };
    let jackson = "pkg:maven/com.fasterxml.jackson.core/jackson-databind@2.10.0?type=jar";
    let target = |bom_ref, bom_version| Target {
        component: component(bom_ref),
        bom_version,
        ..finding("CVE-2020-25649", &[])
    };
    assert!(document.statements[0].applies_to(&target(jackson, 1)));
    assert!(!document.statements[0].applies_to(&target(jackson, 2)));
    assert!(!document.statements[0].applies_to(&target("pkg:maven/other", 1)));
    let confd = vex("rancher-confd.openvex.json");
    let target = |product, part| Target {
        subject: Part { purl: Some(product), ..Part::default() },
        component: Part { purl: Some(part), ..Part::default() },
        ..finding("CVE-2020-8911", &[])
    };
    let applies =
        |product, part| confd.statements.iter().any(|it| it.applies_to(&target(product, part)));
    let (product, sdk) = (
        "pkg:golang/github.com/rancher/confd@v0.16.0",
        "pkg:golang/github.com/aws/aws-sdk-go@v1.34.0",
    );
    assert!(applies(product, sdk));
    assert!(!applies("pkg:golang/github.com/rancher/fleet@v0.16.0", sdk));
    assert!(!applies(product, "pkg:golang/github.com/aws/aws-sdk-go@v1.34.2"));
    assert!(!applies(product, "pkg:golang/golang.org/x/net@v0.1.0"));
}

#[test]
fn a_cyclonedx_statement_is_about_the_versions_its_status_agrees_with() {
    let document = vex("cisa-8.cdx.json");
    let versions: Vec<_> =
        document.statements.iter().map(|it| it.products[0].versions.clone().unwrap()).collect();
    assert_eq!(versions[0], ["2.4", "2.6"]);
    assert_eq!(document.statements[0].status, Status::Affected);
    // The next statement is about other versions of the same product.
    assert_eq!(document.statements[1].status, Status::NotAffected);
    assert!(!versions[1].contains(&"2.4".to_owned()));
    let subject =
        |version| Part { version: Some(version), bom_ref: Some("product-ABC"), purl: None };
    let target = |version| Target {
        serial: Some("urn:uuid:cbb2cd68-2857-43b8-a10b-e8c03d277d18"),
        bom_version: 1,
        subject: subject(version),
        ..finding("CVE-2021-44228", &[])
    };
    assert!(document.statements[0].applies_to(&target("2.4")));
    assert!(!document.statements[0].applies_to(&target("2.5")));
    assert!(!document.statements[1].applies_to(&target("2.4")));
}
