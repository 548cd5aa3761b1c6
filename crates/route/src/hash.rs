//! A short keyed hash for names and paths that are looked up on every request.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

/// Chosen once per process, so that nobody can prepare names that collide.
static KEY: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish() | 1);

/// Hashes octets as they come, ASCII letters in lower case; [`Rolling::now`] may be asked at any point.
#[derive(Clone, Copy)]
pub(crate) struct Rolling {
    state: u64,
    key: u64,
}

impl Rolling {
    pub(crate) fn new() -> Self {
        Self { state: 0x9e37_79b9_7f4a_7c15, key: *KEY }
    }

    #[inline]
    pub(crate) fn push(&mut self, octet: u8) {
        self.state = fold(self.state ^ u64::from(octet.to_ascii_lowercase()), self.key);
    }

    pub(crate) fn extend(&mut self, octets: &[u8]) {
        for octet in octets {
            self.push(*octet);
        }
    }

    #[inline]
    pub(crate) fn now(self) -> u64 {
        self.state
    }
}

/// Hashes a host name, eight octets at a time.
pub(crate) fn of_name(name: &str) -> u64 {
    let key = *KEY;
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ name.len() as u64;
    let (chunks, rest) = name.as_bytes().as_chunks();
    for chunk in chunks {
        state = fold(state ^ u64::from_le_bytes(*chunk), key);
    }
    let rest = rest.iter().fold(0, |word, octet| word << 8 | u64::from(*octet));
    fold(fold(state ^ rest, key), 0xa076_1d64_78bd_642f)
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}
