//! Equal patterns share one expression.

use super::{Expression, Form, PatternError};
use model::Pattern;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Expressions in use. Many hosts have the same pattern, such as `/(.*)`.
#[derive(Default)]
pub(crate) struct Patterns(Mutex<HashMap<Pattern, Weak<Form>>>);

impl Patterns {
    /// The pattern's expression, compiled where none is in use.
    pub(crate) fn compile(&self, pattern: &Pattern) -> Result<Expression, PatternError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(form) = known.get(pattern).and_then(Weak::upgrade) {
            return Ok(Expression(form));
        }
        let expression = Expression::compile(pattern)?;
        if known.len() == known.capacity() {
            known.retain(|_, form| form.strong_count() > 0);
        }
        known.insert(pattern.clone(), Arc::downgrade(&expression.0));
        Ok(expression)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Anchor, Case, Engine};

    #[test]
    fn equal_patterns_are_compiled_once_and_forgotten_when_unused() {
        let patterns = Patterns::default();
        let pattern = |text: String| Pattern { text: text.into(), case: Case::Sensitive, anchor: Anchor::Start, engine: Engine::Linear };
        let compile = |text: &str| patterns.compile(&pattern(text.into())).expect("it compiles");
        let first = compile("/(.*)");
        assert!(Arc::ptr_eq(&first.0, &compile("/(.*)").0));
        assert!(!Arc::ptr_eq(&first.0, &compile("/(.+)").0));
        (0..1000).for_each(|n| drop(compile(&format!("/a{n}"))));
        let known = patterns.0.lock().expect("nobody panicked").len();
        assert!(known < 100, "{known} patterns are remembered");
    }
}
