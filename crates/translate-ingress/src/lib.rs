//! Ingress, with the annotations of ingress-nginx, as routes.
//!
//! ```text
//! Ingresses of a host, oldest first
//!    │ class: which are ours
//!    │ annotation: Reader ──► Settings, one file per family; what nobody asked for becomes a Problem
//!    ▼
//! locations (path, type, backend) ── the older wins ── canaries attached
//!    │ regex mode or not: one answer for the whole host
//!    ▼
//! Host { routes in order, certificate }  and  one Report per Ingress
//! ```
//!
//! It is *not* nginx: paths are matched on the canonical path, which is also what the backend gets, and an annotation never becomes text of
//! a configuration.
//!
//! **Invariant:** whatever an Ingress says, it changes nothing about the routes of others, except what ingress-nginx makes host-wide
//! (regular expressions) and what age decides (who owns a path).
//! **Invariant:** no annotation of the prefix is passed over without a word.

mod annotation;
mod backend;
mod canary_routes;
mod catalogue;
mod certificate;
mod class;
mod config;
mod error_pages;
mod family;
mod host;
mod istio_class;
mod location;
mod options;
mod order;
mod pattern;
mod reference;
mod settings;

pub use catalogue::{Setting, annotations, options as settings};
pub use config::{Said, gateway_options, named_services, said};
pub use host::{members, translate_host};
pub use options::{ClassOptions, ClusterIps, IstioClass, Options, Others};
pub use reference::reference_markdown;
