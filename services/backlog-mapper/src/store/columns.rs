//! How our types lie in columns.

use events::Digest;
use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use uuid::Uuid;

/// An id: 16 bytes.
#[derive(Clone, Copy)]
pub(super) struct Id(pub(super) Uuid);

/// A digest: 32 bytes.
#[derive(Clone, Copy)]
pub(super) struct Hash(pub(super) Digest);

/// A time: microseconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) Timestamp);

/// A count.
#[derive(Clone, Copy)]
pub(super) struct Number(pub(super) u64);

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
