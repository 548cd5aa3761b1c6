//! Equal patterns share one expression.

use super::{Expression, Form, PatternError};
use model::Pattern;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// So many engines are built beforehand. At some 10 KiB each that is 5 MiB; those beyond are built by the first request that needs them,
/// which takes a worker 0.1 to 0.2 ms.
const AHEAD: usize = 512;

/// Expressions in use. Many hosts have the same pattern, such as `/(.*)`.
#[derive(Default)]
pub(crate) struct Patterns(Mutex<Known>);

#[derive(Default)]
struct Known {
    forms: HashMap<Pattern, Weak<Form>>,
    /// Whose engine was built beforehand.
    ahead: Vec<Weak<Form>>,
}

impl Patterns {
    /// The pattern's expression, compiled where none is in use.
    pub(crate) fn compile(&self, pattern: &Pattern) -> Result<Expression, PatternError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(form) = known.forms.get(pattern).and_then(Weak::upgrade) {
            return Ok(Expression(form));
        }
        let expression = Expression::compile(pattern)?;
        known.add(pattern, &expression.0);
        Ok(expression)
    }
}

impl Known {
    fn add(&mut self, pattern: &Pattern, form: &Arc<Form>) {
        if self.forms.len() == self.forms.capacity() {
            self.forms.retain(|_, form| form.strong_count() > 0);
        }
        self.forms.insert(pattern.clone(), Arc::downgrade(form));
        let Form::Linear(linear) = &**form else { return };
        if self.ahead.len() >= AHEAD {
            self.ahead.retain(|form| form.strong_count() > 0);
        }
        if self.ahead.len() < AHEAD {
            linear.prepare();
            self.ahead.push(Arc::downgrade(form));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Anchor, Case, Engine};

    fn compile(patterns: &Patterns, text: &str) -> Expression {
        let pattern = Pattern { text: text.into(), case: Case::Sensitive, anchor: Anchor::Start, engine: Engine::Linear };
        patterns.compile(&pattern).expect("it compiles")
    }

    #[test]
    fn equal_patterns_are_compiled_once_and_forgotten_when_unused() {
        let patterns = Patterns::default();
        let first = compile(&patterns, "/(.*)");
        assert!(Arc::ptr_eq(&first.0, &compile(&patterns, "/(.*)").0));
        assert!(!Arc::ptr_eq(&first.0, &compile(&patterns, "/(.+)").0));
        (0..1000).for_each(|n| drop(compile(&patterns, &format!("/a{n}"))));
        let known = patterns.0.lock().expect("nobody panicked").forms.len();
        assert!(known < 100, "{known} patterns are remembered");
    }

    #[test]
    fn engines_are_built_beforehand_up_to_a_number() {
        let patterns = Patterns::default();
        let ready = |expression: &Expression| matches!(&*expression.0, Form::Linear(linear) if linear.is_ready());
        let held: Vec<Expression> = (0..AHEAD + 10).map(|n| compile(&patterns, &format!("/[0-9]x{n}"))).collect();
        assert_eq!(held.iter().filter(|it| ready(it)).count(), AHEAD);
        drop(held);
        assert!(ready(&compile(&patterns, "/[a-z]")));
    }
}
