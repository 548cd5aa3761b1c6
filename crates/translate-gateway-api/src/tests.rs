//! Properties of this frontend by itself.
