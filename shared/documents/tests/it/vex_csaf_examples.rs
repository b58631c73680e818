//! CSAF 2.0: the examples of the standard, and what vendors published, say what they say.

use documents::vex::Status::{Affected, Fixed, NotAffected, UnderInvestigation};
use documents::vex::{Document, Format, Status, read};

use crate::fixture;

const REMOVED: &str = "Class with vulnerable code was removed before shipping.";
const NEVER: &str = "Log4j was not included in those versions at all.";
const UPDATE: &str = "Update to version 4.2 or later.";
const LATER: &str = "Update to the new version 5.2 or later.";
const UNAFFECTED: &[&str] =
    &["csaf:CSAFPID-0001", "csaf:CSAFPID-0005", "csaf:CSAFPID-0006", "csaf:CSAFPID-0007"];
const AFFECTED: &[&str] = &["csaf:CSAFPID-0002", "csaf:CSAFPID-0003", "csaf:CSAFPID-0004"];

fn csaf(name: &str) -> Document {
    read(&fixture(&format!("csaf/{name}.json"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

type Told = (Status, Option<&'static str>, &'static [&'static str]);

/// Status, text and products of all statements about `vulnerability`.
fn told<'a>(
    document: &'a Document,
    vulnerability: &str,
) -> Vec<(Status, Option<&'a str>, Vec<&'a str>)> {
    let about = document.statements.iter().filter(|it| it.vulnerability == vulnerability);
    about
        .map(|it| {
            let products = it.products.iter().map(|product| product.id.as_str());
            (it.status, it.statement.as_deref(), products.collect())
        })
        .collect()
}

/// Reads an example of the standard, and compares what it says of a vulnerability.
fn expect(name: &str, vulnerability: &str, expected: &[Told]) {
    let document = csaf(&format!("2022-evd-uc-{name}-001"));
    assert_eq!(document.format, Format::Csaf2_0);
    assert_eq!(document.author.as_deref(), Some("Example Company ProductCERT"));
    assert_eq!(document.timestamp, Some("2022-03-03T11:00:00Z".parse().unwrap()));
    let expected: Vec<_> = expected.iter().map(|(a, b, c)| (*a, *b, c.to_vec())).collect();
    assert_eq!(told(&document, vulnerability), expected, "{name} {vulnerability}");
}

#[test]
fn the_examples_of_the_standard_say_what_their_authors_meant() {
    let log4j = "CVE-2021-44228";
    expect("01-na", log4j, &[(NotAffected, Some(REMOVED), &["csaf:CSAFPID-0001"])]);
    expect("01-ui", log4j, &[(UnderInvestigation, None, &["csaf:CSAFPID-0001"])]);
    expect("04", log4j, &[(Affected, Some(UPDATE), AFFECTED)]);
    let update = Some("Update to the new version 5.1 or later.");
    expect(
        "07",
        log4j,
        &[
            (NotAffected, Some(REMOVED), UNAFFECTED),
            (NotAffected, Some(NEVER), &["csaf:CSAFPID-0009"]),
            (Affected, Some(UPDATE), AFFECTED),
            (Affected, update, &["csaf:CSAFPID-0008"]),
            (Fixed, None, &["csaf:CSAFPID-0010"]),
        ],
    );
    let treck = csaf("2022-evd-uc-02-na-001");
    assert_eq!(treck.statements.len(), 19);
    assert!(treck.statements.iter().all(|it| it.status == NotAffected && it.products.len() == 1));
}

#[test]
fn one_document_says_different_things_of_two_vulnerabilities() {
    let both = |affected, fixed| {
        [
            (NotAffected, Some(REMOVED), UNAFFECTED),
            (NotAffected, Some(NEVER), &["csaf:CSAFPID-0009"][..]),
            (Affected, Some(UPDATE), AFFECTED),
            (Affected, Some(LATER), affected),
            (Fixed, None, fixed),
        ]
    };
    let fixed = &["csaf:CSAFPID-0010", "csaf:CSAFPID-0011"];
    expect("08", "CVE-2021-44228", &both(&["csaf:CSAFPID-0008"], fixed));
    // Its remediation names CSAFPID-0008 too, of which no status is told.
    expect("08", "CVE-2021-45105", &both(&["csaf:CSAFPID-0010"], &["csaf:CSAFPID-0011"]));
}

#[test]
fn vendors_advisories_say_what_is_fixed_and_where() {
    let bsi = csaf("bsi-2022-0001");
    let cpe = |version: &str| format!("cpe:/a:csaf-tools:cvrf-csaf-converter:1.0.0-{version}");
    let [affected, fixed] = &bsi.statements[..] else { panic!("not two statements") };
    assert_eq!((affected.status, fixed.status), (Affected, Fixed));
    let ids: Vec<_> = affected.products.iter().map(|it| it.id.clone()).collect();
    assert_eq!(ids, ["alpha", "dev1", "dev2", "dev3", "rc1"].map(cpe));
    // It stands in `fixed` and in `first_fixed`, which is no contradiction, nor two products.
    assert_eq!(fixed.products.iter().map(|it| &it.id).collect::<Vec<_>>(), [&cpe("rc2")]);

    let script = csaf("rhsa-2023_5835");
    assert_eq!((script.id.as_str(), script.tlp.as_deref()), ("RHSA-2023:5835", Some("WHITE")));
    let [first, second] = &script.statements[..] else { panic!("not two statements") };
    assert_eq!((first.status, first.products.len()), (Fixed, 6));
    assert_eq!(second.vulnerability, "CVE-2023-44487");
    let purl = "pkg:rpm/redhat/rhc-worker-script@0.5-1.el7_9?arch=src";
    assert_eq!(first.products[0].subcomponents, [purl]);
    assert!(first.products.iter().all(|it| it.id.starts_with("cpe:/o:redhat:enterprise_linux:7")));

    let spring = csaf("CVE-2023-20862");
    let count = |status| spring.statements.iter().filter(move |it| it.status == status);
    let unaffected: Vec<_> = count(NotAffected).collect();
    assert_eq!((unaffected.len(), unaffected[0].products.len()), (1, 9));
    assert_eq!(unaffected[0].justification.as_deref(), Some("vulnerable_code_not_present"));
    assert_eq!(unaffected[0].aliases, ["2227788"]);
    let affected: Vec<_> = count(Affected).map(|it| it.products.len()).collect();
    assert_eq!((affected.len(), affected.iter().sum::<usize>()), (3, 13));
    assert_eq!(
        csaf("CVE-2024-34500").statements[0].statement.as_deref(),
        Some("Out of support scope")
    );
    assert_eq!(csaf("rhsa-2021_5186").statements.len(), 4);
    let informational = read(&fixture("csaf/rhsa-2019_1862.json")).unwrap_err();
    assert_eq!(informational.code(), "not-vex");
    assert!(informational.to_string().contains("csaf_informational_advisory"), "{informational}");
}
