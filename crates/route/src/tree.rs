//! Finds, among the matches of one host, the lowest that holds.
//!
//! Every match that a path must *begin* with something for is found by that beginning: while the path is hashed from the left, each length
//! at which any match could begin is looked up. What is left (any path, patterns that begin with anything) is tried in order, as far as
//! the best one found. Beginnings are compared in lower case and each candidate is then checked in full, so that one table serves exact
//! paths, prefixes and patterns of either case.

use crate::Request;
use crate::hash::Rolling;
use crate::matching::{Check, Entry, Head};
use model::Route;

/// Up to this many matches are tried one after another: cheaper than hashing the path.
const FEW: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Tree {
    entries: Box<[Entry]>,
    /// Lengths of beginnings, ascending, each once.
    lengths: Box<[u32]>,
    /// Hash of a beginning and the entry it leads to, sorted.
    begins: Box<[(u64, u32)]>,
    /// Entries without a known beginning, ascending.
    others: Box<[u32]>,
}

/// The lowest entry that did not fail.
pub(crate) enum Hit {
    Route(usize),
    OverBudget,
}

impl Tree {
    /// `entries` in the order of routes and their matches.
    pub(crate) fn build(entries: Vec<Entry>) -> Self {
        let mut tree = Self { entries: entries.into(), ..Self::default() };
        if tree.entries.len() <= FEW {
            tree.others = (0..).take(tree.entries.len()).collect();
            return tree;
        }
        let mut keyed = Vec::new();
        let mut others = Vec::new();
        for (number, entry) in (0..).zip(&tree.entries) {
            let begins = entry.begins();
            if begins.is_empty() { others.push(number) } else { keyed.push((begins, number)) }
        }
        let mut lengths: Vec<u32> = keyed.iter().filter_map(|(text, _)| u32::try_from(text.len()).ok()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let mut begins: Vec<(u64, u32)> = keyed.iter().map(|(text, number)| (hash(text), *number)).collect();
        begins.sort_unstable();
        Self { lengths: lengths.into(), begins: begins.into(), others: others.into(), ..tree }
    }

    pub(crate) fn find(&self, routes: &[Route], request: &Request) -> Option<Hit> {
        let head = Head::of(request.path.as_bytes());
        let mut best: Option<(u32, Hit)> = None;
        let mut consider = |number: u32| {
            if best.as_ref().is_some_and(|(best, _)| *best <= number) {
                return false;
            }
            let entry = &self.entries[number as usize];
            let hit = match entry.check(routes, request, head) {
                Check::Holds => Hit::Route(entry.route as usize),
                Check::OverBudget => Hit::OverBudget,
                Check::Fails(_) => return true,
            };
            best = Some((number, hit));
            false
        };
        self.begun(request.path.as_bytes(), &mut consider);
        // Both lists ascend: the first that holds, or one beyond the best so far, ends it.
        for number in &self.others {
            if !consider(*number) {
                break;
            }
        }
        best.map(|(_, hit)| hit)
    }

    /// Offers every entry whose beginning the path has.
    fn begun(&self, path: &[u8], consider: &mut impl FnMut(u32) -> bool) {
        let mut hash = Rolling::new();
        let mut hashed = 0;
        for length in self.lengths.iter().map(|length| *length as usize) {
            let Some(more) = path.get(hashed..length) else { return };
            hash.extend(more);
            hashed = length;
            let from = self.begins.partition_point(|(known, _)| *known < hash.now());
            for (known, number) in &self.begins[from..] {
                if *known != hash.now() || !consider(*number) {
                    break;
                }
            }
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

fn hash(text: &[u8]) -> u64 {
    let mut hash = Rolling::new();
    hash.extend(text);
    hash.now()
}
