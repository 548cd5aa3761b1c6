//! `x-kubernetes-validations`: CEL rules, compiled when the schema is read and run on objects whose shape is right.
//!
//! The language and Kubernetes' functions come from `kube-cel`. The walk is ours, because how a field is named in a rule, which
//! old value an element is compared with and what unchanged values are spared depend on the schema.
//!
//! **Invariant:** a rule that cannot be run refuses the object and says why; it is never passed over.

mod names;
mod values;

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use kube_cel::KubeCelExt;
use kube_cel::cel::objects::OptionalValue;
use kube_cel::cel::{Context, ExecutionError, Program, Value as Cel};
use serde_json::Value;

use crate::path::Path;
use crate::structural::{Node, NodeId, Structural, Type, counterpart};
use crate::violation::{Violation, ViolationKind};

/// How deep brackets may nest in a rule: the parser recurses.
const MOST_NESTING: usize = 64;
const MOST_LENGTH: usize = 16 * 1024;

/// One compiled rule.
pub(crate) struct Rule {
    text: String,
    program: Arc<Program>,
    message: Option<String>,
    message_program: Option<Arc<Program>>,
    reason: Reason,
    field_path: Option<String>,
    /// Whether it speaks of `oldSelf`.
    transition: bool,
    optional_old: bool,
}

#[derive(Clone, Copy)]
enum Reason {
    Invalid,
    Forbidden,
    Required,
    Duplicate,
}

/// What was compiled already: the same rule often stands in many places of one schema.
#[derive(Default)]
pub(crate) struct Compiled(HashMap<String, Arc<Program>>);

// === impl Compiled ===

impl Compiled {
    fn get(&mut self, text: &str) -> Result<Arc<Program>, String> {
        if let Some(program) = self.0.get(text) {
            return Ok(Arc::clone(program));
        }
        let program = Arc::new(compile(text)?);
        self.0.insert(text.to_owned(), Arc::clone(&program));
        Ok(program)
    }
}

// === impl Rule ===

impl Rule {
    /// What a rule is called where it could not be run.
    fn name(&self) -> &str {
        self.message.as_deref().unwrap_or(&self.text)
    }

    fn refusal(&self, detail: String, value: &Value, path: &Path<'_>) -> Violation {
        let shown = || Some(value.clone()).filter(|value| !value.is_object() && !value.is_array());
        let (kind, detail) = match self.reason {
            Reason::Invalid => (ViolationKind::Invalid { value: shown() }, detail),
            Reason::Forbidden => (ViolationKind::Forbidden, detail),
            Reason::Required => (ViolationKind::Required, detail),
            // Kubernetes' duplicates say nothing more.
            Reason::Duplicate => (ViolationKind::Duplicate { value: shown() }, String::new()),
        };
        let violation = path.violation(kind, detail);
        let field = match &self.field_path {
            None => violation.field,
            Some(below) if violation.field == "<nil>" => below.trim_start_matches('.').to_owned(),
            Some(below) => format!("{}{below}", violation.field),
        };
        Violation { field, ..violation }
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rule").field(&self.text).finish()
    }
}

/// Compiles the rules of `node`, whose fields are among `nodes`.
pub(crate) fn read(
    rules: &Value,
    nodes: &[Node],
    node: &Node,
    path: &Path<'_>,
    compiled: &mut Compiled,
    found: &mut Vec<Violation>,
) -> Vec<Rule> {
    let list = rules.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut out = Vec::with_capacity(list.len());
    for (index, rule) in list.iter().enumerate() {
        out.extend(read_one(rule, nodes, node, &path.index(index), compiled).map_err(|wrong| found.push(*wrong)).ok());
    }
    out
}

fn read_one(rule: &Value, nodes: &[Node], node: &Node, path: &Path<'_>, compiled: &mut Compiled) -> Result<Rule, Box<Violation>> {
    let text_of = |name: &str| rule.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let text = text_of("rule").ok_or_else(|| path.child("rule").required("rule is not specified"))?;
    let mut compile = |text| {
        let program = compiled.get(text)?;
        names::check(program.expression(), nodes, node)?;
        Ok::<_, String>(program)
    };
    let program = compile(text).map_err(|why| path.child("rule").invalid(text, format!("compilation failed: {why}")))?;
    let message_program = match text_of("messageExpression") {
        None => None,
        Some(text) => Some(compile(text).map_err(|why| {
            let at = path.child("messageExpression");
            at.invalid(text, format!("messageExpression compilation failed: {why}"))
        })?),
    };
    let reason = match text_of("reason") {
        None | Some("FieldValueInvalid") => Reason::Invalid,
        Some("FieldValueForbidden") => Reason::Forbidden,
        Some("FieldValueRequired") => Reason::Required,
        Some("FieldValueDuplicate") => Reason::Duplicate,
        Some(other) => {
            let known = ["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"];
            return Err(path.child("reason").not_supported(other, &known).into());
        }
    };
    let transition = program.references().has_variable("oldSelf");
    Ok(Rule {
        text: text.to_owned(),
        program,
        message: text_of("message").map(str::to_owned),
        message_program,
        reason,
        field_path: text_of("fieldPath").map(str::to_owned),
        transition,
        optional_old: rule.get("optionalOldSelf").and_then(Value::as_bool).unwrap_or(false),
    })
}

