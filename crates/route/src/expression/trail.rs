//! The patterns people write for paths: a literal, then segments or a rest. They are matched step by step, without ever going back.
//!
//! **Invariant:** a pattern is read as a trail only where trying each step once, greedily, gives what a backtracking engine gives, groups
//! included, in time linear in the text.

use super::Found;
use model::{Anchor, Case};
use regex_automata::util::primitives::NonMaxUsize;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

#[derive(Debug)]
pub(super) struct Trail {
    steps: Box<[Step]>,
    groups: usize,
    anchored: bool,
    case: Case,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Literal(Box<[u8]>),
    /// `/?`
    MaybeSlash,
    /// `(/|$)`
    SlashOrEnd,
    /// `[^/]*` (`at_least` 0) or `[^/]+` (1).
    Segment {
        at_least: usize,
    },
    /// `.*` (`at_least` 0) or `.+` (1).
    Rest {
        at_least: usize,
    },
    /// `$`
    End,
    /// `(…)?` with nothing but `$` behind it.
    Maybe(Box<[Step]>),
    Open(usize),
    Close(usize),
}

type Slots<'a> = &'a mut [Option<NonMaxUsize>];

// === impl Trail ===

impl Trail {
    /// `hir` must have been read case-sensitively.
    pub(super) fn read(hir: &Hir, anchor: Anchor, case: Case) -> Option<Self> {
        let mut reader = Reader { anchored: anchor != Anchor::None, steps: Vec::new(), groups: 1 };
        reader.read(hir)?;
        if anchor == Anchor::Whole {
            reader.steps.push(Step::End);
        }
        let Reader { anchored, steps, groups } = reader;
        let sound = follows(&steps, None) && (anchored || searchable(&steps));
        sound.then(|| Self { steps: steps.into(), groups, anchored, case })
    }

    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    pub(super) fn prefix(&self) -> &[u8] {
        match self.first() {
            Some(Step::Literal(literal)) if self.anchored => literal,
            _ => &[],
        }
    }

    fn first(&self) -> Option<&Step> {
        self.steps.iter().find(|step| !step.is_mark())
    }

    pub(super) fn run(&self, text: &[u8], from: usize, slots: Slots) -> Found {
        let mut from = match text.get(from..).map(|rest| rest.iter().position(|octet| *octet == b'/')) {
            _ if from == 0 => 0,
            Some(Some(next)) if !self.anchored => from + next,
            _ => return Found::No,
        };
        loop {
            if let Some(end) = self.walk(&self.steps, text, from, slots) {
                mark(slots, 0, from);
                mark(slots, 1, end);
                return Found::Yes;
            }
            if self.anchored {
                return Found::No;
            }
            slots.fill(None);
            // Unanchored trails begin with a slash.
            match text.get(from + 1..).and_then(|rest| rest.iter().position(|octet| *octet == b'/')) {
                Some(next) => from += 1 + next,
                None => return Found::No,
            }
        }
    }

    /// The place after the steps, if they fit.
    fn walk(&self, steps: &[Step], text: &[u8], from: usize, slots: Slots) -> Option<usize> {
        let mut at = from;
        for (index, step) in steps.iter().enumerate() {
            let rest = &text[at..];
            match step {
                Step::Literal(literal) => {
                    let head = rest.get(..literal.len())?;
                    let same = if self.case == Case::Sensitive { head == &**literal } else { head.eq_ignore_ascii_case(literal) };
                    at += same.then_some(literal.len())?;
                }
                Step::MaybeSlash => at += usize::from(rest.first() == Some(&b'/')),
                Step::SlashOrEnd => at += if rest.is_empty() { 0 } else { (rest[0] == b'/').then_some(1)? },
                Step::Segment { at_least } => at += run_of(rest, b'/', *at_least)?,
                Step::Rest { at_least } => at += run_of(rest, b'\n', *at_least)?,
                Step::End => rest.is_empty().then_some(())?,
                Step::Maybe(inner) => {
                    let behind = &steps[index + 1..];
                    let taken = self.walk(inner, text, at, slots).and_then(|at| self.walk(behind, text, at, slots));
                    return taken.or_else(|| {
                        forget(inner, slots);
                        self.walk(behind, text, at, slots)
                    });
                }
                Step::Open(group) => mark(slots, 2 * group, at),
                Step::Close(group) => mark(slots, 2 * group + 1, at),
            }
        }
        Some(at)
    }
}

/// How many octets come before `stop`, if enough.
fn run_of(text: &[u8], stop: u8, at_least: usize) -> Option<usize> {
    let run = text.iter().position(|octet| *octet == stop).unwrap_or(text.len());
    (run >= at_least).then_some(run)
}

fn mark(slots: Slots, slot: usize, at: usize) {
    if let Some(slot) = slots.get_mut(slot) {
        *slot = NonMaxUsize::new(at);
    }
}

/// Unsets the groups within steps that were tried in vain.
fn forget(steps: &[Step], slots: Slots) {
    for step in steps {
        match step {
            Step::Open(group) => {
                for slot in [2 * group, 2 * group + 1] {
                    if let Some(slot) = slots.get_mut(slot) {
                        *slot = None;
                    }
                }
            }
            Step::Maybe(inner) => forget(inner, slots),
            _ => {}
        }
    }
}

