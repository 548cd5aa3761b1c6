//! `v1` Pod, for its labels.

use super::meta::{Meta, Name};
use crate::at::At;
use crate::problem::Problem;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    pub meta: Meta,
    pub problems: Vec<Problem>,
}

// === impl Pod ===

impl Pod {
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let meta = Meta::read(name, &root, &mut problems);
        Self { meta, problems }
    }
}
