//! `v1` Pod, for its labels.

use super::meta::{Meta, Name};
use crate::at::At;
use crate::problem::Problem;
use model::Text;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    pub meta: Meta,
    pub problems: Vec<Problem>,
}

// === impl Pod ===

impl Pod {
    /// Only its name, age and labels are kept: all else of it changes all the time, and says nothing here.
    pub fn read(name: Name, value: &Value) -> Self {
        let mut problems = Vec::new();
        let root = At::root(value);
        let mut meta = Meta::read(name, &root, &mut problems);
        meta.annotations.clear();
        meta.generation = 0;
        Self { meta, problems: Vec::new() }
    }

    /// Whether it has all of these labels.
    pub fn has(&self, labels: &BTreeMap<Text, Text>) -> bool {
        labels.iter().all(|(name, value)| self.meta.labels.get(name) == Some(value))
    }
}
