//! What a supplier may do at the broker, and how a broker is told.
//!
//! Permissions of a user are not enough. Whoever may send a request chooses where its answer goes, and
//! nats-server asks nobody whether he may publish there: a supplier could have the broker itself publish
//! what it stored before, on any subject. Therefore each supplier has an account of its own, out of which
//! three subjects lead; answers come back into the account and go nowhere else.

use std::{collections::BTreeMap, fmt::Write};

use events::{CHUNK_BYTES, SupplierId};

use crate::{
    UserKey,
    streams::{RECEIPTS, ingest_stream_name},
};

/// Account of the pipeline, which owns all streams.
pub const ACCOUNT: &str = "ATTESTRY";
/// Connections that a supplier may have at once.
const MAX_CONNECTIONS: u32 = 16;
/// Subscriptions of each of them.
const MAX_SUBSCRIPTIONS: u32 = 64;
/// Room for what a client adds to a chunk.
const HEADER_BYTES: usize = 4 * 1024;
/// Largest message that is taken from a supplier, in bytes: a chunk with its headers.
pub(crate) const MAX_SUPPLIER_MESSAGE: usize = CHUNK_BYTES + HEADER_BYTES;

/// All that a supplier may do: every subject that is not here is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// What it may ask and publish: its own door, and its own receipts.
    pub publish: Vec<String>,
    /// What it may subscribe to: answers to itself, and its receipts as they are delivered.
    pub subscribe: Vec<String>,
}

impl Access {
    /// The access of `supplier`.
    pub fn of(supplier: &SupplierId) -> Self {
        Self {
            publish: vec![door(supplier), receipt_lookup(supplier)],
            subscribe: vec![format!("{}.>", inbox(supplier)), receipts(supplier)],
        }
    }
}

/// Accounts of a broker: ours, and one for each supplier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Users that may do everything in our account: workers and operators.
    pub operators: Vec<UserKey>,
    /// Who somebody is that shows no key; nobody if none.
    pub anonymous: Option<UserKey>,
    /// The suppliers, each with its user.
    pub suppliers: BTreeMap<SupplierId, UserKey>,
}

impl Accounts {
    /// The block of a nats-server configuration that says so: always the same text for the same accounts.
    pub fn to_config(&self) -> String {
        let mut text =
            format!("accounts {{\n  {ACCOUNT} {{\n    jetstream: enabled\n    users: [\n");
        for key in &self.operators {
            line(&mut text, format_args!("      {{ nkey: {key} }}"));
        }
        text.push_str("    ]\n    exports: [\n");
        for supplier in self.suppliers.keys() {
            for (kind, subject) in crossings(supplier) {
                let account = account(supplier);
                line(
                    &mut text,
                    format_args!("      {{ {kind}: \"{subject}\", accounts: [\"{account}\"] }}"),
                );
            }
        }
        text.push_str("    ]\n  }\n");
        for (supplier, key) in &self.suppliers {
            text.push_str(&supplier_account(supplier, key));
        }
        text.push_str("}\n");
        if let Some(key) = &self.anonymous {
            line(&mut text, format_args!("no_auth_user: {key}"));
        }
        text
    }
}

impl Accounts {
    /// The commands of `nsc` that say so of the suppliers, for a broker in operator mode.
    pub fn to_nsc(&self) -> String {
        let mut text = String::new();
        for (supplier, key) in &self.suppliers {
            let account = account(supplier);
            line(&mut text, format_args!("nsc add account --name {account}"));
            line(
                &mut text,
                format_args!(
                    "nsc edit account --name {account} --conns {MAX_CONNECTIONS} --subscriptions {MAX_SUBSCRIPTIONS} --payload {MAX_SUPPLIER_MESSAGE}"
                ),
            );
            let its_id =
                format!("\"$(nsc describe account --name {account} --json | jq -r .sub)\"");
            for (number, (kind, subject)) in crossings(supplier).into_iter().enumerate() {
                let name = format!("{supplier}-{number}");
                let service = if kind == "service" { " --service" } else { "" };
                // Private: another account of the same operator may not import it.
                line(
                    &mut text,
                    format_args!(
                        "nsc add export --account {ACCOUNT} --name {name} --subject '{subject}'{service} --private\n\
                         nsc generate activation --account {ACCOUNT} --subject '{subject}' --target-account {its_id} --output-file {name}.jwt\n\
                         nsc add import --account {account} --name {name} --token {name}.jwt"
                    ),
                );
            }
            let Access { publish, subscribe } = Access::of(supplier);
            let (publish, subscribe) = (publish.join(","), subscribe.join(","));
            line(
                &mut text,
                format_args!(
                    "nsc add user --account {account} --name {supplier} --public-key {key} --allow-pub '{publish}' --allow-sub '{subscribe}'"
                ),
            );
        }
        text.push_str("nsc push --all\n");
        text
    }
}

