//! The directory of passports, read again when it changes.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use bus::UserKey;
use events::SupplierId;
use tracing::{error, info};
use worker::{HandleError, off_thread};

use crate::{Limits, Passport, PassportError};

/// Passports, one file `<id>.toml` per supplier.
#[derive(Clone)]
pub struct PassportDirectory {
    directory: PathBuf,
    read: Arc<Mutex<BTreeMap<SupplierId, Read>>>,
}

/// A passport as it was last read, and the file it was read from.
struct Read {
    stamp: Stamp,
    passport: Result<Arc<Passport>, String>,
}

/// Who suppliers are to the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// Those who may connect.
    pub users: BTreeMap<SupplierId, UserKey>,
    /// Why others may not, one line each.
    pub problems: Vec<String>,
}

/// A file that has the same of these is taken for unchanged.
type Stamp = (SystemTime, u64);

/// What the directory says of a supplier.
pub(crate) enum Known {
    Passport(Arc<Passport>),
    /// There is no passport of that name.
    Stranger,
}

/// The passports cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PassportsError {
    /// The directory, or a file in it, cannot be read.
    #[error("passports {path}: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A passport is wrong.
    #[error("passport {path}: {source}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        source: PassportError,
    },
    /// A passport would belong to another supplier than its file's name says.
    #[error("passport {path}: its id is `{found}`; a passport lies in the file <id>.toml")]
    OtherName {
        /// The file.
        path: PathBuf,
        /// The id in it.
        found: SupplierId,
    },
}

impl PassportDirectory {
    /// Reads every passport in `directory`, which is made if it is missing.
    ///
    /// # Errors
    /// The first passport that is wrong: at the start somebody is there to mend it.
    pub fn open(directory: &Path) -> Result<Self, PassportsError> {
        let unreadable = |source| PassportsError::Unreadable { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(unreadable)?;
        let passports = Self { directory: directory.to_owned(), read: Arc::default() };
        for supplier in passports.suppliers().map_err(unreadable)? {
            load(&passports.file(&supplier), &supplier)?;
        }
        Ok(passports)
    }

    /// Ids of all suppliers that have a passport, readable or not.
    pub fn suppliers(&self) -> io::Result<Vec<SupplierId>> {
        let mut suppliers = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".toml"));
            suppliers.extend(id.and_then(|id| id.parse::<SupplierId>().ok()));
        }
        suppliers.sort_unstable();
        Ok(suppliers)
    }

    /// The file that holds, or would hold, the passport of `supplier`.
    pub fn file(&self, supplier: &SupplierId) -> PathBuf {
        self.directory.join(format!("{supplier}.toml"))
    }

    /// The passport of `supplier` as its file is now. One that was spoilt since it was read keeps
    /// counting as it was, loudly; one that was never readable makes its documents wait.
    pub(crate) async fn find(&self, supplier: &SupplierId) -> Result<Known, HandleError> {
        let (passports, supplier) = (self.clone(), supplier.clone());
        off_thread(move || passports.find_now(&supplier)).await
    }

    /// How much `supplier` may drop; the usual, where nothing can be read about it.
    pub(crate) async fn limits(&self, supplier: &SupplierId) -> Limits {
        match self.find(supplier).await {
            Ok(Known::Passport(passport)) => passport.limits.clone(),
            Ok(Known::Stranger) | Err(_) => Limits::default(),
        }
    }

    /// Who each supplier is to the broker, and what keeps others from being somebody. A key that several
    /// claim is nobody's: whose documents came with it could not be told.
    ///
    /// # Errors
    /// When the directory cannot be read: that says nothing about anybody.
    pub fn users(&self) -> io::Result<Users> {
        let mut claims: BTreeMap<UserKey, Vec<SupplierId>> = BTreeMap::new();
        let mut problems = Vec::new();
        for supplier in self.suppliers()? {
            match self.find_now(&supplier) {
                Ok(Known::Passport(passport)) => {
                    let claim = passport.nkey.as_ref().map(|it| claims.entry(it.clone()));
                    claim.into_iter().for_each(|it| it.or_default().push(supplier.clone()));
                }
                Ok(Known::Stranger) => {}
                Err(HandleError::Outage { detail, .. }) => return Err(io::Error::other(detail)),
                Err(error) => problems.push(format!("{supplier} may not connect: {error:?}")),
            }
        }
        let mut users = BTreeMap::new();
        for (key, suppliers) in claims {
            match suppliers.as_slice() {
                [supplier] => drop(users.insert(supplier.clone(), key)),
                several => {
                    let names: Vec<_> = several.iter().map(ToString::to_string).collect();
                    let names = names.join(", ");
                    problems.push(format!("none of {names} may connect: they have one nkey"));
                }
            }
        }
        Ok(Users { users, problems })
    }

    fn find_now(&self, supplier: &SupplierId) -> Result<Known, HandleError> {
        let path = self.file(supplier);
        let stamp = match fs::metadata(&path).and_then(|it| Ok((it.modified()?, it.len()))) {
            Ok(stamp) => stamp,
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.directory.is_dir() => {
                // Removed is revoked: what it said must not count again through a spoilt successor.
                self.remembered().remove(supplier);
                return Ok(Known::Stranger);
            }
            Err(error) => {
                let detail = format!("{}: {error}", path.display());
                return Err(HandleError::Outage { dependency: "passports", detail });
            }
        };
        let mut read = self.remembered();
        let known = read.remove(supplier);
        let current = match known {
            Some(known) if known.stamp == stamp => known,
            known => {
                let before = known.and_then(|it| it.passport.ok());
                let passport = match (load(&path, supplier), before) {
                    (Ok(passport), _) => {
                        info!(%supplier, digest = %passport.digest, "Read a passport");
                        Ok(Arc::new(passport))
                    }
                    (Err(problem), Some(before)) => {
                        error!(%problem, "A passport was spoilt; the one before it keeps counting");
                        Ok(before)
                    }
                    (Err(problem), None) => Err(problem.to_string()),
                };
                Read { stamp, passport }
            }
        };
        let found = current.passport.clone();
        read.insert(supplier.clone(), current);
        found.map(Known::Passport).map_err(HandleError::transient)
    }
}

