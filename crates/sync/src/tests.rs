//! What the link promises, over pipes in memory.
