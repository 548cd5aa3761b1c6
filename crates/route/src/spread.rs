//! A map by name whose copies share all but what was changed since.

use crate::hash;
use std::sync::Arc;

/// Buckets are copied when first written to; 256 of them hold some 40 of 10,000 names each.
const BUCKETS: usize = 256;

/// Names to values. Cloning costs 256 reference counts, and a change afterwards one bucket.
pub(crate) struct Spread<T> {
    /// Each sorted by hash.
    buckets: Box<[Arc<Vec<Slot<T>>>]>,
    len: usize,
}

struct Slot<T> {
    hash: u64,
    value: T,
}

/// A value that knows the name it is found by.
pub(crate) trait Named {
    fn name(&self) -> &str;
}

impl<T: Clone> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self { hash: self.hash, value: self.value.clone() }
    }
}

impl<T> Clone for Spread<T> {
    fn clone(&self) -> Self {
        Self { buckets: self.buckets.clone(), len: self.len }
    }
}

impl<T> Default for Spread<T> {
    fn default() -> Self {
        let empty = Arc::new(Vec::new());
        Self { buckets: vec![empty; BUCKETS].into(), len: 0 }
    }
}

impl<T: Named + Clone> Spread<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        if self.len == 0 {
            return None;
        }
        let hash = hash::of_name(name);
        let bucket = &self.buckets[bucket(hash)];
        let from = bucket.partition_point(|slot| slot.hash < hash);
        bucket[from..].iter().take_while(|slot| slot.hash == hash).map(|slot| &slot.value).find(|value| value.name() == name)
    }

    pub(crate) fn insert(&mut self, value: T) {
        let hash = hash::of_name(value.name());
        let slots = Arc::make_mut(&mut self.buckets[bucket(hash)]);
        match position(slots, hash, value.name()) {
            Ok(at) => slots[at].value = value,
            Err(at) => {
                slots.reserve_exact(if slots.len() == slots.capacity() { slots.len() / 4 + 2 } else { 0 });
                slots.insert(at, Slot { hash, value });
                self.len += 1;
            }
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        let hash = hash::of_name(name);
        let shared = &mut self.buckets[bucket(hash)];
        if let Ok(at) = position(shared, hash, name) {
            Arc::make_mut(shared).remove(at);
            self.len -= 1;
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.buckets.iter().flat_map(|bucket| bucket.iter().map(|slot| &slot.value))
    }
}

fn bucket(hash: u64) -> usize {
    (hash >> 56) as usize
}

/// Where the name is, or where it belongs.
fn position<T: Named>(slots: &[Slot<T>], hash: u64, name: &str) -> Result<usize, usize> {
    let from = slots.partition_point(|slot| slot.hash < hash);
    let same = slots[from..].iter().take_while(|slot| slot.hash == hash).position(|slot| slot.value.name() == name);
    same.map_or(Err(from), |at| Ok(from + at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Pair(String, u32);

    impl Named for Pair {
        fn name(&self) -> &str {
            &self.0
        }
    }

    #[test]
    fn a_copy_keeps_what_the_other_loses() {
        let mut old = Spread::default();
        for n in 0..1000 {
            old.insert(Pair(format!("h{n}.test"), n));
        }
        let mut new = old.clone();
        new.remove("h7.test");
        new.remove("h7.test");
        new.insert(Pair("h8.test".into(), 80));
        assert_eq!((old.len(), new.len()), (1000, 999));
        assert_eq!(old.get("h7.test"), Some(&Pair("h7.test".into(), 7)));
        assert_eq!(new.get("h7.test"), None);
        assert_eq!((old.get("h8.test").map(|it| it.1), new.get("h8.test").map(|it| it.1)), (Some(8), Some(80)));
        assert!((9..1000).all(|n| new.get(&format!("h{n}.test")).is_some_and(|it| it.1 == n)));
        let unshared = old.buckets.iter().zip(&new.buckets).filter(|(a, b)| !Arc::ptr_eq(a, b)).count();
        assert!((1..=2).contains(&unshared), "{unshared} buckets were copied");
    }
}
