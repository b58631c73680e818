//! From a supplier's document to a ticket at a tracker, and back.

use std::{fs, os::unix::fs::PermissionsExt as _};

use private_github::{Issue, PrivateGitHub, REPOSITORY, TOKEN};
use serde_json::json;

use crate::{
    place::{Place, wait_until},
    suppliers::{SIGNER, acme, advise, submit, widget},
};

fn configure(place: &Place, github: &PrivateGitHub) {
    let token = place.write("secrets/token", TOKEN);
    fs::set_permissions(token, fs::Permissions::from_mode(0o600)).unwrap();
    let table = format!(
        "[[github]]\nrepository = '{REPOSITORY}'\ntoken_file = 'token'\napi = '{}'\nminimum_severity = 'low'\n",
        github.url()
    );
    place.write("secrets/tickets.toml", table);
}

/// It fills its database, and then listens.
fn wait_for_the_mapper(place: &Place) {
    wait_until("the mapper answers", || place.attestry("backlog list").code == 0);
}

fn one(github: &PrivateGitHub) -> Issue {
    let issues = github.issues();
    assert_eq!(issues.len(), 1, "{issues:#?}");
    issues.into_iter().next().unwrap()
}

#[test]
fn entry_has_one_ticket_across_a_kill_until_a_statement_closes_it() {
    let github = PrivateGitHub::start().unwrap();
    let place = acme();
    let up = place.up();
    wait_for_the_mapper(&place);
    place.attestry("backlog sync").expect(3).says(&["no tracker is configured", "--tickets"]);
    up.terminate();

    configure(&place, &github);
    let settings = ["--tickets", "secrets/tickets.toml"];
    let up = place.up_with(&settings);
    advise(&place);
    submit(&place, "widget.json", widget().to_string()).expect(0);
    wait_until("the finding is in the backlog", || {
        place.attestry("backlog list").stdout.contains("left")
    });
    place
        .attestry("backlog sync")
        .expect(0)
        .says(&["acme/app at http://127.0.0.1", "1 tickets open"]);
    let made = one(&github);
    assert!(made.open && made.title.contains("left"), "{made:?}");
    let entry = place.attestry("backlog list --format json").expect(0).json_lines();
    let id = entry[0]["id"].as_str().unwrap().to_owned();
    let url = "https://github.com/acme/app/issues/1";
    place.attestry(&format!("backlog show {id}")).expect(0).says(&["ticket", url, "open"]);

    up.kill();
    let up = place.up_with(&settings);
    wait_for_the_mapper(&place);
    place.attestry("backlog sync --dry-run").expect(0).says(&["nothing to change"]);
    github.change(1, |it| it.assignees = vec!["dev".to_owned()]);
    place.attestry("backlog sync").expect(0).says(&["nothing to change"]);
    place.attestry(&format!("backlog show {id}")).expect(0).says(&["assigned to dev"]);
    let entry = place.attestry("backlog list --format json").expect(0).json_lines();
    assert_eq!(entry[0]["status"], "in_progress");

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
    place.attestry(&format!("vex add vex.json --key {SIGNER}")).expect(0).says(&["Closed ACME-"]);
    place.attestry("backlog sync").expect(0).says(&["0 tickets open"]);
    let closed = one(&github);
    assert_eq!((closed.open, closed.reason.as_deref()), (false, Some("not_planned")));
    assert_eq!(github.comments().len(), 1);
    up.terminate();
}

#[test]
fn token_that_others_may_read_stops_the_start() {
    let github = PrivateGitHub::start().unwrap();
    let place = Place::new();
    configure(&place, &github);
    let token = place.path("secrets/token");
    fs::set_permissions(token, fs::Permissions::from_mode(0o644)).unwrap();
    let said =
        place.attestry("up --nats-port 0 --metrics 127.0.0.1:0 --tickets secrets/tickets.toml");
    let said = said.expect(2);
    said.says(&["secrets/tickets.toml:3", "mode 0644", "chmod 600"]);
    assert!(!said.stderr.contains(TOKEN));
}
