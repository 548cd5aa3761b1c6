//! What the link promises: everything arrives as it was sent, over pipes that break, from other versions, and nothing goes to others.

mod goldens;
mod links;
mod proof;
mod sample;
mod skew;
mod world;
