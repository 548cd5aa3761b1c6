//! The format's number, and the way from every older one to the newest, a step at a time.
//!
//! **Invariant:** a step is one transaction, the number included: whenever it is cut off, the file is of the older format
//! or of the newer one, and the next start goes on from there.

use std::hash::{BuildHasher, RandomState};

use redb::{Database, WriteTransaction};

use super::{META, begin};

/// Rises with every change of what the file holds that an older version cannot read, or would spoil.
pub(crate) const FORMAT: u64 = 2;

/// Makes of a file of one format what the next expects.
type Step = fn(&WriteTransaction) -> Result<(), redb::Error>;

/// From format 1 to 2, from 2 to 3, and so on. They stay as they are: a table that a later format drops is named here.
const STEPS: [Step; 1] = [give_it_a_name];

/// A row of [`META`]: which store this is, to tell an older state of it from another one.
pub(super) const NAME: &str = "name";

const _: () = assert!(STEPS.len() as u64 == FORMAT - 1, "a step from every format to the next");

/// Takes a file of format `found` to [`FORMAT`].
pub(super) fn migrate(database: &Database, found: u64) -> Result<(), redb::Error> {
    for (step, from) in STEPS.iter().zip(1..).skip_while(|(_, from)| *from < found) {
        let transaction = begin(database)?;
        step(&transaction)?;
        transaction.open_table(META)?.insert("format", from + 1)?;
        transaction.commit()?;
        tracing::info!(from, to = from + 1, "the store's format was migrated");
    }
    Ok(())
}

pub(super) fn give_it_a_name(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    // As the standard library keys its maps: a number that no other store has, most likely.
    let name = RandomState::new().hash_one(std::process::id());
    transaction.open_table(META)?.insert(NAME, name)?;
    Ok(())
}
