//! The data plane through its own sockets, between a raw client and origins that misbehave.

mod bodies;
mod datagrams;
mod drain;
mod endpoints;
mod filters;
mod heads;
mod interim;
mod limits;
mod listeners;
mod mirrors;
mod options;
mod pages;
mod panics;
mod persistence;
mod ports;
mod retries;
mod servers;
mod support;
mod timeouts;
mod tls;
mod traces;
mod trap;
mod tunnels;
mod upgrade;
