//! What a rule speaks of: variables nobody declares and fields the schema does not have are found when the rule is read, not when the first
//! object comes.
//!
//! It is *not* a type checker: a comparison of a text with a number is found when it is run.

use kube_cel::cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr};

use super::values::escaped;
use crate::structural::{Additional, Node, NodeId, Type};

/// Variables every rule has.
const TYPES: [&str; 11] = ["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "uint", "type"];
/// What functions may be called on without being a value: `sets.contains(a, b)`.
const LIBRARIES: [&str; 12] =
    ["base64", "cel", "cidr", "format", "ip", "jsonpatch", "lists", "math", "optional", "quantity", "sets", "strings"];

/// What is wrong with the names in a rule on `this`, whose schema lies among `nodes`.
pub(super) fn check(expression: &IdedExpr, nodes: &[Node], this: &Node) -> Result<(), String> {
    Names { nodes, this, scopes: Vec::new() }.visit(expression).map(|_| ())
}

struct Names<'a> {
    nodes: &'a [Node],
    this: &'a Node,
    /// The variables of the comprehensions around, innermost last, and the schema of their values where known.
    scopes: Vec<(&'a str, Option<&'a Node>)>,
}

// === impl Names ===

impl<'a> Names<'a> {
    /// The schema of the expression's value, where that is known.
    fn visit(&mut self, expression: &'a IdedExpr) -> Result<Option<&'a Node>, String> {
        match &expression.expr {
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => {
                let operand = self.visit(&select.operand)?;
                operand.map_or(Ok(None), |node| self.field(node, &select.field))
            }
            Expr::Call(call) => {
                if let Some(target) = &call.target
                    && !matches!(&target.expr, Expr::Ident(name) if LIBRARIES.contains(&name.as_str()))
                {
                    self.visit(target)?;
                }
                call.args.iter().try_for_each(|argument| self.visit(argument).map(|_| ()))?;
                Ok(None)
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::List(list) => self.all(&list.elements),
            Expr::Map(map) => self.entries(&map.entries),
            Expr::Struct(structure) => self.entries(&structure.entries),
            Expr::Literal(_) | Expr::Unspecified => Ok(None),
        }
    }

    fn all(&mut self, expressions: &'a [IdedExpr]) -> Result<Option<&'a Node>, String> {
        expressions.iter().try_for_each(|one| self.visit(one).map(|_| ()))?;
        Ok(None)
    }

    fn entries(&mut self, entries: &'a [IdedEntryExpr]) -> Result<Option<&'a Node>, String> {
        for entry in entries {
            match &entry.expr {
                EntryExpr::StructField(field) => self.visit(&field.value)?,
                EntryExpr::MapEntry(entry) => {
                    self.visit(&entry.key)?;
                    self.visit(&entry.value)?
                }
            };
        }
        Ok(None)
    }

    fn variable(&self, name: &str) -> Result<Option<&'a Node>, String> {
        if let Some((_, node)) = self.scopes.iter().rev().find(|(known, _)| *known == name) {
            return Ok(*node);
        }
        match name {
            "self" | "oldSelf" => Ok(Some(self.this)),
            known if TYPES.contains(&known) => Ok(None),
            other => Err(format!("undeclared reference to '{other}'")),
        }
    }

    fn field(&self, node: &Node, name: &str) -> Result<Option<&'a Node>, String> {
        let at = |id: NodeId| &self.nodes[id.index()];
        if node.kind != Type::Object {
            return Ok(None);
        }
        if let Some((_, id)) = node.properties.iter().find(|(known, _)| escaped(known) == name) {
            return Ok(Some(at(*id)));
        }
        match node.additional {
            Additional::Schema(id) => Ok(Some(at(id))),
            Additional::Any => Ok(None),
            // `metadata`, `apiVersion` and `kind` are joined to the schema later.
            Additional::None if node.preserve || node.embedded || ["apiVersion", "kind", "metadata"].contains(&name) => Ok(None),
            Additional::None => Err(format!("undefined field '{name}'")),
        }
    }

    fn comprehension(&mut self, it: &'a ComprehensionExpr) -> Result<Option<&'a Node>, String> {
        let range = self.visit(&it.iter_range)?;
        self.visit(&it.accu_init)?;
        let element = range.filter(|node| node.kind == Type::Array).and_then(|node| node.items).map(|id| &self.nodes[id.index()]);
        let depth = self.scopes.len();
        // With two variables the first is the index or the key.
        match &it.iter_var2 {
            Some(second) => self.scopes.extend([(it.iter_var.as_str(), None), (second.as_str(), element)]),
            None => self.scopes.push((&it.iter_var, element)),
        }
        self.scopes.push((&it.accu_var, None));
        let inside = [&it.loop_cond, &it.loop_step, &it.result].into_iter().try_for_each(|one| self.visit(one).map(|_| ()));
        self.scopes.truncate(depth);
        inside.map(|()| None)
    }
}
