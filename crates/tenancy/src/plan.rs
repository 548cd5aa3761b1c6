//! What is to be written, so that roles, bindings, namespaces and statuses are as people's objects say.
//!
//! ```text
//! homes: each Workspace and its namespace ─┬─► standing: built-in roles, and the bindings to them that may be trusted ─► mirror
//! projects: namespaces of a Workspace ─────┤
//! Projects: a namespace each               └─► users: where each is a member
//! ```
//!
//! Pure: the time is an argument, and is written only where something else changes.

mod keep;
mod membership;
mod mirror;
mod project;
mod standing;
mod status;
mod user;
mod workspace;

use crate::catalogue::Place;
use crate::names::{HOME_LABEL, SYSTEM_NAMESPACE, WORKSPACE_LABEL, workspace_namespace};
use crate::object::{Kind, Object};
use crate::world::{Key, World};
use crate::write::{Chain, Write};
use serde_json::json;
use standing::{Scope, Standing};
use std::collections::{BTreeMap, BTreeSet};

/// What a plan is made from, and what it comes to.
struct Plan<'a> {
    world: &'a World,
    now: &'a str,
    /// Workspaces that are served, by name.
    homes: BTreeMap<&'a str, Home<'a>>,
    /// Namespaces that are a project of a served workspace, and which.
    projects: BTreeMap<&'a str, &'a str>,
    chains: Vec<Chain>,
}

/// A Workspace that is there to stay, and the namespace of its own.
struct Home<'a> {
    workspace: &'a Object,
    namespace: Result<&'a Object, Lack>,
    standing: Standing<'a>,
}

/// Why a workspace, or a Project, has no namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lack {
    /// It is to be made.
    Missing,
    /// It is going.
    Going,
    /// Somebody else's has that name.
    Taken,
}

/// The writes that are missing. `now`: as objects write times.
pub fn plan(world: &World, now: &str) -> Vec<Chain> {
    let mut plan = Plan { world, now, homes: BTreeMap::new(), projects: BTreeMap::new(), chains: Vec::new() };
    plan.system();
    plan.find_homes();
    plan.find_projects();
    workspace::plan(&mut plan);
    let standings = mirror::plan(&mut plan);
    project::plan(&mut plan, &standings);
    workspace::tell(&mut plan);
    user::plan(&mut plan);
    plan.forget(&standings);
    plan.chains
}

// === impl Plan ===

impl<'a> Plan<'a> {
    fn write(&mut self, write: impl Into<Chain>) {
        self.chains.push(write.into());
    }

    /// What is there for the whole platform.
    fn system(&mut self) {
        if self.world.get(Kind::Namespace, "", SYSTEM_NAMESPACE).is_none() {
            self.write(Write::create(Key::new(Kind::Namespace, "", SYSTEM_NAMESPACE), json!({})));
        }
        standing::settle(self, Scope { place: Place::Platform, namespace: "", uid: "" });
    }

    fn find_homes(&mut self) {
        let world = self.world;
        for workspace in world.all(Kind::Workspace).filter(|it| !it.is_deleting()) {
            let namespace = match world.get(Kind::Namespace, "", &workspace_namespace(workspace.name())) {
                None => Err(Lack::Missing),
                Some(it) if it.is_deleting() => Err(Lack::Going),
                Some(it) if workspace::is_home(it, workspace) => Ok(it),
                Some(_) => Err(Lack::Taken),
            };
            let standing = match namespace {
                Ok(it) => standing::settle(self, Scope { place: Place::Workspace, namespace: it.name(), uid: it.uid() }),
                Err(_) => Standing::default(),
            };
            self.homes.insert(workspace.name(), Home { workspace, namespace, standing });
        }
    }

    fn find_projects(&mut self) {
        for namespace in self.world.all(Kind::Namespace) {
            let system = namespace.name() == SYSTEM_NAMESPACE || namespace.label(HOME_LABEL).is_some();
            if let Some(workspace) = namespace.label(WORKSPACE_LABEL)
                && !system
                && !namespace.is_deleting()
                && let Some(home) = self.homes.get(workspace).filter(|it| it.namespace.is_ok())
            {
                self.projects.insert(namespace.name(), home.workspace.name());
            }
        }
    }

    /// Records of namespaces that no longer have roles of ours.
    fn forget(&mut self, projects: &BTreeMap<&str, Standing<'_>>) {
        let homes = self.homes.values().filter_map(|it| it.namespace.ok()).map(Object::name);
        let wanted: BTreeSet<String> =
            projects.keys().copied().chain(homes).map(standing::record_name).chain([standing::record_name("")]).collect();
        let gone = self.world.within(Kind::ConfigMap, SYSTEM_NAMESPACE).filter(|it| standing::is_record(it) && !wanted.contains(it.name()));
        let writes: Vec<Write> = gone.map(|it| Write::Delete(Key::of(Kind::ConfigMap, it), it.uid().to_owned())).collect();
        writes.into_iter().for_each(|it| self.write(it));
    }
}

#[cfg(test)]
mod tests;
