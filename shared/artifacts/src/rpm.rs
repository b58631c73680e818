//! Headers of installed packages in rpm's databases; the headers themselves are read elsewhere.

use std::io::Read;

use rusqlite::{Connection, MAIN_DB, OpenFlags, config::DbConfig, limits::Limit};

/// Most packages of one database.
const MAX_HEADERS: usize = 100_000;
/// Steps of SQLite's machine after which a database is no database but an attack.
const MAX_STEPS_IN_THOUSANDS: u32 = 50_000;

/// The headers in `rpmdb.sqlite`, whose schema anyone may have written.
pub(crate) fn sqlite_headers(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let read = || -> rusqlite::Result<Vec<Vec<u8>>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_in_memory_with_flags(flags)?;
        // A database in write-ahead mode cannot be opened without its log; the log is not there.
        let (before, after) = bytes.split_at_checked(20).ok_or(rusqlite::Error::InvalidQuery)?;
        let whole = before[..18].chain(&[1, 1][..]).chain(after);
        connection.deserialize_read_exact(MAIN_DB, whole, bytes.len(), true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
        let longest = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)?;
        let mut steps = 0;
        connection.progress_handler(
            1000,
            Some(move || {
                steps += 1;
                steps > MAX_STEPS_IN_THOUSANDS
            }),
        )?;
        let mut query = connection.prepare("SELECT blob FROM Packages ORDER BY hnum")?;
        let rows = query.query_map([], |row| row.get(0))?;
        let mut left = bytes.len();
        let mut headers: Vec<Vec<u8>> = Vec::new();
        for header in rows.take(MAX_HEADERS + 1) {
            let header: Vec<u8> = header?;
            // Rows may share pages only in a database that is made to.
            left = left.checked_sub(header.len()).ok_or(rusqlite::Error::InvalidQuery)?;
            headers.push(header);
        }
        Ok(headers)
    };
    let headers =
        read().map_err(|error| format!("is no rpm database that can be read: {error}"))?;
    at_most(headers)
}

/// The headers in `Packages.db`, the database of rpm's own kind (`lib/backend/ndb/rpmpkg.c`).
pub(crate) fn ndb_headers(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    const PAGE: usize = 4096;
    const SLOT: usize = 16;
    const BLOCK: usize = 16;
    let broken = || "is no rpm database that can be read".to_owned();
    let word = |at: usize| {
        let bytes = bytes.get(at..)?.first_chunk::<4>()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let is_at =
        |at: usize, magic: &[u8; 4]| bytes.get(at..).is_some_and(|it| it.starts_with(magic));
    let pages = word(12).filter(|_| is_at(0, b"RpmP")).ok_or_else(broken)?;
    let end = pages.checked_mul(PAGE).filter(|end| *end <= bytes.len()).ok_or_else(broken)?;
    let mut headers = Vec::new();
    let mut left = bytes.len();
    for slot in (2 * SLOT..end).step_by(SLOT) {
        let (Some(package), Some(block)) = (word(slot + 4), word(slot + 8)) else { break };
        if !is_at(slot, b"Slot") || package == 0 {
            continue;
        }
        let at = block.checked_mul(BLOCK).ok_or_else(broken)?;
        let length = word(at + 12).filter(|_| is_at(at, b"BlbS") && word(at + 4) == Some(package));
        let length = length.ok_or_else(broken)?;
        left = left.checked_sub(length).ok_or_else(broken)?;
        let header = bytes.get(at + BLOCK..).and_then(|it| it.get(..length)).ok_or_else(broken)?;
        headers.push(header.to_vec());
    }
    at_most(headers)
}

fn at_most(headers: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, String> {
    match headers.len() > MAX_HEADERS {
        true => Err(format!("holds more than the {MAX_HEADERS} packages that are read")),
        false => Ok(headers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(sql: &str) -> Vec<u8> {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        connection.serialize(MAIN_DB).unwrap().to_vec()
    }

    const PACKAGES: &str = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL);
        INSERT INTO Packages VALUES (2, x'02'), (1, x'0101');";

    #[test]
    fn headers_are_read_in_their_order() {
        assert_eq!(sqlite_headers(&database(PACKAGES)), Ok(vec![vec![1, 1], vec![2]]));
    }

    #[test]
    fn database_that_was_left_in_write_ahead_mode_is_read() {
        let mut database = database(PACKAGES);
        database[18..20].copy_from_slice(&[2, 2]);
        assert_eq!(sqlite_headers(&database).map(|it| it.len()), Ok(2));
    }

    #[test]
    fn view_that_never_ends_is_no_database() {
        let endless = "CREATE VIEW Packages AS WITH RECURSIVE n(hnum, blob) AS
            (SELECT 1, x'00' UNION ALL SELECT hnum + 1, blob FROM n) SELECT * FROM n;";
        assert!(sqlite_headers(&database(endless)).is_err());
    }

    #[test]
    fn column_that_is_computed_takes_no_memory() {
        let huge =
            "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob AS (zeroblob(900000000)));
            INSERT INTO Packages (hnum) VALUES (1);";
        assert!(sqlite_headers(&database(huge)).is_err());
    }

    #[test]
    fn broken_databases_are_refused() {
        let good = database(PACKAGES);
        assert!(sqlite_headers(b"").is_err());
        assert!(sqlite_headers(&good[..100]).is_err());
        assert!(sqlite_headers(&database("CREATE TABLE Other (a);")).is_err());
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..200 {
            let mut bytes = good.clone();
            for _ in 0..random.usize(1..10) {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            let _unread = sqlite_headers(&bytes);
        }
    }

    #[test]
    fn database_of_rpms_own_kind_is_read() {
        let mut ndb = vec![0; 4096 + 64];
        let mut put = |at: usize, magic: &[u8; 4], words: [u32; 3]| {
            ndb[at..at + 4].copy_from_slice(magic);
            for (place, word) in words.into_iter().enumerate() {
                ndb[at + 4 + 4 * place..at + 8 + 4 * place].copy_from_slice(&word.to_le_bytes());
            }
        };
        put(0, b"RpmP", [0, 7, 1]);
        put(32, b"Slot", [1, 256, 2]);
        put(48, b"Slot", [0, 0, 0]);
        put(4096, b"BlbS", [1, 7, 5]);
        ndb[4112..4117].copy_from_slice(b"hello");
        assert_eq!(ndb_headers(&ndb), Ok(vec![b"hello".to_vec()]));

        ndb[4096 + 12] = 0xff;
        assert!(ndb_headers(&ndb).is_err());
        assert!(ndb_headers(b"RpmP").is_err());
    }
}
