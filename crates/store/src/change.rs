//! What a write asks for and what a watch tells.

use std::sync::Arc;

use crate::Revision;

/// One object as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub revision: Revision,
    pub bytes: Arc<[u8]>,
}

/// One change of one key.
#[derive(Clone, Debug)]
pub struct Op {
    pub key: String,
    pub expect: Expect,
    pub change: Change,
}

/// What must be true of the key just before the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    Anything,
    Absent,
    Present,
    Revision(Revision),
}

#[derive(Clone, Debug)]
pub enum Change {
    Put(Vec<u8>),
    Delete,
    /// Nothing is changed; the expectation must hold for the changes beside it.
    Nothing,
}

/// One change that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub revision: Revision,
    pub key: Arc<str>,
    /// What the key holds since; `None` when it was deleted.
    pub now: Option<Arc<[u8]>>,
    /// What the key held before.
    pub before: Option<Object>,
}

// === impl Op ===

impl Op {
    pub fn put(key: impl Into<String>, expect: Expect, bytes: Vec<u8>) -> Self {
        Self { key: key.into(), expect, change: Change::Put(bytes) }
    }

    pub fn delete(key: impl Into<String>, expect: Expect) -> Self {
        Self { key: key.into(), expect, change: Change::Delete }
    }

    pub fn check(key: impl Into<String>, expect: Expect) -> Self {
        Self { key: key.into(), expect, change: Change::Nothing }
    }
}

// === impl Event ===

impl Event {
    /// Bytes of objects that the event keeps alive.
    pub(crate) fn size(&self) -> usize {
        let before = self.before.as_ref().map_or(0, |object| object.bytes.len());
        self.key.len() + before + self.now.as_ref().map_or(0, |bytes| bytes.len())
    }
}
