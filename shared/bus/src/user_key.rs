//! Who somebody is to the broker: an nkey, whose public half may be written anywhere.

use std::{fmt, str::FromStr};

use nkeys::{KeyPair, KeyPairType};
use serde::{Deserialize, Serialize};

/// Public key of a NATS user: 56 characters, the first of them `U`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserKey(String);

/// Secret half of a [`UserKey`], to be kept in a file that only its owner reads. Not shown by `Debug`.
pub struct UserSeed(KeyPair);

/// A text is no key of a NATS user. The text is not repeated: it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUserKey {
    /// It is a secret where a public key belongs.
    #[error(
        "the nkey is a seed, which is secret: keep it where it was made, and give the public key, which begins with U"
    )]
    Secret,
    /// It is the key of an account, an operator or a server.
    #[error(
        "the nkey is not of a user; make one with `nk -gen user -pubout` or `nsc generate nkey --user`"
    )]
    OtherKind,
    /// A character is missing, too many, or another one.
    #[error(
        "the nkey is none, or has a typing error; that of a user begins with U and has 56 characters"
    )]
    Unreadable,
}

impl UserKey {
    /// The key as the broker writes it: letters and digits only.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserKey {
    type Err = InvalidUserKey;

    fn from_str(text: &str) -> Result<Self, InvalidUserKey> {
        if KeyPair::from_seed(text).is_ok() {
            return Err(InvalidUserKey::Secret);
        }
        let pair = KeyPair::from_public_key(text).map_err(|_| InvalidUserKey::Unreadable)?;
        match pair.key_pair_type() {
            // What was read is written anew: there is one way to write a key.
            KeyPairType::User => Ok(Self(pair.public_key())),
            _ => Err(InvalidUserKey::OtherKind),
        }
    }
}

impl TryFrom<String> for UserKey {
    type Error = InvalidUserKey;

    fn try_from(text: String) -> Result<Self, InvalidUserKey> {
        text.parse()
    }
}

impl From<UserKey> for String {
    fn from(key: UserKey) -> Self {
        key.0
    }
}

impl fmt::Display for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl UserSeed {
    /// A new one.
    pub fn generate() -> Self {
        Self(KeyPair::new_user())
    }

    /// The public half.
    pub fn public_key(&self) -> UserKey {
        UserKey(self.0.public_key())
    }

    /// The secret as NATS tools read it: one line that begins with `SU`.
    pub fn to_text(&self) -> String {
        // A pair that was generated or read from a seed has one.
        self.0.seed().unwrap_or_default()
    }
}

impl FromStr for UserSeed {
    type Err = InvalidUserKey;

    fn from_str(text: &str) -> Result<Self, InvalidUserKey> {
        let pair = KeyPair::from_seed(text.trim()).map_err(|_| InvalidUserKey::Unreadable)?;
        match pair.key_pair_type() {
            KeyPairType::User => Ok(Self(pair)),
            _ => Err(InvalidUserKey::OtherKind),
        }
    }
}

impl fmt::Debug for UserSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserSeed of {}", self.public_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_reads_as_it_was_written_and_one_wrong_character_is_seen() {
        let seed = UserSeed::generate();
        let key = seed.public_key();
        assert_eq!(key.as_str().parse(), Ok(key.clone()));
        let read: UserSeed = format!("{}\n", seed.to_text()).parse().expect("reads");
        assert_eq!(read.public_key(), key);

        for position in 0..key.as_str().len() {
            let mut text = key.as_str().to_owned().into_bytes();
            text[position] = if text[position] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(text).expect("ASCII");
            assert_eq!(text.parse::<UserKey>(), Err(InvalidUserKey::Unreadable), "{text}");
        }
    }

    #[test]
    fn what_is_no_users_public_key_is_refused_and_a_secret_never_repeated() {
        let refused = |text: &str| text.parse::<UserKey>().expect_err("refused");
        let secret = UserSeed::generate().to_text();
        assert_eq!(refused(&secret), InvalidUserKey::Secret);
        assert!(!refused(&secret).to_string().contains(&secret));
        let seed = UserSeed::generate();
        assert!(!format!("{seed:?}").contains(&seed.to_text()));
        for kind in [KeyPair::new_account(), KeyPair::new_operator(), KeyPair::new_server()] {
            assert_eq!(refused(&kind.public_key()), InvalidUserKey::OtherKind);
        }
        for text in ["", "U", "UACME", "U\" } jetstream: disabled", "ÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜÜ"]
        {
            assert_eq!(refused(text), InvalidUserKey::Unreadable, "{text}");
        }
    }
}
