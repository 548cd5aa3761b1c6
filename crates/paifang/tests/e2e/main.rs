//! The program as users have it: the real binary, real kubectl, real curl.
//!
//! Each test starts its own on its own data directory, addresses and ports, so they run side by side. `PAIFANG_BIN` names the binary
//! (else the one built with the tests), `PAIFANG_SEED` repeats a run's random names, `PAIFANG_KILLS` sets how often one is killed.

mod access;
mod backup;
mod broken;
mod console;
mod console_alone;
mod controllers;
mod durable;
mod endpoints;
mod explain;
mod full;
mod gateway_api;
mod gateway_options;
mod guide;
mod harness;
mod ingress;
mod istio;
mod kubectl;
mod load;
mod login;
mod names;
mod objects;
mod people;
mod pool;
mod project_gateways;
mod scenarios;
mod secure;
mod services;
mod starting;
mod statuses;
mod talk;
mod together;
mod tracing;
mod tutorial;
mod workloads;
