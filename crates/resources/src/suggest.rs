//! Did you mean …?

use crate::kind::meta::Name;
use crate::set::Resources;

/// Longest word that is compared, in octets.
const LONGEST: usize = 128;

/// The candidate nearest to `word`, if one is near enough to be what was meant: at most a third of it differs.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let bound = (word.len() / 3).clamp(1, 4);
    let mut best = None;
    for candidate in candidates.into_iter().filter(|it| it.len() <= LONGEST && it.len().abs_diff(word.len()) <= bound) {
        let distance = distance(word.as_bytes(), candidate.as_bytes(), bound);
        if distance > 0 && distance <= bound && best.is_none_or(|(least, name)| (distance, candidate) < (least, name)) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A hint: what was probably meant, else what to do.
pub fn suggest(near: Option<&str>, otherwise: impl FnOnce() -> String) -> String {
    near.map_or_else(otherwise, |near| format!("Did you mean `{near}`?"))
}

// === impl Resources ===

impl Resources {
    /// The hint for a Service that is named and does not exist.
    pub fn suggest_service(&self, missing: &Name) -> String {
        let Name { namespace, name } = missing;
        suggest(nearest(name, self.services_like(missing)), || format!("Create a Service `{name}` in namespace `{namespace}`"))
    }

    /// The hint for a Secret that is named for its certificate and does not exist.
    pub fn suggest_secret(&self, missing: &Name) -> String {
        let Name { namespace, name } = missing;
        let make = || format!("Make it with `kubectl -n {namespace} create secret tls {name} --cert=FILE --key=FILE`");
        suggest(nearest(name, self.secrets_like(missing)), make)
    }
}

/// Edits between two words (insert, delete, replace, swap neighbours); more than `bound` are not counted.
fn distance(a: &[u8], b: &[u8], bound: usize) -> usize {
    // Small numbers: a word has at most LONGEST octets.
    let mut rows = [[0_u8; LONGEST + 1]; 3];
    let [before, last, row] = &mut rows;
    let (mut before, mut last, mut row) = (before, last, row);
    for (index, cell) in (0..).zip(last.iter_mut().take(b.len() + 1)) {
        *cell = index;
    }
    for (i, edits) in (1..=a.len()).zip(1_u8..) {
        row[0] = edits;
        let mut least = edits;
        for j in 1..=b.len() {
            let replace = last[j - 1] + u8::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
            least = least.min(row[j]);
        }
        // A swap can still take one off the row before.
        if usize::from(least) > bound + 1 {
            return usize::from(least);
        }
        (before, last, row) = (last, row, before);
    }
    usize::from(last[b.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant() {
        let names = ["checkout", "cart", "web"];
        for (word, expect) in
            [("chekout", Some("checkout")), ("crat", Some("cart")), ("wbe", Some("web")), ("payment", None), ("web", None)]
        {
            assert_eq!(nearest(word, names), expect, "{word}");
        }
    }
}
