//! Who a supplier is to the broker, and what a broker of one's own has to be told.

use std::path::PathBuf;

use bus::{Accounts, UserKey, UserSeed};
use events::SupplierId;
use serde::Serialize;
use supplier_ingest::{PassportDirectory, Users};

use super::passport::DirectoryArgs;
use crate::{
    commands::up::access::write_seed,
    failure::Failure,
    output::{self, Format, note},
};

/// How a supplier will connect.
#[derive(clap::Args)]
#[command(next_help_heading = "Connection of the supplier")]
pub(crate) struct UserArgs {
    /// Public nkey of its NATS user, which it made itself; it begins with U
    #[arg(long, value_name = "NKEY", conflicts_with = "nats_user")]
    nkey: Option<UserKey>,
    /// Make a NATS user for it, whose seed has to reach it in secret
    #[arg(long)]
    nats_user: bool,
    /// New file for the seed of that user [default: ID.nk]
    #[arg(long, value_name = "FILE", requires = "nats_user")]
    nats_seed: Option<PathBuf>,
}

impl UserArgs {
    /// The key for the passport. A seed is written and never shown.
    pub(super) fn key(&self, supplier: &SupplierId) -> Result<Option<UserKey>, Failure> {
        if !self.nats_user {
            return Ok(self.nkey.clone());
        }
        let default = || PathBuf::from(format!("{supplier}.nk"));
        let file = self.nats_seed.clone().unwrap_or_else(default);
        let seed = UserSeed::generate();
        write_seed(&file, &seed)
            .map_err(|error| Failure::Input(format!("{}: {error}", file.display())))?;
        note(&format!(
            "Wrote the seed of its NATS user to {}: hand it over in secret, then remove it",
            file.display()
        ));
        Ok(Some(seed.public_key()))
    }
}

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  attestry supplier nats-config --operator $(cat operator.pub) > suppliers.conf\n\nThe server's own configuration has `include \"suppliers.conf\"`; nats-server --signal reload has it read again,\ntwice after a supplier was added. With operator mode (JWT), see docs/suppliers-nats.md."
)]
pub(crate) struct ConfigArgs {
    /// Suppliers [default: all whose passport has an nkey]
    #[arg(value_name = "ID")]
    suppliers: Vec<SupplierId>,
    /// Public nkey of a user that may do everything: a worker, an operator; repeat for several
    #[arg(long, value_name = "NKEY", required_unless_present = "nsc")]
    operator: Vec<UserKey>,
    /// Print commands of nsc for a server in operator mode, where account ATTESTRY is there already
    #[arg(long, conflicts_with = "operator")]
    nsc: bool,
    #[command(flatten)]
    directory: DirectoryArgs,
}

#[derive(Serialize)]
struct Printed<'a> {
    config: &'a str,
}

pub(super) fn print(args: &ConfigArgs, format: Format) -> Result<(), Failure> {
    let passports = PassportDirectory::open(args.directory.path()).map_err(Failure::input)?;
    let Users { mut users, problems } = passports.users().map_err(Failure::unknown)?;
    problems.iter().for_each(|it| note(it));
    if let Some(unknown) = args.suppliers.iter().find(|it| !users.contains_key(*it)) {
        let why = format!("no passport with an nkey is there for {unknown}");
        return Err(Failure::Input(why));
    }
    if !args.suppliers.is_empty() {
        users.retain(|supplier, _| args.suppliers.contains(supplier));
    }
    let operators = args.operator.clone();
    let accounts = Accounts { operators, anonymous: None, suppliers: users };
    let config = if args.nsc { accounts.to_nsc() } else { accounts.to_config() };
    output::result(format, config.trim_end(), &Printed { config: &config })
}