fn compile(text: &str) -> Result<Program, String> {
    let deepest = text.bytes().scan(0_usize, |depth, byte| {
        match byte {
            b'(' | b'[' | b'{' => *depth += 1,
            b')' | b']' | b'}' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(*depth)
    });
    if text.len() > MOST_LENGTH || deepest.max().unwrap_or(0) > MOST_NESTING {
        return Err("the expression is too long or too deep".to_owned());
    }
    match guarded(|| Program::compile(text)) {
        Some(compiled) => compiled.map_err(|why| why.to_string()),
        None => Err("the parser gave up".to_owned()),
    }
}

/// Runs code of the CEL crates on a user's rule: a panic in there is that rule's failure, not ours.
fn guarded<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).ok()
}

thread_local! {
    // Registering some hundred functions per rule would cost more than the rule.
    static FUNCTIONS: RefCell<Context<'static>> = RefCell::new(functions());
}

/// Kubernetes' functions, and `type`, which the engine lacks: types are told apart by names that no text of a user is likely to be.
fn functions() -> Context<'static> {
    const TYPES: [&str; 10] = ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "uint", "type"];
    let mut context = Context::default().with_all();
    context.add_function("type", |value: Cel| Arc::new(type_name(type_of(&value))));
    for name in TYPES {
        context.add_variable_from_value(name, Cel::String(Arc::new(type_name(name))));
    }
    context
}

fn type_name(name: &str) -> String {
    format!("\u{1}type {name}")
}

fn type_of(value: &Cel) -> &'static str {
    match value {
        Cel::List(_) => "list",
        Cel::Map(_) => "map",
        Cel::Int(_) => "int",
        Cel::UInt(_) => "uint",
        Cel::Float(_) => "double",
        Cel::String(_) => "string",
        Cel::Bytes(_) => "bytes",
        Cel::Bool(_) => "bool",
        Cel::Null => "null_type",
        Cel::Function(..) | Cel::Opaque(_) | Cel::Duration(_) | Cel::Timestamp(_) => "type",
    }
}

/// Runs every rule in the schema on the values it stands at.
pub(crate) fn check(schema: &Structural, new: &Value, old: Option<&Value>, found: &mut Vec<Violation>) {
    FUNCTIONS.with_borrow(|functions| Walk { schema, functions }.node(schema.root, new, old, &Path::ROOT, found));
}

struct Walk<'a> {
    schema: &'a Structural,
    functions: &'a Context<'static>,
}

// === impl Walk ===

impl Walk<'_> {
    fn node(&self, id: NodeId, new: &Value, old: Option<&Value>, path: &Path<'_>, found: &mut Vec<Violation>) {
        let node = self.schema.node(id, new);
        if !node.ruled || new.is_null() {
            return;
        }
        if !node.rules.is_empty() {
            self.rules(id, new, old, path, found);
        }
        match new {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if let Some(field) = node.field(name) {
                        self.node(field, value, old.and_then(|old| old.get(name)), &path.child(name), found);
                    }
                }
            }
            Value::Array(items) => {
                let Some(item) = node.items else { return };
                for (index, value) in items.iter().enumerate() {
                    let old = old.and_then(|old| counterpart(&node.list, value, old));
                    self.node(item, value, old, &path.index(index), found);
                }
            }
            _ => {}
        }
    }

    fn rules(&self, id: NodeId, new: &Value, old: Option<&Value>, path: &Path<'_>, found: &mut Vec<Violation>) {
        let node = self.schema.node(id, new);
        let unchanged = old == Some(new);
        let this = self.cel(id, new);
        let previous = old.map(|old| self.cel(id, old));
        for rule in &node.rules {
            if (unchanged && !rule.transition) || (rule.transition && previous.is_none() && !rule.optional_old) {
                continue;
            }
            let mut scope = self.functions.new_inner_scope();
            scope.add_variable_from_value("self", this.clone());
            if rule.optional_old {
                let optional = previous.clone().map_or_else(OptionalValue::none, OptionalValue::of);
                scope.add_variable_from_value("oldSelf", Cel::Opaque(Arc::new(optional)));
            } else if let Some(previous) = &previous {
                scope.add_variable_from_value("oldSelf", previous.clone());
            }
            if let Some(violation) = run(rule, &scope, node.kind, new, path) {
                found.push(violation);
            }
        }
    }
}

fn run(rule: &Rule, scope: &Context<'_>, kind: Type, value: &Value, path: &Path<'_>) -> Option<Violation> {
    let failed = |why: String| Some(path.invalid(kind.name(), format!("{why} evaluating rule: {}", rule.name())));
    match guarded(|| rule.program.execute(scope)) {
        Some(Ok(Cel::Bool(true))) => None,
        Some(Ok(Cel::Bool(false))) => Some(rule.refusal(message(rule, scope), value, path)),
        Some(Ok(_)) => failed("neither true nor false".to_owned()),
        Some(Err(ExecutionError::NoSuchKey(key))) => failed(format!("no such key: {key}")),
        Some(Err(why)) => failed(why.to_string()),
        None => failed("the engine gave up".to_owned()),
    }
}

fn message(rule: &Rule, scope: &Context<'_>) -> String {
    let computed = rule.message_program.as_ref().and_then(|program| match guarded(|| program.execute(scope)) {
        Some(Ok(Cel::String(text))) if !text.trim().is_empty() && !text.contains('\n') => Some(text.trim().to_owned()),
        _ => None,
    });
    computed.or_else(|| rule.message.clone()).unwrap_or_else(|| format!("failed rule: {}", rule.text))
}