/// Name of a supplier's account.
fn account(supplier: &SupplierId) -> String {
    format!("SUPPLIER_{}", supplier.as_str().to_uppercase())
}

/// What a supplier's inboxes begin with.
pub(crate) fn inbox(supplier: &SupplierId) -> String {
    format!("_INBOX_{supplier}")
}

fn door(supplier: &SupplierId) -> String {
    format!("ingest.{supplier}.>")
}

fn receipts(supplier: &SupplierId) -> String {
    format!("receipts.{supplier}.*")
}

fn receipt_lookup(supplier: &SupplierId) -> String {
    format!("$JS.API.DIRECT.GET.{RECEIPTS}.receipts.{supplier}.*")
}

/// What leads from a supplier's account into ours, and back.
fn crossings(supplier: &SupplierId) -> [(&'static str, String); 3] {
    [
        ("service", door(supplier)),
        ("service", receipt_lookup(supplier)),
        ("stream", receipts(supplier)),
    ]
}

fn supplier_account(supplier: &SupplierId, key: &UserKey) -> String {
    let Access { publish, subscribe } = Access::of(supplier);
    let list = |subjects: &[String]| {
        let quoted: Vec<_> = subjects.iter().map(|it| format!("\"{it}\"")).collect();
        quoted.join(", ")
    };
    let mut text = format!(
        "  \"{}\" {{\n    # Stores into {}\n    limits {{ max_connections: {MAX_CONNECTIONS}, \
         max_subscriptions: {MAX_SUBSCRIPTIONS}, max_payload: {MAX_SUPPLIER_MESSAGE} }}\n    users: [\n      \
         {{ nkey: {key}, permissions: {{\n        publish: {{ allow: [{}] }}\n        \
         subscribe: {{ allow: [{}] }}\n      }} }}\n    ]\n    imports: [\n",
        account(supplier),
        ingest_stream_name(supplier),
        list(&publish),
        list(&subscribe),
    );
    for (kind, subject) in crossings(supplier) {
        line(
            &mut text,
            format_args!("      {{ {kind}: {{ account: {ACCOUNT}, subject: \"{subject}\" }} }}"),
        );
    }
    text.push_str("    ]\n  }\n");
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into a string does not fail.
    writeln!(text, "{line}").unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserSeed;

    fn id(text: &str) -> SupplierId {
        text.parse().expect("valid")
    }

    #[test]
    fn access_of_one_supplier_has_nothing_of_another() {
        // One is the beginning of the other.
        let (short, long) = (Access::of(&id("acme")), Access::of(&id("acme-2")));
        for subject in short.publish.iter().chain(&short.subscribe) {
            assert!(
                subject.split('.').any(|it| it == "acme" || it == "_INBOX_acme"),
                "{subject} is not bound to its supplier"
            );
            assert!(!long.publish.contains(subject) && !long.subscribe.contains(subject));
        }
        for subject in &short.publish {
            let token = subject.split('.').position(|it| it.contains(['*', '>']));
            let own = subject.split('.').position(|it| it == "acme");
            assert!(own < token, "{subject} has a wildcard before the supplier's id");
        }
    }

    #[test]
    fn configuration_is_the_same_for_the_same_accounts() {
        let keys: Vec<_> = (0..3).map(|_| UserSeed::generate().public_key()).collect();
        let accounts = |order: [usize; 2]| Accounts {
            operators: vec![keys[2].clone()],
            anonymous: Some(keys[2].clone()),
            suppliers: order.map(|it| (id(["acme", "other"][it]), keys[it].clone())).into(),
        };
        let text = accounts([0, 1]).to_config();
        assert_eq!(text, accounts([1, 0]).to_config());
        assert!(text.ends_with(&format!("no_auth_user: {}\n", keys[2])), "{text}");
        let commands = accounts([0, 1]).to_nsc();
        assert_eq!(commands, accounts([1, 0]).to_nsc());
        let users = commands.lines().filter(|it| it.starts_with("nsc add user"));
        assert!(users.zip(&keys).all(|(user, key)| user.contains(key.as_str())), "{commands}");
        let nobody = Accounts { anonymous: None, ..accounts([0, 1]) };
        assert!(!nobody.to_config().contains("no_auth_user"));
    }
}
