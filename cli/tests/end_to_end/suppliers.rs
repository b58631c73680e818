//! Suppliers: passports, submissions and receipts; then what they mean for backlog and risks.

use serde_json::{Value, json};

use crate::place::{Place, Said, wait_until};

pub(crate) const SIGNER: &str = "data/keys/signer.pub";

/// A product with one vulnerable component, by the record that [`advise`] writes.
pub(crate) fn widget() -> Value {
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "version": 1,
        "metadata": {
            "timestamp": "2026-01-01T10:00:00Z",
            "supplier": { "name": "Acme Ltd" },
            "component": {
                "type": "application", "bom-ref": "widget", "name": "widget", "version": "1.0",
                "purl": "pkg:pypi/widget@1.0"
            }
        },
        "components": [{
            "type": "library", "bom-ref": "left", "name": "left", "version": "1.4.0",
            "purl": "pkg:pypi/left@1.4.0"
        }],
        "dependencies": [{ "ref": "widget", "dependsOn": ["left"] }, { "ref": "left" }]
    })
}

pub(crate) fn widget_text() -> String {
    widget().to_string()
}

pub(crate) fn advise(place: &Place) {
    let record = json!({
        "id": "GHSA-xxxx-left-0001",
        "aliases": ["CVE-2026-0001"],
        "modified": "2026-11-01T00:00:00Z",
        "summary": "left is not right",
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N" }],
        "affected": [{
            "package": { "ecosystem": "PyPI", "name": "left" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "1.5.0" }] }]
        }]
    });
    place.write("osv/left.json", record.to_string());
    place.attestry("advisories sync --from osv").expect(0);
}

