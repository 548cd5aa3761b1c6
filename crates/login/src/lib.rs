//! Who one is: passwords, the tokens that stand for them, and people whom an OIDC issuer knows.
//!
//! It is *not* an API: it knows no requests, no objects and no store, and what somebody may do is not its business. The `apiserver`
//! crate keeps hashes and epochs, signs tokens, and asks here.
//!
//! ```text
//! name, password ─► guard: may this be tried now? ─► hashing: argon2id, a few at once ─► ticket: claims of a token
//! id token ─► oidc: keys of the issuer (fetched, kept) ─► signature, times, audience ─► Person
//! ```
//!
//! **Invariant:** a password is in memory only, [`Sealed`](model::Sealed), and what is kept of it is an argon2id hash.
//! **Invariant:** no name of the system ([`names::is_reserved`]) comes out of an id token, whatever its issuer says.
//! **Invariant:** every table, queue and document here is bounded, every wait has a deadline.

pub mod guard;
pub mod hashing;
pub mod names;
pub mod oidc;
pub mod password;
pub mod ticket;

pub use guard::Guard;
pub use hashing::Hashing;
pub use oidc::{Issuer, Person};
pub use ticket::Ticket;
