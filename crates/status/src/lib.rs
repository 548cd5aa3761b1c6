//! What we say back: addresses and conditions in `status`, events, and the objects the gateway keeps for its users. One writer for every kind.
//!
//! It decides nothing about routes and never reads a whole list: it is told what should be true of an object, compares with what is
//! there, and writes the difference. Publishing never waits for it.
//!
//! ```text
//! control ──put──► Mailbox (latest wish per object) ──► Writer: get → same? nothing : patch with resourceVersion → conflict? again
//!                     Statement: what of a `status` is ours, joined with what others say there
//! reports ──► Ledger (what was said already) ──► event wishes
//! ```
//!
//! **Invariant:** a restart writes nothing when nothing has changed, and only our own entries are ever changed.

mod event;
mod kind;
mod mailbox;
mod statement;
mod wish;
mod writer;

pub use event::{Identity, Ledger, Said, Severity};
pub use kind::{Kind, Target};
pub use mailbox::Mailbox;
pub use statement::{Shape, Statement};
pub use wish::{Address, Reached, Wish, covers};
pub use writer::{WriteError, write, write_all};
