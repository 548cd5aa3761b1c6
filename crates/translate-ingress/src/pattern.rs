//! Paths as patterns and as texts.

use model::{Anchor, Case, Engine, Pattern};
pub(crate) use resources::pattern::{Judged, canonical, judge, literal_prefix, quoted};

/// As ingress-nginx writes its locations: found at the beginning, letters in any case.
pub(crate) fn location(text: &str, engine: Engine) -> Pattern {
    Pattern { text: text.into(), case: Case::Insensitive, anchor: Anchor::Start, engine }
}
