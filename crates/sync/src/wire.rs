//! The messages of the link, as they are on the wire: protocol buffers of our own, never the model's types.
//!
//! Rules for whoever changes them:
//!
//! * A number is never used for something else again. What is added is a field or a variant that is absent from the octets while nobody uses
//!   it: a gateway of the last release then reads back what it always did.
//! * A gateway closes what it cannot read back exactly as it was sent, see [`exactly`]. So a new field closes, at older gateways, just the routes
//!   that use it.
//! * What is one of several words is a number from 1 on; 0 is never sent, and read as a word that is not known.

pub mod frame;
pub mod gateway;
pub mod host;
pub mod route;
pub mod word;

use prost::Message;

/// What could not be read: the words a nack has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unread(pub String);

impl Unread {
    /// Something that this version has no word for.
    pub fn unknown(what: &str) -> Self {
        Self(format!("{what} of a kind that this version of the gateway does not know"))
    }

    /// Something that must be there is not.
    pub fn lacks(what: &str) -> Self {
        Self(format!("{what} is missing"))
    }
}

/// How faithfully a message was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    Exact,
    /// There are fields that this version does not know: it reads back shorter than it was sent.
    Partial,
}

/// Reads a message, and says whether that is all of it: what it is written as again is compared with what came.
pub fn exactly<M: Message + Default>(octets: &[u8]) -> Result<(M, Reading), Unread> {
    let message = M::decode(octets).map_err(|error| Unread(format!("it cannot be read: {error}")))?;
    let reading = if message.encode_to_vec() == octets { Reading::Exact } else { Reading::Partial };
    Ok((message, reading))
}

/// As [`exactly`], where nothing may be left out.
pub fn wholly<M: Message + Default>(what: &str, octets: &[u8]) -> Result<M, Unread> {
    match exactly(octets)? {
        (message, Reading::Exact) => Ok(message),
        (_, Reading::Partial) => Err(Unread(format!("{what} has parts that this version of the gateway does not know"))),
    }
}
