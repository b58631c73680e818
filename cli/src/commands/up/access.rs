//! Who may connect to the nats-server child: we, and each supplier with the key in its passport.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use broker::Server;
use bus::{Accounts, UserKey, UserSeed};
use supplier_ingest::{PassportDirectory, Users};

use super::OPERATOR_SEED_FILE;
use crate::{failure::Failure, output::note};

/// What the server's configuration says of it; the file lies beside that.
pub(super) const CONFIG: &str = "include \"suppliers.conf\"";
const FILE: &str = "nats/suppliers.conf";

/// The accounts of the nats-server child, which follow the passports.
pub(super) struct Access {
    file: PathBuf,
    passports: PassportDirectory,
    operator: UserKey,
    /// Whether whoever shows no key is the operator: on this machine alone.
    open: bool,
    in_force: String,
    /// What the server did not take, so that it is not asked again.
    refused: Option<String>,
    problems: Vec<String>,
}

impl Access {
    /// Writes down who may connect, before the server starts.
    pub(super) fn prepare(
        data: &Path,
        passports: PassportDirectory,
        open: bool,
    ) -> Result<Self, Failure> {
        let file = data.join(FILE);
        let operator = operator(&data.join(OPERATOR_SEED_FILE))?.public_key();
        let users = passports.users().map_err(Failure::unknown)?;
        let (in_force, refused) = (String::new(), None);
        let mut access =
            Self { file, passports, operator, open, in_force, refused, problems: vec![] };
        access.in_force = access.accounts(&users);
        access.tell(users.problems);
        access.write(&access.in_force)?;
        Ok(access)
    }

    /// Has the server take what the passports say now, if that is something else.
    pub(super) async fn follow(&mut self, server: &mut Server) {
        if let Err(error) = server.trim_log() {
            note(&error.to_string());
        }
        let passports = self.passports.clone();
        let users = match tokio::task::spawn_blocking(move || passports.users()).await {
            Ok(Ok(users)) => users,
            // Nobody loses access because a directory cannot be read for a while.
            Ok(Err(error)) => return self.tell(vec![format!("passports: {error}")]),
            Err(error) => return note(&error.to_string()),
        };
        let wanted = self.accounts(&users);
        self.tell(users.problems);
        if wanted == self.in_force || self.refused.as_ref() == Some(&wanted) {
            return;
        }
        let taken = match self.write(&wanted) {
            Ok(()) => server.reload().await.map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        match taken {
            Ok(()) => {
                self.in_force = wanted;
                self.refused = None;
            }
            Err(failure) => {
                note(&format!("Who may connect stays as it was: {failure}"));
                // The server reads the file again when it starts.
                if let Err(failure) = self.write(&self.in_force) {
                    note(&failure.to_string());
                }
                self.refused = Some(wanted);
            }
        }
    }

    fn accounts(&self, users: &Users) -> String {
        let accounts = Accounts {
            operators: vec![self.operator.clone()],
            anonymous: self.open.then(|| self.operator.clone()),
            suppliers: users.users.clone(),
        };
        format!(
            "# Written from the passports by `attestry up`: edit those.\n{}",
            accounts.to_config()
        )
    }

    /// Says what is wrong, once.
    fn tell(&mut self, problems: Vec<String>) {
        if problems != self.problems {
            problems.iter().for_each(|it| note(it));
            self.problems = problems;
        }
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        let at_fault =
            |error: io::Error| Failure::Input(format!("{}: {error}", self.file.display()));
        let beside = self.file.with_extension("new");
        let written = fs::File::create(&beside).and_then(|mut it| {
            it.write_all(text.as_bytes())?;
            it.sync_all()
        });
        written.and_then(|()| fs::rename(&beside, &self.file)).map_err(at_fault)
    }
}

/// The user that may do everything, made on the first start.
fn operator(path: &Path) -> Result<UserSeed, Failure> {
    let at_fault = |why: String| Failure::Input(format!("{}: {why}", path.display()));
    match fs::read_to_string(path) {
        Ok(text) => text.parse().map_err(|_| {
            at_fault("is not the seed of a NATS user: remove it, and a new one is made".to_owned())
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let seed = UserSeed::generate();
            write_seed(path, &seed).map_err(|error| at_fault(error.to_string()))?;
            Ok(seed)
        }
        Err(error) => Err(at_fault(error.to_string())),
    }
}

/// Writes a secret into a new file that its owner alone reads.
pub(crate) fn write_seed(path: &Path, seed: &UserSeed) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(format!("{}\n", seed.to_text()).as_bytes())?;
    file.sync_all()
}
