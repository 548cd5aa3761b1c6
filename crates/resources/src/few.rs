//! A set that mostly has one member.

use std::collections::{BTreeSet, btree_set};
use std::iter::{Chain, FlatMap};
use std::option;

/// As a `BTreeSet`, but one member alone takes no more room than itself: a node of a tree has room for eleven.
#[derive(Clone, Debug)]
pub enum Few<T> {
    One(T),
    Many(BTreeSet<T>),
}

type Alone<'a, T> = option::IntoIter<&'a T>;
type Others<'a, T> = FlatMap<option::IntoIter<&'a BTreeSet<T>>, btree_set::Iter<'a, T>, fn(&'a BTreeSet<T>) -> btree_set::Iter<'a, T>>;

// === impl Few ===

impl<T: Ord> Few<T> {
    /// Whether it was not there before.
    pub fn insert(&mut self, member: T) -> bool {
        match self {
            Self::One(one) if *one == member => false,
            Self::Many(many) if many.is_empty() => {
                *self = Self::One(member);
                true
            }
            Self::Many(many) => many.insert(member),
            Self::One(_) => {
                let Self::One(one) = std::mem::take(self) else { return false };
                *self = Self::Many(BTreeSet::from([one, member]));
                true
            }
        }
    }

    /// Whether it was there.
    pub fn remove(&mut self, member: &T) -> bool {
        match self {
            Self::One(one) if one == member => {
                *self = Self::default();
                true
            }
            Self::One(_) => false,
            Self::Many(many) => many.remove(member),
        }
    }

    pub fn contains(&self, member: &T) -> bool {
        match self {
            Self::One(one) => one == member,
            Self::Many(many) => many.contains(member),
        }
    }
}

impl<T> Few<T> {
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Many(many) if many.is_empty())
    }

    pub fn iter(&self) -> <&Self as IntoIterator>::IntoIter {
        self.into_iter()
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::Many(BTreeSet::new())
    }
}

impl<T: Ord> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        let mut few = Self::default();
        for member in members {
            few.insert(member);
        }
        few
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = Chain<Alone<'a, T>, Others<'a, T>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self {
            Few::One(one) => (Some(one), None),
            Few::Many(many) => (None, Some(many)),
        };
        one.into_iter().chain(many.into_iter().flat_map(BTreeSet::iter as fn(&'a BTreeSet<T>) -> _))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_set() {
        // Every way to put in and take out three members, beside a set.
        for steps in 0..6_u32.pow(5) {
            let (mut few, mut set) = (Few::default(), BTreeSet::new());
            for step in (0..5).map(|at| steps / 6_u32.pow(at) % 6) {
                let member = step % 3;
                match step < 3 {
                    true => assert_eq!(few.insert(member), set.insert(member)),
                    false => assert_eq!(few.remove(&member), set.remove(&member)),
                }
                assert!(few.iter().eq(set.iter()), "{few:?} {set:?}");
                assert_eq!((few.is_empty(), few.contains(&1)), (set.is_empty(), set.contains(&1)));
            }
        }
    }
}
