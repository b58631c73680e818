//! Suppliers that connect with a key of their own: to `attestry up`, and to a NATS server of one's own.

use std::{fs, os::unix::fs::PermissionsExt};

use broker::{Options, Search, Server, default_cache_dir, find_or_fetch};
use bus::UserSeed;

use crate::{
    place::{Place, Said, wait_until},
    suppliers::{key, widget_text},
};

const SIGNER: &str = "data/keys/signer.pub";
const DOCS: &str = include_str!("../../../docs/suppliers-nats.md");

/// Suppliers `acme` and `other`, each with a signing key and a NATS user of its own.
fn two_suppliers() -> Place {
    let place = Place::new();
    for supplier in ["acme", "other"] {
        key(&place, supplier);
        let add = format!(
            "supplier add {supplier} --name {supplier} --key {supplier}.pub --nats-user --max-age-days 36500"
        );
        place.attestry(&add).expect(0).says(&[&format!("{supplier}.nk"), "nats-config"]);
    }
    place.write("widget.json", widget_text());
    place.attestry("supplier sign widget.json --key acme.pem").expect(0);
    place
}

fn submit(place: &Place, supplier: &str, broker: &str) -> Said {
    place.attestry(&format!(
        "supplier submit --supplier {supplier} widget.json --bundle widget.json.sigstore.json --wait=90s --key {SIGNER} {broker}"
    ))
}

fn url(place: &Place) -> String {
    place.read("data/nats/url").trim().to_owned()
}

#[test]
fn supplier_submits_with_its_key_and_no_other_name() {
    let place = two_suppliers();
    for secret in ["acme.nk", "other.nk"] {
        let mode = fs::metadata(place.path(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    let up = place.up_with(&["--nats-listen", "0.0.0.0"]);
    let at = format!("--nats-url {}", url(&place));

    let accepted = submit(&place, "acme", &format!("{at} --creds acme.nk")).expect(0);
    accepted.says(&["ACCEPTED acme/", "signature checked"]);
    let name = accepted.stdout.split_whitespace().nth(1).unwrap().to_owned();
    let status = format!("supplier status {name} {at} --creds acme.nk");
    place.attestry(&status).expect(0).says(&["ACCEPTED"]);
    submit(&place, "other", &format!("{at} --creds acme.nk"))
        .expect(3)
        .says(&["Permissions Violation", "are these the credentials of this supplier?"]);
    place.attestry(&format!("supplier status other/x {at} --creds acme.nk")).expect(3);
    // Nobody connects without a key, and we have ours.
    submit(&place, "acme", &at).expect(2).says(&["does not know these credentials"]);
    let mode = fs::metadata(place.path("data/nats/operator.nk")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    place.attestry("quarantine list").expect(0).says(&["Nothing is in quarantine"]);

    // A passport without the key locks out; one that is added lets in. Others stay connected.
    let passport = place.read("data/passports/acme.toml");
    let keyless: Vec<_> = passport.lines().filter(|it| !it.starts_with("nkey")).collect();
    place.write("data/passports/acme.toml", keyless.join("\n"));
    wait_until("acme is locked out", || place.attestry(&status).code == 2);
    place.write("data/passports/acme.toml", passport);
    wait_until("acme is let in", || place.attestry(&status).code == 0);
    let said = up.said();
    assert!(!said.contains("Lost the broker"), "{said}");
}

#[test]
fn on_this_machine_nobody_needs_a_key_and_a_key_binds() {
    let place = two_suppliers();
    let up = place.up();
    submit(&place, "acme", "").expect(0).says(&["ACCEPTED"]);
    let at = format!("--nats-url {}", url(&place));
    place.attestry(&format!("supplier status acme/x {at}")).expect(2).says(&["no submission"]);
    submit(&place, "other", &format!("{at} --creds acme.nk"))
        .expect(3)
        .says(&["Permissions Violation"]);

    // Two passports with one key: neither may connect, and it is said.
    let other = place.read("data/passports/other.toml");
    let nkey = |text: &str| text.lines().find(|it| it.starts_with("nkey")).unwrap().to_owned();
    let acme = nkey(&place.read("data/passports/acme.toml"));
    place.write("data/passports/other.toml", other.replace(&nkey(&other), &acme));
    wait_until("it is said", || up.said().contains("none of acme, other may connect"));
    let status = format!("supplier status acme/x {at} --creds acme.nk");
    wait_until("acme is locked out", || {
        let said = place.attestry(&status);
        said.code == 2 && said.stderr.contains("does not know these credentials")
    });
}

#[test]
fn passport_says_what_is_wrong_with_an_nkey() {
    let place = Place::new();
    key(&place, "acme");
    let add = "supplier add acme --name Acme --key acme.pub";
    let secret = UserSeed::generate().to_text();
    let refused = place.attestry(&format!("{add} --nkey {secret}")).expect(2);
    refused.says(&["is a seed, which is secret"]);
    place.attestry(&format!("{add} --nkey UACME")).expect(2).says(&["typing error"]);
    place.attestry(&format!("{add} --nats-seed x.nk")).expect(2).says(&["--nats-user"]);
    let key = UserSeed::generate().public_key();
    place.attestry(&format!("{add} --nkey {key}")).expect(0);
    place.attestry("supplier show acme").expect(0).says(&[key.as_str()]);
    let passport = place.read("data/passports/acme.toml");
    place.write("data/passports/acme.toml", passport.replace(key.as_str(), "UACME"));
    let line = passport.lines().position(|it| it.starts_with("nkey")).unwrap() + 1;
    place.attestry("supplier list").expect(2).says(&[&format!("line {line}"), "typing error"]);
}

/// The commands and the line of configuration that docs/suppliers-nats.md gives.
#[tokio::test(flavor = "multi_thread")]
async fn server_of_ones_own_takes_what_the_documentation_says() {
    let place = two_suppliers();
    let operator = UserSeed::generate();
    place.write("operator.nk", operator.to_text());
    let command = "attestry supplier nats-config --operator U… > suppliers.conf";
    assert!(DOCS.contains(command), "the command is documented");
    let config = "supplier nats-config --operator";
    let printed = place.attestry(&format!("{config} {}", operator.public_key())).expect(0);
    place.write("server/suppliers.conf", &printed.stdout);
    assert!(DOCS.contains("include \"suppliers.conf\""), "the line is documented");
    place.attestry(&format!("{config} {} nobody", operator.public_key())).expect(2);
    let one = place.attestry(&format!("{config} {} acme", operator.public_key())).expect(0);
    assert!(one.stdout.contains("SUPPLIER_ACME") && !one.stdout.contains("OTHER"));
    let nsc = place.attestry("supplier nats-config --nsc acme").expect(0);
    nsc.says(&["nsc add account --name SUPPLIER_ACME", "--private", "nsc push --all"]);

    let binary = find_or_fetch(&Search::new(default_cache_dir().unwrap())).await.unwrap();
    let options = Options {
        extra_config: "include \"suppliers.conf\"".to_owned(),
        ..Options::new(place.path("server"))
    };
    let server = Server::start(&binary, options).await.unwrap();
    let url = server.url();
    tokio::task::block_in_place(|| {
        let _up = place.start(&["--nats-url", &url, "--creds", "operator.nk"]);
        let at = format!("--nats-url {url}");
        submit(&place, "acme", &format!("{at} --creds acme.nk")).expect(0).says(&["ACCEPTED"]);
        submit(&place, "other", &format!("{at} --creds acme.nk")).expect(3);
        submit(&place, "acme", &at).expect(2).says(&["does not know these credentials"]);
    });
}
