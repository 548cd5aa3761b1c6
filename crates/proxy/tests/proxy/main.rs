//! The data plane through its own sockets, between a raw client and origins that misbehave.

mod bodies;
mod drain;
mod endpoints;
mod heads;
mod interim;
mod limits;
mod listeners;
mod panics;
mod persistence;
mod retries;
mod support;
mod timeouts;
mod tls;
mod trap;
mod upgrade;
