//! What one may be allowed: named permissions, and the roles that are there from the start, as data.
//!
//! A role of one's own is put together from permissions; its annotation names them, and its rules are what they say.

mod permissions;
mod rules;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

pub use permissions::{PERMISSIONS, Permission};
pub use rules::Rule;

/// Where a role holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Platform,
    Workspace,
    Project,
}

/// How far a permission goes. Each contains the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    View,
    /// Make new ones, without touching those of others.
    Create,
    Manage,
}

/// A role that is there from the start.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    pub name: &'static str,
    pub place: Place,
    pub about: &'static str,
}

/// Permissions by name.
pub type Permissions = BTreeMap<&'static str, Level>;

pub const ADMIN: &str = "admin";
pub const VIEWER: &str = "viewer";
pub const PLATFORM_ADMIN: &str = "platform-admin";

/// What stands for all that is in a workspace's projects: who is bound to a role with it is mirrored into them. No permission gives it, so
/// that nobody but who has it can bind somebody to such a role.
const CONTENTS: &str = "projects/contents";

#[rustfmt::skip]
pub const BUILT_IN: &[BuiltIn] = &[
    BuiltIn { name: PLATFORM_ADMIN, place: Place::Platform, about: "may everything" },
    BuiltIn { name: "platform-self-provisioner", place: Place::Platform, about: "may make workspaces, and is their admin" },
    BuiltIn { name: ADMIN, place: Place::Workspace, about: "manages the workspace, its members and all its projects" },
    BuiltIn { name: "self-provisioner", place: Place::Workspace, about: "may make projects, and is their admin" },
    BuiltIn { name: VIEWER, place: Place::Workspace, about: "sees all projects of the workspace, but no Secrets" },
    BuiltIn { name: "regular", place: Place::Workspace, about: "is a member, and sees no project until invited" },
    BuiltIn { name: ADMIN, place: Place::Project, about: "manages the project: members, gateway, settings and all in it" },
    BuiltIn { name: "operator", place: Place::Project, about: "manages routes, Services and what runs; sees the gateway" },
    BuiltIn { name: VIEWER, place: Place::Project, about: "sees everything but Secrets" },
];

/// The role of this name that is there from the start.
pub fn built_in(place: Place, name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|it| it.place == place && it.name == name)
}

pub fn built_ins(place: Place) -> impl Iterator<Item = &'static BuiltIn> {
    BUILT_IN.iter().filter(move |it| it.place == place)
}

/// The permission of this name.
pub fn permission(place: Place, name: &str) -> Option<&'static Permission> {
    PERMISSIONS.iter().find(|it| it.place == place && it.name == name)
}

/// The rules that these permissions come to. Those nobody knows give nothing.
pub fn rules(place: Place, permissions: &Permissions) -> Vec<Rule> {
    let each = permissions.iter().filter_map(|(name, level)| Some(permission(place, name)?.rules(*level)));
    rules::gathered(each.flatten())
}

/// What an own role's annotation names; an error says what of it nobody knows.
///
/// # Errors
/// A sentence about the annotation.
pub fn read(place: Place, annotation: &str) -> Result<Permissions, String> {
    let named: BTreeMap<String, String> = serde_json::from_str(annotation)
        .map_err(|_| "it is no object of permissions and levels, such as {\"routes\":\"manage\"}".to_owned())?;
    let mut permissions = Permissions::new();
    for (name, level) in &named {
        let known = permission(place, name).ok_or_else(|| format!("there is no permission {name:?}"))?;
        permissions.insert(known.name, known.level(level.parse()?)?);
    }
    Ok(permissions)
}

/// As an annotation.
pub fn write(permissions: &Permissions) -> String {
    let named: BTreeMap<&str, String> = permissions.iter().map(|(name, level)| (*name, level.to_string())).collect();
    json!(named).to_string()
}

/// Whether a Role still says what its annotation says; `None` for one without that annotation.
pub fn drift(place: Place, role: &Value) -> Option<Result<Permissions, String>> {
    let annotation = role.pointer("/metadata/annotations")?.get(crate::names::PERMISSIONS)?.as_str()?;
    let check = |permissions: Permissions| match Rule::read_all(role) == rules(place, &permissions) {
        true => Ok(permissions),
        false => Err("its rules are others than those of the permissions it names".to_owned()),
    };
    Some(read(place, annotation).and_then(check))
}

// === impl BuiltIn ===

impl BuiltIn {
    /// Sorted.
    pub fn rules(&self) -> &'static [Rule] {
        static ALL: LazyLock<Vec<(Place, &str, Vec<Rule>)>> = LazyLock::new(|| {
            let sorted = |it: &BuiltIn| {
                let mut rules = it.made();
                rules.sort();
                (it.place, it.name, rules)
            };
            BUILT_IN.iter().map(sorted).collect()
        });
        ALL.iter().find(|(place, name, _)| (*place, *name) == (self.place, self.name)).map_or(&[], |(.., rules)| rules)
    }

    fn made(&self) -> Vec<Rule> {
        let contents = |verbs: &str| Rule::of(crate::names::GROUP, CONTENTS, verbs);
        let all = |place: Place, level: Level| -> Permissions {
            PERMISSIONS.iter().filter(|it| it.place == place).filter_map(|it| Some((it.name, it.level(level).ok()?))).collect()
        };
        let with = |mut rules: Vec<Rule>, more: Rule| {
            rules.push(more);
            rules
        };
        match (self.place, self.name) {
            (Place::Platform, PLATFORM_ADMIN) => vec![Rule::of("*", "*", "*"), Rule::urls("*")],
            (Place::Platform, _) => vec![Rule::of(crate::names::GROUP, "workspaces", "create")],
            (Place::Workspace, ADMIN) => with(rules(Place::Workspace, &all(Place::Workspace, Level::Manage)), contents("administer view")),
            (Place::Workspace, VIEWER) => with(rules(Place::Workspace, &all(Place::Workspace, Level::View)), contents("view")),
            (Place::Workspace, "self-provisioner") => vec![Rule::of(crate::names::GROUP, "projects", "create get")],
            (Place::Workspace, _) => Vec::new(),
            (Place::Project, ADMIN) => rules(Place::Project, &all(Place::Project, Level::Manage)),
            (Place::Project, "operator") => {
                let mut permissions = all(Place::Project, Level::View);
                permissions.extend(PERMISSIONS.iter().filter(|it| it.of_operators).map(|it| (it.name, Level::Manage)));
                rules(Place::Project, &permissions)
            }
            (Place::Project, _) => {
                let mut permissions = all(Place::Project, Level::View);
                permissions.remove("secrets");
                rules(Place::Project, &permissions)
            }
        }
    }
}

// === impl Level ===

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "view" => Ok(Self::View),
            "create" => Ok(Self::Create),
            "manage" => Ok(Self::Manage),
            _ => Err(format!("{text:?} is no level; write view, create or manage")),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::Create => "create",
            Self::Manage => "manage",
        })
    }
}

#[cfg(test)]
mod tests;
