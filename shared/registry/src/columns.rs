//! How our types lie in columns, the same in SQLite and PostgreSQL.

use std::borrow::Cow;

use events::{Digest, Text};
use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use uuid::Uuid;

/// An id: 16 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Id(pub(crate) Uuid);

/// A digest: 32 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Hash(pub(crate) Digest);

/// A time: microseconds since 1970.
#[derive(Clone, Copy)]
pub(crate) struct Time(pub(crate) Timestamp);

/// A count, size or sequence. What is beyond 2⁶³ − 1 counts as that: nobody has such a file, but
/// anybody may claim one.
#[derive(Clone, Copy)]
pub(crate) struct Number(pub(crate) u64);

/// Text of unknown origin made fit for every database: one line, no NUL, of bounded length.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if text.is_empty() {
        return Cow::Borrowed("");
    }
    Cow::Owned(Text::<4096>::of(text).into())
}

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Uuid::from_slice(value.as_blob()?).map(Self).map_err(FromSqlError::other)
    }
}

impl ToSql for Hash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

impl FromSql for Hash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = format!("sha256:{}", hex::encode(value.as_blob()?));
        text.parse().map(Self).map_err(FromSqlError::other)
    }
}

impl ToSql for Time {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_microsecond().into())
    }
}

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let microseconds = value.as_i64()?;
        let second = microseconds.div_euclid(1_000_000);
        // Below 10⁹. `from_microsecond` would not take the last second that a timestamp can be.
        let nanosecond = microseconds.rem_euclid(1_000_000) as i32 * 1000;
        Timestamp::new(second, nanosecond).map(Self).map_err(FromSqlError::other)
    }
}

impl ToSql for Number {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Number {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u64::try_from(value.as_i64()?).map(Self).map_err(FromSqlError::other)
    }
}
