//! Passwords: what they must be like, and their hashes.
//!
//! Hashing takes 19 MiB and some hundredths of a second: see [`crate::hashing`] for where it runs.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::rand;
use model::Sealed;

/// KiB, passes, lanes: what OWASP names as the least.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes that ask for more than this were not made here, and are not computed.
const MOST_MEMORY: u32 = 64 * 1024;
const MOST_PASSES: u32 = 8;
const MOST_LANES: u32 = 4;

const FEWEST_CHARACTERS: usize = 8;
/// The longest password, in octets.
pub const LONGEST: usize = 512;
/// Without characters that are taken for one another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const ONE_TIME: usize = 20;

/// Of the same cost as a real one; nothing hashes to it.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why something cannot be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    TooShort,
    TooLong,
    UserName,
}

#[derive(Debug, thiserror::Error)]
#[error("a password cannot be hashed: {0}")]
pub struct HashError(String);

// === impl Unfit ===

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => write!(f, "must have at least {FEWEST_CHARACTERS} characters"),
            Self::TooLong => write!(f, "must not be longer than {LONGEST} octets"),
            Self::UserName => f.write_str("must not be the user's name"),
        }
    }
}

/// Whether `password` may be the password of `user`.
///
/// # Errors
/// What is wrong with it.
pub fn check(user: &str, password: &str) -> Result<(), Unfit> {
    if password.len() > LONGEST {
        return Err(Unfit::TooLong);
    }
    if password.chars().count() < FEWEST_CHARACTERS {
        return Err(Unfit::TooShort);
    }
    if password.trim().eq_ignore_ascii_case(user) {
        return Err(Unfit::UserName);
    }
    Ok(())
}

/// A password nobody has had before, 100 bits of chance in it.
///
/// # Errors
/// When the system has no random numbers.
pub fn one_time() -> Result<Sealed<String>, HashError> {
    let mut octets = [0; ONE_TIME];
    rand::fill(&mut octets).map_err(|_| HashError("no random numbers".into()))?;
    // 32 letters: each of them is five bits of an octet.
    let letters = octets.iter().map(|octet| char::from(LETTERS[usize::from(octet % 32)]));
    Ok(Sealed::new(letters.collect()))
}

/// A PHC string: `$argon2id$v=19$m=19456,t=2,p=1$…`.
///
/// # Errors
/// When the system has no random numbers.
pub fn hash(password: &Sealed<String>) -> Result<Sealed<String>, HashError> {
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(|error| HashError(error.to_string()))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon.hash_password(password.open().as_bytes()).map_err(|error| HashError(error.to_string()))?;
    Ok(Sealed::new(hash.to_string()))
}

/// Whether `password` is the one that `hash` was made of; `None` takes as long, and it is not.
pub fn verify(password: &Sealed<String>, hash: Option<&Sealed<String>>) -> bool {
    let known = hash.map(Sealed::open).and_then(|text| PasswordHash::new(text).ok()).filter(affordable);
    let Some(parsed) = known.as_ref() else {
        let decoy = PasswordHash::new(DECOY).is_ok_and(|decoy| matches(password, &decoy));
        std::hint::black_box(decoy);
        return false;
    };
    matches(password, parsed)
}

fn matches(password: &Sealed<String>, hash: &PasswordHash) -> bool {
    // Longer ones than may be set are none, and cost no more.
    let octets = password.open().as_bytes();
    let fits = octets.len() <= LONGEST;
    Argon2::default().verify_password(&octets[..octets.len().min(LONGEST)], hash).is_ok() && fits
}

fn affordable(hash: &PasswordHash) -> bool {
    let within = |key: &str, most: u32| hash.params.get_decimal(key).is_some_and(|value| (1..=most).contains(&value));
    hash.algorithm == Algorithm::Argon2id.ident() && within("m", MOST_MEMORY) && within("t", MOST_PASSES) && within("p", MOST_LANES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(text: &str) -> Sealed<String> {
        Sealed::new(text.to_owned())
    }

    #[test]
    fn a_hash_fits_its_password_alone() {
        let (one, other) = (hash(&sealed("correct horse")).expect("hashed"), hash(&sealed("correct horse")).expect("hashed"));
        assert_ne!(one.open(), other.open(), "each has a salt of its own");
        assert!(one.open().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.open());
        assert!(verify(&sealed("correct horse"), Some(&one)) && verify(&sealed("correct horse"), Some(&other)));
        for wrong in ["correct hors", "correct horse ", "", "Correct horse"] {
            assert!(!verify(&sealed(wrong), Some(&one)), "{wrong}");
        }
    }

    #[test]
    fn a_password_longer_than_may_be_is_none() {
        let long = "x".repeat(LONGEST);
        let hashed = hash(&sealed(&long)).expect("hashed");
        assert!(verify(&sealed(&long), Some(&hashed)));
        assert!(!verify(&sealed(&format!("{long}y")), Some(&hashed)));
    }

    #[test]
    fn what_is_no_hash_of_ours_fits_nothing() {
        assert!(PasswordHash::new(DECOY).is_ok_and(|decoy| affordable(&decoy)), "the decoy costs what a hash costs");
        assert!(!verify(&sealed("a"), None));
        for broken in [
            "",
            "plain",
            "$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=1000,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(!PasswordHash::new(broken).is_ok_and(|hash| affordable(&hash) && hash.hash.is_some()), "{broken}");
            assert!(!verify(&sealed("a"), Some(&sealed(broken))), "{broken}");
        }
    }

    #[test]
    fn rules() {
        for (password, expect) in [
            ("1234567", Err(Unfit::TooShort)),
            ("", Err(Unfit::TooShort)),
            ("ñññññññ", Err(Unfit::TooShort)),
            ("Annabelle", Err(Unfit::UserName)),
            (" annabelle ", Err(Unfit::UserName)),
            ("annabelle1", Ok(())),
            ("密码密码密码密码", Ok(())),
        ] {
            assert_eq!(check("annabelle", password), expect, "{password}");
        }
        assert_eq!(check("a", &"x".repeat(LONGEST + 1)), Err(Unfit::TooLong));
        assert_eq!(check("a", &"x".repeat(LONGEST)), Ok(()));
    }

    #[test]
    fn one_time_passwords_differ_and_may_be_passwords() {
        let (one, other) = (one_time().expect("random"), one_time().expect("random"));
        assert_ne!(one.open(), other.open());
        assert_eq!((check("admin", one.open()), one.open().len()), (Ok(()), ONE_TIME));
        assert_eq!(format!("{one:?}"), "<sealed>");
    }
}
