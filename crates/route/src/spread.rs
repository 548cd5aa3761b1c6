//! A map by name whose copies share all but what was changed since.

use crate::hash;
use model::Hostname;
use std::sync::Arc;

/// Buckets are copied when first written to; 256 of them hold some 40 of 10,000 names each.
const BUCKETS: usize = 256;

/// Names to values. Cloning costs 256 reference counts, and a change afterwards one bucket.
pub(crate) struct Spread<T> {
    /// Each sorted by hash.
    buckets: Box<[Bucket<T>]>,
    len: usize,
}

/// The name stands beside the value, so that the two are fetched at the same time.
#[derive(Clone)]
struct Slot<T> {
    hash: u64,
    name: Hostname,
    value: T,
}

type Bucket<T> = Arc<[Slot<T>]>;

impl<T> Clone for Spread<T> {
    fn clone(&self) -> Self {
        Self { buckets: self.buckets.clone(), len: self.len }
    }
}

impl<T> Default for Spread<T> {
    fn default() -> Self {
        let empty = Arc::from([]);
        Self { buckets: vec![empty; BUCKETS].into(), len: 0 }
    }
}

impl<T: Clone> Spread<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        if self.len == 0 {
            return None;
        }
        let hash = hash::of_name(name);
        let bucket = &self.buckets[bucket(hash)];
        position(bucket, hash, name).ok().map(|at| &bucket[at].value)
    }

    /// Many at once cost one copy of each bucket they touch, not one each.
    pub(crate) fn change(&mut self, changes: Vec<(Hostname, Option<T>)>) {
        let mut changes: Vec<(u64, Hostname, Option<T>)> =
            changes.into_iter().map(|(name, value)| (hash::of_name(name.as_str()), name, value)).collect();
        // Stable: of two changes to one name the later wins.
        changes.sort_by_key(|(hash, ..)| bucket(*hash));
        let mut changes = changes.into_iter().peekable();
        while let Some((hash, name, value)) = changes.next() {
            let shared = &mut self.buckets[bucket(hash)];
            let mut slots = shared.to_vec();
            self.len -= slots.len();
            set(&mut slots, hash, name, value);
            while let Some((hash, name, value)) = changes.next_if(|(next, ..)| bucket(*next) == bucket(hash)) {
                set(&mut slots, hash, name, value);
            }
            self.len += slots.len();
            *shared = slots.into();
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.buckets.iter().flat_map(|bucket| bucket.iter().map(|slot| &slot.value))
    }
}

fn bucket(hash: u64) -> usize {
    (hash >> 56) as usize
}

fn set<T>(slots: &mut Vec<Slot<T>>, hash: u64, name: Hostname, value: Option<T>) {
    match (position(slots, hash, name.as_str()), value) {
        (Ok(at), Some(value)) => slots[at].value = value,
        (Ok(at), None) => drop(slots.remove(at)),
        (Err(at), Some(value)) => slots.insert(at, Slot { hash, name, value }),
        (Err(_), None) => {}
    }
}

/// Where the name is, or where it belongs.
fn position<T>(slots: &[Slot<T>], hash: u64, name: &str) -> Result<usize, usize> {
    let from = slots.partition_point(|slot| slot.hash < hash);
    let same = slots[from..].iter().take_while(|slot| slot.hash == hash).position(|slot| slot.name.as_str() == name);
    same.map_or(Err(from), |at| Ok(from + at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_what_the_other_loses() {
        let name = |n: u32| Hostname::parse(&format!("h{n}.test")).expect("a good name");
        let mut old = Spread::default();
        old.change((0..1000).map(|n| (name(n), Some(n))).collect());
        let mut new = old.clone();
        new.change(vec![(name(7), None), (name(7), None), (name(8), Some(79)), (name(8), Some(80)), (name(2000), None)]);
        assert_eq!((old.len(), new.len()), (1000, 999));
        assert_eq!((old.get("h7.test"), new.get("h7.test")), (Some(&7), None));
        assert_eq!((old.get("h8.test"), new.get("h8.test")), (Some(&8), Some(&80)));
        assert!((9..1000).all(|n| new.get(&format!("h{n}.test")) == Some(&n)));
        assert_eq!(new.iter().count(), 999);
        let unshared = old.buckets.iter().zip(&new.buckets).filter(|(a, b)| !Arc::ptr_eq(a, b)).count();
        assert!((1..=3).contains(&unshared), "{unshared} buckets were copied");
    }
}
