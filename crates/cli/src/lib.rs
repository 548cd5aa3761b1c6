//! What a person types and reads: the commands' arguments, `check`, `explain`, `get`, `crds`, those for people and projects, and text that
//! lines up.
//!
//! It holds no rule of its own: what is wrong with an object, which route answers a request, what a gateway listens on, it asks the code
//! that does the work. It is *not* where roles are wired: that is `paifang`.
//!
//! ```text
//! files, or an API ──► objects ──► check: schema, translate ──► findings ──► text, JSON
//!                              └─► served: translate, route ──► explain, get, check --live
//! ```
//!
//! **Invariant:** data goes to standard output, talk to standard error.

pub mod args;
pub mod check;
pub mod crds;
mod exit;
pub mod explain;
pub mod get;
pub mod objects;
pub mod people;

pub use access::text;
pub use exit::Exit;
