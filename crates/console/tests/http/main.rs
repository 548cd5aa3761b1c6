//! The console through its socket, before the real embedded API.

mod attacks;
mod cluster;
mod matrix;
mod oidc;
mod relay;
mod sessions;
mod world;
