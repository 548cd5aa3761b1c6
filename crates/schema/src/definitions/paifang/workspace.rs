//! Workspace: projects and people that belong together.

use super::super::shape::{Shape, list, object, text};
use super::super::{Column, Definition, Scope};
use super::{alias, conditions};

pub(super) fn definition() -> Definition {
    let spec = object([("admins", admins())]);
    let status = object([
        ("namespace", text().about("Where its roles, its members' bindings and its Projects are.")),
        ("seeded", text().about("The uid of the namespace that spec.admins have been bound in.")),
        ("projects", list(text()).about("Its projects' namespaces.")),
        ("conditions", conditions()),
    ]);
    let schema = object([("spec", spec), ("status", status)])
        .about("Projects and people that belong together. Its members are bound in the namespace workspace-NAME.")
        .rule("self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')", "a workspace's name has letters, digits and -: no dots")
        .rule("size(self.metadata.name) <= 53", "a workspace's name has at most 53 characters: its namespace is called workspace-NAME");
    let columns = vec![
        Column::text("Alias", alias()),
        Column::text("Projects", ".status.projects[*]"),
        Column::text("Ready", r#".status.conditions[?(@.type=="Ready")].status"#),
        Column::text("Reason", r#".status.conditions[?(@.type=="Ready")].reason"#).wide(),
        Column::age(),
    ];
    Definition { short_names: &["wksp"], ..super::definition("Workspace", "workspaces", Scope::Cluster, columns, schema) }
}

/// Who is bound when the namespace is made; from then on bindings alone say who is.
pub(super) fn admins() -> Shape {
    list(text().length(1, 253).rule("!self.startsWith('system:')", "names that begin with system: belong to Kubernetes"))
        .items(0, 32)
        .distinct()
        .about("Users who are its admins from the start. Later changes are made by bindings, as `paifang invite` does.")
}
