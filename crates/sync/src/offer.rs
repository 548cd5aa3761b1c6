//! The state of one gateway's link, at control's end. No IO.
//!
//! ```text
//! hello ─► Inventory ─► (Lack) ─► bodies, Commit ─► (Ack) ─► idle ─► bodies, gone, Commit ─► (Ack) ─► idle …
//! ```
//!
//! One change is on its way at a time; what comes meanwhile is merged, because the next one leads to what is there by then.

use crate::LinkError;
use crate::entry::Entry;
use crate::stock::{Item, Items};
use crate::wire::frame::{self, Body, Inventory, Told};
use model::Version;
use std::sync::Arc;

/// Entries of one part of an inventory: some 100 octets each.
const PART: usize = 4096;

#[derive(Default)]
pub struct Offer {
    /// What the gateway has acknowledged.
    acked: Option<Items>,
    under_way: Option<UnderWay>,
}

enum UnderWay {
    /// It has been told what there is.
    Inventory {
        items: Items,
        version: Version,
        lacks: Vec<u32>,
    },
    Commit {
        items: Items,
        version: Version,
    },
}

/// What is to be sent, one after another: it is not all in memory at once.
pub type Messages = Box<dyn Iterator<Item = Told> + Send>;

// === impl Offer ===

impl Offer {
    /// Whether the gateway may be told something new.
    pub fn is_idle(&self) -> bool {
        self.under_way.is_none()
    }

    /// Tells a gateway that has just come what there is.
    pub fn inventory(&mut self, items: Items, version: Version) -> Messages {
        self.under_way = Some(UnderWay::Inventory { items: items.clone(), version, lacks: Vec::new() });
        let entries = items.iter().map(|(entry, item)| frame::Entry { key: Some(entry.key()), digest: item.digest.to_vec() });
        let mut entries: Vec<frame::Entry> = entries.collect();
        let mut parts = Vec::new();
        while entries.len() > PART {
            let rest = entries.split_off(PART);
            parts.push(Told::Inventory(Inventory { entries: std::mem::replace(&mut entries, rest), last: false }));
        }
        parts.push(Told::Inventory(Inventory { entries, last: true }));
        Box::new(parts.into_iter())
    }

    /// What the gateway lacks of it. `None`: more of that list comes.
    pub fn lack(&mut self, lack: &frame::Lack) -> Result<Option<Messages>, LinkError> {
        let Some(UnderWay::Inventory { items, version, lacks }) = &mut self.under_way else {
            return Err(LinkError::Unexpected("a list of what is lacking"));
        };
        if lacks.len() + lack.entries.len() > items.len() {
            return Err(LinkError::Unexpected("a longer list of what is lacking than there is"));
        }
        lacks.extend(&lack.entries);
        if !lack.last {
            return Ok(None);
        }
        lacks.sort_unstable();
        lacks.dedup();
        let (items, version, lacks) = (items.clone(), *version, std::mem::take(lacks));
        self.under_way = Some(UnderWay::Commit { items: items.clone(), version });
        let (mut index, mut wanted) = (0_u32, lacks.into_iter().peekable());
        let bodies: Vec<Told> = items
            .iter()
            .filter(|_| {
                let is = wanted.next_if(|it| *it <= index).is_some();
                index = index.saturating_add(1);
                is
            })
            .map(|(entry, item)| body(entry, item))
            .collect();
        Ok(Some(Box::new(bodies.into_iter().chain([commit(version)]))))
    }

    /// From what the gateway has to what it is to have. `None`: it has that.
    pub fn change(&mut self, items: &Items, version: Version) -> Option<Messages> {
        let acked = self.acked.as_ref().filter(|_| self.under_way.is_none())?;
        if Arc::ptr_eq(acked, items) {
            return None;
        }
        if acked == items {
            self.acked = Some(items.clone());
            return None;
        }
        let new = items.iter().filter(|(entry, item)| acked.get(*entry) != Some(*item)).map(|(entry, item)| body(entry, item));
        // Last what others needed.
        let gone = acked.keys().rev().filter(|it| !items.contains_key(*it)).map(|it| Told::Gone(it.key()));
        let messages: Vec<Told> = new.chain(gone).chain([commit(version)]).collect();
        self.under_way = Some(UnderWay::Commit { items: items.clone(), version });
        Some(Box::new(messages.into_iter()))
    }

    pub fn acknowledged(&mut self, version: Version) -> Result<(), LinkError> {
        match self.under_way.take() {
            Some(UnderWay::Commit { items, version: expected }) if expected == version => {
                self.acked = Some(items);
                Ok(())
            }
            _ => Err(LinkError::Unexpected("an acknowledgement of something else")),
        }
    }
}

fn body(entry: &Entry, item: &Item) -> Told {
    Told::Body(Body { key: Some(entry.key()), digest: item.digest.to_vec(), octets: item.octets.clone() })
}

fn commit(version: Version) -> Told {
    Told::Commit(frame::Version { epoch: version.epoch, sequence: version.sequence })
}
