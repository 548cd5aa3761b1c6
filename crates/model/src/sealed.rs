//! Secrets that cannot be printed by accident.

use serde::{Serialize, Serializer};
use std::fmt;

/// A key, password or token. `Debug` and `Serialize` show `"<sealed>"`; [`Sealed::open`] is the one way out.
///
/// **Invariant:** no other way out is ever added.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sealed<T>(T);

impl<T> Sealed<T> {
    pub fn new(secret: T) -> Self {
        Self(secret)
    }

    /// The secret itself. Grep for this name to see every place where one is used.
    pub fn open(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<sealed>")
    }
}

impl<T> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("<sealed>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_the_secret() {
        assert_eq!(format!("{:?}", Sealed::new("hunter2")), "<sealed>");
    }
}
