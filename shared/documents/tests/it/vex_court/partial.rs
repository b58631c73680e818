//! Advisories that name several CVEs join them into one vulnerability.

use documents::vex::{Authority, Court, Standing, Status};
use serde_json::json;

use super::{ASKED, CVE, SAID, Told, day, openvex};
use crate::vex_target::finding;

const OTHER: &str = "CVE-2014-1402";
const RECORD: &str = "GHSA-fqh9-2qgg-h84h";

/// A statement about some ids of the vulnerability, and the standings of all, in their order.
type Case<'a> = (&'a [(Status, &'a [&'a str], Authority)], &'a [Standing]);

#[test]
fn a_statement_suppresses_all_cves_of_a_vulnerability_or_none() {
    use Authority::{Scope, Supplier};
    use Standing::{Agrees, Contradicts, Counts, Partial};
    use Status::{Affected, Fixed, NotAffected};
    let cases: [Case<'_>; 8] = [
        (&[(NotAffected, &[CVE], Supplier)], &[Partial]),
        // Whatever joined them: the name of one record says nothing of what others join to it.
        (&[(NotAffected, &[RECORD], Supplier)], &[Partial]),
        (&[(NotAffected, &[CVE, OTHER], Supplier)], &[Counts]),
        (&[(NotAffected, &[CVE], Supplier), (Fixed, &[OTHER], Supplier)], &[Counts, Contradicts]),
        (&[(NotAffected, &[CVE], Supplier), (NotAffected, &[OTHER], Supplier)], &[Counts, Agrees]),
        // Nobody speaks for somebody else.
        (&[(NotAffected, &[CVE], Supplier), (NotAffected, &[OTHER], Scope)], &[Partial, Partial]),
        // One of them is enough to be affected.
        (&[(Affected, &[CVE], Supplier)], &[Counts]),
        (&[(NotAffected, &[CVE], Scope), (Affected, &[OTHER], Supplier)], &[Counts, Partial]),
    ];
    let aliases = [OTHER, RECORD].map(str::to_owned);
    for (said, standings) in cases {
        let mut court = Court::default();
        for (number, (status, ids, authority)) in said.iter().enumerate() {
            let mut document = openvex(*status, day(SAID), 1);
            document["@id"] = json!(format!("https://acme.example/vex/{number}"));
            document["statements"][0]["vulnerability"] = json!({ "name": ids[0], "aliases": ids });
            let told = Told::of(&document);
            told.tell(&mut court, told.source(*authority, day(ASKED)));
        }
        let own = Court::default();
        let ruling = court.rule(&own, &finding(CVE, &aliases), day(ASKED));
        let found: Vec<Standing> = ruling.opinions.iter().map(|it| it.standing).collect();
        assert_eq!(found, standings, "{said:?}");
    }
}
