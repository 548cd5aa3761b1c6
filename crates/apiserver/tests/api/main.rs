//! The embedded API from outside: over TLS, as clients see it.

mod apply;
mod client;
mod crash;
mod custom;
mod definitions;
mod disk;
mod gateways;
mod kube_client;
mod kubectl;
mod objects;
mod oracle;
mod people;
mod refusals;
mod rights;
mod table;
mod watches;
mod workloads;
