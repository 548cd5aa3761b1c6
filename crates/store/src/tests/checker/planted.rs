//! The checker finds what is wrong with a store that is wrong.

use super::*;

/// A violation, and among few histories: the checker sees this bug.
fn is_found(planted: Planted) {
    let found = (0..20).find_map(|seed| block_on(check(seed, 8, planted)).err());
    let violation = found.unwrap_or_else(|| panic!("{planted:?} was not found"));
    println!("{planted:?}: {violation}");
}

#[test]
fn an_acknowledgement_before_the_sync_is_found() {
    is_found(Planted::AckBeforeSync);
}

#[test]
fn a_revision_that_is_used_again_is_found() {
    is_found(Planted::RevisionReuse);
}

#[test]
fn a_gap_in_a_watch_at_compaction_is_found() {
    is_found(Planted::WatchGap);
}

#[test]
fn events_in_the_wrong_order_are_found() {
    is_found(Planted::Reorder);
}

#[test]
fn a_torn_tail_is_found() {
    is_found(Planted::TornTail);
}

#[test]
fn a_full_disk_that_is_taken_for_a_success_is_found() {
    is_found(Planted::SwallowedFull);
}
