//! `v1` Namespace, for its labels.

use super::meta::{Meta, Name};
use crate::at::At;
use crate::problem::Problem;
use model::Text;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    pub meta: Meta,
    pub problems: Vec<Problem>,
}

/// The label that makes a project of a workspace of it.
const WORKSPACE: &str = "kubesphere.io/workspace";

// === impl Namespace ===

impl Namespace {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        Self { meta, problems }
    }

    /// The workspace whose project it is.
    pub fn workspace(&self) -> Option<&Text> {
        self.meta.labels.get(WORKSPACE).filter(|it| !it.is_empty())
    }
}