/// A key pair that openssl makes.
pub(crate) fn key(place: &Place, name: &str) {
    let run = |arguments: &str| {
        let mut command = std::process::Command::new("openssl");
        let done = command.args(arguments.split(' ')).current_dir(place.path("")).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    run(&format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.pem"));
    run(&format!("pkey -in {name}.pem -pubout -out {name}.pub"));
}

/// A place with a supplier `acme`, whose key is `acme.pem`.
pub(crate) fn acme() -> Place {
    let place = Place::new();
    key(&place, "acme");
    let add = ["supplier", "add", "acme", "--name", "Acme Ltd", "--key", "acme.pub"];
    // Its documents are of one date, whenever this runs.
    place
        .run(&[&add[..], &["--max-age-days", "36500"]].concat(), "")
        .expect(0)
        .says(&["Added Acme Ltd as acme"]);
    place
}

/// Writes `document`, signs it as acme, and submits it.
pub(crate) fn submit(place: &Place, name: &str, document: impl AsRef<[u8]>) -> Said {
    place.write(name, document);
    place.attestry(&format!("supplier sign {name} --key acme.pem")).expect(0);
    submit_signed(place, name, name)
}

pub(crate) fn submit_signed(place: &Place, name: &str, bundle: &str) -> Said {
    let bundle = format!("--bundle {bundle}.sigstore.json");
    place.attestry(&format!(
        "supplier submit --supplier acme {name} {bundle} --wait=90s --key {SIGNER}"
    ))
}

#[test]
fn signed_document_is_accepted_and_submitting_it_twice_is_doing_it_once() {
    let place = acme();
    let _up = place.up();
    let first = submit(&place, "widget.json", widget().to_string()).expect(0);
    first.says(&["ACCEPTED acme/", "signature checked", "sbom: cyclonedx 1.6, 1 components"]);
    let again = submit_signed(&place, "widget.json", "widget.json").expect(0);
    assert_eq!(first.stdout, again.stdout);

    let submission = first.stdout.split_whitespace().nth(1).unwrap();
    let status = format!("supplier status {submission} --format json");
    let receipt = place.attestry(&status).expect(0).json();
    assert_eq!(receipt["decision"]["result"], "accepted");
    assert!(receipt["decision"]["ingested_at"].is_string(), "{receipt}");
    assert_eq!(receipt["signature_checked"], false);
    place.attestry("supplier status acme/other").expect(2).says(&["no submission acme/other"]);
    place.attestry("supplier status other").expect(2).says(&["SUPPLIER/NAME"]);
    place.attestry("supplier show acme").expect(0).says(&["name = \"Acme Ltd\""]);
    place.attestry("supplier list").expect(0).says(&["acme", "1 key, enforced"]);
    place.attestry("supplier show nobody").expect(1).says(&["has no passport"]);
}

#[test]
fn each_refusal_names_its_rule_and_the_remedy() {
    let place = acme();
    let _up = place.up();
    let good = widget().to_string();
    place.write("good.json", &good);
    place.attestry("supplier sign good.json --key acme.pem").expect(0);

    place.write("tampered.json", good.replace("1.4.0", "1.4.1"));
    let tampered = submit_signed(&place, "tampered.json", "good.json").expect(1);
    tampered.says(&["REJECTED", "changed after signing", "remedy:"]);
    let unsigned = "supplier submit --supplier acme good.json --wait=90s";
    place.attestry(unsigned).expect(1).says(&["REJECTED", "SUP-002"]);
    key(&place, "stranger");
    place
        .attestry("supplier sign good.json --key stranger.pem -o stranger.sigstore.json")
        .expect(0);
    submit_signed(&place, "good.json", "stranger").expect(1).says(&["REJECTED", "no trusted key"]);
    let unknown = "supplier submit --supplier nobody good.json --wait=90s";
    place.attestry(unknown).expect(1).says(&["supplier-unknown", "attestry supplier add nobody"]);

    let twice = good.replacen('{', "{\"bomFormat\":\"CycloneDX\",", 1);
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("twice.json", twice.into_bytes(), "duplicate-key"),
        ("old.json", good.replace("\"1.6\"", "\"1.1\"").into_bytes(), "unsupported-version"),
        ("wrong.json", good.replace("\"library\"", "\"thing\"").into_bytes(), "schema"),
        ("text.json", b"hello".to_vec(), "not-json"),
        ("bytes.json", vec![b'{', 0xff, 0xfe, b'}'], "not-utf8"),
        ("deep.json", [vec![b'['; 100_000], vec![b']'; 100_000]].concat(), "too-deep"),
    ];
    for (name, document, rule) in cases {
        submit(&place, name, document).expect(1).says(&["REJECTED", rule, "remedy:"]);
    }
    let mut cycle = widget();
    cycle["dependencies"][1] = json!({ "ref": "left", "dependsOn": ["widget"] });
    submit(&place, "cycle.json", cycle.to_string()).expect(0).says(&[
        "ACCEPTED",
        "warning SUP-014",
        "dependency-cycle",
    ]);
    // Somebody mended the passport: what was rejected may be submitted anew.
    let add = "supplier add acme --name Acme --key acme.pub --key stranger.pub --replace --max-age-days 36500 --tolerate invalid-purl";
    place.attestry(add).expect(0);
    submit_signed(&place, "good.json", "stranger")
        .expect(0)
        .says(&["ACCEPTED", "signed by stranger"]);
    cycle["version"] = json!(2);
    submit(&place, "cycle.json", cycle.to_string()).expect(1).says(&[
        "REJECTED",
        "SUP-014",
        "dependency-cycle",
    ]);
    place.attestry("quarantine list").expect(0).says(&["Nothing is in quarantine"]);
}

#[test]
fn vulnerable_component_becomes_an_entry_and_a_risk_that_a_vex_statement_closes() {
    let place = acme();
    let _up = place.up();
    advise(&place);
    submit(&place, "widget.json", widget().to_string()).expect(0);
    wait_until("the finding is in the backlog", || {
        place.attestry("backlog list").stdout.contains("left")
    });
    let backlog = place.attestry("backlog export --format markdown").expect(0);
    backlog.says(&[
        "# ",
        "## acme",
        "CVE-2026-0001",
        "1.5.0",
        "- **Risk**:",
        "- **Owner**:",
        "- **Due**:",
    ]);
    let risks = place.attestry("risk export --format markdown").expect(0);
    risks.says(&["| ID ", "Likelihood", "widget", "Open"]);
    place.attestry("search CVE-2026-0001").expect(0).says(&["left", "widget"]);
    place.attestry("search pkg:pypi/left").expect(0).says(&["1.4.0"]);
    place.attestry("search pkg:pypi/right").expect(1);

    let vex = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://acme.example/vex/1",
        "author": "us", "timestamp": "2026-11-22T00:00:00Z", "version": 1,
        "statements": [{
            "vulnerability": { "name": "CVE-2026-0001" },
            "products": [{ "@id": "pkg:pypi/widget@1.0", "subcomponents": [{ "@id": "pkg:pypi/left@1.4.0" }] }],
            "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path"
        }]
    });
    place.write("vex.json", vex.to_string());
    let added = place.attestry(&format!("vex add vex.json --key {SIGNER}")).expect(0);
    added.says(&["ACCEPTED", "vex: openvex", "Closed ACME-"]);
    place.attestry("vex add widget.json").expect(1).says(&["REJECTED", "not-vex"]);
    let after = place.attestry("backlog export --format markdown").expect(0);
    after.says(&["**Status**", "vulnerable_code_not_in_execute_path"]);
    place.attestry("risk export --format markdown").expect(0).says(&["Mitigated"]);
    for file in [
        "remediation-backlog.md",
        "remediation-backlog.json",
        "remediation-backlog.csv",
        "risk-register.md",
    ] {
        wait_until(file, || place.path(&format!("data/registers/{file}")).exists());
    }
}

#[test]
fn supplier_may_sign_as_an_identity() {
    let place = Place::new();
    let issuer = "https://token.actions.githubusercontent.com";
    let pattern = r"https://github\.com/beta/.*";
    let add = |more: &[&str]| {
        place.run(&[&["supplier", "add", "beta", "--name", "Beta"], more].concat(), "")
    };
    add(&[]).expect(2).says(&["--key"]);
    add(&["--issuer", issuer, "--key", "beta.pub"]).expect(2);
    add(&["--issuer", issuer, "--identity-regexp", "("]).expect(2).says(&["cannot be used"]);
    let claim = ["--claim", "ref=refs/heads/main"];
    add(&[&["--issuer", issuer, "--identity-regexp", pattern][..], &claim].concat()).expect(0);

    place.attestry("supplier list").expect(0).says(&["beta", "0 keys, 1 identity, enforced"]);
    let shown = place.attestry("supplier show beta --format json").expect(0).json();
    assert_eq!(shown["identities"][0]["identity_pattern"], pattern);
    assert_eq!(shown["identities"][0]["claims"]["ref"], "refs/heads/main");
    place.attestry("supplier show beta").expect(0).says(&["[[identities]]", issuer]);
}
