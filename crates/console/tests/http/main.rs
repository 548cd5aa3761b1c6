//! The console through its socket, before the real embedded API.

mod attacks;
mod matrix;
mod oidc;
mod relay;
mod sessions;
mod world;
