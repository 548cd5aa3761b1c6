//! Bugs that a test plants, to see that the checker finds them. In no build but that of the tests.

use crate::WriteError;
use crate::writer::{Group, Writer, answer};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Planted {
    #[default]
    Nothing,
    /// Writes are acknowledged and shown, then written.
    AckBeforeSync,
    /// A start counts on from the newest object that is left.
    RevisionReuse,
    /// A watch that is too old is not told, but goes on with what is there.
    WatchGap,
    /// A watch gives two events in the wrong order.
    Reorder,
    /// Half of what belongs together may be all that is on disk.
    TornTail,
    /// A full disk is taken for a success.
    SwallowedFull,
}

// === impl Writer ===

impl Writer {
    /// What is left to do properly.
    pub(crate) fn misbehave(&mut self, group: Group) -> Option<Group> {
        match self.limits.planted {
            Planted::AckBeforeSync => {
                let gone = self.gone(&group.events);
                self.publish(&group.events);
                for (done, outcome) in group.waiting {
                    answer(done, outcome);
                }
                if let Some(last) = group.events.last() {
                    let _ = self.disk.commit(&group.events, gone, last.revision);
                }
                None
            }
            Planted::TornTail if group.events.len() > 1 => {
                let (head, tail) = group.events.split_at(group.events.len() / 2);
                let result = self.commit(head).and_then(|()| self.commit(tail));
                self.settle(group, &result);
                None
            }
            Planted::SwallowedFull => {
                let result = match self.commit(&group.events) {
                    Err(WriteError::Full { .. }) => Ok(()),
                    result => result,
                };
                self.settle(group, &result);
                None
            }
            _ => Some(group),
        }
    }
}