// === impl Step ===

impl Step {
    fn is_mark(&self) -> bool {
        matches!(self, Self::Open(_) | Self::Close(_))
    }

    fn begins_with_slash(&self) -> bool {
        match self {
            Self::Literal(literal) => literal.first() == Some(&b'/'),
            Self::Maybe(inner) => inner.iter().find(|step| !step.is_mark()).is_some_and(Self::begins_with_slash),
            _ => false,
        }
    }
}

/// Whether no step could ever give way to a later one. `behind`: the first step after these.
fn follows(steps: &[Step], behind: Option<&Step>) -> bool {
    let mut real = steps.iter().filter(|step| !step.is_mark()).peekable();
    while let Some(step) = real.next() {
        let next = real.peek().copied().or(behind);
        let ended = matches!(next, None | Some(Step::End));
        let fine = match step {
            Step::Literal(_) | Step::SlashOrEnd => true,
            Step::MaybeSlash => ended || next == Some(&Step::Rest { at_least: 0 }),
            Step::Segment { .. } => ended || next.is_some_and(|next| matches!(next, Step::SlashOrEnd) || next.begins_with_slash()),
            Step::Rest { .. } | Step::End => ended,
            Step::Maybe(inner) => ended && follows(inner, next),
            Step::Open(_) | Step::Close(_) => true,
        };
        if !fine {
            return false;
        }
    }
    true
}

/// Whether trying every slash of a text in turn stays linear: runs of different tries must not overlap.
fn searchable(steps: &[Step]) -> bool {
    fn scans_twice(steps: &[Step]) -> bool {
        let rest = steps.iter().any(|step| matches!(step, Step::Rest { .. }));
        let end = steps.iter().any(|step| matches!(step, Step::End));
        rest && end || steps.iter().any(|step| matches!(step, Step::Maybe(_)))
    }
    let begins = steps.iter().find(|step| !step.is_mark()).is_some_and(|step| matches!(step, Step::Literal(_)) && step.begins_with_slash());
    begins && !scans_twice(steps)
}

struct Reader {
    anchored: bool,
    steps: Vec<Step>,
    groups: usize,
}

impl Reader {
    fn read(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => self.literal(&literal.0),
            HirKind::Look(Look::Start) if self.steps.iter().all(Step::is_mark) => self.anchored = true,
            HirKind::Look(Look::End) => self.steps.push(Step::End),
            HirKind::Capture(capture) => {
                let group = capture.index as usize;
                self.groups = self.groups.max(group + 1);
                self.steps.push(Step::Open(group));
                self.read(&capture.sub)?;
                self.steps.push(Step::Close(group));
            }
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.read(part))?,
            HirKind::Alternation(arms) => {
                let [a, b] = arms.as_slice() else { return None };
                let slash_or_end = |a: &Hir, b: &Hir| is_slash(a) && matches!(b.kind(), HirKind::Look(Look::End));
                (slash_or_end(a, b) || slash_or_end(b, a)).then(|| self.steps.push(Step::SlashOrEnd))?;
            }
            HirKind::Repetition(repetition) => self.repetition(repetition)?,
            HirKind::Look(_) | HirKind::Class(_) => return None,
        }
        Some(())
    }

    fn literal(&mut self, octets: &[u8]) {
        match self.steps.last_mut() {
            Some(Step::Literal(before)) => *before = [before, octets].concat().into(),
            _ => self.steps.push(Step::Literal(octets.into())),
        }
    }

    fn repetition(&mut self, it: &Repetition) -> Option<()> {
        if !it.greedy {
            return None;
        }
        let at_least = it.min as usize;
        let step = match (it.sub.kind(), it.max) {
            (HirKind::Class(class), None) if at_least <= 1 => match lacks(class)? {
                b'/' => Step::Segment { at_least },
                b'\n' => Step::Rest { at_least },
                _ => return None,
            },
            (_, Some(1)) if at_least == 0 && is_slash(&it.sub) => Step::MaybeSlash,
            (_, Some(1)) if at_least == 0 => {
                let mut inner = Self { anchored: self.anchored, steps: Vec::new(), groups: self.groups };
                // A `^` within would be taken for one at the beginning.
                inner.steps.push(Step::End);
                inner.read(&it.sub)?;
                inner.steps.remove(0);
                self.groups = inner.groups;
                Step::Maybe(inner.steps.into())
            }
            _ => return None,
        };
        self.steps.push(step);
        Some(())
    }
}

fn is_slash(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Literal(literal) if &*literal.0 == b"/")
}

/// The one octet that a class lacks.
fn lacks(class: &Class) -> Option<u8> {
    let Class::Bytes(class) = class else { return None };
    let missing = match class.ranges() {
        [low, high] if low.start() == 0 && high.end() == 255 => low.end().checked_add(1)?,
        _ => return None,
    };
    (class.ranges()[1].start() == missing + 1).then_some(missing)
}
