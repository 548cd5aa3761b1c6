//! Gateways in pods, as objects.