impl PassportDirectory {
    fn remembered(&self) -> MutexGuard<'_, BTreeMap<SupplierId, Read>> {
        // Whoever panicked with the lock left passports that were read whole.
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn load(path: &Path, supplier: &SupplierId) -> Result<Passport, PassportsError> {
    let text = fs::read_to_string(path)
        .map_err(|source| PassportsError::Unreadable { path: path.to_owned(), source })?;
    let passport = Passport::parse(&text)
        .map_err(|source| PassportsError::Wrong { path: path.to_owned(), source })?;
    if passport.id != *supplier {
        return Err(PassportsError::OtherName { path: path.to_owned(), found: passport.id });
    }
    Ok(passport)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACME: &str = "id = \"acme\"\nname = \"Acme\"\n";

    fn acme() -> SupplierId {
        "acme".parse().expect("valid")
    }

    fn name_in(passports: &PassportDirectory) -> String {
        match passports.find_now(&acme()) {
            Ok(Known::Passport(passport)) => passport.name.to_string(),
            Ok(Known::Stranger) => "stranger".to_owned(),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn passport_counts_as_its_file_is_and_a_spoilt_one_as_it_was() {
        let directory = tempfile::tempdir().expect("a directory");
        let passports = PassportDirectory::open(directory.path()).expect("opens");
        assert_eq!(name_in(&passports), "stranger");

        let file = passports.file(&acme());
        fs::write(&file, "id = ").expect("writes");
        assert!(name_in(&passports).contains("line 1"), "{}", name_in(&passports));
        fs::write(&file, ACME).expect("writes");
        assert_eq!(name_in(&passports), "Acme");
        fs::write(&file, "id = \"acme\"\nname = \"Acme Ltd\"\n").expect("writes");
        assert_eq!(name_in(&passports), "Acme Ltd");
        fs::write(&file, "nonsense").expect("writes");
        assert_eq!(name_in(&passports), "Acme Ltd");
        fs::remove_file(&file).expect("removes");
        assert_eq!(name_in(&passports), "stranger");
        fs::write(&file, "nonsense").expect("writes");
        assert!(name_in(&passports).contains("line 1"), "what was revoked stays revoked");
    }

    #[test]
    fn key_of_two_suppliers_is_nobodys_and_a_spoilt_passport_keeps_its_own() {
        let directory = tempfile::tempdir().expect("a directory");
        let passports = PassportDirectory::open(directory.path()).expect("opens");
        let key = || bus::UserSeed::generate().public_key();
        let (first, second) = (key(), key());
        let write = |id: &str, key: &UserKey| {
            let text = format!("id = \"{id}\"\nname = \"{id}\"\nnkey = \"{key}\"\n");
            fs::write(directory.path().join(format!("{id}.toml")), text).expect("writes");
        };
        write("acme", &first);
        write("other", &second);
        let users = || passports.users().expect("reads");
        assert_eq!(users().users.values().collect::<Vec<_>>(), [&first, &second]);

        write("third", &second);
        assert_eq!(users().users, [(acme(), first.clone())].into());
        assert_eq!(users().problems, ["none of other, third may connect: they have one nkey"]);
        fs::write(passports.file(&acme()), "nonsense").expect("writes");
        assert_eq!(users().users, [(acme(), first)].into());
        fs::remove_file(passports.file(&acme())).expect("removes");
        assert_eq!(users().users, BTreeMap::new());
    }

    #[test]
    fn passport_in_another_suppliers_file_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("other.toml"), ACME).expect("writes");
        let refused = PassportDirectory::open(directory.path()).map(drop).expect_err("refused");
        assert!(refused.to_string().ends_with("<id>.toml"), "{refused}");
    }
}
