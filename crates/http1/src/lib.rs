//! Strict HTTP/1.1: reading heads and chunk framing, and writing them anew.
//!
//! Everything here works on octets that someone else has read, and on a position in them; there are no sockets, no clock and no tasks. A
//! head is parsed in place: names and values are [`Span`]s into the read buffer, so the common request allocates nothing. What it is *not*: a
//! general HTTP library. It knows what a gateway must refuse, and what a gateway must say on the other side.
//!
//! ```text
//! octets ──► RequestHead::parse ──► canonical_path ──► (route, filters: other crates) ──► HeadWriter ──► octets
//! octets ──► Chunked::next     ──► pieces of body  ──► chunk_head ──► octets
//! octets ──► ResponseHead::parse ─► HeadWriter ──► octets
//! ```
//!
//! **Invariant:** a head or a chunk that can be read in two ways is refused; whatever is written was built here, field by field, so the
//! other side reads what we read. One framing field at most goes out.
//!
//! **Invariant:** the verdict on a message does not depend on how its octets arrive.
#![forbid(unsafe_code)]

mod chunked;
mod connection;
mod fault;
mod field;
mod framing;
mod host;
mod line;
mod octet;
mod path;
mod request;
mod response;
mod write;

pub use chunked::{CHUNK_END, Chunked, LAST_CHUNK, Piece, chunk_head};
pub use fault::Fault;
pub use field::{Field, Fields, Known, Span};
pub use framing::Framing;
pub use host::{Authority, authority};
pub use line::Limits;
pub use octet::{is_token, is_value};
pub use path::{PathError, canonical_path, canonical_query};
pub use request::{Method, RequestHead, Scheme, Target, Version};
pub use response::ResponseHead;
pub use write::{HeadWriter, NotWritable, decimal};
