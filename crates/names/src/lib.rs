//! A DNS server for the names that lead to gateways: names with an address in them, as those of nip.io, and the routes' own.
//!
//! ```text
//! packet ──► answer(Zones, packet) ──► packet     pure: literal (what address a name holds), table (the routes' hosts)
//!    ▲                                    │
//!  serve: UDP, TCP ◄──── limit: how much one network gets
//! ```
//!
//! It is *not* a resolver: it asks nobody, and refuses what is not in its zones. Its zones are the configured suffixes and, each by itself, the
//! hosts of routes.
//!
//! **Invariant:** nothing that comes in a packet makes it panic, wait or grow.
//! **Invariant:** a name under a suffix that holds an address means that address, whatever hosts routes have; but for a host that a gateway
//! was given by its address and keeps for a while after that has changed.

mod addresses;
mod answer;
mod counters;
mod limit;
mod literal;
mod resolver;
mod serve;
mod table;
mod tcp;
mod udp;

pub use answer::{Over, Zones, answer};
pub use counters::Counters;
pub use limit::{Limiter, Verdict};
pub use literal::{Literal, literal};
pub use resolver::{Resolver, resolver_line};
pub use serve::{Fault, Listening, Server};
pub use table::{Found, Leads, Table};
