//! What a worker cannot be made to do from outside, the log brings about: at the line that says that one of these backends refused a
//! connection, deep inside an exchange, the listener to the log panics, or sleeps.

use std::fmt;
use std::thread::sleep;
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Its requests panic.
pub const PANICS: &str = "demo/panics:80";
/// Its requests hold up their worker for a second.
pub const SLEEPS: &str = "demo/sleeps:80";

/// Makes the two backends what they are, for all tests.
pub fn set() {
    // Set already: by another test, in the same way.
    let _ = tracing::subscriber::set_global_default(Trap);
}

struct Trap;

struct Spring;

impl Subscriber for Trap {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("proxy")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Spring);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Spring {
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
    fn record_str(&mut self, field: &Field, value: &str) {
        match (field.name(), value) {
            ("backend", PANICS) => panic!("as the test wants it"),
            ("backend", SLEEPS) => sleep(Duration::from_secs(1)),
            _ => {}
        }
    }
}
