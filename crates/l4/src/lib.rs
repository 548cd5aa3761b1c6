//! Connections passed on as they come.
