//! What an API server checks, and `paifang check` checks without one.
//!
//! It is *not* a server: nothing here reads a file, waits, or remembers an object. Each function takes an object as JSON and answers at once.
//!
//! ```text
//! k8s-openapi's types ─┐                        ┌─ default, prune, unknown     the shape
//! CustomResource-      ├─► Structural ──────────┼─ validate (+ CEL)            the values
//! Definition           ┘        │               └─ patch, list, openapi        what clients ask
//!                               ▼
//! an object ─► known (its kind) ─► default ─► review (shape, then rules) ─► [Violation]
//! ```
//!
//! [`Violation`]s read as Kubernetes words them, so that what `kubectl apply` prints here and against a cluster is one text.
//!
//! **Invariant:** no function panics, whatever JSON it is given.
//! **Invariant:** defaulting an object twice gives what defaulting it once gave.

mod cel;
mod defaults;
mod definitions;
mod generate;
mod kind;
mod known;
mod merge;
mod name;
mod openapi;
mod path;
mod rules;
mod structural;
mod violation;

pub use defaults::default_builtin;
pub use definitions::crds;
pub use generate::structural;
pub use kind::{Builtins, Kind, builtin};
pub use known::{Known, known};
pub use name::{label_value as label_value_problems, qualified as label_key_problems};
pub use openapi::{Described, openapi_v2, openapi_v3};
pub use rules::{review_builtin, validate_builtin, validate_custom_metadata};
pub use structural::{Cursor, List, PatchMeta, Structural, Type};
pub use violation::{Violation, ViolationKind};
